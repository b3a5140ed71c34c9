//! A fresh server and its one claim.

pub(super) mod claim;
pub(super) mod show;
