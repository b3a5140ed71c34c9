//! Between the users of this machine, who ask for help, and the control
//! connection. A request is the server's; here is what was last heard of it, and
//! what has not arrived there yet.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard};

use gc_model::time::Moment;
use gc_proto::v1;
use gc_proto::v1::agent_control::Body;
use tokio::sync::{Notify, watch};

use super::door::MAX_VISITORS;
use super::messages::{Line, MAX_LINES, Problem, Stage, Standing, Wish};
use crate::clock::random_bytes;
use crate::looking::Looking;
use crate::shown::{shown, shown_chat};

#[cfg(test)]
mod tests;

/// Wishes that one user may have at once, and how often one more: a person writes
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
    /// Who looks at this machine: everybody here may know.
    looking: Vec<Looking>,
    /// The server has said on this connection where the request stands. Nothing is sent before.
    settled: bool,
    /// As the server last said; `None` before anything was asked.
    request: Option<v1::GuestState>,
    /// Who asked last.
    // INVARIANT: `request`, `lines`, `unsent` and `not_taken` are this user's and nobody else's.
    user: String,
    lines: BTreeMap<u64, Line>,
    unsent: VecDeque<Unsent>,
    /// The server did not take them, but nobody has to write them again to read them out.
    not_taken: VecDeque<String>,
    /// The request was taken back, and the server has not said that it is over.
    leaving: bool,
    /// For the server, while it is connected.
    outbox: VecDeque<Body>,
    problem: Option<(String, Problem)>,
    allowances: Allowances,
}

