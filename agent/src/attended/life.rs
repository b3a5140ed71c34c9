//! From the code to the end: joins the window, the server and the technician's
//! connections.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gc_model::time::Moment;
use gc_platform::guest::{Action, ChatRow, GuestEvent};
use gc_platform::{Host, Removed};
use gc_proto::v1;
use gc_proto::v1::agent_control;
use gc_session::words::TwoWords;
use gc_session::{Answer, CloseReason, ConsentOutcome, Elevation, Rights};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::{sleep, timeout};
use tracing::warn;

use super::Settings;
use super::claim::{self, Attempt, Claimed, Solved};
use super::handover::{self, GivenBefore, Handover};
use super::link::{Attendant, Command, Line, Signal};
use super::page::{Connected, Question, Stage, View, shown};
use super::window::Window;
use crate::clock::{Clock, random_bytes};
use crate::config::Stored;
use crate::connection::{Connector, Stream};
use crate::control::{self, Ending};
use crate::films::Films;
use crate::guards::GuardRoom;
use crate::platform;
use crate::reconnect::{Backoff, Failure};
use crate::session::Context;
use crate::sessions::Sessions;
use crate::viewers::Viewers;

/// 3 min: a server that is away for longer has ended the support session by itself.
const LONGEST_OUTAGE: Duration = Duration::from_mins(3);

/// Between two attempts to reach the server with the code.
const CLAIM_WAIT: Duration = Duration::from_secs(3);

/// Time for the server and the technician to hear that the person leaves.
const GOODBYE: Duration = Duration::from_secs(3);

/// 2 min: the last window goes by itself, so that nothing stays behind.
const LAST_PAGE: Duration = Duration::from_mins(2);

/// Own lines that the server has not repeated yet, at most.
const MAX_UNHEARD: usize = 50;

/// Lines of the chat that are kept.
const MAX_CHAT_LINES: usize = 500;

const LOST: &str = "The connection to the server is lost. Trying again…";
const UNREACHABLE: &str =
    "The server cannot be reached. Check your internet connection; this goes on by itself.";
const SLOWED: &str = "The server asks to wait a moment. This goes on by itself.";
const GIVEN_UP: &str =
    "The server could not be reached any more, so the support session is over. Nothing is shared.";
const NO_CODE: &str = "This program does not know your support code, because its file was renamed. Download it again from your support page.";
const SECOND: &str =
    "GuruConnect support is already open on this computer. Use the window that is there.";
const LEFT: &str = "You have ended the support session. Nothing is shared any more.";
const REFUSED: &str =
    "Your technician cannot help with this code right now. Ask them for a new one.";
const CANCELLED: &str =
    "The support code was cancelled or has expired. Ask your technician for a new one.";
const COMPLETED: &str =
    "Your technician has ended the support session. Nothing is shared any more.";
const NOT_CONFIRMED: &str = "The person at the machine did not confirm the system's own question.";
const NOT_ELEVATED: &str = "The system did not start the program with administrator rights.";
const DECLINED: &str = "You said no.";
const UNANSWERED: &str = "You did not answer in time, which means no.";
const TOO_HARD: &str = "The server asks for more than this program does. Try again later.";

/// One technician's connection.
struct Connection {
    number: u64,
    commands: mpsc::UnboundedSender<Command>,
    words: Option<TwoWords>,
    /// Set once they may look.
    technician: Option<String>,
    rights: Rights,
}

/// How the program ends.
enum End {
    /// With a last page.
    Said(String),
    /// This program with administrator rights goes on, once this one is gone.
    HandedOver(Box<dyn Stream>),
    /// At once: the system or the person wants it.
    Silent,
}

/// 400 ms: a yes that comes sooner after the question was meant for the one before.
const SETTLE: Duration = Duration::from_millis(400);

