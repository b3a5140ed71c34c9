//! Who is connected to this server right now, and the tasks that hold those
//! connections. The one door to presence and live sessions: a cluster would put
//! a message bus behind it.
//!
//! The decisions are `gc-relay`'s; here are its lock, its clock and the channels
//! to the tasks it decides about.

pub(crate) mod events;
mod power;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::ws::WebSocket;
use chrono::{DateTime, Utc};
use gc_model::id::{LoginId, MachineId, ParticipantId, SessionId};
use gc_model::machine::MachineKind;
use gc_model::power::PowerAction;
use gc_proto::v1::{GuestState, RequestRefused};
use gc_relay::{
    CloseWhy, ControlClose, ControlId, NotAllowed, Output, Relay, Side, Ticket, Tickets, Traffic,
    UnknownSession, Usage,
};
use gc_store::{ChatLine, Machine, Session};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::chance::random_bytes;
use crate::clock::Clock;
use events::Events;
pub(crate) use power::PowerWish;

/// Commands that wait for one agent's control connection. An agent that takes
/// none for so long is as good as gone.
const CONTROL_BACKLOG: usize = 64;

/// For the task of a control connection.
#[derive(Debug)]
pub(crate) enum ControlCommand {
    /// Ask the agent to open its end of a session.
    Offer {
        session: SessionId,
        participant: ParticipantId,
        ticket: Ticket,
    },
    /// Tell it that a session is over.
    TellEnded { session: SessionId },
    /// Tell a guest, or a machine that asked for help, where it stands.
    TellGuest(Box<GuestState>),
    /// Hand it a line of the chat.
    Say(Box<ChatLine>),
    /// Tell a machine that its request for help is not taken.
    RefuseRequest(RequestRefused),
    /// Do this to the machine.
    Power { number: u64, wish: PowerWish },
    /// Close the connection.
    Close(ControlClose),
}

/// For the task that holds a viewer's end, and later both.
#[derive(Debug)]
pub(crate) enum EndCommand {
    /// The agent's end is here; its socket follows.
    Join {
        socket: oneshot::Receiver<WebSocket>,
        traffic: Arc<Traffic>,
    },
    /// Close both ends.
    Close(CloseWhy),
}

/// A session that is open, as long as it is.
#[derive(Debug, Clone)]
pub(crate) struct OpenSession {
    pub(crate) id: SessionId,
    pub(crate) machine: MachineId,
    pub(crate) login: LoginId,
    pub(crate) technician: String,
    pub(crate) created_at: DateTime<Utc>,
}

impl From<&Session> for OpenSession {
    fn from(session: &Session) -> Self {
        Self {
            id: session.id.clone(),
            machine: session.machine_id.clone(),
            login: session.login_id.clone(),
            technician: session.technician.clone(),
            created_at: session.created_at,
        }
    }
}

/// What is connected of one machine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Presence {
    pub(crate) online: bool,
    /// Sessions in which somebody looks at it right now.
    pub(crate) sessions: Vec<OpenSession>,
    /// What can be ordered of it.
    pub(crate) power_actions: Vec<PowerAction>,
}

/// See the module.
pub(crate) struct Hub {
    clock: Clock,
    state: Mutex<State>,
    /// Something changed: the next deadline may be another.
    changed: Notify,
    abandoned: mpsc::UnboundedSender<SessionId>,
    pub(crate) events: Events,
}

/// A machine's control connection.
struct Connection {
    control: ControlId,
    /// Guests are in no count of machines.
    kind: MachineKind,
    /// What can be ordered of it.
    power_actions: Vec<PowerAction>,
}

#[derive(Default)]
struct State {
    relay: Relay,
    controls: HashMap<ControlId, mpsc::Sender<ControlCommand>>,
    ends: HashMap<ParticipantId, mpsc::UnboundedSender<EndCommand>>,
    open: BTreeMap<SessionId, OpenSession>,
    /// The newest of each machine.
    connections: HashMap<MachineId, Connection>,
    orders: power::Orders,
    last_control: u64,
}

impl State {
    fn power_actions(&self, machine: &MachineId) -> Vec<PowerAction> {
        let connection = self.connections.get(machine);
        connection.map_or_else(Vec::new, |connection| connection.power_actions.clone())
    }
}

impl Hub {
    /// An empty hub, and the sessions that it will want to have ended.
    pub(crate) fn new(clock: Clock) -> (Self, mpsc::UnboundedReceiver<SessionId>) {
        let (abandoned, to_end) = mpsc::unbounded_channel();
        let hub = Self {
            clock,
            state: Mutex::default(),
            changed: Notify::new(),
            abandoned,
            events: Events::new(),
        };
        (hub, to_end)
    }

