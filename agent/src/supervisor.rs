//! Does what the [`Broker`] decides: starts workers, talks to them, ends them,
//! and passes on what the control connection wants of them.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use gc_model::id::SessionId;
use gc_session::CloseReason;
use tokio::io::split;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep_until, timeout};
use tracing::{debug, info, warn};

use crate::broker::{Broker, BrokerOutput, DesktopSession, Order, WorkerNumber};
use crate::clock::Clock;
use crate::connection::Stream;
use crate::looking::Onlookers;
use crate::session::Offer;
use crate::sessions::{Failed, MAX_SESSIONS};
use crate::worker_messages::{self as messages, Begin, FromWorker, LoginMessage, ToWorker};

#[cfg(test)]
mod tests;

/// Orders that wait for one worker; one that takes none does not live any more.
const MAX_ORDERS: usize = 64;

/// Most desktop sessions that a technician can choose from.
const MAX_LOGINS: usize = 64;

/// Events that wait to be decided about; workers wait when there are more.
const MAX_EVENTS: usize = 64;

/// A worker whose pipe is closed ends by itself within this time, and releases what is held.
const LEAVE_TIME: Duration = Duration::from_secs(1);

/// Everything has to be over by then when the service stops.
const STOP_PATIENCE: Duration = Duration::from_secs(8);

/// Starts workers.
pub(crate) trait Launcher: Send + 'static {
    /// The desktop session that has the machine's own screen.
    fn showing(&self) -> Option<DesktopSession>;

    /// All desktop sessions that could be shown.
    fn sessions(&self) -> Vec<Login>;

    /// Starts a worker there.
    fn launch(&mut self, session: DesktopSession) -> io::Result<Launched>;
}

/// A desktop session that could be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) session: DesktopSession,
    /// Who is signed in; empty at a sign-in screen.
    pub(crate) user: String,
}

/// The pipe to a worker, once it has opened its end.
pub(crate) type Opening = Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send>>;

/// A worker that was started.
pub(crate) struct Launched {
    pub(crate) pipe: Opening,
    pub(crate) process: Box<dyn WorkerProcess>,
}

/// A worker's process.
pub(crate) trait WorkerProcess: Send {
    /// Waits until it has ended by itself, ends it after `grace`, and says how it ended.
    fn end(&mut self, grace: Duration) -> String;
}

/// The sessions of a service, all of them in its worker.
pub(crate) struct Supervisor {
    commands: mpsc::UnboundedSender<Command>,
    failed: mpsc::UnboundedReceiver<Failed>,
    chosen: watch::Receiver<Option<DesktopSession>>,
    /// Until it was waited for.
    task: Option<JoinHandle<()>>,
}

enum Command {
    Offer(Offer),
    Close(SessionId, CloseReason),
    Stop(CloseReason),
}

impl Supervisor {
    /// `switched` changes when another desktop session may show.
    pub(crate) fn start(
        launcher: Box<dyn Launcher>,
        begin: Begin,
        clock: Clock,
        switched: watch::Receiver<u32>,
        onlookers: Onlookers,
    ) -> Self {
        let (commands, command_queue) = mpsc::unbounded_channel();
        let (failed_queue, failed) = mpsc::unbounded_channel();
        let (events, event_queue) = mpsc::channel(MAX_EVENTS);
        let (chosen_place, chosen) = watch::channel(None);
        let mut shell = Shell {
            launcher,
            begin,
            clock,
            broker: Broker::default(),
            worker: None,
            logins: Vec::new(),
            events,
            failed: failed_queue,
            chosen: chosen_place,
            onlookers,
        };
        Self {
            commands,
            failed,
            chosen,
            task: Some(tokio::spawn(async move {
                shell.run(command_queue, event_queue, switched).await;
            })),
        }
    }

    /// Begins to serve a viewer.
    pub(crate) fn offer(&self, offer: Offer) {
        info!(session_id = %offer.session_id, "A viewer is waiting");
        self.command(Command::Offer(offer));
    }

    /// Ends one session for every viewer of it.
    pub(crate) fn close(&self, session_id: &SessionId, reason: CloseReason) {
        self.command(Command::Close(session_id.clone(), reason));
    }

    /// The login that a technician chose instead of the machine's own screen.
    pub(crate) fn chosen_session(&self) -> Option<DesktopSession> {
        *self.chosen.borrow()
    }

    /// The next offer that came to nothing. Never while there is none.
    pub(crate) async fn failed(&mut self) -> Failed {
        match self.failed.recv().await {
            Some(failed) => failed,
            None => std::future::pending().await,
        }
    }

    /// Ends everything and waits until viewers were told and keys released. Can be repeated.
    pub(crate) async fn close_all(&mut self, reason: CloseReason) {
        self.command(Command::Stop(reason));
        if let Some(task) = self.task.take() {
            let _late = timeout(STOP_PATIENCE, task).await;
        }
    }

