//! Between the sessions and the control connection on one side and the person
//! at the machine on the other.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gc_model::id::SessionId;
use gc_proto::v1;
use gc_proto::v1::agent_control;
use gc_session::words::TwoWords;
use gc_session::{Answer, Consent, ConsentOutcome, Elevation, Given, HostOutput, Rights};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex as AsyncMutex, mpsc};

/// Whoever says no this often is not asked again, however often a technician comes back.
const MAX_REFUSED: u32 = 3;

/// Questions that a technician may take back, by reloading the viewer: each has made the
/// person look. More than a bad line makes.
const MAX_WITHDRAWN: u32 = 12;

/// What the person has to know of.
#[derive(Debug)]
pub(crate) enum Signal {
    /// The support session went on, by the server's word.
    Guest(v1::GuestState),
    /// A line of the chat.
    Chat(v1::ChatLine),
    /// An own line that the server did not take.
    Refused(v1::RequestRefused),
    /// How the control connection is, in order with what came through it.
    Line(Line),
    /// A technician's connection began; what it is told goes through here.
    Opened(u64, mpsc::UnboundedSender<Command>),
    /// The words of that connection.
    Words(u64, TwoWords),
    /// A question of that connection.
    Asked {
        connection: u64,
        request_id: u32,
        technician: String,
        rights: Rights,
    },
    /// The question is settled.
    Settled(u64, ConsentOutcome),
    /// The technician may look.
    Started { connection: u64, technician: String },
    /// What may be done from now on.
    Allowed(u64, Rights),
    /// The person agreed to administrator rights, asked for on that connection.
    Elevate(u64),
    /// The person said no so often that nobody asks any more.
    QuestionsClosed,
    /// The connection is over.
    Ended(u64),
}

/// How the control connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    Standing,
    Lost,
    GivenUp,
    /// The server does not know us any more: the support session is over.
    Gone,
}

/// What the person wants of a technician's connection.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Command {
    Answer {
        request_id: u32,
        answer: Answer,
    },
    Pause(bool),
    /// A question stands on the screen: no input meanwhile.
    Hold(bool),
    /// The person agreed to administrator rights, and still there are none.
    ElevationFailed(&'static str),
    Disconnect,
}

/// The person's end of everything, as sessions and the control connection see it.
pub(crate) struct Attendant {
    signals: mpsc::UnboundedSender<Signal>,
    outbox: AsyncMutex<mpsc::UnboundedReceiver<agent_control::Body>>,
    post: mpsc::UnboundedSender<agent_control::Body>,
    connections: AtomicU64,
    answer_within: Duration,
    /// What was allowed in this session, for a connection that is made anew.
    given: Mutex<Option<(SessionId, Given)>>,
    questions: Mutex<Questions>,
    /// Whether this program has administrator rights, or can ask for them.
    pub(crate) elevation: Elevation,
}

/// What became of the questions so far, over all connections and sessions.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Questions {
    /// Answered with no, or not at all.
    refused: u32,
    /// Taken back by a technician who left, before an answer.
    withdrawn: u32,
}

impl Attendant {
    pub(crate) fn new(
        answer_within: Duration,
        elevation: Elevation,
    ) -> (Self, mpsc::UnboundedReceiver<Signal>) {
        let (signals, receiver) = mpsc::unbounded_channel();
        let (post, outbox) = mpsc::unbounded_channel();
        let attendant = Self {
            signals,
            outbox: AsyncMutex::new(outbox),
            post,
            connections: AtomicU64::new(0),
            answer_within,
            given: Mutex::new(None),
            questions: Mutex::default(),
            elevation,
        };
        (attendant, receiver)
    }

    /// Tells the person's side. When it is gone the program is ending.
    pub(crate) fn signal(&self, signal: Signal) {
        let _ending = self.signals.send(signal);
    }

    /// Says something on the control connection, at once or when there is one again.
    pub(crate) fn post(&self, body: agent_control::Body) {
        let _ending = self.post.send(body);
    }

    /// The next thing to say on the control connection.
    pub(crate) async fn next_post(&self) -> agent_control::Body {
        match self.outbox.lock().await.recv().await {
            Some(body) => body,
            None => std::future::pending().await,
        }
    }

    /// A technician's connection begins.
    pub(crate) fn open(&self) -> (u64, mpsc::UnboundedReceiver<Command>) {
        let number = self.connections.fetch_add(1, Ordering::Relaxed);
        let (commands, receiver) = mpsc::unbounded_channel();
        self.signal(Signal::Opened(number, commands));
        (number, receiver)
    }

    /// What a new connection of `session` has to ask.
    pub(crate) fn consent(&self, session: &SessionId) -> Consent {
        let given = self.given.lock().expect("no code here panics");
        let given = given
            .as_ref()
            .filter(|(id, _)| id == session)
            .map(|(_, given)| given.clone());
        Consent::Required {
            timeout: self.answer_within,
            given,
        }
    }

    /// Keeps what was allowed, until another session begins.
    pub(crate) fn keep(&self, session: &SessionId, technician: &str, rights: Rights) {
        let given = Given {
            technician: technician.to_owned(),
            rights,
        };
        *self.given.lock().expect("no code here panics") = Some((session.clone(), given));
    }

