//! Attended support: the door for codes, the waiting room, the chat, and when
//! it is over. Where a code stands is decided in `gc_model::support`.

mod guesses;
mod requests;
mod tokens;
pub(crate) mod watch;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::body::Bytes;
use gc_model::id::{MachineId, SupportId, UserId};
use gc_model::machine::MachineKind;
use gc_model::session::EndReason;
use gc_model::support::{CodeEvent, CodeState, SupportCode};
use gc_model::text::clean_lines;
use gc_proto::limits::{MAX_CHAT_CHARS, MAX_CLIENT_ID_BYTES};
use gc_proto::v1::{GuestPhase, GuestState};
use gc_store::{
    Actor, ChatLine, CodeChange, CreateCodeError, Machine, NewAuditEntry, NewChatLine,
    NewSupportCode, Said, SayError, Session, StoreError, SupportCodeRow,
};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::app::App;
use crate::auth::user::CurrentUser;
use crate::chance::random_bytes;
use crate::http::client::Client;
use crate::http::error::ApiError;
use crate::hub::ControlCommand;
use crate::portal::program::Made;
use crate::settings::SupportSettings;
use guesses::{Guesses, Verdict};
use tokens::SupportTokens;

/// With 500 live codes of five digits, one draw in 200 is taken.
const MAX_DRAWS: u32 = 20;

/// A wrong code is answered so long after it was looked at, whatever is wrong
/// about it: the look-up takes a small part of this.
const WRONG_CODE_TAKES: Duration = Duration::from_millis(20);

/// What the server holds for attended support.
pub(crate) struct Support {
    pub(crate) tokens: SupportTokens,
    guesses: Guesses,
    pub(crate) agents_dir: PathBuf,
    pub(crate) logo: Option<Logo>,
    pub(crate) made: Mutex<Vec<Made>>,
    pub(crate) making: tokio::sync::Mutex<()>,
    /// Customers who ask for help are counted and added one at a time.
    pub(crate) asking: tokio::sync::Mutex<()>,
    /// There may be a live code again.
    pub(crate) wake: Notify,
}

/// Largest file of a logo, in bytes.
const MAX_LOGO_BYTES: usize = 256 * 1024;

/// The company's logo.
#[derive(Debug, Clone)]
pub(crate) struct Logo {
    pub(crate) kind: &'static str,
    pub(crate) data: Bytes,
}

impl Logo {
    fn read(path: &Path) -> anyhow::Result<Self> {
        let data = std::fs::read(path)
            .with_context(|| format!("SUPPORT_LOGO: read {}", path.display()))?;
        let kind = if data.starts_with(b"\x89PNG\r\n") {
            "image/png"
        } else if path.extension().is_some_and(|extension| extension == "svg") {
            "image/svg+xml"
        } else {
            bail!("SUPPORT_LOGO: {} is neither PNG nor SVG", path.display());
        };
        if data.len() > MAX_LOGO_BYTES {
            bail!("SUPPORT_LOGO: {} has more than 256 KiB", path.display());
        }
        Ok(Self {
            kind,
            data: data.into(),
        })
    }
}

/// What somebody shows at the door.
#[derive(Debug, Default)]
pub(crate) struct Shown<'a> {
    /// What was typed.
    pub(crate) code: &'a str,
    /// Of the link, where they came by one.
    pub(crate) link_token: Option<&'a str>,
    /// Challenge and answer.
    pub(crate) work: Option<(&'a str, &'a str)>,
}

/// A program that customers download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Windows,
    Linux,
}

impl Program {
    pub(crate) const ALL: [Self; 2] = [Self::Windows, Self::Linux];

    /// Its name in addresses.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Windows => "windows",
            Self::Linux => "linux",
        }
    }

    /// The file in the server's folder of programs.
    pub(crate) const fn file_name(self) -> &'static str {
        match self {
            Self::Windows => "guruconnect-agent.exe",
            Self::Linux => "guruconnect-agent",
        }
    }
}

