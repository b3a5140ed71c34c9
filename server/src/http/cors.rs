//! Pages of other origins that the operator named may start and hold sessions:
//! a viewer inside another program's page. They bring an access token of their
//! own; cookies are never accepted from them, and the rest of the API is not
//! for them.

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::app::Shared;
use crate::settings::Settings;

/// What a viewer needs.
const OPEN: [&str; 2] = ["/api/sessions", "/api/machines"];

/// How long a browser remembers what it may, in seconds.
const REMEMBERED: &str = "600";

/// Middleware: answers browsers that ask first, and lets pages read the answers.
pub(crate) async fn allow(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let is_open = OPEN.iter().any(|open| {
        let rest = request.uri().path().strip_prefix(open);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    if !is_open || app.settings.allowed_origins.is_empty() {
        return next.run(request).await;
    }
    let origin = listed(&app.settings, request.headers());
    let asks_first = request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if asks_first && origin.is_some() {
        let fixed = |name, value| (name, HeaderValue::from_static(value));
        let answer = [
            fixed(
                header::ACCESS_CONTROL_ALLOW_METHODS,
                "GET, POST, PATCH, DELETE",
            ),
            fixed(
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                "authorization, content-type",
            ),
            fixed(header::ACCESS_CONTROL_MAX_AGE, REMEMBERED),
        ];
        (StatusCode::NO_CONTENT, answer).into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    // Whoever caches must not give one origin's answer to another.
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        let readable = HeaderValue::from_static("retry-after");
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, readable);
    }
    response
}

/// The request's origin, where the operator named exactly that one.
fn listed(settings: &Settings, headers: &HeaderMap) -> Option<HeaderValue> {
    let mut values = headers.get_all(header::ORIGIN).iter();
    let (Some(origin), None) = (values.next(), values.next()) else {
        return None;
    };
    let is_listed = settings
        .allowed_origins
        .iter()
        .any(|allowed| allowed.as_bytes() == origin.as_bytes());
    is_listed.then(|| origin.clone())
}
