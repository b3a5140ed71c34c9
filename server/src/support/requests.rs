//! The user of a managed machine asks for help, at that machine.

use std::net::IpAddr;

use chrono::TimeDelta;
use gc_model::id::{MachineId, SupportId};
use gc_model::support::CodeEvent;
use gc_model::text::{MAX_NAME_CHARS, clean, clean_lines};
use gc_proto::limits::MAX_CHAT_CHARS;
use gc_proto::v1::{ChatText, RequestRefusal};
use gc_store::{
    Action, Actor, AskError, Asked, CodeChange, Machine, NewAuditEntry, NewChatLine,
    NewSupportRequest, Said, SayError, StoreError, SupportCodeRow,
};

use super::{Author, first_name, is_line_name};
use crate::app::App;
use crate::chance::new_id;
use crate::hub::ControlCommand;

/// Requests of one user of a machine within an hour: each wakes people up.
const MOST_OF_USER_PER_HOUR: u64 = 5;

/// And of all its users, on whose names only the machine's own word is there: a machine on
/// which many work at once has a few who ask in the same hour.
const MOST_OF_MACHINE_PER_HOUR: u64 = 20;

/// Nobody waits longer than over a week's end and a holiday.
const EXPIRES_AFTER: TimeDelta = TimeDelta::days(7);

impl App {
    /// Writes the request and its first line, and tells everybody. The machine hears of it as a
    /// guest does, and where it asked the same before, how that stands.
    pub(crate) async fn request_support(
        &self,
        machine: &Machine,
        address: IpAddr,
        user: &str,
        line: &ChatText,
    ) -> Result<Result<SupportCodeRow, RequestRefusal>, StoreError> {
        let message = clean_lines(&line.text, MAX_CHAT_CHARS);
        if message.is_empty() || !is_line_name(&line.client_id) {
            return Ok(Err(RequestRefusal::Failed));
        }
        let now = self.clock.now();
        let user = clean(user, MAX_NAME_CHARS);
        let id = SupportId::parse(&new_id()).expect("ids that are made here can be read");
        let request = NewSupportRequest {
            id: id.clone(),
            machine: machine.clone(),
            user: user.clone(),
            line: NewChatLine {
                support_id: id,
                from_guest: true,
                client_id: line.client_id.clone(),
                author: first_name([&user, &machine.name]),
                text: message.clone(),
                at: now,
            },
            address: address.to_string(),
            now,
            expires_at: now + EXPIRES_AFTER,
            most_of_user: MOST_OF_USER_PER_HOUR,
            most_of_machine: MOST_OF_MACHINE_PER_HOUR,
            counted_from: now - TimeDelta::hours(1),
        };
        let entry = NewAuditEntry {
            at: now,
            action: Action::SupportRequested,
            actor: Actor::Agent {
                id: machine.id.clone(),
                name: machine.name.clone(),
            },
            machine: Some((machine.id.clone(), machine.name.clone())),
            session_id: None,
            address: Some(address.to_string()),
            detail: serde_json::json!({ "id": request.id.as_str(), "user": user }),
        };
        let asked = match self.store.create_support_request(request, entry).await {
            Ok(asked) => asked,
            // Asked on another connection of this machine: this is one line more.
            Err(AskError::Asked) => {
                let Some(code) = self.store.live_request_of(&machine.id).await? else {
                    return Ok(Err(RequestRefusal::Failed));
                };
                return Ok(self.hear(&code, line).await?.map(|()| code));
            }
            Err(AskError::TooManyOfUser) => {
                self.metrics.refused("machine_request");
                return Ok(Err(RequestRefusal::TooOften));
            }
            Err(AskError::TooManyOfMachine) => {
                self.metrics.refused("machine_request");
                return Ok(Err(RequestRefusal::TooOftenHere));
            }
            Err(AskError::Store(error)) => return Err(error),
        };
        let Asked { code, line, is_new } = asked;
        let state = Box::new(self.guest_state(&code));
        let command = ControlCommand::TellGuest(state);
        self.hub.tell_machine(&machine.id, command);
        if !is_new {
            let again = ControlCommand::Say(Box::new(line));
            self.hub.tell_machine(&machine.id, again);
            return Ok(Ok(code));
        }
        tracing::info!(support = %code.id, machine = %machine.id, "A machine's user asks for help");
        self.support.wake.notify_one();
        self.hand_out(&code, &line);
        self.hub.events.support_changed(code.id.clone());
        self.announce_request(&code, &message).await;
        Ok(Ok(code))
    }

    /// Hears a line of whoever asked, at their machine, which is told that it arrived; otherwise
    /// why not.
    pub(crate) async fn hear(
        &self,
        code: &SupportCodeRow,
        line: &ChatText,
    ) -> Result<Result<(), RequestRefusal>, StoreError> {
        let said = self
            .say(code, Author::Guest, &line.client_id, &line.text)
            .await;
        match said {
            Ok(Some(Said::New(_))) => Ok(Ok(())),
            Ok(Some(Said::Before(line))) => {
                if let Some(guest) = &code.guest {
                    let again = ControlCommand::Say(Box::new(line));
                    self.hub.tell_machine(&guest.machine_id, again);
                }
                Ok(Ok(()))
            }
            Ok(None) => Ok(Err(RequestRefusal::Failed)),
            Err(SayError::Full) => Ok(Err(RequestRefusal::ChatFull)),
            Err(SayError::Store(error)) => Err(error),
        }
    }

    /// A machine is removed: whoever asked there for help is not waited for.
    pub(crate) async fn machine_is_removed(
        &self,
        machine: &MachineId,
        actor: Actor,
    ) -> Result<(), StoreError> {
        if let Some(code) = self.store.live_request_of(machine).await? {
            self.change_support(CodeChange {
                id: code.id,
                event: CodeEvent::Leave,
                technician: None,
                session_id: None,
                reason: Some("machine_removed"),
                actor,
                address: None,
                now: self.clock.now(),
            })
            .await?;
        }
        Ok(())
    }
}
