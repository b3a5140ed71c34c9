//! `GET /api/support/status`.

use axum::extract::State;
use gc_model::support::CodeState;
use gc_store::SupportCodeRow;
use serde::Serialize;
use utoipa::ToSchema;

use super::by_ticket;
use super::ticket::Ticket;
use crate::app::{App, Shared};
use crate::http::bodies::Json;
use crate::http::error::{ApiError, ErrorBody};

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatusBody {
    /// `open`, `downloaded`, `connected`, `accepted`, `finished`, `refused` or
    /// `cancelled`.
    #[schema(example = "connected")]
    phase: &'static str,
    /// Who helps; empty while nobody is named.
    technician: String,
}

/// How far the help has come, for the portal's page.
#[utoipa::path(get, path = "/api/support/status", operation_id = "show_support_status", tag = "support", params(Ticket),
    responses(
        (status = 200, body = StatusBody),
        (status = 400, body = ErrorBody),
        (status = 404, description = "`ticket_not_found`", body = ErrorBody)))]
pub(crate) async fn status(
    State(app): State<Shared>,
    ticket: Ticket,
) -> Result<Json<StatusBody>, ApiError> {
    let code = by_ticket(&app, &ticket.text).await?;
    Ok(Json(StatusBody {
        phase: phase(&code),
        technician: App::helper(&code).to_owned(),
    }))
}

/// Where a customer stands, in the words of the portal.
pub(crate) fn phase(code: &SupportCodeRow) -> &'static str {
    match code.state {
        CodeState::Open if code.downloaded_at.is_some() => "downloaded",
        CodeState::Open => "open",
        CodeState::Waiting => "connected",
        CodeState::Accepted | CodeState::Active => "accepted",
        CodeState::Completed => "finished",
        CodeState::Refused => "refused",
        CodeState::Cancelled | CodeState::Expired => "cancelled",
    }
}
