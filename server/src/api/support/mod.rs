//! What customers and their programs call, without a login.

pub(super) mod chat;
pub(super) mod claim;
pub(super) mod info;
pub(crate) mod status;

use gc_store::SupportCodeRow;

use crate::app::App;
use crate::http::error::ApiError;

/// The code of a portal page's ticket.
async fn by_ticket(app: &App, ticket: &str) -> Result<SupportCodeRow, ApiError> {
    let unknown = || ApiError::not_found("ticket_not_found", "There is no such ticket.");
    let id = app.support.tokens.read_ticket(ticket).ok_or_else(unknown)?;
    app.store.support_code(&id).await?.ok_or_else(unknown)
}
