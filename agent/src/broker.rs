//! Which worker runs where. The service shows nothing itself: while somebody
//! wants to look, one worker (a process of ours in the desktop session that
//! shows) does. This machine is told what happened and says what to do.

use std::collections::VecDeque;
use std::time::Duration;

use gc_model::id::SessionId;
use gc_model::time::Moment;
use gc_session::CloseReason;

use crate::session::Offer;
use crate::sessions::Failed;

#[cfg(test)]
mod tests;

/// Most viewers that wait for a worker; one serves no more.
const MAX_WAITING: usize = 8;

/// 10 s: a worker starts in well under one, on a machine that is very busy in a few.
const START_PATIENCE: Duration = Duration::from_secs(10);

/// A worker is asked this often whether it lives.
const PING_INTERVAL: Duration = Duration::from_secs(1);

/// 4 s: a worker answers at once; one whose machine swaps takes a second or two.
const ANSWER_PATIENCE: Duration = Duration::from_secs(4);

/// 15 s: a viewer who reloads the page or changes networks finds the worker still there.
const LINGER: Duration = Duration::from_secs(15);

/// A worker that was asked to end gets this long; its sessions take at most 3 s to say good-bye.
const END_PATIENCE: Duration = Duration::from_secs(4);

/// A worker that lived this long was good: the next crash is the first again.
const GOOD_LIFE: Duration = Duration::from_secs(30);

/// Waits after the first, second, … crash in a row. The first is none: the viewer is to notice little.
const BACKOFF_MS: [u64; 8] = [0, 250, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000];

/// From this many crashes in a row on, viewers are told instead of kept waiting.
const CRASH_LOOP: usize = 3;

/// A worker, by the order in which they were started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct WorkerNumber(pub(crate) u64);

/// A login on the machine's system, as Windows numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DesktopSession(pub(crate) u32);

/// What the service is to do.
#[derive(Debug)]
pub(crate) enum BrokerOutput {
    /// Start a worker. Its end is told by [`Broker::handle_gone`], also when it could not be started.
    Launch {
        number: WorkerNumber,
        session: DesktopSession,
        /// The one before could not release what its viewers held.
        has_leftovers: bool,
    },
    /// Tell a worker something.
    Send(WorkerNumber, Order),
    /// End a worker's process; [`Broker::handle_gone`] follows.
    Kill(WorkerNumber, &'static str),
    /// A viewer cannot be served.
    Failed(Failed),
}

/// What a worker is told.
#[derive(Debug)]
pub(crate) enum Order {
    Offer(Offer),
    Close(SessionId, CloseReason),
    /// Say whether you live.
    Ping,
    /// Close all sessions and end.
    End(CloseReason),
}

/// One service's decisions.
#[derive(Debug, Default)]
pub(crate) struct Broker {
    /// The desktop session that has the machine's own screen.
    showing: Option<DesktopSession>,
    /// Another one, which a technician chose.
    chosen: Option<DesktopSession>,
    worker: Worker,
    workers_started: u64,
    waiting: Vec<Offer>,
    /// Viewers of a worker that went will ask again: have the next one ready.
    is_expected: bool,
    crashes: usize,
    last_crash: String,
    /// Where a worker ended without releasing what its viewers held, and none has done it since.
    leftovers: Vec<DesktopSession>,
    not_before: Option<Moment>,
    is_stopping: bool,
    outputs: VecDeque<BrokerOutput>,
}

#[derive(Debug, Clone, Copy, Default)]
enum Worker {
    #[default]
    None,
    Starting {
        number: WorkerNumber,
        session: DesktopSession,
        since: Moment,
    },
    Up {
        number: WorkerNumber,
        session: DesktopSession,
        since: Moment,
        next_ping: Moment,
        /// When the question was asked that has no answer yet.
        unanswered: Option<Moment>,
        viewers: usize,
        idle_since: Option<Moment>,
    },
    /// It was asked to end.
    Leaving {
        number: WorkerNumber,
        session: DesktopSession,
        since: Moment,
    },
    /// Its process was ended; it is gone any moment.
    Killed { number: WorkerNumber },
}

impl Broker {
    /// The desktop sessions as they are now: the one that has the machine's own screen, or
    /// none, and all that could be shown.
    pub(crate) fn handle_desktop_sessions(
        &mut self,
        now: Moment,
        showing: Option<DesktopSession>,
        all: &[DesktopSession],
    ) {
        self.showing = showing;
        // Whoever signed out is not waited for.
        self.chosen = self.chosen.filter(|chosen| all.contains(chosen));
        self.leftovers.retain(|session| all.contains(session));
        self.follow(now);
    }

