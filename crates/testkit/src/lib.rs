//! What several suites need: links in virtual time, and launchers of real
//! programs that end with the test.

pub mod link;
#[cfg(unix)]
pub mod postgres;
#[cfg(unix)]
pub mod xvfb;