/// The program's life.
pub(super) struct Life {
    host: Arc<dyn Host>,
    window: Window,
    view: View,
    stop: watch::Receiver<bool>,
    connections: Vec<Connection>,
    questions: Vec<Question>,
    /// The question on the screen, and since when.
    front: Option<(u64, u32)>,
    front_since: Instant,
    lines: BTreeMap<u64, ChatRow>,
    /// Own lines that the server has not repeated yet: said again on the next connection.
    unheard: Vec<v1::ChatText>,
    paused: bool,
    /// No input is made, because a question is on the screen.
    held: bool,
    /// The connection whose technician asked for administrator rights, while the system asks.
    elevating: Option<u64>,
    /// The server has forgotten us.
    gone: bool,
}

impl Life {
    /// Until one of the two ends it.
    pub(super) async fn run(host: Arc<dyn Host>, mut settings: Settings) -> anyhow::Result<()> {
        let mut life = Self::begin(host).await?;
        settings
            .connector
            .server()
            .host()
            .clone_into(&mut life.view.server);
        life.view.answer_within = settings.answer_within;
        if !life.window.first {
            life.last_page(SECOND.to_owned()).await;
            return Ok(());
        }
        let end = life.live(&mut settings).await;
        if let End::HandedOver(pipe) = end {
            // The system closes it with this process, which is what the successor waits for:
            // there is one window at a time.
            std::mem::forget(pipe);
            return Ok(());
        }
        let removed = settings.downloaded.then(|| life.host.remove_program());
        let End::Said(mut why) = end else {
            return Ok(());
        };
        match removed {
            Some(Ok(Removed::Now)) => why += " This program has removed itself.",
            Some(Ok(Removed::AtTheEnd)) => {
                why += " This program removes itself when this window is closed.";
            }
            Some(Err(error)) => {
                warn!(%error, "The program cannot remove itself");
                why += " This program could not remove itself: delete its file.";
            }
            None => {}
        }
        life.last_page(why).await;
        Ok(())
    }

    /// Shows one sentence, because nothing else can be done.
    pub(super) async fn say(host: Arc<dyn Host>, why: String) -> anyhow::Result<()> {
        Self::begin(host).await?.last_page(why).await;
        Ok(())
    }

    async fn begin(host: Arc<dyn Host>) -> anyhow::Result<Self> {
        let (stop_sender, stop) = watch::channel(false);
        tokio::spawn(async move {
            if let Err(error) = platform::stop_requested().await {
                warn!(%error, "Cannot receive the system's signals");
                std::future::pending::<()>().await;
            }
            stop_sender.send_replace(true);
        });
        let window = Window::open(Arc::clone(&host)).await?;
        Ok(Self {
            host,
            window,
            view: View::default(),
            stop,
            connections: Vec::new(),
            questions: Vec::new(),
            front: None,
            front_since: Instant::now(),
            lines: BTreeMap::new(),
            unheard: Vec::new(),
            paused: false,
            held: false,
            elevating: None,
            gone: false,
        })
    }

