//! `POST /api/support-codes/{id}/take`.

use axum::extract::State;
use gc_model::support::CodeEvent;
use gc_store::{Action, NewAuditEntry};

use super::{SupportCodeBody, change, find_own, public_base, too_late};
use crate::app::Shared;
use crate::auth::user::CurrentUser;
use crate::http::bodies::{Json, Path};
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};

/// Take care of a customer whom nobody has taken yet. Of several technicians the
/// first one wins.
#[utoipa::path(post, path = "/api/support-codes/{id}/take", tag = "support",
    security(("access_token" = [])), params(("id" = String, Path)),
    responses(
        (status = 200, body = SupportCodeBody),
        (status = 401, body = ErrorBody),
        (status = 403, description = "`support_of_other`", body = ErrorBody),
        (status = 404, description = "`support_code_not_found`", body = ErrorBody),
        (status = 409, description = "`support_code_moved_on`", body = ErrorBody)))]
pub(crate) async fn take_customer(
    State(app): State<Shared>,
    client: Client,
    current: CurrentUser,
    Path(id): Path<String>,
) -> Result<Json<SupportCodeBody>, ApiError> {
    let code = find_own(&app, &current, &id).await?;
    if code.guest.as_ref().is_some_and(|guest| guest.is_managed) {
        // Nothing stands between them and that machine any more.
        let body = change(&app, client, &current, code, CodeEvent::Accept, "taken").await?;
        return Ok(Json(body));
    }
    let entry = NewAuditEntry {
        at: app.clock.now(),
        action: Action::SupportCodeTaken,
        actor: current.actor(),
        machine: None,
        session_id: None,
        address: Some(client.address.to_string()),
        detail: serde_json::json!({ "id": code.id.as_str(), "customer": code.customer }),
    };
    let me = (current.user.id.clone(), current.user.display_name.clone());
    let taken = app.store.take_support_code(&code.id, me, entry).await?;
    let code = taken.ok_or_else(too_late)?;
    app.hub.events.support_changed(code.id.clone());
    let base = public_base(&app);
    Ok(Json(
        SupportCodeBody::new(&app, code, base.as_deref()).await?,
    ))
}
