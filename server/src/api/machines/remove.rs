//! `DELETE /api/machines/{id}`.

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

/// Remove a machine. Its agent is disconnected; its history stays.
#[utoipa::path(delete, path = "/api/machines/{id}", tag = "machines",
    security(("access_token" = [])), params(("id" = String, Path)),
    responses(
        (status = 204),
        (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody),
        (status = 404, description = "`machine_not_found`", body = ErrorBody)))]
pub(crate) async fn remove_machine(
    State(app): State<Shared>,
    client: Client,
    current: CurrentUser,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    current.require(Permission::RemoveMachine)?;
    let machine = find_managed(&app, &id).await?;
    let detail = serde_json::json!({ "host_name": machine.facts.host_name });
    let entry = entry(
        &app,
        &current,
        client,
        Action::MachineRemoved,
        &machine,
        detail,
    );
    let deleted = app.store.delete_machine(&machine.id, entry).await;
    if matches!(deleted, Ok(false)) {
        return Err(ApiError::machine_not_found());
    }
    // First, and also where the database does not say whether it was done: a machine that is
    // gone is found by nobody who could do it later.
    let reason = EndReason::MachineRevoked;
    let cut = app.cut_off(&machine.id, reason, current.actor()).await;
    app.hub.events.machine_changed(machine.id.clone());
    deleted?;
    let told = app.machine_is_removed(&machine.id, current.actor()).await;
    cut.and(told)?;
    Ok(StatusCode::NO_CONTENT)
}