    async fn live(&mut self, settings: &mut Settings) -> End {
        let (attendant, mut signals) = Attendant::new(settings.answer_within, settings.elevation);
        self.view.elevated = settings.elevation == Elevation::Elevated;
        let claimed = match (settings.before.take(), &settings.code) {
            (Some(before), _) => {
                attendant.go_on(before.given, before.questions);
                self.paused = before.paused;
                before.claimed
            }
            (None, None) => return End::Said(NO_CODE.to_owned()),
            (None, Some(code)) => match self.claim(settings, code).await {
                Ok(claimed) => claimed,
                Err(end) => return end,
            },
        };
        self.view.technician = claimed.technician;
        self.view.company = claimed.company;
        self.view.problem = None;
        self.view.stage = Stage::Waiting;
        self.show();
        let attendant = Arc::new(attendant);
        let context = Arc::new(Context {
            machine: Arc::clone(&self.host),
            connector: settings.connector.clone(),
            identity: claimed.identity,
            quality: None,
            films: Films::new(None, None),
            clock: Clock::new(),
            attendant: Some(Arc::clone(&attendant)),
            desktops: None,
            power: None,
            guards: GuardRoom::new(Arc::clone(&self.host)),
        });
        let (hang_up, stop) = watch::channel(false);
        let keeping = keep_connected(Arc::clone(&context), Arc::clone(&attendant), stop);
        let mut control: JoinHandle<()> = spawn_local(keeping);
        let mut successor: Option<JoinHandle<io::Result<Box<dyn Stream>>>> = None;
        let end = loop {
            if self.elevating.is_some() && successor.is_none() {
                let handover = self.handover(settings, &context, &attendant);
                successor = Some(spawn_local(handover::give(handover)));
            }
            let mut asked_to_stop = self.stop.clone();
            let end = tokio::select! {
                event = self.window.event() => self.handle_event(event, &attendant),
                Some(signal) = signals.recv() => self.handle_signal(signal, &attendant),
                handed = finished(&mut successor) => {
                successor = None;
                self.handle_successor(handed)
            }
                _ = asked_to_stop.wait_for(|stop| *stop) => Some(End::Silent),
            };
            if let Some(end) = end {
                break end;
            }
            self.show();
        };
        if matches!(end, End::HandedOver(_)) {
            // Nobody is told that anything is over: viewers come back to the successor.
            control.abort();
            let _aborted = control.await;
            return end;
        }
        if let Some(successor) = successor {
            // Whoever is started now finds nobody to take over from.
            successor.abort();
        }
        for connection in &self.connections {
            let _over = connection.commands.send(Command::Disconnect);
        }
        if !self.gone {
            attendant.post(agent_control::Body::GuestLeaves(v1::GuestLeaves {}));
            // The server answers by ending the support session.
            let answered = async {
                while let Some(signal) = signals.recv().await {
                    match signal {
                        Signal::Guest(state) if is_over(&state) => return,
                        Signal::Line(Line::Gone) => return,
                        _ => {}
                    }
                }
            };
            let _late = timeout(GOODBYE, answered).await;
        }
        hang_up.send_replace(true);
        let _late = timeout(GOODBYE, &mut control).await;
        end
    }

    /// Comes with the code, for as long as the server cannot be reached.
    async fn claim(&mut self, settings: &Settings, code: &str) -> Result<Claimed, End> {
        let mut solved: Option<Solved> = None;
        self.show();
        loop {
            let host = Arc::clone(&self.host);
            let connector: &Connector = &settings.connector;
            let asking = claim::claim(
                connector,
                &*host,
                code,
                settings.server_key,
                solved.as_ref(),
            );
            let attempt = self.unless_left(asking).await?;
            solved = None;
            let wait = match attempt {
                Attempt::Claimed(claimed) => return Ok(*claimed),
                Attempt::Refused(why) => return Err(End::Said(why)),
                Attempt::Work(work) => {
                    let working = tokio::task::spawn_blocking(move || work.solve());
                    let done = self.unless_left(working).await?;
                    let Ok(Some(done)) = done else {
                        return Err(End::Said(TOO_HARD.to_owned()));
                    };
                    solved = Some(done);
                    continue;
                }
                Attempt::Later(wait) => {
                    self.view.problem = Some(SLOWED.to_owned());
                    wait
                }
                Attempt::Unreachable(error) => {
                    warn!(
                        error = crate::desktop_thread::sentence(&error),
                        "The server does not answer"
                    );
                    self.view.problem = Some(UNREACHABLE.to_owned());
                    CLAIM_WAIT
                }
            };
            self.show();
            self.unless_left(sleep(wait)).await?;
        }
    }

    /// Does something, unless the person leaves or the system wants the program to end.
    async fn unless_left<T>(&mut self, work: impl Future<Output = T>) -> Result<T, End> {
        let mut stop = self.stop.clone();
        let left = async {
            loop {
                let event = self.window.event().await;
                if matches!(
                    event,
                    GuestEvent::Closed | GuestEvent::Pressed(Action::Close)
                ) {
                    return;
                }
            }
        };
        tokio::select! {
            done = work => Ok(done),
            () = left => Err(End::Silent),
            _ = stop.wait_for(|stop| *stop) => Err(End::Silent),
        }
    }

