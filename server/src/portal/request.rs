//! `/support/request`: a customer without a code asks for help. Becomes a support
//! code of its own that no technician made, with the message as the first line of
//! its chat.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, TimeDelta, Utc};
use gc_model::id::{SupportId, UserId};
use gc_model::text::{MAX_NAME_CHARS, clean, clean_lines};
use gc_proto::limits::MAX_CHAT_CHARS;
use gc_store::{Action, Actor, NewAuditEntry, NewSupportCode, SupportCodeRow};
use serde::Deserialize;
use std::net::IpAddr;

use super::pages::{Asked, RequestRefusal};
use super::{frame, own_page, page};
use crate::api::support_codes::PORTAL;
use crate::app::{App, Shared};
use crate::chance::new_id;
use crate::http::client::Client;
use crate::http::error::ApiError;
use crate::http::limits::{Limited, Network};
use crate::http::observe::nothing_here;
use crate::support::Author;

/// Customers who may wait at once: each is a live code, and each needs an answer.
const MAX_WAITING: usize = 30;

/// The same after hours. They wait for days, and take no place of those who come by day.
const MAX_WAITING_AFTER_HOURS: usize = 30;

/// Of one address, so that nobody fills the room alone: the people of an office.
const MAX_OF_ADDRESS: usize = 5;

/// How long a customer waits for somebody to take them.
const PATIENCE: TimeDelta = TimeDelta::hours(1);

/// After hours: until somebody is back, over a week's end and a holiday.
const PATIENCE_AFTER_HOURS: TimeDelta = TimeDelta::days(4);

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
    let waiting: Vec<_> = live.iter().filter_map(Waiting::read).collect();
    let now = app.clock.now();
    let newcomer = Waiting {
        since: now,
        patience: if app.is_after_hours() {
            PATIENCE_AFTER_HOURS
        } else {
            PATIENCE
        },
        network: Some(client.address.into()),
    };
    if !newcomer.has_room(&waiting) {
        return Ok(None);
    }
    let new_code = NewSupportCode {
        id: SupportId::parse(&new_id()).expect("ids that are made here can be read"),
        code: app.draw_code(),
        customer: name.to_owned(),
        created_by: UserId::parse(PORTAL).expect("it is letters"),
        creator: String::new(),
        assigned_to: None,
        created_at: now,
        expires_at: Some(now + newcomer.patience),
        address: client.address.to_string(),
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

/// A customer whom nobody has taken.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    since: DateTime<Utc>,
    patience: TimeDelta,
    /// `None` where it is not known.
    network: Option<Network>,
}

impl Waiting {
    /// `None` for who did not ask on the portal, or was taken.
    fn read(code: &SupportCodeRow) -> Option<Self> {
        let is_asking = code.created_by.as_str() == PORTAL
            && code.assigned_to.is_none()
            && code.technician_id.is_none();
        is_asking.then(|| Self {
            since: code.created_at,
            patience: code
                .expires_at
                .map_or(PATIENCE_AFTER_HOURS, |end| end - code.created_at),
            network: code.address.parse().ok().map(|at: IpAddr| at.into()),
        })
    }

    fn is_after_hours(&self) -> bool {
        self.patience > PATIENCE
    }

    /// True when this customer may wait beside those who do already.
    fn has_room(&self, waiting: &[Self]) -> bool {
        let count = |which: &dyn Fn(&Self) -> bool| waiting.iter().filter(|one| which(one)).count();
        let of_address = count(&|one| self.network.is_some() && one.network == self.network);
        let beside = if self.is_after_hours() {
            count(&Self::is_after_hours) < MAX_WAITING_AFTER_HOURS
        } else {
            count(&|one| !one.is_after_hours() && one.since > self.since - PATIENCE) < MAX_WAITING
        };
        beside && of_address < MAX_OF_ADDRESS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn customer(after_hours: bool, minute: i64, address: &str) -> Waiting {
        Waiting {
            since: DateTime::UNIX_EPOCH + TimeDelta::minutes(minute),
            patience: if after_hours {
                PATIENCE_AFTER_HOURS
            } else {
                PATIENCE
            },
            network: Some(address.parse::<IpAddr>().expect("an address").into()),
        }
    }

    fn crowd(after_hours: bool, minute: i64) -> Vec<Waiting> {
        let of = |number: i64| customer(after_hours, minute, &format!("192.0.2.{number}"));
        (0..40).map(of).collect()
    }

    #[test]
    fn who_comes_by_day_finds_room_however_many_wrote_at_night() {
        let night = crowd(true, 0);
        assert!(!customer(true, 1, "198.51.100.1").has_room(&night));
        assert!(customer(false, 30, "198.51.100.1").has_room(&night));
        assert!(customer(true, 1, "198.51.100.1").has_room(&crowd(false, 0)));
    }

    #[test]
    fn by_day_only_those_of_the_last_hour_count() {
        let crowd = crowd(false, 0);
        assert!(!customer(false, 59, "198.51.100.1").has_room(&crowd));
        assert!(customer(false, 60, "198.51.100.1").has_room(&crowd));
    }

    #[test]
    fn one_address_does_not_fill_the_room() {
        for after_hours in [false, true] {
            let of = |number| customer(after_hours, 0, &format!("2001:db8::{number}"));
            let office: Vec<_> = (0..5).map(of).collect();
            assert!(of(5).has_room(&office[..4]));
            assert!(!of(5).has_room(&office));
            assert!(customer(after_hours, 0, "2001:db8:0:1::1").has_room(&office));
        }
    }
}
