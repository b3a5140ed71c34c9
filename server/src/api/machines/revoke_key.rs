//! `POST /api/machines/{id}/revoke-key`.

use axum::extract::State;
use axum::http::StatusCode;
use gc_model::role::Permission;
use gc_model::session::EndReason;
use gc_store::Action;

use super::{entry, find_managed};
use crate::app::Shared;
use crate::auth::user::CurrentUser;
use crate::http::bodies::Path;
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};

/// Revoke a machine's key. Its agent is disconnected and must enrol anew.
#[utoipa::path(post, path = "/api/machines/{id}/revoke-key", tag = "machines",
    security(("access_token" = [])), params(("id" = String, Path)),
    responses(
        (status = 204),
        (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody),
        (status = 404, description = "`machine_not_found`", body = ErrorBody)))]
pub(crate) async fn revoke_key(
    State(app): State<Shared>,
    client: Client,
    current: CurrentUser,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    current.require(Permission::RemoveMachine)?;
    let machine = find_managed(&app, &id).await?;
    let detail = serde_json::json!({});
    let entry = entry(
        &app,
        &current,
        client,
        Action::MachineKeyRevoked,
        &machine,
        detail,
    );
    let revoked = app
        .store
        .revoke_machine_key(&machine.id, app.clock.now(), entry)
        .await;
    // Also where the database does not say whether it was done: who still may comes back.
    let reason = EndReason::MachineRevoked;
    let cut = app.cut_off(&machine.id, reason, current.actor()).await;
    app.hub.events.machine_changed(machine.id);
    revoked.and(cut)?;
    Ok(StatusCode::NO_CONTENT)
}