/// Who writes in a chat.
#[derive(Debug, Clone)]
pub(crate) enum Author {
    Guest,
    Technician(String),
}

impl Support {
    /// Reads the logo.
    pub(crate) fn open(settings: &SupportSettings, secret: &[u8]) -> anyhow::Result<Self> {
        Ok(Self {
            logo: settings.logo.as_deref().map(Logo::read).transpose()?,
            made: Mutex::default(),
            making: tokio::sync::Mutex::default(),
            asking: tokio::sync::Mutex::default(),
            tokens: SupportTokens::new(secret),
            guesses: Guesses::default(),
            agents_dir: settings.agents_dir.clone(),
            wake: Notify::new(),
        })
    }

    /// Systems for which there is no program to download.
    pub(crate) async fn missing_programs(&self) -> Vec<&'static str> {
        let mut missing = Vec::new();
        for program in Program::ALL {
            let path = self.agents_dir.join(program.file_name());
            if !tokio::fs::try_exists(path).await.unwrap_or(false) {
                missing.push(program.as_str());
            }
        }
        missing
    }
}

impl App {
    /// The door: the code that somebody shows, if nobody used it yet. What is
    /// wrong about one that is not active is said to nobody.
    pub(crate) async fn open_code(
        &self,
        client: Client,
        shown: &Shown<'_>,
    ) -> Result<SupportCodeRow, ApiError> {
        if let Some(code) = self.linked_code(shown.code, shown.link_token).await? {
            return Some(code)
                .filter(|code| self.is_open(code))
                .ok_or_else(ApiError::code_not_active);
        }
        self.admit_guess(client.address, shown.work)?;
        let answer_at = Instant::now() + WRONG_CODE_TAKES;
        // A wrong token makes the right digits wrong.
        let digits = SupportCode::parse(shown.code).ok();
        let code = match (shown.link_token, &digits) {
            (None, Some(digits)) => self.store.live_support_code(digits).await?,
            _ => None,
        };
        let Some(code) = code.filter(|code| self.is_open(code)) else {
            self.metrics.support_code_wrong();
            // What is wrong about it took longer or shorter to find out.
            sleep_until(answer_at).await;
            return Err(ApiError::code_not_active());
        };
        self.support
            .guesses
            .was_right(self.clock.moment(), client.address);
        Ok(code)
    }

    /// The live code of a link, used or not; `None` where the token does not fit.
    /// A made-up token is seen as one before the database is asked.
    pub(crate) async fn linked_code(
        &self,
        digits: &str,
        token: Option<&str>,
    ) -> Result<Option<SupportCodeRow>, StoreError> {
        let id = token.and_then(|token| self.support.tokens.read_link_token(token));
        let (Some(id), Ok(digits)) = (id, SupportCode::parse(digits)) else {
            return Ok(None);
        };
        let code = self.store.support_code(&id).await?;
        Ok(code.filter(|code| code.code.as_ref() == Some(&digits) && code.state.is_live()))
    }

    fn is_open(&self, code: &SupportCodeRow) -> bool {
        let now = self.clock.now();
        code.state == CodeState::Open && code.expires_at.is_none_or(|end| end > now)
    }

    fn admit_guess(&self, address: IpAddr, work: Option<(&str, &str)>) -> Result<(), ApiError> {
        let now_unix = self.clock.unix_seconds();
        let tokens = &self.support.tokens;
        let has_worked =
            work.is_some_and(|(challenge, answer)| tokens.take_work(now_unix, challenge, answer));
        let now = self.clock.moment();
        match self.support.guesses.begin(now, address, has_worked) {
            Verdict::Go => Ok(()),
            Verdict::Wait(wait) => {
                self.metrics.refused("support_guess");
                Err(ApiError::too_many("too_many_codes", wait))
            }
            Verdict::Work(bits) => {
                self.metrics.support_work_asked();
                Err(ApiError::work_required(
                    tokens.new_work(now_unix, bits),
                    bits,
                ))
            }
        }
    }

