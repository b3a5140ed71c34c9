//! `POST /api/machines/{id}/power`.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use gc_model::id::MachineId;
use gc_model::power::PowerAction;
use gc_model::role::Permission;
use gc_store::{Action, Machine, NewAuditEntry};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{entry, find_managed};
use crate::app::{App, Shared};
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

    let wish = PowerWish {
        action,
        return_after_seconds: minutes.unwrap_or(0) * 60,
        technician: current.user.display_name.clone(),
    };
    // A task of its own: what becomes of an order is written down also when
    // whoever gave it has closed the page.
    let tasks = app.tasks.clone();
    let ordered = tasks.spawn(give_order(app, client, current, machine, wish));
    ordered
        .await
        .map_err(|error| ApiError::internal(&error.into()))?
}

/// Gives an order and hears the answer; both stand in the audit log.
async fn give_order(
    app: Shared,
    client: Client,
    current: CurrentUser,
    machine: Machine,
    wish: PowerWish,
) -> Result<StatusCode, ApiError> {
    let action = wish.action.as_str();
    let is_about_a_login = matches!(wish.action, PowerAction::Lock | PowerAction::LogOff);
    let note = |kind, detail| entry(&app, &current, client, kind, &machine, detail);
    // Before it is done: what nobody could write down is not done.
    let ordered = note(Action::MachinePower, json!({ "action": action }));
    app.store.append_audit(ordered).await?;
    let (error, problem) = match hear_answer(&app, &machine.id, wish).await {
        Ok(login) if login.is_empty() || !is_about_a_login => return Ok(StatusCode::NO_CONTENT),
        Ok(login) => {
            // Only the machine knows who was signed in there.
            let detail = json!({ "action": action, "login": login });
            note_outcome(&app, note(Action::MachinePowerLogin, detail)).await;
            return Ok(StatusCode::NO_CONTENT);
        }
        Err(failed) => failed,
    };
    let detail = json!({ "action": action, "problem": problem });
    note_outcome(&app, note(Action::MachinePowerFailed, detail)).await;
    Err(error)
}

/// Writes down what became of an order. Where that fails, whoever gave it hears of the order
/// all the same: they would give it again.
async fn note_outcome(app: &App, outcome: NewAuditEntry) {
    let action = outcome.action;
    if let Err(error) = app.store.append_audit(outcome).await {
        tracing::error!(
            action = action.as_str(),
            "What became of an order could not be written down: {error:#}"
        );
    }
}

/// Whose login an order was about, as the machine says; otherwise what the caller
/// hears, and the problem for the log.
async fn hear_answer(
    app: &App,
    machine: &MachineId,
    wish: PowerWish,
) -> Result<String, (ApiError, String)> {
    let Some(ordered) = app.hub.order_power(machine, wish) else {
        let problem = "it was not connected any more".to_owned();
        return Err((ApiError::machine_offline(), problem));
    };
    let (status, code, problem) = match tokio::time::timeout(ANSWER_TIMEOUT, ordered.answer).await {
        Ok(Ok(Ok(login))) => return Ok(login),
        Ok(Ok(Err(problem))) => (StatusCode::BAD_GATEWAY, "power_failed", problem),
        // The connection went before an answer, as it does when a machine goes down at once.
        Ok(Err(_)) => (
            StatusCode::GATEWAY_TIMEOUT,
            "power_unanswered",
            "its connection ended before it answered".to_owned(),
        ),
        Err(_) => {
            app.hub.give_up_power(ordered.number);
            (
                StatusCode::GATEWAY_TIMEOUT,
                "power_unanswered",
                "it did not answer in time".to_owned(),
            )
        }
    };
    let sentence = format!("The machine may not have done it: {problem}.");
    Err((ApiError::new(status, code, sentence), problem))
}