    /// A technician wants to see another desktop session.
    pub(crate) fn handle_chosen(&mut self, now: Moment, session: DesktopSession) {
        self.chosen = Some(session).filter(|_| self.showing != Some(session));
        self.follow(now);
    }

    /// The desktop session that is to be shown.
    pub(crate) fn wanted_session(&self) -> Option<DesktopSession> {
        self.chosen.or(self.showing)
    }

    /// The one that a technician chose instead of the machine's own screen.
    pub(crate) const fn chosen_session(&self) -> Option<DesktopSession> {
        self.chosen
    }

    /// Ends a worker that shows another desktop session than the wanted one.
    fn follow(&mut self, now: Moment) {
        let wanted = self.wanted_session();
        match self.worker {
            Worker::Starting {
                number, session, ..
            } if Some(session) != wanted => {
                self.is_expected |= self.has_viewers();
                self.kill(number, "another desktop session shows");
            }
            Worker::Up {
                number, session, ..
            } if Some(session) != wanted => {
                // Its viewers come back by themselves and find the next one. What they hold
                // is released before that: no other worker can do it.
                self.is_expected |= self.has_viewers();
                self.ask_to_end(now, number, session, CloseReason::DesktopChanged);
            }
            _ => {}
        }
        self.advance(now);
    }

    /// A viewer waits at the server.
    pub(crate) fn handle_offer(&mut self, now: Moment, offer: Offer) {
        if let Worker::Up {
            number, idle_since, ..
        } = &mut self.worker
        {
            *idle_since = None;
            let number = *number;
            self.outputs
                .push_back(BrokerOutput::Send(number, Order::Offer(offer)));
        } else if self.is_stopping {
            self.fail(offer.session_id, "the agent is stopping".to_owned());
        } else if self.waiting.len() >= MAX_WAITING {
            let detail = format!("{MAX_WAITING} technicians are waiting for this machine already");
            self.fail(offer.session_id, detail);
        } else {
            self.waiting.push(offer);
            self.advance(now);
        }
    }

    /// The server ended a session.
    pub(crate) fn handle_close(&mut self, session_id: &SessionId, reason: CloseReason) {
        self.waiting.retain(|offer| &offer.session_id != session_id);
        if let Worker::Up { number, .. } = self.worker {
            let order = Order::Close(session_id.clone(), reason);
            self.outputs.push_back(BrokerOutput::Send(number, order));
        }
    }

    /// A worker can be told things now.
    pub(crate) fn handle_ready(&mut self, now: Moment, worker: WorkerNumber) {
        let Worker::Starting {
            number, session, ..
        } = self.worker
        else {
            return;
        };
        if number != worker {
            return;
        }
        self.is_expected = false;
        self.leftovers.retain(|left| *left != session);
        self.worker = Worker::Up {
            number,
            session,
            since: now,
            next_ping: now + PING_INTERVAL,
            unanswered: None,
            viewers: 0,
            idle_since: Some(now),
        };
        for offer in std::mem::take(&mut self.waiting) {
            self.handle_offer(now, offer);
        }
    }

