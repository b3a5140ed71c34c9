//! Between the users of this machine, who ask for help, and the control
//! connection. A request is the server's; here is what was last heard of it, and
//! what has not arrived there yet.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard};

use gc_model::time::Moment;
use gc_proto::v1;
use gc_proto::v1::agent_control::Body;
use tokio::sync::{Notify, watch};

use super::messages::{Line, MAX_LINES, Problem, Stage, Standing, Wish};
use crate::attended::page::{shown, shown_chat};
use crate::clock::random_bytes;

#[cfg(test)]
mod tests;

/// Wishes that one machine may have at once, and how often one more: a person writes
/// slower.
const BURST: u32 = 10;
const ONE_MORE_AFTER_MICROS: u64 = 5_000_000;

/// Lines that wait for the server.
const MAX_UNSENT: usize = 10;

/// Random bytes of a line's name.
const NAME_BYTES: usize = 12;

/// See the module.
pub(crate) struct HelpDesk {
    server: String,
    machine_id: String,
    state: Mutex<State>,
    /// Something is to be said to the server.
    post: Notify,
    /// Changes with everything that a user may see.
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    connected: bool,
    /// As the server last said; `None` before anything was asked.
    request: Option<v1::GuestState>,
    /// Who asked last.
    user: String,
    lines: BTreeMap<u64, Line>,
    unsent: VecDeque<v1::ChatText>,
    /// For the server, while it is connected.
    outbox: VecDeque<Body>,
    problem: Option<(String, Problem)>,
    allowance: Allowance,
}

impl HelpDesk {
    pub(crate) fn new(server: &str, machine_id: &str) -> Self {
        Self {
            server: server.to_owned(),
            machine_id: machine_id.to_owned(),
            state: Mutex::default(),
            post: Notify::new(),
            changes: watch::channel(0).0,
        }
    }

    /// Changes with everything that a user may see.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// How things are, for this user.
    pub(crate) fn standing(&self, user: &str) -> Standing {
        let state = self.lock();
        let mut standing = Standing {
            server: self.server.clone(),
            machine_id: self.machine_id.clone(),
            connected: state.connected,
            ..Standing::default()
        };
        if let Some((of, problem)) = &state.problem
            && of == user
        {
            standing.problem = Some(*problem);
        }
        if !state.is_of(user) {
            if state.is_open() {
                standing.stage = Stage::OfOther;
            }
            return standing;
        }
        if let Some(request) = &state.request {
            standing.stage = stage(request.phase());
            standing.technician = shown(&request.technician);
            standing.company = shown(&request.company);
            standing.after_hours = request.after_hours;
        }
        standing.lines = state.lines.values().cloned().collect();
        standing.unsent = state.unsent.iter().map(|line| line.text.clone()).collect();
        standing
    }

    /// A user wants something. What cannot be is said in their standing.
    pub(crate) fn wish(&self, now: Moment, user: &str, wish: Wish) {
        let Some(wish) = wish.checked() else { return };
        let mut state = self.lock();
        state.problem = None;
        if !state.is_of(user) && state.is_open() {
            // Their standing says whose turn it is.
        } else if !state.allowance.take(now) {
            state.problem = Some((user.to_owned(), Problem::TooFast));
        } else {
            match wish {
                Wish::Ask(text) => state.ask(user, text),
                Wish::TakeBack => state.take_back(),
            }
        }
        self.changed(state);
    }

    /// The next thing for the server. Never while there is none, or no connection.
    pub(crate) async fn next_post(&self) -> Body {
        loop {
            let posted = self.post.notified();
            {
                let mut state = self.lock();
                if state.connected
                    && let Some(body) = state.outbox.pop_front()
                {
                    return body;
                }
            }
            posted.await;
        }
    }

    /// The server answered: what has not arrived goes again.
    pub(crate) fn handle_connected(&self) {
        let mut state = self.lock();
        state.connected = true;
        state.outbox.clear();
        let user = state.user.clone();
        let unsent: Vec<_> = state.unsent.iter().cloned().collect();
        let again = unsent.into_iter().map(|text| request(text, &user));
        state.outbox.extend(again);
        self.changed(state);
    }

    /// The connection is over.
    pub(crate) fn handle_lost(&self) {
        let mut state = self.lock();
        state.connected = false;
        self.changed(state);
    }

