//! `GET /api/sessions`.

use axum::extract::State;
use chrono::DateTime;
use gc_model::id::{MachineId, SessionId};
use gc_model::role::Permission;
use gc_store::{SessionCursor, SessionFilter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::SessionBody;
use crate::api::cursor::{bad_cursor, limit};
use crate::app::Shared;
use crate::auth::user::CurrentUser;
use crate::http::bodies::{Json, Query};
use crate::http::error::{ApiError, ErrorBody};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SessionsQuery {
    /// Only of this machine.
    machine_id: Option<String>,
    /// Entries of a page, 1 to 200; 50 when absent.
    limit: Option<u64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionsBody {
    items: Vec<SessionBody>,
    /// For the next page; null on the last.
    next_cursor: Option<String>,
}

/// Sessions, newest first.
#[utoipa::path(get, path = "/api/sessions", tag = "sessions", security(("access_token" = [])),
    params(SessionsQuery),
    responses(
        (status = 200, body = SessionsBody),
        (status = 401, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
pub(crate) async fn list_sessions(
    State(app): State<Shared>,
    current: CurrentUser,
    Query(query): Query<SessionsQuery>,
) -> Result<Json<SessionsBody>, ApiError> {
    current.require(Permission::SeeSessions)?;
    let machine_id = match query.machine_id {
        Some(id) => {
            let id = MachineId::parse(&id)
                .map_err(|error| ApiError::invalid(format!("machine_id: {error}.")))?;
            Some(id)
        }
        None => None,
    };
    let filter = SessionFilter { machine_id };
    let before = query.cursor.as_deref().map(read).transpose()?;
    let limit = limit(query.limit)?;
    let sessions = app
        .store
        .session_page(&filter, before.as_ref(), limit)
        .await?;
    let full = sessions.len() as u64 == limit;
    let next_cursor = sessions.last().filter(|_| full).map(|last| {
        let at = last.created_at.timestamp_micros();
        format!("{at}.{}", last.id)
    });
    Ok(Json(SessionsBody {
        items: sessions.into_iter().map(SessionBody::from).collect(),
        next_cursor,
    }))
}

fn read(cursor: &str) -> Result<SessionCursor, ApiError> {
    let (at, id) = cursor.split_once('.').ok_or_else(bad_cursor)?;
    let at = at.parse().ok().and_then(DateTime::from_timestamp_micros);
    Ok(SessionCursor {
        created_at: at.ok_or_else(bad_cursor)?,
        id: SessionId::parse(id).map_err(|_| bad_cursor())?,
    })
}