    async fn last_page(&mut self, why: String) {
        self.view.stage = Stage::Over(why);
        self.view.problem = None;
        self.window.show(self.view.page());
        let _closed = timeout(LAST_PAGE, self.unless_left(std::future::pending::<()>())).await;
    }

    fn show(&mut self) {
        let front = self.questions.first();
        let front = front.map(|question| (question.connection, question.request_id));
        let held = front.is_some() || self.elevating.is_some();
        if std::mem::replace(&mut self.held, held) != held {
            for connection in &self.connections {
                let _over = connection.commands.send(Command::Hold(held));
            }
        }
        if front != self.front {
            (self.front, self.front_since) = (front, Instant::now());
        }
        if let Some(question) = self.questions.first() {
            self.view.stage = Stage::Question(question.clone());
        } else if self.elevating.is_some() {
            self.view.stage = Stage::Elevating;
        } else if let Some(connection) = self.looking() {
            self.view.stage = Stage::Connected(Connected {
                technician: connection.technician.clone().unwrap_or_default(),
                rights: connection.rights,
                words: connection.words,
                paused: self.paused,
            });
        } else if matches!(
            self.view.stage,
            Stage::Question(_) | Stage::Connected(_) | Stage::Elevating
        ) {
            self.view.stage = Stage::Accepted;
        }
        self.view.chat = self.lines.values().cloned().collect();
        self.window.show(self.view.page());
    }

    /// The newest connection that may look.
    fn looking(&self) -> Option<&Connection> {
        let mut newest = self.connections.iter().rev();
        newest.find(|connection| connection.technician.is_some())
    }

    fn handle_event(&mut self, event: GuestEvent, attendant: &Attendant) -> Option<End> {
        match event {
            // A yes that was meant for the question before.
            GuestEvent::Pressed(Action::Allow) if self.front_since.elapsed() < SETTLE => {}
            GuestEvent::Pressed(Action::Allow) => self.answer(Answer::Allow),
            GuestEvent::Pressed(Action::Decline) => self.answer(Answer::Decline),
            GuestEvent::Pressed(Action::Pause) => self.pause(true),
            GuestEvent::Pressed(Action::Resume) => self.pause(false),
            GuestEvent::Pressed(Action::Chat) => {
                self.view.chat_open = !self.view.chat_open;
                self.view.unread = 0;
            }
            // Not from the hand of who is not to ask any more.
            GuestEvent::Pressed(Action::Reopen) if self.is_controlled() => {}
            GuestEvent::Pressed(Action::Reopen) => {
                attendant.reopen();
                self.view.closed = false;
            }
            GuestEvent::Typed(text) if self.unheard.len() < MAX_UNHEARD => {
                let line = v1::ChatText {
                    client_id: format!("{:032x}", u128::from_le_bytes(random_bytes())),
                    text,
                };
                self.unheard.push(line.clone());
                attendant.post(agent_control::Body::Chat(line));
            }
            GuestEvent::Typed(_) => {}
            GuestEvent::Pressed(Action::Disconnect | Action::Close) | GuestEvent::Closed => {
                return Some(End::Said(LEFT.to_owned()));
            }
        }
        None
    }

    fn answer(&mut self, answer: Answer) {
        if self.questions.is_empty() {
            return;
        }
        let question = self.questions.remove(0);
        let asking = self.connections.iter();
        for connection in asking.filter(|connection| connection.number == question.connection) {
            let request_id = question.request_id;
            let _over = connection
                .commands
                .send(Command::Answer { request_id, answer });
        }
    }

    /// A technician's mouse and keyboard work here right now.
    fn is_controlled(&self) -> bool {
        !self.paused
            && self
                .connections
                .iter()
                .any(|connection| connection.rights.control)
    }

    fn pause(&mut self, paused: bool) {
        self.paused = paused;
        for connection in &self.connections {
            let _over = connection.commands.send(Command::Pause(paused));
        }
    }

