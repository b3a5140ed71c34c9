//! `GET` and `POST /api/support-codes/{id}/chat`.

use axum::extract::State;
use axum::http::StatusCode;
use gc_model::role::Permission;
use gc_store::SayError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ChatLineBody, find, require_own};
use crate::app::Shared;
use crate::auth::user::CurrentUser;
use crate::http::bodies::{Json, Path};
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::limits::Limited;
use crate::support::Author;

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct SayRequest {
    /// Chosen by the sender, 1 to 64 printable ASCII characters: the same again
    /// is the same line.
    pub(crate) client_id: String,
    /// At most 2,000 characters.
    pub(crate) text: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChatBody {
    pub(crate) items: Vec<ChatLineBody>,
}

/// The chat around a support code, oldest line first.
#[utoipa::path(get, path = "/api/support-codes/{id}/chat", operation_id = "read_chat", tag = "support",
    security(("access_token" = [])), params(("id" = String, Path)),
    responses(
        (status = 200, body = ChatBody),
        (status = 401, body = ErrorBody),
        (status = 404, description = "`support_code_not_found`", body = ErrorBody)))]
pub(crate) async fn read_chat(
    State(app): State<Shared>,
    current: CurrentUser,
    Path(id): Path<String>,
) -> Result<Json<ChatBody>, ApiError> {
    current.require(Permission::Support)?;
    let code = find(&app, &id).await?;
    let lines = app.store.chat(&code.id).await?;
    let items = lines.iter().map(|line| ChatLineBody::new(&code.id, line));
    Ok(Json(ChatBody {
        items: items.collect(),
    }))
}

/// Write to the customer.
#[utoipa::path(post, path = "/api/support-codes/{id}/chat", operation_id = "say_in_chat", tag = "support",
    security(("access_token" = [])), params(("id" = String, Path)), request_body = SayRequest,
    responses(
        (status = 204, description = "Said, now or before"),
        (status = 401, body = ErrorBody),
        (status = 403, description = "`support_of_other`", body = ErrorBody),
        (status = 404, description = "`support_code_not_found`", body = ErrorBody),
        (status = 409, description = "`support_code_moved_on`, `chat_full`", body = ErrorBody),
        (status = 422, body = ErrorBody),
        (status = 429, body = ErrorBody)))]
pub(crate) async fn say(
    State(app): State<Shared>,
    client: Client,
    current: CurrentUser,
    Path(id): Path<String>,
    Json(request): Json<SayRequest>,
) -> Result<StatusCode, ApiError> {
    current.require(Permission::Support)?;
    app.limit(Limited::Chat, client)?;
    let code = find(&app, &id).await?;
    require_own(&current, &code)?;
    if !code.state.is_live() {
        return Err(super::too_late());
    }
    let author = Author::Technician(current.user.display_name.clone());
    let said = app
        .say(&code, author, &request.client_id, &request.text)
        .await;
    answer(said.map(|_| ()))
}

/// What whoever wrote is told.
pub(crate) fn answer(said: Result<(), SayError>) -> Result<StatusCode, ApiError> {
    match said {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(SayError::Full) => Err(ApiError::new(
            StatusCode::CONFLICT,
            "chat_full",
            "This chat is full.",
        )),
        Err(SayError::Store(error)) => Err(error.into()),
    }
}
