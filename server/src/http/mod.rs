//! What every request meets before and after its handler.

pub(crate) mod bodies;
pub(crate) mod buckets;
pub(crate) mod client;
pub(crate) mod cors;
pub(crate) mod error;
pub(crate) mod headers;
pub(crate) mod limits;
pub(crate) mod observe;
pub(crate) mod origin;