    /// New digits.
    pub(crate) fn draw_code(&self) -> SupportCode {
        SupportCode::draw(self.settings.support.digits, || {
            u32::from_le_bytes(random_bytes())
        })
    }

    /// Writes a new code, with other digits where these are taken.
    pub(crate) async fn write_code(
        &self,
        mut new_code: NewSupportCode,
        entry: NewAuditEntry,
    ) -> Result<SupportCodeRow, ApiError> {
        for _ in 0..MAX_DRAWS {
            let made = self
                .store
                .create_support_code(new_code.clone(), entry.clone())
                .await;
            match made {
                Ok(code) => {
                    self.metrics.support_code_made();
                    self.support.wake.notify_one();
                    self.hub.events.support_changed(code.id.clone());
                    return Ok(code);
                }
                Err(CreateCodeError::Taken) => new_code.code = self.draw_code(),
                Err(CreateCodeError::Store(error)) => return Err(error.into()),
            }
        }
        Err(ApiError::busy())
    }

    /// Who will help, as the customer is told; empty while nobody is named.
    pub(crate) fn helper(code: &SupportCodeRow) -> &str {
        match (&code.technician, &code.assigned_to) {
            (technician, _) if !technician.is_empty() => technician,
            (_, Some(_)) => &code.creator,
            _ => "",
        }
    }

    /// Moves a code on and tells everybody who has to know. `None` when that
    /// cannot happen now.
    pub(crate) async fn change_support(
        &self,
        change: CodeChange,
    ) -> Result<Option<SupportCodeRow>, StoreError> {
        let event = change.event;
        let actor = change.actor.clone();
        let Some(code) = self.store.change_support_code(change).await? else {
            return Ok(None);
        };
        tracing::info!(support = %code.id, state = code.state.as_str(), "Support code changed");
        self.hub.events.support_changed(code.id.clone());
        if let Some(guest) = &code.guest {
            let state = Box::new(self.guest_state(&code));
            self.hub
                .tell_machine(&guest.machine_id, ControlCommand::TellGuest(state));
            if !code.state.is_live() && !guest.is_managed {
                self.guest_is_gone(&guest.machine_id, event, actor).await?;
            }
        }
        Ok(Some(code))
    }

    /// After the guest's key went with its code: its sessions, its connection.
    async fn guest_is_gone(
        &self,
        guest: &MachineId,
        event: CodeEvent,
        actor: Actor,
    ) -> Result<(), StoreError> {
        let reason = match event {
            CodeEvent::Leave => EndReason::EndedByGuest,
            _ => EndReason::EndedByTechnician,
        };
        self.cut_off(guest, reason, actor).await
    }

    /// Where a guest stands, as its program is told.
    pub(crate) fn guest_state(&self, code: &SupportCodeRow) -> GuestState {
        let phase = match code.state {
            CodeState::Open | CodeState::Waiting => GuestPhase::Waiting,
            CodeState::Accepted | CodeState::Active => GuestPhase::Accepted,
            CodeState::Refused => GuestPhase::Refused,
            CodeState::Cancelled | CodeState::Expired => GuestPhase::Cancelled,
            CodeState::Completed => GuestPhase::Completed,
        };
        GuestState {
            phase: phase.into(),
            technician: Self::helper(code).to_owned(),
            company: self.settings.support.company.clone(),
            after_hours: self.is_after_hours(),
            user: code
                .guest
                .as_ref()
                .map(|guest| guest.user.clone())
                .unwrap_or_default(),
        }
    }

    /// What a managed machine is told where nobody asks for anything.
    pub(crate) fn no_guest_state(&self) -> GuestState {
        GuestState {
            phase: GuestPhase::Unspecified.into(),
            company: self.settings.support.company.clone(),
            after_hours: self.is_after_hours(),
            ..GuestState::default()
        }
    }