    /// A worker answered that it lives and serves so many viewers.
    pub(crate) fn handle_alive(&mut self, now: Moment, worker: WorkerNumber, serving: usize) {
        if let Worker::Up {
            number,
            unanswered,
            viewers,
            idle_since,
            ..
        } = &mut self.worker
            && *number == worker
        {
            *unanswered = None;
            *viewers = serving;
            *idle_since = match serving {
                0 => idle_since.or(Some(now)),
                _ => None,
            };
        }
    }

    /// A worker's process has ended, or never began; says how.
    pub(crate) fn handle_gone(&mut self, now: Moment, worker: WorkerNumber, how: &str) {
        match self.worker {
            Worker::Starting {
                number, session, ..
            } if number == worker => self.crashed(now, how, session, None),
            Worker::Up {
                number,
                session,
                since,
                ..
            } if number == worker => {
                self.is_expected |= self.has_viewers();
                self.crashed(now, how, session, Some(since));
            }
            Worker::Leaving { number, .. } | Worker::Killed { number } if number == worker => {}
            _ => return,
        }
        self.worker = Worker::None;
        self.advance(now);
    }

    /// Ends everything, for good.
    pub(crate) fn handle_stop(&mut self, now: Moment, reason: CloseReason) {
        self.is_stopping = true;
        self.is_expected = false;
        for offer in std::mem::take(&mut self.waiting) {
            self.fail(offer.session_id, "the agent is stopping".to_owned());
        }
        match self.worker {
            Worker::Starting { number, .. } => self.kill(number, "the service stops"),
            Worker::Up {
                number, session, ..
            } => self.ask_to_end(now, number, session, reason),
            Worker::None | Worker::Leaving { .. } | Worker::Killed { .. } => {}
        }
    }

    /// Time has passed.
    pub(crate) fn handle_timeout(&mut self, now: Moment) {
        match self.worker {
            Worker::None => self.advance(now),
            Worker::Starting {
                number,
                session,
                since,
            } if now >= since + START_PATIENCE => {
                self.crashed(now, "it did not start in time", session, None);
                self.kill(number, "it did not start in time");
            }
            Worker::Leaving {
                number,
                session,
                since,
            } if now >= since + END_PATIENCE => {
                self.note_leftovers(session);
                self.kill(number, "it did not end in time");
            }
            Worker::Up { .. } => self.look_after(now),
            Worker::Starting { .. } | Worker::Leaving { .. } | Worker::Killed { .. } => {}
        }
    }

    /// What to do next; ask until there is nothing.
    pub(crate) fn poll_output(&mut self) -> Option<BrokerOutput> {
        self.outputs.pop_front()
    }

    /// When to call [`Broker::handle_timeout`] at the latest.
    pub(crate) fn poll_timeout(&self) -> Option<Moment> {
        match self.worker {
            Worker::None if self.is_wanted() => self.not_before,
            Worker::None | Worker::Killed { .. } => None,
            Worker::Starting { since, .. } => Some(since + START_PATIENCE),
            Worker::Leaving { since, .. } => Some(since + END_PATIENCE),
            Worker::Up {
                next_ping,
                unanswered,
                idle_since,
                ..
            } => {
                let next = unanswered.map_or(next_ping, |asked| asked + ANSWER_PATIENCE);
                Some(idle_since.map_or(next, |since| next.min(since + LINGER)))
            }
        }
    }

    /// True when no process of ours is left.
    pub(crate) const fn is_alone(&self) -> bool {
        matches!(self.worker, Worker::None)
    }

    fn is_wanted(&self) -> bool {
        !self.is_stopping && (self.is_expected || !self.waiting.is_empty())
    }

    fn has_viewers(&self) -> bool {
        let served = match self.worker {
            // Somebody may have come since it last said how many they are.
            Worker::Up {
                viewers,
                idle_since,
                ..
            } => viewers > 0 || idle_since.is_none(),
            _ => false,
        };
        served || self.is_expected || !self.waiting.is_empty()
    }

