//! `GET /api/machines/{id}`.

use axum::extract::State;
use gc_model::role::Permission;

use super::{MachineBody, find_managed};
use crate::app::Shared;
use crate::auth::user::CurrentUser;
use crate::http::bodies::{Json, Path};
use crate::http::error::{ApiError, ErrorBody};

/// One machine.
#[utoipa::path(get, path = "/api/machines/{id}", tag = "machines",
    security(("access_token" = [])), params(("id" = String, Path)),
    responses(
        (status = 200, body = MachineBody),
        (status = 401, body = ErrorBody),
        (status = 404, description = "`machine_not_found`", body = ErrorBody)))]
pub(crate) async fn show_machine(
    State(app): State<Shared>,
    current: CurrentUser,
    Path(id): Path<String>,
) -> Result<Json<MachineBody>, ApiError> {
    current.require(Permission::SeeMachines)?;
    let machine = find_managed(&app, &id).await?;
    let presence = app.hub.presence(&machine.id);
    Ok(Json(MachineBody::new(machine, &presence, app.clock.now())))
}
