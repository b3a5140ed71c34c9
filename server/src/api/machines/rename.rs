//! `PATCH /api/machines/{id}`.

use axum::extract::State;
use gc_model::role::Permission;
use gc_store::Action;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{MachineBody, entry, find_managed};
use crate::api::auth::display_name;
use crate::app::Shared;
use crate::auth::user::CurrentUser;
use crate::http::bodies::{Json, Path};
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct RenameRequest {
    /// 1 to 100 characters.
    name: String,
}

/// Give a machine another name.
#[utoipa::path(patch, path = "/api/machines/{id}", tag = "machines",
    security(("access_token" = [])), params(("id" = String, Path)), request_body = RenameRequest,
    responses(
        (status = 200, body = MachineBody),
        (status = 401, body = ErrorBody),
        (status = 404, description = "`machine_not_found`", body = ErrorBody),
        (status = 422, body = ErrorBody)))]
pub(crate) async fn rename_machine(
    State(app): State<Shared>,
    client: Client,
    current: CurrentUser,
    Path(id): Path<String>,
    Json(request): Json<RenameRequest>,
) -> Result<Json<MachineBody>, ApiError> {
    current.require(Permission::RenameMachine)?;
    let machine = find_managed(&app, &id).await?;
    let name = display_name(&request.name)?;
    let detail = serde_json::json!({ "from": machine.name, "to": name });
    let entry = entry(
        &app,
        &current,
        client,
        Action::MachineRenamed,
        &machine,
        detail,
    );
    let renamed = app.store.rename_machine(&machine.id, name, entry).await?;
    let machine = renamed.ok_or_else(ApiError::machine_not_found)?;
    app.hub.events.machine_changed(machine.id.clone());
    let presence = app.hub.presence(&machine.id);
    Ok(Json(MachineBody::new(machine, &presence, app.clock.now())))
}
