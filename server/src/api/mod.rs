//! The HTTP API, one file for each endpoint: `<resource>/<verb>.rs`.

pub(crate) mod agent;
mod audit;
mod auth;
mod cursor;
mod enrolment_tokens;
mod events;
mod health;
pub(crate) mod machines;
mod metrics;
mod notices;
mod ready;
pub(crate) mod sessions;
mod setup;
pub(crate) mod support;
pub(crate) mod support_codes;
mod users;

use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::get;
use axum::{Json, Router};
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::Shared;
use crate::http::bodies::MAX_BODY_BYTES;
use crate::http::{client, cors, headers, observe};
use crate::{portal, web, ws};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "GuruConnect server",
        description = "The API that the dashboard and agents use.\n\nErrors are \
            `{\"error\":{\"code\",\"message\"}}`. Times are RFC 3339 in UTC. Bodies are JSON \
            of at most 64 KiB.",
        license(name = "Proprietary"),
        contact(name = "GuruConnect")
    ),
    modifiers(&Security),
    tags(
        (name = "server", description = "The server itself"),
        (name = "setup", description = "Claiming a fresh server"),
        (name = "auth", description = "Signing in and out"),
        (name = "users", description = "People who sign in"),
        (name = "machines", description = "Managed computers"),
        (name = "enrolment", description = "Bringing machines in"),
        (name = "sessions", description = "Remote control"),
        (name = "support", description = "Helping customers with a support code"),
        (name = "audit", description = "Who did what"),
    )
)]
struct Document;

struct Security;

impl utoipa::Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = |format: &str, text: &str| {
            SecurityScheme::Http(
                HttpBuilder::new()
                    .scheme(HttpAuthScheme::Bearer)
                    .bearer_format(format)
                    .description(Some(text))
                    .build(),
            )
        };
        let cookie =
            ApiKeyValue::with_description("gc_refresh", "Refresh token, 24 hours, rotating");
        let components = document.components.get_or_insert_default();
        let schemes = [
            (
                "access_token",
                bearer("JWT", "Access token of a signed-in person, 15 minutes"),
            ),
            (
                "machine_key",
                bearer("cak_…", "Key that a machine got when it was enrolled"),
            ),
            (
                "refresh_token",
                SecurityScheme::ApiKey(ApiKey::Cookie(cookie)),
            ),
        ];
        for (name, scheme) in schemes {
            components.add_security_scheme(name, scheme);
        }
    }
}

fn documented() -> OpenApiRouter<Shared> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(health::health))
        .routes(routes!(ready::ready))
        .routes(routes!(metrics::metrics))
        .routes(routes!(setup::show::show))
        .routes(routes!(setup::claim::claim))
        .routes(routes!(auth::login::login))
        .routes(routes!(auth::refresh::refresh))
        .routes(routes!(auth::logout::logout))
        .routes(routes!(auth::me::me))
        .routes(routes!(auth::password::change_password))
        .routes(routes!(auth::logins::list_logins))
        .routes(routes!(auth::logins::end_login))
        .routes(routes!(machines::list::list_machines))
        .routes(routes!(
            machines::show::show_machine,
            machines::rename::rename_machine,
            machines::remove::remove_machine
        ))
        .routes(routes!(machines::revoke_key::revoke_key))
        .routes(routes!(machines::power::use_power))
        .routes(routes!(
            enrolment_tokens::list::list_tokens,
            enrolment_tokens::create::create_token
        ))
        .routes(routes!(enrolment_tokens::delete::delete_token))
        .routes(routes!(agent::enrol::enrol))
        .routes(routes!(agent::show_self::show_self))
        .routes(routes!(sessions::list::list_sessions))
        .routes(routes!(sessions::start::start_session))
        .routes(routes!(sessions::rejoin::rejoin_session))
        .routes(routes!(sessions::end::end_session))
        .routes(routes!(sessions::stats::note_quality))
        .routes(routes!(
            support_codes::list::list_codes,
            support_codes::create::create_code
        ))
        .routes(routes!(support_codes::take::take_customer))
        .routes(routes!(support_codes::accept::accept_guest))
        .routes(routes!(support_codes::refuse::refuse_guest))
        .routes(routes!(support_codes::cancel::cancel_support))
        .routes(routes!(
            support_codes::chat::read_chat,
            support_codes::chat::say
        ))
        .routes(routes!(support::claim::claim_code))
        .routes(routes!(support::info::info))
        .routes(routes!(support::status::status))
        .routes(routes!(support::chat::read, support::chat::say))
        .routes(routes!(users::list::list_users, users::create::create_user))
        .routes(routes!(users::change::change_user))
        .routes(routes!(users::password::reset_password))
        .routes(routes!(notices::list::list_notices))
        .routes(routes!(notices::test::test_notices))
        .routes(routes!(audit::list::list_audit))
        .routes(routes!(audit::export::export_audit))
        .routes(routes!(events::listen))
        .routes(routes!(openapi))
}

/// The OpenAPI document as it is committed.
pub(crate) fn openapi_json() -> String {
    let document = documented().into_openapi();
    document.to_pretty_json().expect("a document of plain data")
}

/// This document.
#[utoipa::path(get, path = "/api/openapi.json", tag = "server",
    responses((status = 200, description = "The OpenAPI document of this server")))]
async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(documented().into_openapi())
}

/// Everything that the server answers.
pub(crate) fn router(app: &Shared) -> Router {
    let (api, _) = documented().split_for_parts();
    let sockets = Router::new()
        .route("/ws/agent", get(ws::agent::connect))
        .route("/ws/agent/session", get(ws::agent_session::connect))
        .route("/ws/viewer", get(ws::viewer::connect));
    api.merge(sockets)
        .merge(portal::routes())
        .route_layer(middleware::from_fn_with_state(app.clone(), observe::limit))
        .fallback(web::serve)
        .layer(middleware::from_fn_with_state(app.clone(), cors::allow))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn(observe::time_out))
        .layer(middleware::from_fn_with_state(app.clone(), observe::count))
        .layer(middleware::from_fn_with_state(app.clone(), headers::secure))
        .layer(middleware::from_fn_with_state(
            app.clone(),
            client::identify,
        ))
        .with_state(app.clone())
}
