//! What changed, for the dashboards that listen. Changes are gathered, looked up
//! once, and sent to all.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use gc_model::id::{LoginId, MachineId, SessionId, SupportId};
use tokio::sync::{Notify, broadcast};

/// Events that a slow dashboard may be behind before it is told to reload.
const BACKLOG: usize = 512;

/// Something that a dashboard may have on its screen, and that changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Change {
    Machine(MachineId),
    Session(SessionId),
    Support(SupportId),
}

/// What goes to the listeners.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// For the dashboard, as JSON.
    Data { name: &'static str, json: Arc<str> },
    /// For the connection itself: it belongs to a sign-in that ended.
    LoginEnded(LoginId),
}

/// See the module.
pub(crate) struct Events {
    pending: Mutex<BTreeSet<Change>>,
    waiting: Notify,
    out: broadcast::Sender<Event>,
}

impl Events {
    pub(crate) fn new() -> Self {
        let (out, _) = broadcast::channel(BACKLOG);
        Self {
            pending: Mutex::default(),
            waiting: Notify::new(),
            out,
        }
    }

    pub(crate) fn machine_changed(&self, machine: MachineId) {
        self.changed(Change::Machine(machine));
    }

    pub(crate) fn session_changed(&self, session: SessionId) {
        self.changed(Change::Session(session));
    }

    pub(crate) fn support_changed(&self, support: SupportId) {
        self.changed(Change::Support(support));
    }

    /// Ends what the connections of this sign-in still hear.
    pub(crate) fn login_ended(&self, login: LoginId) {
        self.send(Event::LoginEnded(login));
    }

    pub(crate) fn send(&self, event: Event) {
        // Fails when nobody listens.
        let _ = self.out.send(event);
    }

    pub(crate) fn listen(&self) -> broadcast::Receiver<Event> {
        self.out.subscribe()
    }

    /// Waits for changes and takes all that have gathered.
    pub(crate) async fn take_changes(&self) -> BTreeSet<Change> {
        loop {
            let waiting = self.waiting.notified();
            let changes = std::mem::take(&mut *self.pending.lock().expect("no code here panics"));
            if !changes.is_empty() {
                return changes;
            }
            waiting.await;
        }
    }

    fn changed(&self, change: Change) {
        if self.out.receiver_count() > 0 {
            self.pending
                .lock()
                .expect("no code here panics")
                .insert(change);
            self.waiting.notify_one();
        }
    }
}
