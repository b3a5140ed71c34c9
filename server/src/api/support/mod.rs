//! What customers and their programs call, without a login.

pub(super) mod chat;
pub(super) mod claim;
pub(super) mod info;
pub(crate) mod status;
mod ticket;

use std::net::IpAddr;

use axum::http::StatusCode;
use gc_store::SupportCodeRow;

use crate::app::App;
use crate::http::client::Client;
use crate::http::error::ApiError;
use crate::http::limits::Network;

/// The code of a portal page's ticket, for its chat. Once a guest is connected
/// only pages of its own network take part: whoever guessed the code while it was
/// open has a ticket, too.
async fn for_chat(app: &App, client: Client, ticket: &str) -> Result<SupportCodeRow, ApiError> {
    let code = by_ticket(app, ticket).await?;
    let home = code.guest.as_ref().map(|guest| guest.address.parse());
    match home {
        None => Ok(code),
        Some(Ok(address)) if is_same_network(address, client.address) => Ok(code),
        Some(_) => Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "chat_moved",
            "The chat goes on in the program that you started.",
        )),
    }
}

fn is_same_network(one: IpAddr, other: IpAddr) -> bool {
    Network::from(one) == Network::from(other)
}

/// The code of a portal page's ticket.
async fn by_ticket(app: &App, ticket: &str) -> Result<SupportCodeRow, ApiError> {
    let unknown = || ApiError::not_found("ticket_not_found", "There is no such ticket.");
    let id = app.support.tokens.read_ticket(ticket).ok_or_else(unknown)?;
    app.store.support_code(&id).await?.ok_or_else(unknown)
}