    /// What was allowed so far, and what became of the questions.
    pub(super) fn so_far(&self) -> (Option<(SessionId, Given)>, Questions) {
        let given = self.given.lock().expect("no code here panics").clone();
        let questions = *self.questions.lock().expect("no code here panics");
        (given, questions)
    }

    /// Goes on from there.
    pub(super) fn go_on(&self, given: Option<(SessionId, Given)>, questions: Questions) {
        *self.given.lock().expect("no code here panics") = given;
        *self.questions.lock().expect("no code here panics") = questions;
        if !self.may_ask() {
            self.signal(Signal::QuestionsClosed);
        }
    }

    /// True while the person may be asked.
    pub(crate) fn may_ask(&self) -> bool {
        let questions = self.questions.lock().expect("no code here panics");
        questions.refused < MAX_REFUSED && questions.withdrawn < MAX_WITHDRAWN
    }

    /// The person wants to be asked again.
    pub(crate) fn reopen(&self) {
        *self.questions.lock().expect("no code here panics") = Questions::default();
    }

    fn count(&self, outcome: ConsentOutcome) {
        // What nobody was asked is no answer.
        if !self.may_ask() {
            return;
        }
        let mut questions = self.questions.lock().expect("no code here panics");
        match outcome {
            ConsentOutcome::Allowed => {}
            ConsentOutcome::Declined | ConsentOutcome::TimedOut => questions.refused += 1,
            ConsentOutcome::Withdrawn => questions.withdrawn += 1,
        }
        drop(questions);
        if !self.may_ask() {
            self.signal(Signal::QuestionsClosed);
        }
    }

    /// Tells the server's log what was answered.
    pub(crate) fn report(
        &self,
        session: &SessionId,
        rights: Rights,
        outcome: ConsentOutcome,
        waited: Duration,
    ) {
        let answer = match outcome {
            ConsentOutcome::Allowed => v1::ConsentAnswer::Allowed,
            ConsentOutcome::Declined => v1::ConsentAnswer::Declined,
            ConsentOutcome::TimedOut => v1::ConsentAnswer::TimedOut,
            ConsentOutcome::Withdrawn => v1::ConsentAnswer::Withdrawn,
        };
        self.post(agent_control::Body::Consent(v1::ConsentReport {
            session_id: session.to_string(),
            rights: rights.names().into_iter().map(str::to_owned).collect(),
            answer: answer.into(),
            waited_ms: u32::try_from(waited.as_millis()).unwrap_or(u32::MAX),
        }));
    }
}

/// One technician's connection, as its session tells the person of it.
pub(crate) struct Attended<'a> {
    attendant: &'a Attendant,
    number: u64,
    commands: mpsc::UnboundedReceiver<Command>,
    technician: String,
    /// The question is at the start, or for more than looking.
    started: bool,
}

impl<'a> Attended<'a> {
    pub(crate) fn begin(attendant: &'a Attendant) -> Self {
        let (number, commands) = attendant.open();
        Self {
            attendant,
            number,
            commands,
            technician: String::new(),
            started: false,
        }
    }

    /// What the person wants next.
    pub(crate) async fn command(&mut self) -> Command {
        match self.commands.recv().await {
            Some(command) => command,
            None => std::future::pending().await,
        }
    }

    /// The technician may look.
    pub(crate) fn started(&mut self, session: &SessionId, technician: &str, rights: Rights) {
        technician.clone_into(&mut self.technician);
        self.started = true;
        self.attendant.keep(session, technician, rights);
        self.attendant.signal(Signal::Started {
            connection: self.number,
            technician: technician.to_owned(),
        });
        self.attendant.signal(Signal::Allowed(self.number, rights));
    }

    /// Passes on what the session says about words and questions. The number of a question
    /// that is to be answered with no, because the person is not to be asked any more.
    pub(crate) fn tell(
        &mut self,
        session: &SessionId,
        output: &HostOutput,
        rights: Rights,
    ) -> Option<u32> {
        let number = self.number;
        match output {
            HostOutput::Words(words) => self.attendant.signal(Signal::Words(number, *words)),
            HostOutput::Ask { request_id, .. } if !self.attendant.may_ask() => {
                return Some(*request_id);
            }
            HostOutput::Ask {
                request_id,
                technician,
                rights,
            } => self.attendant.signal(Signal::Asked {
                connection: number,
                request_id: *request_id,
                technician: technician.clone(),
                rights: *rights,
            }),
            HostOutput::Settled {
                rights: asked,
                outcome,
                waited,
            } => {
                self.attendant.count(*outcome);
                self.attendant.report(session, *asked, *outcome, *waited);
                self.attendant.signal(Signal::Settled(number, *outcome));
                if asked.elevation && *outcome == ConsentOutcome::Allowed {
                    self.attendant.signal(Signal::Elevate(number));
                }
                if self.started {
                    self.attendant.keep(session, &self.technician, rights);
                    self.attendant.signal(Signal::Allowed(number, rights));
                }
            }
            _ => {}
        }
        None
    }
}

impl Drop for Attended<'_> {
    fn drop(&mut self) {
        self.attendant.signal(Signal::Ended(self.number));
    }
}
