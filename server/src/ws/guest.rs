//! What the control connection of a guest has beyond that of a managed machine:
//! where it stands, the chat, the customer's answers. A managed machine has it
//! too while its user asks for help.

use std::collections::HashSet;

use gc_model::id::{MachineId, SessionId, SupportId};
use gc_model::machine::MachineKind;
use gc_model::support::CodeEvent;
use gc_model::text::clean;
use gc_proto::limits::{MAX_CLIENT_ID_BYTES, MAX_LIST_LEN};
use gc_proto::v1::server_control::Body as ServerBody;
use gc_proto::v1::{
    ChatText, ConsentAnswer, ConsentReport, RequestRefusal, RequestRefused, ServerControl,
    SupportRequest,
};
use gc_store::{
    Action, Actor, ChatLine, CodeChange, Machine, NewAuditEntry, StoreError, SupportCodeRow,
};
use std::net::IpAddr;

use super::control::control;
use crate::app::App;
use crate::hub::ControlCommand;

/// Longest name of a right, in characters.
const MAX_RIGHT_CHARS: usize = 40;

/// A guest's connection.
pub(super) struct Guest {
    support: SupportId,
    machine: Machine,
    address: IpAddr,
    /// Lines that this connection has had.
    said: HashSet<u64>,
}

impl Guest {
    /// `None` for a managed machine whose user asks for nothing, and for a guest whose code is
    /// over.
    pub(super) async fn of(
        app: &App,
        machine: &Machine,
        address: IpAddr,
    ) -> Result<Option<Self>, StoreError> {
        let code = match machine.kind {
            MachineKind::Guest => app.store.support_code_of(&machine.id).await?,
            MachineKind::Unattended => app.store.live_request_of(&machine.id).await?,
        };
        Ok(code.map(|code| Self::new(code.id, machine, address)))
    }

    fn new(support: SupportId, machine: &Machine, address: IpAddr) -> Self {
        Self {
            support,
            machine: machine.clone(),
            address,
            said: HashSet::new(),
        }
    }

    /// Where it stands, for a guest whose code was over before it was greeted.
    pub(super) async fn farewell(&self, app: &App) -> Result<Option<ServerControl>, StoreError> {
        let code = self.code(app).await?;
        Ok(code.map(|code| control(ServerBody::Guest(app.guest_state(&code)))))
    }

    /// The user of a managed machine asks for help, or says more about what they asked. Every
    /// line is answered: whoever wrote it waits until then.
    pub(super) async fn ask(
        guest: &mut Option<Self>,
        app: &App,
        machine: &Machine,
        address: IpAddr,
        request: &SupportRequest,
    ) -> Result<(), StoreError> {
        let Some(line) = &request.text else {
            return Ok(());
        };
        let asking = match guest.as_ref() {
            Some(guest) => guest.code(app).await,
            None => Ok(None),
        };
        let is_guest = machine.kind == MachineKind::Guest;
        let taken = match asking {
            Ok(Some(code)) if code.state.is_live() || is_guest => {
                let heard = app.hear(&code, line).await;
                heard.map(|heard| heard.map(|()| None))
            }
            // A guest has the code that it came with and no other.
            Ok(_) if is_guest => Ok(Err(RequestRefusal::Failed)),
            Ok(_) => {
                let asked = app.request_support(machine, address, &request.user, line);
                asked.await.map(|asked| asked.map(Some))
            }
            Err(error) => Err(error),
        };
        if let Some(Some(code)) = or_refuse(app, &machine.id, line, taken)? {
            *guest = Some(Self::new(code.id, machine, address));
        }
        Ok(())
    }

    /// Where it stands and what was said, at the beginning of a connection. A managed machine
    /// where nothing is open is told so: what it knows of may have ended while it was away.
    pub(super) async fn greetings(
        guest: &mut Option<Self>,
        app: &App,
        machine: &Machine,
    ) -> Result<Vec<ServerControl>, StoreError> {
        let code = match guest {
            Some(guest) => guest.code(app).await?,
            None => None,
        };
        let (Some(guest), Some(code)) = (guest, code) else {
            let nothing = control(ServerBody::Guest(app.no_guest_state()));
            let is_managed = machine.kind == MachineKind::Unattended;
            return Ok(is_managed.then_some(nothing).into_iter().collect());
        };
        let mut greetings = vec![control(ServerBody::Guest(app.guest_state(&code)))];
        for line in app.store.chat(&guest.support).await? {
            greetings.extend(guest.line(&line));
        }
        Ok(greetings)
    }

