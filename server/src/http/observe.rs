//! Middleware that limits, counts and notes each request.

use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::client::Client;
use super::error::ApiError;
use super::limits::Limited;
use crate::app::Shared;

/// Refuses addresses that ask far too often.
pub(crate) async fn limit(State(app): State<Shared>, request: Request, next: Next) -> Response {
    if let Some(client) = request.extensions().get::<Client>().copied()
        && let Err(error) = app.limit(Limited::Any, client)
    {
        return error.into_response();
    }
    next.run(request).await
}

/// Counts the request under its route's template: addresses and ids would make
/// a new line in the metrics each.
pub(crate) async fn count(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "other".to_owned(), |path| path.as_str().to_owned());

    let response = next.run(request).await;

    let status = response.status();
    let took = started.elapsed();
    tracing::debug!(%method, route, status = status.as_u16(), ?took, "Request answered");
    app.metrics.http_request(&method, route, status, took);
    response
}

/// Answers for every path below `/api` and `/ws` that is nothing.
pub(crate) async fn nothing_here() -> ApiError {
    ApiError::not_found("not_found", "There is nothing here.")
}

/// How long a request may take from its first byte to its answer's head. What
/// streams has its head at once.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Gives up on requests that take too long, such as bodies that never end.
pub(crate) async fn time_out(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::new(
            StatusCode::REQUEST_TIMEOUT,
            "timeout",
            "The request took too long.",
        )
        .into_response(),
    }
}