    /// The server says where the request stands.
    pub(crate) fn handle_state(&self, said: v1::GuestState) {
        let mut state = self.lock();
        if !state.is_live() {
            state.lines.clear();
            state.user.clone_from(&said.user);
        }
        state.problem = None;
        state.request = Some(said);
        self.changed(state);
    }

    /// A line of the chat, of either side.
    pub(crate) fn handle_line(&self, said: &v1::ChatLine) {
        let mut state = self.lock();
        let line = Line {
            author: if said.from_guest {
                String::new()
            } else {
                shown(&said.author)
            },
            text: shown_chat(&said.text),
        };
        state
            .unsent
            .retain(|line| !said.from_guest || line.client_id != said.client_id);
        state.lines.insert(said.id, line);
        if state.lines.len() > MAX_LINES {
            state.lines.pop_first();
        }
        self.changed(state);
    }

    /// The server does not take what was asked.
    pub(crate) fn handle_refused(&self, refused: &v1::RequestRefused) {
        let mut state = self.lock();
        state
            .unsent
            .retain(|line| line.client_id != refused.client_id);
        let problem = match refused.reason() {
            v1::RequestRefusal::TooOften => Problem::TooOften,
            v1::RequestRefusal::Failed | v1::RequestRefusal::Unspecified => Problem::Failed,
        };
        state.problem = Some((state.user.clone(), problem));
        self.changed(state);
    }

    fn changed(&self, state: MutexGuard<'_, State>) {
        drop(state);
        self.changes
            .send_modify(|times| *times = times.wrapping_add(1));
        self.post.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code under this lock panics")
    }
}

impl State {
    /// The server has a request that is not over.
    fn is_live(&self) -> bool {
        let request = self.request.as_ref();
        request.is_some_and(|request| stage(request.phase()).is_live())
    }

    /// A request is on its way or not over.
    fn is_open(&self) -> bool {
        self.is_live() || !self.unsent.is_empty()
    }

    fn is_of(&self, user: &str) -> bool {
        self.user == user
    }

    fn ask(&mut self, user: &str, text: String) {
        if self.unsent.len() >= MAX_UNSENT {
            self.problem = Some((user.to_owned(), Problem::TooFast));
            return;
        }
        user.clone_into(&mut self.user);
        let text = v1::ChatText {
            client_id: name(),
            text,
        };
        self.unsent.push_back(text.clone());
        self.outbox.push_back(request(text, user));
    }

    fn take_back(&mut self) {
        self.unsent.clear();
        self.outbox.clear();
        if self.is_open() {
            self.outbox.push_back(Body::GuestLeaves(v1::GuestLeaves {}));
        }
    }
}

impl Stage {
    pub(crate) const fn is_live(self) -> bool {
        matches!(self, Self::Waiting | Self::Taken)
    }
}

const fn stage(phase: v1::GuestPhase) -> Stage {
    match phase {
        v1::GuestPhase::Unspecified => Stage::Nothing,
        v1::GuestPhase::Waiting => Stage::Waiting,
        v1::GuestPhase::Accepted => Stage::Taken,
        v1::GuestPhase::Completed => Stage::Done,
        v1::GuestPhase::Refused | v1::GuestPhase::Cancelled => Stage::Closed,
    }
}

fn request(text: v1::ChatText, user: &str) -> Body {
    Body::SupportRequest(v1::SupportRequest {
        text: Some(text),
        user: user.to_owned(),
    })
}

/// A line that is sent again has the same one.
fn name() -> String {
    let mut name = String::new();
    for byte in random_bytes::<NAME_BYTES>() {
        let _never_fails = write!(name, "{byte:02x}");
    }
    name
}

/// How much this machine may still ask.
struct Allowance {
    left: u32,
    since: Moment,
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            left: BURST,
            since: Moment::from_micros(0),
        }
    }
}

impl Allowance {
    fn take(&mut self, now: Moment) -> bool {
        let earned = now.since(self.since).as_micros() / u128::from(ONE_MORE_AFTER_MICROS);
        if earned > 0 {
            let earned = u32::try_from(earned).unwrap_or(BURST);
            self.left = self.left.saturating_add(earned).min(BURST);
            self.since = now;
        }
        let Some(left) = self.left.checked_sub(1) else {
            return false;
        };
        self.left = left;
        true
    }
}