    fn command(&self, command: Command) {
        // After the end there is nobody left to serve.
        let _over = self.commands.send(command);
    }
}

enum Event {
    Heard(FromWorker),
    Gone(String),
}

struct Shell {
    launcher: Box<dyn Launcher>,
    begin: Begin,
    clock: Clock,
    broker: Broker,
    worker: Option<Worker>,
    /// The desktop sessions as they were last seen.
    logins: Vec<Login>,
    events: mpsc::Sender<(WorkerNumber, Event)>,
    failed: mpsc::UnboundedSender<Failed>,
    chosen: watch::Sender<Option<DesktopSession>>,
    onlookers: Onlookers,
}

struct Worker {
    number: WorkerNumber,
    orders: mpsc::Sender<ToWorker>,
    /// Dropped to end the worker.
    kill: Option<oneshot::Sender<()>>,
    /// Sessions that it was offered and did not say to have failed.
    offered: Vec<SessionId>,
}

impl Shell {
    async fn run(
        &mut self,
        mut commands: mpsc::UnboundedReceiver<Command>,
        mut events: mpsc::Receiver<(WorkerNumber, Event)>,
        mut switched: watch::Receiver<u32>,
    ) {
        let mut is_stopping = false;
        loop {
            self.act();
            self.chosen.send_replace(self.broker.chosen_session());
            if is_stopping && self.broker.is_alone() {
                return;
            }
            let due = self.broker.poll_timeout().map(|at| self.clock.instant(at));
            // An answer that has come counts before the time-out that it was late for.
            tokio::select! {
                biased;
                event = events.recv() => if let Some((number, event)) = event {
                    self.handle_event(number, event);
                },
                command = commands.recv(), if !is_stopping => match command {
                    Some(Command::Offer(offer)) => {
                        // Not every system tells of every switch.
                        self.look_what_shows();
                        self.broker.handle_offer(self.clock.now(), offer);
                    }
                    Some(Command::Close(session_id, reason)) => self.broker.handle_close(&session_id, reason),
                    Some(Command::Stop(reason)) => {
                        is_stopping = true;
                        self.broker.handle_stop(self.clock.now(), reason);
                    }
                    None => {
                        is_stopping = true;
                        self.broker.handle_stop(self.clock.now(), CloseReason::AgentStopping);
                    }
                },
                Ok(()) = switched.changed() => self.look_what_shows(),
                () = sleep_until(due.unwrap_or_else(std::time::Instant::now).into()), if due.is_some() => {
                    self.broker.handle_timeout(self.clock.now());
                }
            }
        }
    }

    fn look_what_shows(&mut self) {
        self.logins = self.launcher.sessions();
        self.logins.truncate(MAX_LOGINS);
        let showing = self.launcher.showing();
        let all: Vec<_> = self.logins.iter().map(|login| login.session).collect();
        self.broker
            .handle_desktop_sessions(self.clock.now(), showing, &all);
        self.tell_logins();
    }

    /// Whoever looks is told which desktop sessions there are.
    fn tell_logins(&mut self) {
        let shown = self.broker.wanted_session();
        let showing = self.launcher.showing();
        let logins = self.logins.iter().map(|login| LoginMessage {
            session: login.session.0,
            is_console: Some(login.session) == showing,
            user: login.user.clone(),
            shown: Some(login.session) == shown,
        });
        let message = ToWorker::Logins(logins.collect());
        if let Some(worker) = &self.worker {
            // One that takes nothing any more is found out by its pings.
            let _full = worker.orders.try_send(message);
        }
    }

    /// A worker may only name what there is.
    fn choose(&mut self, number: WorkerNumber, session: u32) {
        self.look_what_shows();
        let session = DesktopSession(session);
        let is_known = self.logins.iter().any(|login| login.session == session);
        if is_known && self.worker_numbered(number).is_some() {
            info!(session = session.0, "A technician chose a desktop session");
            self.broker.handle_chosen(self.clock.now(), session);
        }
    }

    fn handle_event(&mut self, number: WorkerNumber, event: Event) {
        let now = self.clock.now();
        match event {
            Event::Heard(FromWorker::Ready) => {
                debug!(worker = number.0, "The worker is ready");
                self.broker.handle_ready(now, number);
                self.look_what_shows();
            }
            Event::Heard(FromWorker::Alive { viewers }) => {
                self.broker.handle_alive(now, number, viewers);
            }
            Event::Heard(FromWorker::Show { session }) => self.choose(number, session),
            Event::Heard(FromWorker::Looking(mut now)) => {
                now.truncate(MAX_SESSIONS);
                if self.worker_numbered(number).is_some() {
                    self.onlookers.replace(now);
                }
            }
            Event::Heard(FromWorker::Failed { session_id, detail }) => {
                self.pass_on(number, &session_id, detail);
            }
            Event::Gone(how) => {
                info!(worker = number.0, how, "The worker is gone");
                if self
                    .worker
                    .as_ref()
                    .is_some_and(|worker| worker.number == number)
                {
                    self.worker = None;
                    self.onlookers.replace(Vec::new());
                }
                self.broker.handle_gone(now, number, &how);
            }
        }
    }