/// A line that has not arrived.
struct Unsent {
    text: v1::ChatText,
    /// It was given to a connection, so the server may have it.
    posted: bool,
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
            looking: state.looking.clone(),
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
        if state.leaving {
            standing.stage = Stage::Done;
        }
        standing.lines = state.lines.values().cloned().collect();
        let unsent = state.unsent.iter().map(|line| line.text.text.clone());
        standing.unsent = unsent.collect();
        standing.not_taken = state.not_taken.iter().cloned().collect();
        standing
    }

    /// A user wants something. What cannot be is said in their standing.
    pub(crate) fn wish(&self, now: Moment, user: &str, wish: Wish) {
        let Some(wish) = wish.checked() else { return };
        let mut state = self.lock();
        state.problem = None;
        let is_of_other = !state.is_of(user) && state.is_open();
        if is_of_other || (wish == Wish::TakeBack && !state.can_take_back(user)) {
            // Their standing says whose turn it is, or that there is nothing.
        } else if !state.allowances.take(now, user) {
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
                if let Some(body) = state.next_post() {
                    return body;
                }
            }
            posted.await;
        }
    }

    /// Hears who looks, for as long as somebody keeps count.
    pub(crate) async fn watch(self: Arc<Self>, mut known: watch::Receiver<Vec<Looking>>) {
        while known.changed().await.is_ok() {
            let now = known.borrow_and_update().clone();
            self.handle_looking(now);
        }
    }

    /// Who looks has changed.
    fn handle_looking(&self, mut now: Vec<Looking>) {
        for looking in &mut now {
            looking.technician = shown(&looking.technician);
        }
        let mut state = self.lock();
        state.looking = now;
        self.changed(state);
    }

    /// The server answered, and says next where the request stands.
    pub(crate) fn handle_connected(&self) {
        let mut state = self.lock();
        state.connected = true;
        state.settled = false;
        state.outbox.clear();
        self.changed(state);
    }

    /// The connection is over.
    pub(crate) fn handle_lost(&self) {
        let mut state = self.lock();
        state.connected = false;
        state.settled = false;
        state.outbox.clear();
        self.changed(state);
    }

    /// The server says where the request stands.
    pub(crate) fn handle_state(&self, said: v1::GuestState) {
        let mut state = self.lock();
        let is_live = stage(said.phase()).is_live();
        if said.phase() == v1::GuestPhase::Unspecified {
            // Nothing is open. What was here is over, however it ended.
            if state.is_live()
                && let Some(request) = &mut state.request
            {
                request.set_phase(v1::GuestPhase::Completed);
            }
        } else {
            state.problem = None;
            state.belong_to(&said.user);
            if is_live && !state.is_live() {
                state.lines.clear();
                state.not_taken.clear();
            }
            state.request = Some(said);
        }
        state.leaving &= is_live;
        if state.connected && !state.settled {
            state.settle();
        }
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
            .retain(|line| !said.from_guest || line.text.client_id != said.client_id);
        state.lines.insert(said.id, line);
        if state.lines.len() > MAX_LINES {
            state.lines.pop_first();
        }
        self.changed(state);
    }

    /// The server does not take what was asked.
    pub(crate) fn handle_refused(&self, refused: &v1::RequestRefused) {
        let mut state = self.lock();
        let mut lines = state.unsent.iter();
        if let Some(at) = lines.position(|line| line.text.client_id == refused.client_id)
            && let Some(line) = state.unsent.remove(at)
        {
            if state.not_taken.len() >= MAX_UNSENT {
                state.not_taken.pop_front();
            }
            state.not_taken.push_back(line.text.text);
        }
        // Nothing came of it that could be taken back.
        state.leaving &= state.is_live();
        let problem = match refused.reason() {
            v1::RequestRefusal::TooOften => Problem::TooOften,
            v1::RequestRefusal::TooOftenHere => Problem::TooOftenHere,
            v1::RequestRefusal::ChatFull => Problem::ChatFull,
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
        self.is_live() || self.leaving || !self.unsent.is_empty()
    }

    fn is_of(&self, user: &str) -> bool {
        self.user == user
    }

    fn can_take_back(&self, user: &str) -> bool {
        let is_pending = self.is_live() && !self.leaving || !self.unsent.is_empty();
        self.is_of(user) && is_pending
    }

    /// From now on all of it is this user's: nothing of another one's stays.
    fn belong_to(&mut self, user: &str) {
        if self.is_of(user) {
            return;
        }
        user.clone_into(&mut self.user);
        self.request = None;
        self.lines.clear();
        self.unsent.clear();
        self.not_taken.clear();
        self.leaving = false;
        self.outbox.clear();
        self.problem = None;
    }

    fn ask(&mut self, user: &str, text: String) {
        if self.unsent.len() >= MAX_UNSENT {
            self.problem = Some((user.to_owned(), Problem::TooFast));
            return;
        }
        self.belong_to(user);
        let text = v1::ChatText {
            client_id: name(),
            text,
        };
        if self.settled {
            self.outbox.push_back(request(text.clone(), user));
        }
        self.unsent.push_back(Unsent {
            text,
            posted: false,
        });
    }

    fn take_back(&mut self) {
        let may_be_there = self.is_live() || self.unsent.iter().any(|line| line.posted);
        self.unsent.clear();
        self.not_taken.clear();
        // What is to be taken back already is taken back before anything else.
        self.outbox
            .retain(|body| matches!(body, Body::GuestLeaves(_)));
        if !may_be_there {
            return;
        }
        let is_first = !self.leaving;
        self.leaving = true;
        if self.settled && (is_first || self.outbox.is_empty()) {
            self.outbox.push_back(Body::GuestLeaves(v1::GuestLeaves {}));
        }
    }

    /// The server has said where things stand: now it hears what it does not have.
    fn settle(&mut self) {
        self.settled = true;
        if self.leaving {
            self.outbox.push_back(Body::GuestLeaves(v1::GuestLeaves {}));
        }
        for line in &mut self.unsent {
            line.posted = false;
            self.outbox
                .push_back(request(line.text.clone(), &self.user));
        }
    }

    fn next_post(&mut self) -> Option<Body> {
        let body = self.outbox.pop_front()?;
        if let Body::SupportRequest(request) = &body {
            let client_id = request.text.as_ref().map(|text| &text.client_id);
            for line in &mut self.unsent {
                line.posted |= Some(&line.text.client_id) == client_id;
            }
        }
        Some(body)
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

/// How much each user may still ask.
#[derive(Default)]
struct Allowances(BTreeMap<String, Allowance>);

impl Allowances {
    fn take(&mut self, now: Moment, user: &str) -> bool {
        if !self.0.contains_key(user) && self.0.len() >= MAX_VISITORS {
            let quietest = self.0.iter().min_by_key(|(_, allowance)| allowance.since);
            let quietest = quietest.map(|(user, _)| user.clone());
            self.0
                .remove(&quietest.expect("there are some: counted above"));
        }
        self.0.entry(user.to_owned()).or_default().take(now)
    }
}

/// How much one user may still ask.
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
