//! Support codes as technicians see them.

pub(super) mod accept;
pub(super) mod cancel;
pub(super) mod chat;
pub(super) mod create;
pub(super) mod list;
pub(super) mod refuse;
pub(super) mod take;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use gc_model::id::SupportId;
use gc_model::role::Permission;
use gc_model::support::{CodeEvent, CodeState};
use gc_store::{ASKED_BY_MACHINE, ChatLine, CodeChange, StoreError, SupportCodeRow};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::user::CurrentUser;
use crate::http::client::Client;
use crate::http::error::ApiError;
use crate::hub::events::Event;

/// Who made the codes of customers that asked for help themselves: no user's id,
/// those are UUIDs.
pub(crate) const PORTAL: &str = "portal";

/// A support code. Texts about the guest come from its computer, cleaned.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SupportCodeBody {
    id: String,
    /// Null where the user of a managed machine asks for help.
    #[schema(example = "847291")]
    code: Option<String>,
    /// For the customer; with a token that nobody can guess. Begins with `/`
    /// where the server does not know its own address. Null once it is over, and
    /// without a code.
    #[schema(example = "https://connect.example.com/support/847291?k=…")]
    link: Option<String>,
    /// `open`, `waiting`, `accepted`, `active`, `completed`, `cancelled`,
    /// `expired` or `refused`.
    #[schema(example = "open")]
    state: &'static str,
    /// True when the customer asked for help, on the portal or at a managed machine.
    requested: bool,
    /// For whom, as its maker noted; may be empty.
    customer: String,
    /// Id of the technician who made it.
    created_by: String,
    /// Their name at the time.
    creator: String,
    /// Id of the only technician who may answer; null for whoever is first.
    assigned_to: Option<String>,
    created_at: DateTime<Utc>,
    /// Until when somebody must be let in; null for no end.
    expires_at: Option<DateTime<Utc>>,
    /// When the customer downloaded the program.
    downloaded_at: Option<DateTime<Utc>>,
    guest: Option<GuestBody>,
    /// Id of the technician who answered.
    technician_id: Option<String>,
    /// Their name at the time; empty before.
    technician: String,
    /// The latest session.
    session_id: Option<String>,
    ended_at: Option<DateTime<Utc>>,
    /// `guest_left`, `guest_gone`, `session_ended`, `ended_by_technician`,
    /// `refused`, `cancelled`, `expired` or `machine_removed`; null while it is live.
    end_reason: Option<String>,
    /// Id of the newest line that the customer wrote; null when there is none.
    last_guest_line: Option<u64>,
}

/// The customer's computer. Where the user of a managed machine asks, that machine.
#[derive(Debug, Serialize, ToSchema)]
struct GuestBody {
    /// For `POST /api/sessions/start`.
    machine_id: String,
    host_name: String,
    /// Who is at it.
    user: String,
    os_name: String,
    address: String,
    /// True while its program is connected.
    online: bool,
    claimed_at: DateTime<Utc>,
    /// True for a managed machine, which has a page of its own and asks for no consent.
    is_managed: bool,
}

/// A line of a chat.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChatLineBody {
    /// Grows; the order of the chat.
    id: u64,
    support_code_id: String,
    from_guest: bool,
    author: String,
    text: String,
    at: DateTime<Utc>,
}

impl ChatLineBody {
    pub(crate) fn new(support: &SupportId, line: &ChatLine) -> Self {
        Self {
            id: line.id,
            support_code_id: support.as_str().to_owned(),
            from_guest: line.from_guest,
            author: line.author.clone(),
            text: line.text.clone(),
            at: line.at,
        }
    }
}

/// What dashboards hear of a new line.
pub(crate) fn chat_event(support: &SupportId, line: &ChatLine) -> Event {
    let body = ChatLineBody::new(support, line);
    let json = serde_json::to_string(&body).expect("bodies are plain data");
    Event::Data {
        name: "chat",
        json: Arc::from(json),
    }
}