    /// A worker speaks only of sessions that it was offered, once of each.
    fn pass_on(&mut self, number: WorkerNumber, session_id: &str, detail: String) {
        let Some(worker) = self
            .worker
            .as_mut()
            .filter(|worker| worker.number == number)
        else {
            return;
        };
        let known = worker
            .offered
            .iter()
            .position(|id| id.to_string() == session_id);
        if let Some(place) = known {
            let session_id = worker.offered.swap_remove(place);
            let _nobody_listens = self.failed.send(Failed { session_id, detail });
        }
    }

    /// Does everything that the broker wants done.
    fn act(&mut self) {
        while let Some(output) = self.broker.poll_output() {
            match output {
                BrokerOutput::Launch {
                    number,
                    session,
                    has_leftovers,
                } => self.launch(number, session, has_leftovers),
                BrokerOutput::Send(number, order) => self.send(number, order),
                BrokerOutput::Kill(number, why) => {
                    warn!(worker = number.0, why, "Ending the worker");
                    if let Some(worker) = self.worker_numbered(number) {
                        worker.kill = None;
                    }
                }
                BrokerOutput::Failed(failed) => {
                    warn!(session_id = %failed.session_id, detail = failed.detail, "A viewer was sent away");
                    let _nobody_listens = self.failed.send(failed);
                }
            }
        }
    }

    fn launch(&mut self, number: WorkerNumber, session: DesktopSession, has_leftovers: bool) {
        info!(worker = number.0, session = session.0, "Starting a worker");
        match self.launcher.launch(session) {
            Ok(launched) => {
                let (orders, order_queue) = mpsc::channel(MAX_ORDERS);
                let (kill, killed) = oneshot::channel();
                let (mut begin, events) = (self.begin.clone(), self.events.clone());
                begin.has_leftovers = has_leftovers;
                tokio::spawn(attend(number, launched, begin, order_queue, killed, events));
                self.worker = Some(Worker {
                    number,
                    orders,
                    kill: Some(kill),
                    offered: Vec::new(),
                });
            }
            Err(error) => {
                warn!(%error, "A worker cannot be started");
                let how = format!("it cannot be started: {error}");
                self.broker.handle_gone(self.clock.now(), number, &how);
            }
        }
    }

    fn send(&mut self, number: WorkerNumber, order: Order) {
        let Some(worker) = self.worker_numbered(number) else {
            return;
        };
        if let Order::Offer(offer) = &order {
            // Those that came first have long begun or failed.
            if worker.offered.len() >= MAX_ORDERS {
                worker.offered.remove(0);
            }
            worker.offered.push(offer.session_id.clone());
        }
        if worker.orders.try_send(order.into()).is_err() {
            worker.kill = None;
        }
    }

    fn worker_numbered(&mut self, number: WorkerNumber) -> Option<&mut Worker> {
        self.worker
            .as_mut()
            .filter(|worker| worker.number == number)
    }
}

/// Talks to one worker until its pipe ends or it is to be killed, and sees to its end.
async fn attend(
    number: WorkerNumber,
    launched: Launched,
    begin: Begin,
    orders: mpsc::Receiver<ToWorker>,
    killed: oneshot::Receiver<()>,
    events: mpsc::Sender<(WorkerNumber, Event)>,
) {
    let Launched { pipe, mut process } = launched;
    tokio::select! {
        result = talk(number, pipe, begin, orders, &events) => {
            if let Err(error) = result {
                debug!(worker = number.0, %error, "The worker's pipe ended");
            }
        }
        _ = killed => {}
    }
    let ending = tokio::task::spawn_blocking(move || process.end(LEAVE_TIME));
    let how = ending.await.unwrap_or_else(|error| error.to_string());
    let _service_over = events.send((number, Event::Gone(how))).await;
}

async fn talk(
    number: WorkerNumber,
    pipe: Opening,
    begin: Begin,
    mut orders: mpsc::Receiver<ToWorker>,
    events: &mpsc::Sender<(WorkerNumber, Event)>,
) -> io::Result<()> {
    let (mut reader, mut writer) = split(pipe.await?);
    messages::write(&mut writer, &ToWorker::Begin(Box::new(begin))).await?;
    let hear = async {
        loop {
            match messages::read(&mut reader).await {
                Ok(heard) => {
                    let _service_over = events.send((number, Event::Heard(heard))).await;
                }
                Err(error) => return Err(error),
            }
        }
    };
    let tell = async {
        while let Some(order) = orders.recv().await {
            messages::write(&mut writer, &order).await?;
        }
        io::Result::Ok(())
    };
    // Whichever ends first ends both.
    tokio::select! {
        result = hear => result,
        result = tell => result,
    }
}