    /// A line for the guest; `None` when it had it.
    pub(super) fn line(&mut self, line: &ChatLine) -> Option<ServerControl> {
        if !self.said.insert(line.id) {
            return None;
        }
        let own = line.from_guest.then(|| line.client_id.clone());
        Some(control(ServerBody::Chat(gc_proto::v1::ChatLine {
            id: line.id,
            client_id: own.unwrap_or_default(),
            from_guest: line.from_guest,
            author: line.author.clone(),
            text: line.text.clone(),
            at_unix: u64::try_from(line.at.timestamp()).unwrap_or(0),
        })))
    }

    /// The customer wrote.
    pub(super) async fn hear(&self, app: &App, chat: &ChatText) -> Result<(), StoreError> {
        let heard = match self.code(app).await {
            Ok(Some(code)) => app.hear(&code, chat).await,
            Ok(None) => Ok(Err(RequestRefusal::Failed)),
            Err(error) => Err(error),
        };
        or_refuse(app, &self.machine.id, chat, heard).map(drop)
    }

    /// The customer leaves.
    pub(super) async fn leave(&self, app: &App) -> Result<(), StoreError> {
        let change = CodeChange {
            id: self.support.clone(),
            event: CodeEvent::Leave,
            technician: None,
            session_id: None,
            reason: Some("guest_left"),
            actor: agent(&self.machine),
            address: Some(self.address.to_string()),
            now: app.clock.now(),
        };
        app.change_support(change).await.map(|_| ())
    }

    async fn code(&self, app: &App) -> Result<Option<SupportCodeRow>, StoreError> {
        app.store.support_code(&self.support).await
    }
}

/// Tells a machine where something that its user wrote was not taken: nobody waits for what
/// was not written.
fn or_refuse<T>(
    app: &App,
    machine: &MachineId,
    line: &ChatText,
    taken: Result<Result<T, RequestRefusal>, StoreError>,
) -> Result<Option<T>, StoreError> {
    let reason = match &taken {
        Ok(Ok(_)) => return taken.map(Result::ok),
        Ok(Err(reason)) => *reason,
        Err(_) => RequestRefusal::Failed,
    };
    let refused = RequestRefused {
        client_id: clean(&line.client_id, MAX_CLIENT_ID_BYTES),
        reason: reason.into(),
    };
    app.hub
        .tell_machine(machine, ControlCommand::RefuseRequest(refused));
    taken.map(|_| None)
}

fn agent(machine: &Machine) -> Actor {
    Actor::Agent {
        id: machine.id.clone(),
        name: machine.name.clone(),
    }
}

/// Notes what somebody at a machine answered. A report about a session of
/// another machine is not noted.
pub(super) async fn note_consent(
    app: &App,
    machine: &MachineId,
    address: IpAddr,
    report: &ConsentReport,
) -> Result<(), StoreError> {
    let Ok(session) = SessionId::parse(&report.session_id) else {
        return Ok(());
    };
    let session = app.store.session(&session).await?;
    let Some(session) = session.filter(|session| session.machine_id == *machine) else {
        return Ok(());
    };
    let answer = match report.answer() {
        ConsentAnswer::Allowed => "allowed",
        ConsentAnswer::Declined => "declined",
        ConsentAnswer::TimedOut => "timed_out",
        ConsentAnswer::Withdrawn => "withdrawn",
        ConsentAnswer::Unspecified => "unknown",
    };
    let rights = report.rights.iter().take(MAX_LIST_LEN);
    let rights: Vec<_> = rights.map(|right| clean(right, MAX_RIGHT_CHARS)).collect();
    tracing::info!(session = %session.id, %machine, answer, "Somebody at a machine was asked");
    app.store
        .append_audit(NewAuditEntry {
            at: app.clock.now(),
            action: Action::ConsentAnswered,
            actor: Actor::Agent {
                id: machine.clone(),
                name: session.machine_name.clone(),
            },
            machine: Some((machine.clone(), session.machine_name)),
            session_id: Some(session.id),
            address: Some(address.to_string()),
            detail: serde_json::json!({
                "answer": answer,
                "rights": rights,
                "waited_ms": report.waited_ms,
                "technician": session.technician,
            }),
        })
        .await
}
