//! `GET /api/support/info`.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::{App, Shared};
use crate::http::bodies::{Json, Query};
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};
use crate::support::Shown;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct InfoQuery {
    /// Five or six digits.
    code: String,
    /// Of the link, where the customer came by one.
    link_token: Option<String>,
    /// Once the server has asked for work.
    challenge: Option<String>,
    /// Its answer.
    answer: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InfoBody {
    /// Always `open`: whatever is not is no code.
    state: &'static str,
    /// Who will help; empty while nobody is named.
    technician: String,
    /// For which company.
    company: String,
    /// The company's colour, `#rrggbb`.
    brand: String,
}

/// Whom a support code leads to. Tries of wrong codes are slowed.
#[utoipa::path(get, path = "/api/support/info", operation_id = "show_support_code", tag = "support", params(InfoQuery),
    responses(
        (status = 200, body = InfoBody),
        (status = 404, description = "`code_not_active`", body = ErrorBody),
        (status = 428, description = "`work_required`", body = ErrorBody),
        (status = 429, description = "`too_many_codes`", body = ErrorBody)))]
pub(crate) async fn info(
    State(app): State<Shared>,
    client: Client,
    Query(query): Query<InfoQuery>,
) -> Result<Json<InfoBody>, ApiError> {
    let shown = Shown {
        code: &query.code,
        link_token: query.link_token.as_deref(),
        work: query.challenge.as_deref().zip(query.answer.as_deref()),
    };
    let code = app.open_code(client, &shown).await?;
    let settings = &app.settings.support;
    Ok(Json(InfoBody {
        state: "open",
        technician: App::helper(&code).to_owned(),
        company: settings.company.clone(),
        brand: settings.brand_colour.to_string(),
    }))
}
