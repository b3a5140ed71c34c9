//! `POST /api/machines/{id}/power`.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use gc_model::power::PowerAction;
use gc_model::role::Permission;
use gc_store::Action;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{entry, find_managed};
use crate::app::Shared;
use crate::auth::user::CurrentUser;
use crate::http::bodies::{Json, Path};
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::limits::Limited;
use crate::hub::PowerWish;

/// 20 s: a machine that prepares a restart answers in one or two.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a machine may take to come back from safe mode, in minutes.
const RETURN_AFTER_MINUTES: std::ops::RangeInclusive<u32> = 5..=120;

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct PowerRequest {
    /// `lock`, `log_off`, `restart`, `shut_down`, `safe_mode`, `safe_mode_network`,
    /// `safe_mode_prompt` or `emergency_restart`, if the machine's `power_actions` has it.
    #[schema(example = "restart")]
    action: String,
    /// For `emergency_restart`: the machine's name, as a person typed it.
    #[serde(default)]
    confirmation: Option<String>,
    /// For safe mode: after so many minutes (5 to 120, default 15) without this server the
    /// machine restarts ordinarily.
    #[serde(default)]
    return_after_minutes: Option<u32>,
}

/// Lock, sign out, restart or switch off a machine. Answered when its agent has begun.
#[utoipa::path(post, path = "/api/machines/{id}/power", tag = "machines",
    security(("access_token" = [])), params(("id" = String, Path)), request_body = PowerRequest,
    responses(
        (status = 204),
        (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody),
        (status = 404, description = "`machine_not_found`", body = ErrorBody),
        (status = 409, description = "`machine_offline`, `power_unsupported`", body = ErrorBody),
        (status = 422, body = ErrorBody),
        (status = 429, body = ErrorBody),
        (status = 502, description = "`power_failed`: the machine says why", body = ErrorBody),
        (status = 504, description = "`power_unanswered`", body = ErrorBody)))]
pub(crate) async fn use_power(
    State(app): State<Shared>,
    client: Client,
    current: CurrentUser,
    Path(id): Path<String>,
    Json(request): Json<PowerRequest>,
) -> Result<StatusCode, ApiError> {
    current.require(Permission::UsePower)?;
    app.limit(Limited::Start, client)?;
    let machine = find_managed(&app, &id).await?;
    let action = PowerAction::parse(&request.action)
        .ok_or_else(|| ApiError::invalid("There is no such power action."))?;
    if action == PowerAction::EmergencyRestart
        && request.confirmation.as_deref().map(str::trim) != Some(machine.name.as_str())
    {
        return Err(ApiError::invalid(
            "Type the machine's name to confirm an emergency restart.",
        ));
    }
    let minutes = request.return_after_minutes;
    if minutes.is_some_and(|minutes| !RETURN_AFTER_MINUTES.contains(&minutes)) {
        return Err(ApiError::invalid(
            "A machine may take 5 to 120 minutes to come back from safe mode.",
        ));
    }
    if !app.hub.is_online(&machine.id) {
        return Err(ApiError::machine_offline());
    }
    if !app.hub.power_actions(&machine.id).contains(&action) {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "power_unsupported",
            "This machine cannot do that.",
        ));
    }

    // Before it is done: what nobody could write down is not done.
    let note = |action, detail| entry(&app, &current, client, action, &machine, detail);
    let detail = serde_json::json!({ "action": action.as_str() });
    app.store
        .append_audit(note(Action::MachinePower, detail))
        .await?;
    let wish = PowerWish {
        action,
        return_after_seconds: minutes.unwrap_or(0) * 60,
        technician: current.user.display_name.clone(),
    };
    let ordered = app
        .hub
        .order_power(&machine.id, wish)
        .ok_or_else(ApiError::machine_offline)?;
    let number = ordered.number;
    let (status, code, problem) = match tokio::time::timeout(ANSWER_TIMEOUT, ordered.answer).await {
        Ok(Ok(Ok(()))) => return Ok(StatusCode::NO_CONTENT),
        Ok(Ok(Err(problem))) => (StatusCode::BAD_GATEWAY, "power_failed", problem),
        // The connection went before an answer, as it does when a machine goes down at once.
        Ok(Err(_)) => (
            StatusCode::GATEWAY_TIMEOUT,
            "power_unanswered",
            "its connection ended before it answered".to_owned(),
        ),
        Err(_) => {
            app.hub.give_up_power(number);
            (
                StatusCode::GATEWAY_TIMEOUT,
                "power_unanswered",
                "it did not answer in time".to_owned(),
            )
        }
    };
    let detail = serde_json::json!({ "action": action.as_str(), "problem": problem });
    app.store
        .append_audit(note(Action::MachinePowerFailed, detail))
        .await?;
    Err(ApiError::new(
        status,
        code,
        format!("The machine may not have done it: {problem}."),
    ))
}
