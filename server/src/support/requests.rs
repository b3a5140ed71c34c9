//! The user of a managed machine asks for help, at that machine.

use std::net::IpAddr;

use chrono::TimeDelta;
use gc_model::id::{MachineId, SupportId};
use gc_model::support::CodeEvent;
use gc_model::text::{MAX_NAME_CHARS, clean, clean_lines};
use gc_proto::limits::MAX_CHAT_CHARS;
use gc_proto::v1::{ChatText, RequestRefusal};
use gc_store::{
    Action, Actor, AskError, CodeChange, Machine, NewAuditEntry, NewSupportRequest, SayError,
    StoreError, SupportCodeRow,
};

use super::Author;
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
    /// Writes the request and tells everybody. The machine hears of it as a guest does.
    pub(crate) async fn request_support(
        &self,
        machine: &Machine,
        address: IpAddr,
        user: &str,
        line: &ChatText,
    ) -> Result<Result<SupportCodeRow, RequestRefusal>, StoreError> {
        let message = clean_lines(&line.text, MAX_CHAT_CHARS);
        if message.is_empty() {
            return Ok(Err(RequestRefusal::Failed));
        }
        let now = self.clock.now();
        let user = clean(user, MAX_NAME_CHARS);
        let request = NewSupportRequest {
            id: SupportId::parse(&new_id()).expect("ids that are made here can be read"),
            machine: machine.clone(),
            user: user.clone(),
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
        let code = match self.store.create_support_request(request, entry).await {
            Ok(code) => code,
            // Asked on another connection of this machine: this is one line more.
            Err(AskError::Asked) => {
                let Some(code) = self.store.live_request_of(&machine.id).await? else {
                    return Ok(Err(RequestRefusal::Failed));
                };
                let noted = self.note_line(&code, line, &message).await?;
                return Ok(noted.map(|()| code));
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
        tracing::info!(support = %code.id, machine = %machine.id, "A machine's user asks for help");
        self.support.wake.notify_one();
        let state = Box::new(self.guest_state(&code));
        let command = ControlCommand::TellGuest(state);
        self.hub.tell_machine(&machine.id, command);
        let _empty_still = self.note_line(&code, line, &message).await?;
        self.hub.events.support_changed(code.id.clone());
        self.announce_request(&code, &message).await;
        Ok(Ok(code))
    }

    async fn note_line(
        &self,
        code: &SupportCodeRow,
        line: &ChatText,
        message: &str,
    ) -> Result<Result<(), RequestRefusal>, StoreError> {
        let said = self
            .say(code, Author::Guest, &line.client_id, message)
            .await;
        match said {
            Ok(_) => Ok(Ok(())),
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
