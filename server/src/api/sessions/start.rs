//! `POST /api/sessions/start`.

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use gc_model::id::SessionId;
use gc_model::role::Permission;
use gc_store::{Action, NewAuditEntry, NewSession};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{AdmissionBody, Asked, QualityBody, admission};
use crate::api::machines;
use crate::app::Shared;
use crate::auth::user::CurrentUser;
use crate::chance::new_id;
use crate::http::bodies::Json;
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::limits::Limited;
use crate::hub::OpenSession;

/// Most sessions of one machine that may be open at once.
const MAX_OPEN_OF_ONE_MACHINE: usize = 16;

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct StartRequest {
    machine_id: String,
    #[serde(default)]
    quality: Option<QualityBody>,
}

/// Start a session with a machine.
#[utoipa::path(post, path = "/api/sessions/start", tag = "sessions",
    security(("access_token" = [])), request_body = StartRequest,
    responses(
        (status = 200, body = AdmissionBody),
        (status = 401, body = ErrorBody),
        (status = 403, description = "`guest_of_other`", body = ErrorBody),
        (status = 404, description = "`machine_not_found`", body = ErrorBody),
        (status = 409, description = "`machine_offline`, `machine_busy`, `guest_not_accepted`", body = ErrorBody),
        (status = 429, body = ErrorBody)))]
pub(crate) async fn start_session(
    State(app): State<Shared>,
    client: Client,
    current: CurrentUser,
    uri: Uri,
    headers: HeaderMap,
    Json(request): Json<StartRequest>,
) -> Result<Json<AdmissionBody>, ApiError> {
    current.require(Permission::StartSession)?;
    app.limit(Limited::Start, client)?;
    let machine = machines::find(&app, &request.machine_id).await?;
    let guest = app.guest_for(&machine, &current.user.id).await?;
    if !app.hub.is_online(&machine.id) {
        return Err(ApiError::machine_offline());
    }
    if app
        .hub
        .open_sessions(|open| open.machine == machine.id)
        .len()
        >= MAX_OPEN_OF_ONE_MACHINE
    {
        return Err(ApiError::new(
            axum::http::StatusCode::CONFLICT,
            "machine_busy",
            "Too many sessions with this machine are open. End one of them first.",
        ));
    }

    let new_session = NewSession {
        id: SessionId::parse(&new_id()).expect("ids that are made here can be read"),
        machine_id: machine.id.clone(),
        machine_name: machine.name.clone(),
        user_id: current.user.id.clone(),
        technician: current.user.display_name.clone(),
        login_id: current.login.clone(),
        created_at: app.clock.now(),
    };
    let entry = NewAuditEntry {
        at: new_session.created_at,
        action: Action::SessionStarted,
        actor: current.actor(),
        machine: Some((machine.id.clone(), machine.name.clone())),
        session_id: Some(new_session.id.clone()),
        address: Some(client.address.to_string()),
        detail: match request.quality {
            Some(quality) => serde_json::json!({ "quality": quality }),
            None => serde_json::json!({}),
        },
    };
    let session = app.store.create_session(new_session, entry).await?;
    if let Some(support) = guest
        && !app
            .guest_session_started(support, &current, &session)
            .await?
    {
        return Err(ApiError::session_ended());
    }
    app.metrics.session_started();
    tracing::info!(session = %session.id, machine = %machine.id, user = %session.user_id, "Session started");
    app.hub.open_session(OpenSession::from(&session));
    let admitted = app.admit(&session).ok_or_else(ApiError::session_ended)?;
    let asked = Asked {
        client,
        headers: &headers,
        uri: &uri,
    };
    Ok(Json(admission(&app, &asked, &session, machine, &admitted)?))
}
