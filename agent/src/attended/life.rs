//! From the code to the end: joins the window, the server and the technician's
//! connections.

mod chat;
mod coming;
mod keeping;
mod signals;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gc_platform::guest::{Action, ChatRow, GuestEvent};
use gc_platform::{Host, Removed};
use gc_proto::v1;
use gc_proto::v1::agent_control;
use gc_session::words::TwoWords;
use gc_session::{Answer, Elevation, Rights};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::timeout;
use tracing::warn;

use self::keeping::keep_connected;
use self::signals::is_over;
use super::Settings;
use super::handover;
use super::link::{Attendant, Command, Line, Signal};
use super::page::{Connected, Question, Stage, View};
use crate::clock::{Clock, random_bytes};
use crate::connection::Stream;
use crate::films::Films;
use crate::guards::GuardRoom;
use crate::looking::Onlookers;
use crate::platform;
use crate::session::Context;
use crate::window::Window;

/// Time for the server and the technician to hear that the person leaves.
const GOODBYE: Duration = Duration::from_secs(3);

/// 2 min: the last window goes by itself, so that nothing stays behind.
const LAST_PAGE: Duration = Duration::from_mins(2);

/// Own lines that the server has not repeated yet, at most.
const MAX_UNHEARD: usize = 50;

const NO_CODE: &str = "This program does not know your support code, because its file was renamed. Download it again from your support page.";
const SECOND: &str =
    "GuruConnect support is already open on this computer. Use the window that is there.";
const LEFT: &str = "You have ended the support session. Nothing is shared any more.";
const TOO_MANY_LINES: &str = "You, not sent because too many lines wait";

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
    /// Own lines that will not arrive, the newest last: kept to be read.
    not_taken: VecDeque<ChatRow>,
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
            not_taken: VecDeque::new(),
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
            onlookers: Onlookers::default(),
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
        let unheard = self.unheard.iter().map(|line| ChatRow {
            author: "You, not sent yet".to_owned(),
            text: line.text.clone(),
        });
        let said = self.lines.values().chain(&self.not_taken).cloned();
        self.view.chat = said.chain(unheard).collect();
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
            GuestEvent::Typed(text) => self.keep_not_taken(TOO_MANY_LINES, text),
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
