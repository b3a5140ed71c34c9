//! `GET /api/machines`.

use axum::extract::State;
use gc_model::role::Permission;
use serde::Serialize;
use utoipa::ToSchema;

use super::MachineBody;
use crate::app::Shared;
use crate::auth::user::CurrentUser;
use crate::http::bodies::Json;
use crate::http::error::{ApiError, ErrorBody};
use crate::hub::Presence;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MachinesBody {
    items: Vec<MachineBody>,
}

/// Every machine, by name.
#[utoipa::path(get, path = "/api/machines", tag = "machines", security(("access_token" = [])),
    responses((status = 200, body = MachinesBody), (status = 401, body = ErrorBody)))]
pub(crate) async fn list_machines(
    State(app): State<Shared>,
    current: CurrentUser,
) -> Result<Json<MachinesBody>, ApiError> {
    current.require(Permission::SeeMachines)?;
    let machines = app.store.machines().await?;
    let present = app.hub.presence_of_all();
    let absent = Presence::default();
    let now = app.clock.now();
    let items = machines
        .into_iter()
        .map(|machine| {
            let presence = present.get(&machine.id).unwrap_or(&absent);
            MachineBody::new(machine, presence, now)
        })
        .collect();
    Ok(Json(MachinesBody { items }))
}