    /// An agent's control connection is up.
    pub(crate) fn connect_control(
        &self,
        machine: &Machine,
        power_actions: Vec<PowerAction>,
    ) -> (ControlId, mpsc::Receiver<ControlCommand>) {
        let (sender, receiver) = mpsc::channel(CONTROL_BACKLOG);
        let mut state = self.lock();
        state.last_control += 1;
        let id = ControlId(state.last_control);
        state.controls.insert(id, sender);
        let connection = Connection {
            control: id,
            kind: machine.kind,
            power_actions,
        };
        state.connections.insert(machine.id.clone(), connection);
        state.relay.handle_control_connected(&machine.id, id);
        self.dispatch(state);
        (id, receiver)
    }

    /// It is gone.
    pub(crate) fn disconnect_control(&self, machine: &MachineId, control: ControlId) {
        let mut state = self.lock();
        state.controls.remove(&control);
        let newest = state.connections.get(machine);
        if newest.is_some_and(|newest| newest.control == control) {
            state.connections.remove(machine);
            state.orders.drop_all_of(machine);
        }
        state.relay.handle_control_closed(machine, control);
        self.dispatch(state);
    }

    /// A machine's key was revoked, or the machine removed.
    pub(crate) fn revoke_machine(&self, machine: &MachineId) {
        let mut state = self.lock();
        state.relay.handle_machine_revoked(machine);
        self.dispatch(state);
    }

    /// Makes a session known. One that is known already stays as it is.
    pub(crate) fn open_session(&self, session: OpenSession) {
        let mut state = self.lock();
        let (id, machine) = (session.id.clone(), session.machine.clone());
        state
            .relay
            .open_session(self.clock.moment(), id.clone(), machine);
        state.open.entry(id).or_insert(session);
        self.dispatch(state);
    }

    /// A ticket for a viewer of an open session.
    pub(crate) fn invite(
        &self,
        session: &SessionId,
        participant: ParticipantId,
    ) -> Result<Ticket, UnknownSession> {
        let tickets = Tickets {
            viewer: Ticket::from_random(random_bytes()),
            agent: Ticket::from_random(random_bytes()),
        };
        let viewer = tickets.viewer.clone();
        let mut state = self.lock();
        state
            .relay
            .invite(self.clock.moment(), session, participant, tickets)?;
        self.dispatch(state);
        Ok(viewer)
    }

    /// A viewer is here with its ticket.
    pub(crate) fn connect_viewer(
        &self,
        ticket: &Ticket,
    ) -> Result<(ParticipantId, mpsc::UnboundedReceiver<EndCommand>), NotAllowed> {
        let mut state = self.lock();
        let participant = state
            .relay
            .handle_viewer_connected(self.clock.moment(), ticket)?;
        let (sender, receiver) = mpsc::unbounded_channel();
        state.ends.insert(participant.clone(), sender);
        self.dispatch(state);
        Ok((participant, receiver))
    }

    /// An agent is here with the ticket it was offered. Its socket goes into the
    /// sender that comes back.
    pub(crate) fn connect_agent(
        &self,
        ticket: &Ticket,
        machine: &MachineId,
    ) -> Result<oneshot::Sender<WebSocket>, NotAllowed> {
        let mut state = self.lock();
        let (participant, traffic) =
            state
                .relay
                .handle_agent_connected(self.clock.moment(), ticket, machine)?;
        let (sender, socket) = oneshot::channel();
        if let Some(end) = state.ends.get(&participant) {
            // A viewer's task that ended says so itself.
            let _ = end.send(EndCommand::Join { socket, traffic });
        }
        self.dispatch(state);
        Ok(sender)
    }

    /// Tells a machine something, if it is connected.
    pub(crate) fn tell_machine(&self, machine: &MachineId, command: ControlCommand) {
        let mut state = self.lock();
        if let Some(connection) = state.connections.get(machine) {
            let control = connection.control;
            tell(&mut state.controls, control, command);
        }
    }

    /// An agent says that it cannot open its end.
    pub(crate) fn offer_failed(&self, machine: &MachineId, session: &SessionId) {
        let mut state = self.lock();
        state
            .relay
            .handle_offer_failed(self.clock.moment(), machine, session);
        self.dispatch(state);
    }

    /// One end of a participant is gone.
    pub(crate) fn left(&self, participant: &ParticipantId, side: Side) {
        let mut state = self.lock();
        state.ends.remove(participant);
        state
            .relay
            .handle_left(self.clock.moment(), participant, side);
        self.dispatch(state);
    }

    /// Disconnects everybody from a session, for good. What it used since that
    /// was last asked for; `None` when it was not open here.
    pub(crate) fn end_session(&self, session: &SessionId) -> Option<Usage> {
        let mut state = self.lock();
        state.open.remove(session);
        let usage = state.relay.end_session(self.clock.moment(), session);
        self.dispatch(state);
        usage
    }

    /// The server stops: disconnects everybody.
    pub(crate) fn shut_down(&self) {
        let mut state = self.lock();
        state.relay.handle_shutdown(self.clock.moment());
        self.dispatch(state);
    }

