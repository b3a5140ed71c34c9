//! Turns what `x11rb` says into the seam's errors.

use std::io;

use gc_platform::PlatformError;
use x11rb::errors::ReplyOrIdError;

/// Name of the thing that is gone when the connection breaks.
pub(crate) const X_SERVER: &str = "the X server";

/// Names the request that failed.
pub(crate) trait During<T> {
    /// A broken connection is [`PlatformError::Gone`], anything else says `call`.
    fn during(self, call: &'static str) -> Result<T, PlatformError>;
}

impl<T, E: Into<ReplyOrIdError>> During<T> for Result<T, E> {
    fn during(self, call: &'static str) -> Result<T, PlatformError> {
        self.map_err(|error| match error.into() {
            ReplyOrIdError::ConnectionError(_) => PlatformError::Gone(X_SERVER),
            other => PlatformError::Os {
                call,
                source: io::Error::other(other),
            },
        })
    }
}
