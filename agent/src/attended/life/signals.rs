//! What the server and the technicians' connections say, and what becomes of it.

use std::io;

use gc_proto::v1;
use gc_proto::v1::agent_control;
use gc_session::{ConsentOutcome, Rights};
use tracing::warn;

use super::{Connection, End, Life};
use crate::attended::Settings;
use crate::attended::handover::{GivenBefore, Handover};
use crate::attended::link::{Attendant, Command, Line, Signal};
use crate::attended::page::{Question, Stage};
use crate::config::Stored;
use crate::connection::Stream;
use crate::session::Context;
use crate::shown::shown;

const LOST: &str = "The connection to the server is lost. Trying again…";
const GIVEN_UP: &str =
    "The server could not be reached any more, so the support session is over. Nothing is shared.";
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

impl Life {
    pub(super) fn handle_signal(&mut self, signal: Signal, attendant: &Attendant) -> Option<End> {
        match signal {
            Signal::Guest(state) => return self.handle_state(&state),
            Signal::Line(line) => return self.handle_line(line, attendant),
            Signal::Chat(line) => self.handle_line_of_chat(&line),
            Signal::Refused(refused) => self.handle_refused(&refused),
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
    pub(super) fn handover(
        &self,
        settings: &Settings,
        context: &Context,
        attendant: &Attendant,
    ) -> Handover {
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

    pub(super) fn handle_successor(&mut self, handed: io::Result<Box<dyn Stream>>) -> Option<End> {
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

pub(super) fn is_over(state: &v1::GuestState) -> bool {
    matches!(
        state.phase(),
        v1::GuestPhase::Refused | v1::GuestPhase::Cancelled | v1::GuestPhase::Completed
    )
}
