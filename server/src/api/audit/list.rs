//! `GET /api/audit`.

use axum::extract::State;
use gc_model::role::Permission;
use gc_store::AuditFilter;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::AuditBody;
use crate::api::cursor::{bad_cursor, limit};
use crate::app::Shared;
use crate::auth::user::CurrentUser;
use crate::http::bodies::{Json, Query};
use crate::http::error::{ApiError, ErrorBody};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// Entries of a page, 1 to 200; 50 when absent.
    limit: Option<u64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only this action, such as `session.started`.
    action: Option<String>,
    /// Only about this machine.
    machine_id: Option<String>,
    /// Only by this person.
    user_id: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditPageBody {
    items: Vec<AuditBody>,
    /// For the next page; null on the last.
    next_cursor: Option<String>,
}

/// The audit log, newest first.
#[utoipa::path(get, path = "/api/audit", tag = "audit", security(("access_token" = [])),
    params(AuditQuery),
    responses(
        (status = 200, body = AuditPageBody),
        (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
pub(crate) async fn list_audit(
    State(app): State<Shared>,
    current: CurrentUser,
    Query(query): Query<AuditQuery>,
) -> Result<Json<AuditPageBody>, ApiError> {
    current.require(Permission::ReadAudit)?;
    let before = query
        .cursor
        .map(|cursor| cursor.parse::<i64>().map_err(|_| bad_cursor()))
        .transpose()?;
    let limit = limit(query.limit)?;
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let filter = AuditFilter {
        action: given(query.action),
        machine_id: given(query.machine_id),
        user_id: given(query.user_id),
    };
    let records = app.store.audit_page(&filter, before, limit).await?;
    let full = records.len() as u64 == limit;
    let next_cursor = records
        .last()
        .filter(|_| full)
        .map(|last| last.id.to_string());
    Ok(Json(AuditPageBody {
        items: records.into_iter().map(AuditBody::from).collect(),
        next_cursor,
    }))
}
