//! `GET` and `POST /api/support/chat`: the customer's side, on the portal's page.

use axum::extract::State;
use axum::http::StatusCode;

use super::for_chat;
use super::ticket::Ticket;
use crate::api::support_codes::ChatLineBody;
use crate::api::support_codes::chat::{ChatBody, SayRequest, answer};
use crate::app::Shared;
use crate::http::bodies::Json;
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::limits::Limited;
use crate::support::Author;

/// The chat, oldest line first.
#[utoipa::path(get, path = "/api/support/chat", operation_id = "read_own_chat", tag = "support", params(Ticket),
    responses(
        (status = 200, body = ChatBody),
        (status = 400, body = ErrorBody),
        (status = 403, description = "`chat_moved`: the guest is in another network", body = ErrorBody),
        (status = 404, description = "`ticket_not_found`", body = ErrorBody)))]
pub(crate) async fn read(
    State(app): State<Shared>,
    client: Client,
    ticket: Ticket,
) -> Result<Json<ChatBody>, ApiError> {
    app.limit(Limited::ChatRead, client)?;
    let code = for_chat(&app, client, &ticket.text).await?;
    let lines = app.store.chat(&code.id).await?;
    let items = lines.iter().map(|line| ChatLineBody::new(&code.id, line));
    Ok(Json(ChatBody {
        items: items.collect(),
    }))
}

/// Write to the technician.
#[utoipa::path(post, path = "/api/support/chat", operation_id = "say_in_own_chat", tag = "support",
    params(Ticket), request_body = SayRequest,
    responses(
        (status = 204, description = "Said, now or before"),
        (status = 400, body = ErrorBody),
        (status = 403, description = "`chat_moved`: the guest is in another network", body = ErrorBody),
        (status = 404, description = "`ticket_not_found`", body = ErrorBody),
        (status = 409, description = "`chat_full`", body = ErrorBody),
        (status = 422, body = ErrorBody),
        (status = 429, body = ErrorBody)))]
pub(crate) async fn say(
    State(app): State<Shared>,
    client: Client,
    ticket: Ticket,
    Json(request): Json<SayRequest>,
) -> Result<StatusCode, ApiError> {
    app.limit(Limited::Chat, client)?;
    let code = for_chat(&app, client, &ticket.text).await?;
    let said = app
        .say(&code, Author::Guest, &request.client_id, &request.text)
        .await;
    answer(said.map(|_| ()))
}
