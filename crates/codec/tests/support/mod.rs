//! What tests share.

pub mod frames;
