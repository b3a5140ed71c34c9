//! `GET /api/auth/me`.

use serde::Serialize;
use utoipa::ToSchema;

use super::UserBody;
use crate::auth::user::CurrentUser;
use crate::http::bodies::Json;
use crate::http::error::ErrorBody;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MeBody {
    user: UserBody,
}

/// Who is signed in.
#[utoipa::path(get, path = "/api/auth/me", tag = "auth", security(("access_token" = [])),
    responses((status = 200, body = MeBody), (status = 401, body = ErrorBody)))]
pub(crate) async fn me(current: CurrentUser) -> Json<MeBody> {
    Json(MeBody {
        user: UserBody::from(&current.user),
    })
}