impl SupportCodeBody {
    /// `base` is the address of this server, where it is known.
    pub(crate) async fn new(
        app: &App,
        code: SupportCodeRow,
        base: Option<&str>,
    ) -> Result<Self, StoreError> {
        let last_guest_line = app.store.last_guest_line(&code.id).await?;
        let live = code.code.as_ref().filter(|_| code.state.is_live());
        let link = live.map(|digits| {
            let token = app.support.tokens.link_token(&code.id);
            let base = base.unwrap_or_default();
            format!("{base}/support/{}?k={token}", digits.as_str())
        });
        let guest = code.guest.map(|guest| GuestBody {
            online: app.hub.is_online(&guest.machine_id),
            machine_id: guest.machine_id.as_str().to_owned(),
            host_name: guest.host_name,
            user: guest.user,
            os_name: guest.os_name,
            address: guest.address,
            claimed_at: guest.claimed_at,
            is_managed: guest.is_managed,
        });
        let text = |id: gc_model::id::UserId| id.as_str().to_owned();
        Ok(Self {
            id: code.id.as_str().to_owned(),
            code: code.code.map(|digits| digits.as_str().to_owned()),
            link,
            state: code.state.as_str(),
            requested: [PORTAL, ASKED_BY_MACHINE].contains(&code.created_by.as_str()),
            customer: code.customer,
            created_by: text(code.created_by),
            creator: code.creator,
            assigned_to: code.assigned_to.map(text),
            created_at: code.created_at,
            expires_at: code.expires_at,
            downloaded_at: code.downloaded_at,
            guest,
            technician_id: code.technician_id.map(text),
            technician: code.technician,
            session_id: code.session_id.map(|id| id.as_str().to_owned()),
            ended_at: code.ended_at,
            end_reason: code.end_reason,
            last_guest_line,
        })
    }
}

/// The address that the operator gave this server; links begin with it.
pub(crate) fn public_base(app: &App) -> Option<String> {
    let url = app.settings.public_url.as_ref()?;
    Some(url.origin().ascii_serialization())
}

/// The code of this id, or 404.
async fn find(app: &App, id: &str) -> Result<SupportCodeRow, ApiError> {
    let id = SupportId::parse(id).map_err(|_| ApiError::support_code_not_found())?;
    app.store
        .support_code(&id)
        .await?
        .ok_or_else(ApiError::support_code_not_found)
}

/// The code of this id, for somebody who gives support and to whom it belongs.
async fn find_own(app: &App, current: &CurrentUser, id: &str) -> Result<SupportCodeRow, ApiError> {
    current.require(Permission::Support)?;
    let code = find(app, id).await?;
    require_own(current, &code)?;
    Ok(code)
}

/// Refuses those to whom the code does not belong.
fn require_own(current: &CurrentUser, code: &SupportCodeRow) -> Result<(), ApiError> {
    let me = &current.user.id;
    let answered = code.technician_id.as_ref();
    let owner = answered.or(code.assigned_to.as_ref());
    if owner.is_none_or(|owner| owner == me) {
        return Ok(());
    }
    if current.require(Permission::SupportForOthers).is_ok() {
        return Ok(());
    }
    Err(ApiError::new(
        axum::http::StatusCode::FORBIDDEN,
        "support_of_other",
        "This support code belongs to another technician.",
    ))
}

/// Moves a code on for a technician.
async fn change(
    app: &App,
    client: Client,
    current: &CurrentUser,
    code: SupportCodeRow,
    event: CodeEvent,
    reason: &'static str,
) -> Result<SupportCodeBody, ApiError> {
    let me = (current.user.id.clone(), current.user.display_name.clone());
    let answers = matches!(event, CodeEvent::Accept | CodeEvent::Refuse);
    let change = CodeChange {
        id: code.id,
        event,
        technician: answers.then_some(me),
        session_id: None,
        reason: Some(reason),
        actor: current.actor(),
        address: Some(client.address.to_string()),
        now: app.clock.now(),
    };
    let Some(code) = app.change_support(change).await? else {
        return Err(too_late());
    };
    let base = public_base(app);
    Ok(SupportCodeBody::new(app, code, base.as_deref()).await?)
}

/// 409: it stands elsewhere by now.
fn too_late() -> ApiError {
    ApiError::new(
        axum::http::StatusCode::CONFLICT,
        "support_code_moved_on",
        "That is not possible any more: somebody answered, or the customer left.",
    )
}

/// How a technician ends a code: before somebody was let in it is cancelled,
/// afterwards it is over.
fn ending(state: CodeState) -> (CodeEvent, &'static str) {
    match state {
        CodeState::Accepted | CodeState::Active => (CodeEvent::End, "ended_by_technician"),
        _ => (CodeEvent::Cancel, "cancelled"),
    }
}
