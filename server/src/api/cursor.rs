//! Limits and cursors of lists.

use crate::http::error::ApiError;

/// Entries of a page when nobody asks for a number.
const DEFAULT_LIMIT: u64 = 50;

/// Most entries of a page.
const MAX_LIMIT: u64 = 200;

/// The number of entries to answer with.
pub(super) fn limit(asked: Option<u64>) -> Result<u64, ApiError> {
    match asked {
        None => Ok(DEFAULT_LIMIT),
        Some(limit @ 1..=MAX_LIMIT) => Ok(limit),
        Some(_) => Err(ApiError::invalid("The limit must be between 1 and 200.")),
    }
}

/// For a cursor that this server did not give.
pub(super) fn bad_cursor() -> ApiError {
    ApiError::invalid("The cursor is not one of this list.")
}
