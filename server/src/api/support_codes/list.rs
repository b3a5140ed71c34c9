//! `GET /api/support-codes`.

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use gc_model::role::Permission;
use serde::Serialize;
use utoipa::ToSchema;

use super::SupportCodeBody;
use crate::app::Shared;
use crate::auth::user::CurrentUser;
use crate::http::bodies::Json;
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::origin;

/// How many codes that are over the list has at its end.
const ENDED: u64 = 20;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SupportCodesBody {
    items: Vec<SupportCodeBody>,
    /// Systems whose program customers cannot download, because it is not in the
    /// server's folder: `windows`, `linux`.
    missing_programs: Vec<&'static str>,
}

/// Live support codes, newest first, and then the newest that are over.
#[utoipa::path(get, path = "/api/support-codes", operation_id = "list_support_codes", tag = "support",
    security(("access_token" = [])),
    responses((status = 200, body = SupportCodesBody), (status = 401, body = ErrorBody)))]
pub(crate) async fn list_codes(
    State(app): State<Shared>,
    client: Client,
    current: CurrentUser,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Json<SupportCodesBody>, ApiError> {
    current.require(Permission::Support)?;
    let base = origin::http_base(&app.settings, client, &headers, &uri);
    let live = app.store.live_support_codes().await?;
    let ended = app.store.ended_support_codes(ENDED).await?;
    let mut items = Vec::with_capacity(live.len() + ended.len());
    for code in live.into_iter().chain(ended) {
        items.push(SupportCodeBody::new(&app, code, base.as_deref()).await?);
    }
    Ok(Json(SupportCodesBody {
        items,
        missing_programs: app.support.missing_programs().await,
    }))
}