    /// Writes a line of the chat and hands it to everybody. `None` when it says nothing, or
    /// the code is over.
    pub(crate) async fn say(
        &self,
        code: &SupportCodeRow,
        author: Author,
        client_id: &str,
        text: &str,
    ) -> Result<Option<Said>, SayError> {
        let text = clean_lines(text, MAX_CHAT_CHARS);
        if text.is_empty() || !is_line_name(client_id) || !code.state.is_live() {
            return Ok(None);
        }
        let from_guest = matches!(author, Author::Guest);
        let line = NewChatLine {
            support_id: code.id.clone(),
            from_guest,
            client_id: client_id.to_owned(),
            author: match author {
                Author::Guest => guest_name(code),
                Author::Technician(name) => name,
            },
            text,
            at: self.clock.now(),
        };
        let said = self.store.say(line).await?;
        if let Said::New(line) = &said {
            self.hand_out(code, line);
        }
        Ok(Some(said))
    }

    /// Hands a new line of the chat to everybody.
    fn hand_out(&self, code: &SupportCodeRow, line: &ChatLine) {
        if let Some(guest) = &code.guest {
            let command = ControlCommand::Say(Box::new(line.clone()));
            self.hub.tell_machine(&guest.machine_id, command);
        }
        self.hub
            .events
            .send(crate::api::support_codes::chat_event(&code.id, line));
    }

    /// The code behind a machine, when it is a guest that may be controlled by
    /// this technician. `None` for a managed machine.
    pub(crate) async fn guest_for(
        &self,
        machine: &Machine,
        user: &UserId,
    ) -> Result<Option<SupportId>, ApiError> {
        if machine.kind != MachineKind::Guest {
            return Ok(None);
        }
        let code = self
            .store
            .support_code_of(&machine.id)
            .await?
            .filter(|code| code.state.is_live())
            .ok_or_else(ApiError::machine_not_found)?;
        if code.state.after(CodeEvent::Start).is_none() {
            return Err(ApiError::new(
                axum::http::StatusCode::CONFLICT,
                "guest_not_accepted",
                "The customer is still in the waiting room. Let them in first.",
            ));
        }
        if code.technician_id.as_ref() != Some(user) {
            return Err(ApiError::new(
                axum::http::StatusCode::FORBIDDEN,
                "guest_of_other",
                "Another technician is helping this customer.",
            ));
        }
        Ok(Some(code.id))
    }

    /// A session with a guest was started: its code is active. False when the
    /// guest left meanwhile; then the session is over.
    pub(crate) async fn guest_session_started(
        &self,
        support: SupportId,
        current: &CurrentUser,
        session: &Session,
    ) -> Result<bool, StoreError> {
        let change = CodeChange {
            id: support,
            event: CodeEvent::Start,
            technician: None,
            session_id: Some(session.id.clone()),
            reason: None,
            actor: current.actor(),
            address: None,
            now: self.clock.now(),
        };
        if self.change_support(change).await?.is_some() {
            return Ok(true);
        }
        self.end_session(&session.id, EndReason::EndedByGuest, Actor::System, None)
            .await?;
        Ok(false)
    }
}

/// True for what somebody's program may call a line.
fn is_line_name(client_id: &str) -> bool {
    (1..=MAX_CLIENT_ID_BYTES).contains(&client_id.len())
        && client_id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What a customer is called in the chat: as the technician noted, or as they
/// wrote themselves.
fn guest_name(code: &SupportCodeRow) -> String {
    let guest = code.guest.as_ref();
    let (user, host_name) = guest.map_or(("", ""), |guest| (&guest.user, &guest.host_name));
    first_name([&code.customer, user, host_name])
}

fn first_name<const N: usize>(names: [&str; N]) -> String {
    let named = names.into_iter().find(|name| !name.is_empty());
    named.unwrap_or("Customer").to_owned()
}
