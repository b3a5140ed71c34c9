//! `GET /ws/agent/session?ticket=…`: the agent's end of a session. It is handed
//! to the viewer's task, which carries both.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gc_relay::Ticket;

use super::session_upgrade;
use super::viewer::TicketQuery;
use crate::app::Shared;
use crate::auth::agent::CurrentMachine;
use crate::http::bodies::{Query, Upgrade};
use crate::http::error::ApiError;

pub(crate) async fn connect(
    State(app): State<Shared>,
    CurrentMachine { machine, .. }: CurrentMachine,
    Query(query): Query<TicketQuery>,
    Upgrade(upgrade): Upgrade,
) -> Result<Response, ApiError> {
    let place = Ticket::parse(&query.ticket)
        .and_then(|ticket| app.hub.connect_agent(&ticket, &machine.id).ok());
    let Some(place) = place else {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "not_allowed",
            "The ticket is unknown, used or out of date.",
        ));
    };
    Ok(
        session_upgrade(upgrade).on_upgrade(move |socket| async move {
            // When the viewer left meanwhile, dropping the socket says so.
            let _ = place.send(socket);
        }),
    )
}