    /// What every session used since this was last asked.
    pub(crate) fn take_usage(&self) -> Vec<Usage> {
        self.lock().relay.take_usage(self.clock.moment())
    }

    /// What is connected of one machine.
    pub(crate) fn presence(&self, machine: &MachineId) -> Presence {
        let state = self.lock();
        let sessions = state
            .open
            .values()
            .filter(|session| session.machine == *machine && state.relay.is_live(&session.id))
            .cloned()
            .collect();
        Presence {
            online: state.relay.is_online(machine),
            sessions,
            power_actions: state.power_actions(machine),
        }
    }

    /// The same for all machines; those that are not in it have nothing connected.
    pub(crate) fn presence_of_all(&self) -> HashMap<MachineId, Presence> {
        let state = self.lock();
        let mut all: HashMap<MachineId, Presence> = HashMap::new();
        for machine in state.relay.online() {
            let presence = all.entry(machine.clone()).or_default();
            presence.online = true;
            presence.power_actions = state.power_actions(machine);
        }
        for session in state
            .open
            .values()
            .filter(|session| state.relay.is_live(&session.id))
        {
            all.entry(session.machine.clone())
                .or_default()
                .sessions
                .push(session.clone());
        }
        all
    }

    /// True while the machine's agent is connected.
    pub(crate) fn is_online(&self, machine: &MachineId) -> bool {
        self.lock().relay.is_online(machine)
    }

    /// Every machine whose agent is connected.
    pub(crate) fn online(&self) -> Vec<MachineId> {
        self.lock().relay.online().cloned().collect()
    }

    /// How many machines are online, and how many sessions live.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let state = self.lock();
        let machines = state.relay.online();
        let is_guest = |connection: &Connection| connection.kind == MachineKind::Guest;
        let managed =
            machines.filter(|machine| !state.connections.get(*machine).is_some_and(is_guest));
        (managed.count(), state.relay.live_count())
    }

    /// Open sessions that match.
    pub(crate) fn open_sessions(&self, which: impl Fn(&OpenSession) -> bool) -> Vec<SessionId> {
        let state = self.lock();
        state
            .open
            .values()
            .filter(|open| which(open))
            .map(|open| open.id.clone())
            .collect()
    }

    /// Keeps the relay's deadlines, for as long as the server runs.
    pub(crate) async fn keep_time(&self) {
        loop {
            let due = self.lock().relay.poll_timeout();
            let changed = self.changed.notified();
            let Some(due) = due else {
                changed.await;
                continue;
            };
            let due = tokio::time::Instant::from_std(self.clock.instant(due));
            tokio::select! {
                () = tokio::time::sleep_until(due) => {}
                () = changed => continue,
            }
            let mut state = self.lock();
            state.relay.handle_timeout(self.clock.moment());
            self.dispatch(state);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code under this lock panics")
    }

    /// Does what the relay decided. Only channels: nothing here waits.
    fn dispatch(&self, mut state: MutexGuard<'_, State>) {
        while let Some(output) = state.relay.poll_output() {
            match output {
                Output::Presence { machine, online } => {
                    let text = if online {
                        "Machine online"
                    } else {
                        "Machine offline"
                    };
                    tracing::info!(%machine, "{text}");
                    self.events.machine_changed(machine);
                }
                Output::Offer {
                    control,
                    session,
                    participant,
                    ticket,
                } => {
                    let offer = ControlCommand::Offer {
                        session,
                        participant,
                        ticket,
                    };
                    tell(&mut state.controls, control, offer);
                }
                Output::TellEnded { control, session } => {
                    tell(
                        &mut state.controls,
                        control,
                        ControlCommand::TellEnded { session },
                    );
                }
                Output::CloseControl { control, why } => {
                    tell(&mut state.controls, control, ControlCommand::Close(why));
                    state.controls.remove(&control);
                }
                Output::CloseParticipant { participant, why } => {
                    if let Some(end) = state.ends.remove(&participant) {
                        let _ = end.send(EndCommand::Close(why));
                    }
                }
                Output::Live {
                    session,
                    machine,
                    live,
                } => {
                    let text = if live {
                        "Viewer and agent joined"
                    } else {
                        "Viewer and agent parted"
                    };
                    tracing::info!(%session, %machine, "{text}");
                    self.events.machine_changed(machine);
                    self.events.session_changed(session);
                }
                Output::Abandoned { session } => {
                    // Only fails while the server stops.
                    let _ = self.abandoned.send(session);
                }
            }
        }
        drop(state);
        self.changed.notify_one();
    }
}

/// An agent that does not take its commands loses its channel, and with it its
/// connection.
fn tell(
    controls: &mut HashMap<ControlId, mpsc::Sender<ControlCommand>>,
    control: ControlId,
    command: ControlCommand,
) {
    if let Some(sender) = controls.get(&control)
        && sender.try_send(command).is_err()
    {
        controls.remove(&control);
    }
}