    /// Starts a worker when one is wanted and may be.
    fn advance(&mut self, now: Moment) {
        if !matches!(self.worker, Worker::None) || !self.is_wanted() {
            return;
        }
        let Some(session) = self.wanted_session() else {
            self.is_expected = false;
            self.fail_waiting("nobody is at this machine's screen and no desktop session shows");
            return;
        };
        if self.not_before.is_some_and(|moment| now < moment) {
            if self.crashes >= CRASH_LOOP {
                self.is_expected = false;
                self.report_crash_loop(now);
            }
            return;
        }
        self.workers_started += 1;
        let number = WorkerNumber(self.workers_started);
        self.worker = Worker::Starting {
            number,
            session,
            since: now,
        };
        self.outputs.push_back(BrokerOutput::Launch {
            number,
            session,
            has_leftovers: self.leftovers.contains(&session),
        });
    }

    fn look_after(&mut self, now: Moment) {
        let Worker::Up {
            number,
            session,
            since,
            next_ping,
            unanswered,
            idle_since,
            ..
        } = &mut self.worker
        else {
            return;
        };
        let (number, session, since) = (*number, *session, *since);
        if idle_since.is_some_and(|since| now >= since + LINGER) {
            // Who comes next begins at the machine's own screen.
            self.chosen = None;
            self.ask_to_end(now, number, session, CloseReason::AgentStopping);
        } else if unanswered.is_some_and(|asked| now >= asked + ANSWER_PATIENCE) {
            self.is_expected |= self.has_viewers();
            self.crashed(now, "it did not answer any more", session, Some(since));
            self.kill(number, "it did not answer any more");
        } else if unanswered.is_none() && now >= *next_ping {
            *unanswered = Some(now);
            *next_ping = now + PING_INTERVAL;
            self.outputs
                .push_back(BrokerOutput::Send(number, Order::Ping));
        }
    }

    fn ask_to_end(
        &mut self,
        now: Moment,
        number: WorkerNumber,
        session: DesktopSession,
        reason: CloseReason,
    ) {
        self.worker = Worker::Leaving {
            number,
            session,
            since: now,
        };
        self.outputs
            .push_back(BrokerOutput::Send(number, Order::End(reason)));
    }

    fn kill(&mut self, number: WorkerNumber, why: &'static str) {
        self.worker = Worker::Killed { number };
        self.outputs.push_back(BrokerOutput::Kill(number, why));
    }

    fn crashed(
        &mut self,
        now: Moment,
        how: &str,
        session: DesktopSession,
        ready_since: Option<Moment>,
    ) {
        if ready_since.is_some_and(|since| now.since(since) >= GOOD_LIFE) {
            self.crashes = 0;
        }
        if ready_since.is_some() {
            self.note_leftovers(session);
        }
        let wait = BACKOFF_MS[self.crashes.min(BACKOFF_MS.len() - 1)];
        self.crashes += 1;
        // Where no worker lives nobody could choose again: back to the machine's own screen.
        if self.chosen == Some(session) && (ready_since.is_none() || self.crashes >= CRASH_LOOP) {
            self.chosen = None;
        }
        how.clone_into(&mut self.last_crash);
        self.not_before = Some(now + Duration::from_millis(wait));
    }

    fn note_leftovers(&mut self, session: DesktopSession) {
        if !self.leftovers.contains(&session) {
            self.leftovers.push(session);
        }
    }

    fn report_crash_loop(&mut self, now: Moment) {
        let wait = self
            .not_before
            .map_or(Duration::ZERO, |moment| moment.since(now));
        let detail = format!(
            "the part of the agent that shows the screen ended {} times in a row ({}); try again in {} s",
            self.crashes,
            self.last_crash,
            wait.as_millis().div_ceil(1000),
        );
        self.fail_waiting(&detail);
    }

    fn fail_waiting(&mut self, detail: &str) {
        for offer in std::mem::take(&mut self.waiting) {
            self.fail(offer.session_id, detail.to_owned());
        }
    }

    fn fail(&mut self, session_id: SessionId, detail: String) {
        self.outputs
            .push_back(BrokerOutput::Failed(Failed { session_id, detail }));
    }
}
