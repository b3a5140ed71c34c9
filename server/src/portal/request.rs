//! `/support/request`: a customer without a code asks for help. Becomes a support
//! code of its own that no technician made, with the message as the first line of
//! its chat.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::TimeDelta;
use gc_model::id::{SupportId, UserId};
use gc_model::text::{MAX_NAME_CHARS, clean, clean_lines};
use gc_proto::limits::MAX_CHAT_CHARS;
use gc_store::{Action, Actor, NewAuditEntry, NewSupportCode};
use serde::Deserialize;

use super::pages::{Asked, RequestRefusal};
use super::{frame, own_page, page};
use crate::api::support_codes::PORTAL;
use crate::app::{App, Shared};
use crate::chance::new_id;
use crate::http::client::Client;
use crate::http::error::ApiError;
use crate::http::limits::Limited;
use crate::http::observe::nothing_here;
use crate::support::Author;

/// Customers who may wait at once: each is a live code, and each needs an answer.
const MAX_WAITING: usize = 30;

/// How long a customer waits for somebody to take them, in minutes.
const MINUTES: i64 = 60;

/// After hours: until somebody is back, over a week's end and a holiday.
const DAYS_AFTER_HOURS: i64 = 4;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Written {
    name: String,
    message: String,
}

/// The form.
pub(super) async fn show(State(app): State<Shared>, headers: HeaderMap) -> Response {
    if !app.settings.support.requests {
        return nothing_here().await.into_response();
    }
    let asked = Asked {
        after_hours: app.is_after_hours(),
        ..Asked::default()
    };
    page(StatusCode::OK, frame(&app, &headers).request(&asked))
}

/// The form, sent.
pub(super) async fn send(
    State(app): State<Shared>,
    client: Client,
    headers: HeaderMap,
    body: Result<Form<Written>, FormRejection>,
) -> Response {
    if !app.settings.support.requests {
        return nothing_here().await.into_response();
    }
    let written = body.map(|Form(written)| written).unwrap_or_default();
    let name = clean(&written.name, MAX_NAME_CHARS);
    let message = clean_lines(&written.message, MAX_CHAT_CHARS);
    let again = |status, refusal| {
        let asked = Asked {
            name: &name,
            message: &message,
            refusal: Some(refusal),
            after_hours: app.is_after_hours(),
        };
        page(status, frame(&app, &headers).request(&asked))
    };
    if name.is_empty() || message.is_empty() {
        return again(StatusCode::UNPROCESSABLE_ENTITY, RequestRefusal::Empty);
    }
    if app.limit(Limited::Request, client).is_err() {
        return again(StatusCode::TOO_MANY_REQUESTS, RequestRefusal::Full);
    }
    match ask(&app, client, &name, &message).await {
        Ok(Some(address)) => Redirect::to(&address).into_response(),
        Ok(None) => again(StatusCode::SERVICE_UNAVAILABLE, RequestRefusal::Full),
        Err(error) => error.into_response(),
    }
}

/// The customer's page; `None` when too many wait.
async fn ask(
    app: &App,
    client: Client,
    name: &str,
    message: &str,
) -> Result<Option<String>, ApiError> {
    // They are counted before one is added: one at a time.
    let _one = app.support.asking.lock().await;
    let live = app.store.live_support_codes().await?;
    let waiting = live
        .iter()
        .filter(|code| code.created_by.as_str() == PORTAL);
    if waiting.count() >= MAX_WAITING {
        return Ok(None);
    }
    let now = app.clock.now();
    let patience = if app.is_after_hours() {
        TimeDelta::days(DAYS_AFTER_HOURS)
    } else {
        TimeDelta::minutes(MINUTES)
    };
    let new_code = NewSupportCode {
        id: SupportId::parse(&new_id()).expect("ids that are made here can be read"),
        code: app.draw_code(),
        customer: name.to_owned(),
        created_by: UserId::parse(PORTAL).expect("it is letters"),
        creator: String::new(),
        assigned_to: None,
        created_at: now,
        expires_at: Some(now + patience),
    };
    let entry = NewAuditEntry {
        at: now,
        action: Action::SupportRequested,
        actor: Actor::System,
        machine: None,
        session_id: None,
        address: Some(client.address.to_string()),
        detail: serde_json::json!({ "id": new_code.id.as_str(), "customer": name }),
    };
    let code = app.write_code(new_code, entry).await?;
    if let Err(error) = app.say(&code, Author::Guest, "request", message).await {
        return Err(ApiError::internal(&error.into()));
    }
    app.hub.events.support_changed(code.id.clone());
    app.announce_request(&code, message).await;
    Ok(Some(own_page(app, &code)))
}
