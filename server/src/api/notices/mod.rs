//! What is told by e-mail and webhook, for administrators.

pub(super) mod list;
pub(super) mod test;