    fn handle_signal(&mut self, signal: Signal, attendant: &Attendant) -> Option<End> {
        match signal {
            Signal::Guest(state) => return self.handle_state(&state),
            Signal::Line(line) => return self.handle_line(line, attendant),
            Signal::Chat(line) => self.handle_line_of_chat(&line),
            Signal::Opened(number, commands) => {
                if self.paused {
                    let _over = commands.send(Command::Pause(true));
                }
                if self.held {
                    let _over = commands.send(Command::Hold(true));
                }
                self.connections.push(Connection {
                    number,
                    commands,
                    words: None,
                    technician: None,
                    rights: Rights::NONE,
                });
            }
            Signal::Words(number, words) => {
                if let Some(connection) = self.connection(number) {
                    connection.words = Some(words);
                }
            }
            Signal::Asked {
                connection,
                request_id,
                technician,
                rights,
            } => {
                let asking = self.connection(connection);
                let words = asking.as_ref().and_then(|asking| asking.words);
                let wider = asking.is_some_and(|asking| asking.technician.is_some());
                self.view.not_allowed = None;
                self.questions.push(Question {
                    connection,
                    request_id,
                    technician: shown(&technician),
                    rights,
                    words,
                    wider,
                });
            }
            Signal::Elevate(number) => self.elevating = self.elevating.or(Some(number)),
            Signal::QuestionsClosed => self.view.closed = true,
            Signal::Settled(number, outcome) => {
                let looks = self
                    .connection(number)
                    .is_some_and(|connection| connection.technician.is_some());
                self.view.not_allowed = match outcome {
                    ConsentOutcome::Declined if !looks => Some(DECLINED),
                    ConsentOutcome::TimedOut if !looks => Some(UNANSWERED),
                    _ => None,
                };
                self.forget_questions(number);
            }
            Signal::Started {
                connection,
                technician,
            } => {
                if let Some(connection) = self.connection(connection) {
                    connection.technician = Some(shown(&technician));
                }
            }
            Signal::Allowed(number, rights) => {
                if let Some(connection) = self.connection(number) {
                    connection.rights = rights;
                }
            }
            Signal::Ended(number) => {
                self.forget_questions(number);
                self.connections
                    .retain(|connection| connection.number != number);
            }
        }
        None
    }

    /// All that a successor with administrator rights has to know.
    fn handover(&self, settings: &Settings, context: &Context, attendant: &Attendant) -> Handover {
        let (given, questions) = attendant.so_far();
        Handover {
            identity: Stored::new(&context.identity),
            technician: self.view.technician.clone(),
            company: self.view.company.clone(),
            given: given.map(|(session, given)| GivenBefore::new(&session, &given)),
            questions,
            paused: self.paused,
            ca_file: settings.ca_file.clone(),
            downloaded: settings.downloaded,
            answer_within: settings.answer_within,
        }
    }

    fn handle_successor(&mut self, handed: io::Result<Box<dyn Stream>>) -> Option<End> {
        let asked_by = self.elevating.take();
        let error = match handed {
            Ok(pipe) => return Some(End::HandedOver(pipe)),
            Err(error) => error,
        };
        warn!(%error, "There are no administrator rights");
        let why = if error.kind() == io::ErrorKind::PermissionDenied {
            NOT_CONFIRMED
        } else {
            NOT_ELEVATED
        };
        let asking = asked_by.and_then(|number| self.connection(number));
        if let Some(connection) = asking {
            let _over = connection.commands.send(Command::ElevationFailed(why));
        }
        None
    }

    fn connection(&mut self, number: u64) -> Option<&mut Connection> {
        let mut all = self.connections.iter_mut();
        all.find(|connection| connection.number == number)
    }

    fn forget_questions(&mut self, number: u64) {
        self.questions
            .retain(|question| question.connection != number);
    }

