//! The portal: the customers' page. Small pages that the server writes itself,
//! with nothing of the dashboard in them; they work without JavaScript up to the
//! download.

mod pages;
pub(crate) mod program;
mod request;
mod visitor;
mod words;

use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form as FormBody, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use gc_model::support::{CodeState, SupportCode};
use gc_store::SupportCodeRow;
use serde::Deserialize;

use crate::api::support::status::phase;
use crate::api::support_codes::PORTAL;
use crate::app::{App, Shared};
use crate::http::bodies::{Path, Query};
use crate::http::client::Client;
use crate::http::error::ApiError;
use crate::http::observe::nothing_here;
use crate::support::{Program, Shown};
use pages::{Form, Frame, Help, Refusal};

const STYLE: &str = include_str!("../../portal/portal.css");
const SCRIPT: &str = include_str!("../../portal/portal.js");

/// The portal's routes.
pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/support", get(enter).post(typed))
        .route("/support/request", get(request::show).post(request::send))
        .route("/support/portal.css", get(style))
        .route("/support/portal.js", get(script))
        .route("/support/logo", get(logo))
        .route("/support/{code}", get(help))
        .route("/support/{code}/download/{system}", get(program::download))
}

/// The link's token.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct LinkQuery {
    k: Option<String>,
}

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Typed {
    code: String,
    challenge: String,
    answer: String,
}

fn frame<'a>(app: &'a App, headers: &HeaderMap) -> Frame<'a> {
    Frame {
        words: words::words(headers),
        settings: &app.settings.support,
        hours: app.settings.notices.hours.as_ref().map(|support| {
            let clock = support.clock(app.clock.now());
            (&support.hours, clock)
        }),
    }
}

fn page(status: StatusCode, markup: maud::Markup) -> Response {
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    let vary = HeaderValue::from_static("accept-language, user-agent");
    let headers = [(header::CONTENT_TYPE, html), (header::VARY, vary)];
    (status, headers, markup.into_string()).into_response()
}

async fn enter(State(app): State<Shared>, headers: HeaderMap) -> Response {
    let form = frame(&app, &headers).form(&Form::default());
    page(StatusCode::OK, form)
}

/// Somebody typed a code: on to its own page, whose address has the token, so
/// that nothing on it is a guess again.
async fn typed(
    State(app): State<Shared>,
    client: Client,
    headers: HeaderMap,
    body: Result<FormBody<Typed>, FormRejection>,
) -> Response {
    let typed = body.map(|FormBody(typed)| typed).unwrap_or_default();
    let has_worked = !typed.challenge.is_empty();
    let shown = Shown {
        code: &typed.code,
        link_token: None,
        work: has_worked.then_some((typed.challenge.as_str(), typed.answer.as_str())),
    };
    match app.open_code(client, &shown).await {
        Ok(code) => Redirect::to(&own_page(&app, &code)).into_response(),
        Err(error) => refused(&app, &headers, &typed.code, error),
    }
}

fn own_page(app: &App, code: &SupportCodeRow) -> String {
    let token = app.support.tokens.link_token(&code.id);
    format!("/support/{}?k={token}", code.digits())
}

/// The form again, with the reason.
fn refused(app: &App, headers: &HeaderMap, code: &str, error: ApiError) -> Response {
    let wait = error.retry_after_seconds();
    let work = error
        .work()
        .map(|(challenge, bits)| (challenge.to_owned(), bits));
    let refusal = match (error.code(), &work) {
        ("code_not_active", _) => Some(Refusal::NotActive),
        (_, Some(_)) => None,
        _ => Some(wait.map_or(Refusal::Failed, Refusal::Wait)),
    };
    // Digits only: what was typed is shown again.
    let digits = SupportCode::parse(code).ok();
    let form = Form {
        typed: digits.as_ref().map_or("", SupportCode::as_str),
        refusal,
        work,
    };
    let body = frame(app, headers).form(&form);
    // Status and Retry-After as the API says them.
    let mut response = error.into_response();
    let page = page(response.status(), body);
    let (parts, body) = page.into_parts();
    for (name, value) in &parts.headers {
        response.headers_mut().insert(name.clone(), value.clone());
    }
    response.headers_mut().remove(header::CONTENT_LENGTH);
    *response.body_mut() = body;
    response
}

async fn help(
    State(app): State<Shared>,
    client: Client,
    headers: HeaderMap,
    Path(digits): Path<String>,
    Query(query): Query<LinkQuery>,
) -> Response {
    match app.linked_code(&digits, query.k.as_deref()).await {
        Ok(Some(code)) => return help_page(&app, &headers, &code).await,
        Ok(None) => {}
        Err(error) => return ApiError::from(error).into_response(),
    }
    let shown = Shown {
        code: &digits,
        link_token: query.k.as_deref(),
        work: None,
    };
    match app.open_code(client, &shown).await {
        Ok(code) => Redirect::to(&own_page(&app, &code)).into_response(),
        Err(error) => refused(&app, &headers, &digits, error),
    }
}

async fn help_page(app: &App, headers: &HeaderMap, code: &SupportCodeRow) -> Response {
    let missing = app.support.missing_programs().await;
    let programs: Vec<_> = Program::ALL
        .into_iter()
        .filter(|program| !missing.contains(&program.as_str()))
        .collect();
    let tokens = &app.support.tokens;
    let expired = code.expires_at.is_some_and(|end| end <= app.clock.now());
    let phase = match code.state {
        CodeState::Open if expired => "cancelled",
        _ => phase(code),
    };
    let markup = frame(app, headers).help(&Help {
        after_hours: code.created_by.as_str() == PORTAL
            && App::helper(code).is_empty()
            && app.is_after_hours(),
        code: code.digits(),
        link_token: &tokens.link_token(&code.id),
        ticket: &tokens.ticket(&code.id),
        phase,
        helper: App::helper(code),
        visitor: visitor::visitor(headers),
        programs: &programs,
    });
    page(StatusCode::OK, markup)
}

async fn style() -> impl IntoResponse {
    file("text/css; charset=utf-8", STYLE)
}

async fn script() -> impl IntoResponse {
    file("text/javascript; charset=utf-8", SCRIPT)
}

fn file(kind: &'static str, text: &'static str) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text)
}

/// The company's logo, read at the start.
async fn logo(State(app): State<Shared>) -> Response {
    let Some(logo) = &app.support.logo else {
        return nothing_here().await.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, logo.kind),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, logo.data.clone()).into_response()
}
