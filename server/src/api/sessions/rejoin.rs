//! `POST /api/sessions/{id}/rejoin`.

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use gc_model::role::Permission;
use gc_store::{Action, NewAuditEntry};

use super::{AdmissionBody, Asked, admission, find};
use crate::api::machines;
use crate::app::Shared;
use crate::auth::user::CurrentUser;
use crate::http::bodies::{Json, Path};
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::limits::Limited;
use crate::hub::OpenSession;

/// Come back to one's own session, after a lost connection or a restart of the
/// server. An earlier viewer of it is disconnected when the new one connects.
#[utoipa::path(post, path = "/api/sessions/{id}/rejoin", tag = "sessions",
    security(("access_token" = [])), params(("id" = String, Path)),
    responses(
        (status = 200, body = AdmissionBody),
        (status = 401, body = ErrorBody),
        (status = 404, description = "`session_not_found`, `machine_not_found`", body = ErrorBody),
        (status = 409, description = "`machine_offline`", body = ErrorBody),
        (status = 410, description = "`session_ended`", body = ErrorBody),
        (status = 429, body = ErrorBody)))]
pub(crate) async fn rejoin_session(
    State(app): State<Shared>,
    client: Client,
    current: CurrentUser,
    uri: Uri,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<AdmissionBody>, ApiError> {
    current.require(Permission::StartSession)?;
    app.limit(Limited::Start, client)?;
    let session = find(&app, &id).await?;
    if session.user_id != current.user.id {
        return Err(ApiError::session_not_found());
    }
    if session.ended_at.is_some() {
        return Err(ApiError::session_ended());
    }
    let machine = machines::find(&app, session.machine_id.as_str()).await?;
    if !app.hub.is_online(&machine.id) {
        return Err(ApiError::machine_offline());
    }

    app.hub.open_session(OpenSession::from(&session));
    let admitted = app.admit(&session).ok_or_else(ApiError::session_ended)?;
    // Had it ended since it was read, the line above would have opened it again.
    let again = find(&app, &id).await?;
    if again.ended_at.is_some() {
        app.hub.end_session(&session.id);
        return Err(ApiError::session_ended());
    }
    let entry = NewAuditEntry {
        at: app.clock.now(),
        action: Action::SessionRejoined,
        actor: current.actor(),
        machine: Some((machine.id.clone(), machine.name.clone())),
        session_id: Some(session.id.clone()),
        address: Some(client.address.to_string()),
        detail: serde_json::json!({}),
    };
    app.store.append_audit(entry).await?;
    let asked = Asked {
        client,
        headers: &headers,
        uri: &uri,
    };
    Ok(Json(admission(&app, &asked, &session, machine, &admitted)?))
}