    fn handle_state(&mut self, state: &v1::GuestState) -> Option<End> {
        self.view.technician = shown(&state.technician);
        if !state.company.is_empty() {
            self.view.company = shown(&state.company);
        }
        let why = match state.phase() {
            v1::GuestPhase::Waiting => {
                self.view.stage = Stage::Waiting;
                return None;
            }
            v1::GuestPhase::Accepted => {
                self.view.stage = Stage::Accepted;
                return None;
            }
            v1::GuestPhase::Refused => REFUSED,
            v1::GuestPhase::Cancelled => CANCELLED,
            v1::GuestPhase::Completed => COMPLETED,
            // A newer server's word.
            v1::GuestPhase::Unspecified => return None,
        };
        Some(End::Said(why.to_owned()))
    }

    fn handle_line_of_chat(&mut self, line: &v1::ChatLine) {
        let row = ChatRow {
            author: if line.from_guest {
                "You".to_owned()
            } else {
                shown(&line.author)
            },
            text: super::page::shown_chat(&line.text),
        };
        self.unheard.retain(|said| said.client_id != line.client_id);
        let known = self.lines.insert(line.id, row).is_some();
        if self.lines.len() > MAX_CHAT_LINES {
            self.lines.pop_first();
        }
        if !known && !line.from_guest && !self.view.chat_open {
            self.view.unread += 1;
        }
    }

    fn handle_line(&mut self, line: Line, attendant: &Attendant) -> Option<End> {
        match line {
            Line::Standing => {
                self.view.problem = None;
                for line in &self.unheard {
                    attendant.post(agent_control::Body::Chat(line.clone()));
                }
            }
            Line::Lost => self.view.problem = Some(LOST.to_owned()),
            Line::GivenUp => return Some(End::Said(GIVEN_UP.to_owned())),
            Line::Gone => {
                self.gone = true;
                // Whoever waited and is forgotten was not let in, even if nothing said so.
                let why = if self.view.stage == Stage::Waiting {
                    REFUSED
                } else {
                    COMPLETED
                };
                return Some(End::Said(why.to_owned()));
            }
        }
        None
    }
}

/// What became of the successor; never while there is none.
async fn finished(
    successor: &mut Option<JoinHandle<io::Result<Box<dyn Stream>>>>,
) -> io::Result<Box<dyn Stream>> {
    match successor {
        Some(successor) => successor.await?,
        None => std::future::pending().await,
    }
}

fn is_over(state: &v1::GuestState) -> bool {
    matches!(
        state.phase(),
        v1::GuestPhase::Refused | v1::GuestPhase::Cancelled | v1::GuestPhase::Completed
    )
}

/// One control connection after another, until told to stop or the server forgets us.
async fn keep_connected(
    context: Arc<Context>,
    attendant: Arc<Attendant>,
    mut stop: watch::Receiver<bool>,
) {
    let tell = |line| attendant.signal(Signal::Line(line));
    let clock = context.clock;
    let mut sessions = Viewers::Here(Sessions::new(Arc::clone(&context)));
    let mut backoff = Backoff::default();
    let mut lost: Option<Moment> = None;
    loop {
        let ending = control::serve(&context, &mut sessions, &mut stop, None, || {
            backoff.handle_connected(clock.now());
            lost = None;
            tell(Line::Standing);
        })
        .await;
        let wait = match ending {
            Ending::Stopped => break,
            Ending::Refused(_) => {
                tell(Line::Gone);
                break;
            }
            Ending::Lost(why) => {
                warn!(why, "No connection to the server; trying again");
                let since = *lost.get_or_insert(clock.now());
                let given_up = clock.now().since(since) > LONGEST_OUTAGE;
                tell(if given_up { Line::GivenUp } else { Line::Lost });
                let chance = u64::from_le_bytes(random_bytes());
                backoff.handle_failure(clock.now(), Failure::Unreachable, chance)
            }
        };
        tokio::select! {
            () = sleep(wait) => {}
            _ = stop.wait_for(|stop| *stop) => break,
        }
    }
    sessions.close_all(CloseReason::EndedByPerson).await;
}
