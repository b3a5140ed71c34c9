//! `DELETE /api/machines/{id}`.

use axum::extract::State;
use axum::http::StatusCode;
use gc_model::role::Permission;
use gc_store::Action;

use super::{cut_off, entry, find_managed};
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
    if !app.store.delete_machine(&machine.id, entry).await? {
        return Err(ApiError::machine_not_found());
    }
    app.machine_is_removed(&machine.id, current.actor()).await?;
    cut_off(&app, &machine.id, &current).await?;
    Ok(StatusCode::NO_CONTENT)
}
