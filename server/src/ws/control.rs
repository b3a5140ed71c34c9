//! The words of the control connection, parsed and made.

use std::net::IpAddr;

use gc_model::id::{MachineId, ParticipantId, SessionId};
use gc_model::machine::MachineFacts;
use gc_model::power::PowerAction;
use gc_model::text::clean;
use gc_proto::Message as _;
use gc_proto::v1::agent_control::Body as AgentBody;
use gc_proto::v1::server_control::Body as ServerBody;
use gc_proto::v1::{
    AgentControl, PowerOrder, ServerControl, ServerHello, SessionClosed, SessionOffer,
};
use gc_relay::Ticket;
use gc_store::{CheckIn, StoreError};

use crate::api::agent::facts_of;
use crate::app::App;
use crate::hub::PowerWish;

/// Version of the control connection that this server speaks, and the oldest
/// that it accepts.
pub(super) const CONTROL_VERSION: u32 = 1;

/// How often an agent reports without being asked: five minutes. What changes
/// is reported at once.
const CHECK_IN_SECONDS: u32 = 300;

/// Longest version of an agent, in characters.
const MAX_VERSION_CHARS: usize = 40;

/// What an agent says first.
pub(super) struct Hello {
    version: String,
    facts: MachineFacts,
    power_actions: Vec<PowerAction>,
}

impl Hello {
    /// What can be ordered of the machine.
    pub(super) fn power_actions(&self) -> &[PowerAction] {
        &self.power_actions
    }
}

/// Reads the first message; `None` when it is no introduction.
pub(super) fn parse_hello(bytes: &[u8]) -> Option<Hello> {
    match AgentControl::decode(bytes).ok()?.body? {
        AgentBody::Hello(hello) if hello.control_version >= CONTROL_VERSION => Some(Hello {
            version: clean(&hello.software_version, MAX_VERSION_CHARS),
            facts: facts_of(hello.facts?),
            power_actions: PowerAction::ALL
                .into_iter()
                .filter(|action| {
                    hello
                        .power_actions
                        .iter()
                        .any(|name| name == action.as_str())
                })
                .collect(),
        }),
        _ => None,
    }
}

/// What an agent last reported, and where it goes.
pub(super) struct Reported {
    machine: MachineId,
    address: IpAddr,
    version: String,
    facts: MachineFacts,
}

impl Reported {
    pub(super) fn new(machine: MachineId, address: IpAddr, hello: Hello) -> Self {
        Self {
            machine,
            address,
            version: hello.version,
            facts: hello.facts,
        }
    }

    pub(super) fn machine(&self) -> &MachineId {
        &self.machine
    }

    /// Keeps new facts. False when the machine is gone.
    pub(super) async fn update(
        &mut self,
        app: &App,
        facts: gc_proto::v1::MachineFacts,
    ) -> Result<bool, StoreError> {
        let facts = facts_of(facts);
        if facts == self.facts {
            app.store
                .record_seen(std::slice::from_ref(&self.machine), app.clock.now())
                .await?;
            return Ok(true);
        }
        self.facts = facts;
        let known = self.write(app).await?;
        app.hub.events.machine_changed(self.machine.clone());
        Ok(known)
    }

    /// Writes what is known. False when the machine is gone.
    pub(super) async fn write(&self, app: &App) -> Result<bool, StoreError> {
        let check_in = CheckIn {
            machine_id: self.machine.clone(),
            facts: self.facts.clone(),
            agent_version: self.version.clone(),
            address: self.address.to_string(),
            now: app.clock.now(),
        };
        Ok(app.store.record_check_in(check_in).await?.is_some())
    }
}

pub(super) fn hello() -> ServerControl {
    control(ServerBody::Hello(ServerHello {
        check_in_seconds: CHECK_IN_SECONDS,
    }))
}

pub(super) fn offer(
    session: &SessionId,
    participant: &ParticipantId,
    ticket: &Ticket,
) -> ServerControl {
    control(ServerBody::Offer(SessionOffer {
        session_id: session.as_str().to_owned(),
        participant_id: participant.as_str().to_owned(),
        path: format!("/ws/agent/session?ticket={}", ticket.to_text()),
    }))
}

pub(super) fn power(number: u64, wish: &PowerWish) -> ServerControl {
    control(ServerBody::Power(PowerOrder {
        request_id: number,
        action: wish.action.as_str().to_owned(),
        return_after_seconds: wish.return_after_seconds,
        technician: wish.technician.clone(),
    }))
}

pub(super) fn closed(session: &SessionId) -> ServerControl {
    control(ServerBody::Closed(SessionClosed {
        session_id: session.as_str().to_owned(),
        reason: "session_ended".to_owned(),
    }))
}

pub(super) fn control(body: ServerBody) -> ServerControl {
    ServerControl { body: Some(body) }
}
