//! The machine's end of one viewer's connection.

mod consent;
mod full_chroma;
mod machine;
mod opening;
mod picture;
mod pointer;

use std::collections::VecDeque;
use std::time::Duration;

use gc_codec::{EncodeOrder, FilmFormat, FilmFormats};
use gc_model::geometry::DisplayLayout;
use gc_model::id::{MachineId, ParticipantId, SessionId};
use gc_model::input::InputEvent;
use gc_model::time::Moment;
use gc_proto::Message as _;
use gc_proto::limits::{MAX_LIST_LEN, MAX_SESSION_MESSAGE_BYTES};
use gc_proto::v1;
use gc_proto::v1::{agent_message, viewer_message};

use crate::consent::{Consent, ConsentOutcome, Elevation, Gate, Rights};
use crate::convert::{format_from_wire, text};
use crate::cursor::CursorSlots;
use crate::echo::EchoHold;
use crate::guard::Guard;
use crate::handshake::Handshake;
use crate::input::HeldInput;
use crate::pacer::Pacer;
use crate::preferences::{OsFamily, Preferences, Quality};
use crate::seal::LaneKeys;
use crate::wire::{HEADER_BYTES, Header, Lane};
use crate::words::TwoWords;

use picture::Frames;
use pointer::Places;

pub use picture::{Captured, INPUT_WINDOW};

/// A viewer that does not open the handshake within this time is let go.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(15);

/// What a host must know.
pub struct HostConfig {
    /// The session that the server offered.
    pub session_id: SessionId,
    /// This connection of it.
    pub participant_id: ParticipantId,
    /// This machine.
    pub machine_id: MachineId,
    /// The machine's static X25519 secret.
    pub static_secret: [u8; 32],
    /// The Ed25519 key of the server that the machine enrolled with.
    pub server_public_key: [u8; 32],
    /// The time of day, to check the grant.
    pub unix_seconds: u64,
    /// 32 fresh random bytes, used for this host alone.
    pub seed: [u8; 32],
    /// The displays as they are.
    pub layout: DisplayLayout,
    /// The machine's system.
    pub os_family: OsFamily,
    /// Program and version, for people.
    pub software: String,
    /// Input can be made here.
    pub has_input: bool,
    /// Ctrl+Alt+Del has an effect here.
    pub has_secure_attention: bool,
    /// What can be kept from the person at the machine.
    pub guards: Guard,
    /// Best quality that the machine's owner allows; `None` leaves it to the viewer.
    pub quality: Option<Quality>,
    /// The video codecs that this program can make, best first.
    pub films: Vec<FilmFormat>,
    /// Whether somebody at the machine has to allow it.
    pub consent: Consent,
    /// Whether the agent has administrator rights, or can ask for them.
    pub elevation: Elevation,
}

/// What the driver is to do.
#[derive(Debug)]
pub enum HostOutput {
    /// Send one binary WebSocket message.
    Send(Vec<u8>),
    /// The viewer was admitted and may look.
    Started {
        /// Who looks, by the server's word.
        technician: String,
        /// Input is allowed.
        can_control: bool,
    },
    /// The words that the technician sees too; told before anybody is asked.
    Words(TwoWords),
    /// Ask the person at the machine; answer with [`Host::handle_answer`].
    Ask {
        /// To be named in the answer.
        request_id: u32,
        /// Who asks, by the server's word.
        technician: String,
        /// What is asked for.
        rights: Rights,
    },
    /// The question is settled: take it off the screen, and tell the log.
    Settled {
        /// What was asked for.
        rights: Rights,
        /// What became of it.
        outcome: ConsentOutcome,
        /// How long the question stood.
        waited: Duration,
    },
    /// Read the screen and encode; answer with [`Host::handle_captured`].
    Capture(EncodeOrder),
    /// Do this to the machine now.
    Inject(InputEvent),
    /// Show this display alone, or all; [`Host::handle_layout`] follows when that changes anything.
    Show(Option<u32>),
    /// Show this login of the machine to everybody.
    ShowDesktopSession(u32),
    /// Keep the person at the machine from doing or seeing anything, or let them;
    /// answer with [`Host::handle_guard`].
    Guard(Guard),
    /// Close the connection. The sentence is for the log.
    Ended(String),
}

/// Something for the technician to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostNotice {
    /// Input has no effect right now.
    InputUnavailable,
    /// A key combination cannot be made here.
    ChordUnsupported,
    /// The person at the machine is not asked any more.
    QuestionsClosed,
    /// The person agreed, and still there are no administrator rights.
    ElevationFailed,
}

/// Why the machine ends a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// The agent stops.
    AgentStopping,
    /// The desktop is gone.
    DesktopLost,
    /// The server ended it.
    EndedByServer,
    /// The person at the machine ended it.
    EndedByPerson,
    /// Another desktop session is to be shown. Nobody is told, so that viewers come back.
    DesktopChanged,
}

/// One viewer's connection, machine side.
pub struct Host {
    config: HostConfig,
    state: State,
    outputs: VecDeque<HostOutput>,
    /// The newest moment that was handed in.
    now: Moment,
    handshake_deadline: Moment,
    preferences: Preferences,
    gate: Gate,
    technician: String,
    check: WordsCheck,
    input: HeldInput,
    input_sequence: u64,
    last_input_at: Option<Moment>,
    echo: EchoHold,
    layout_generation: u32,
    /// The display that alone is in the picture.
    only_display: Option<u32>,
    guard: Guard,
    pacer: Pacer,
    frames: Frames,
    cursor: CursorSlots,
    places: Places,
}

/// Where the two words stand.
enum WordsCheck {
    /// Not promised: an older viewer.
    None,
    /// The viewer promised a number.
    Promised {
        commitment: [u8; 32],
        handshake_hash: [u8; 32],
    },
    Told,
}

enum State {
    Opening(Box<Handshake>),
    Running(Box<LaneKeys>),
    Ended,
}

impl Host {
    /// Waits for a viewer's handshake.
    pub fn new(config: HostConfig, now: Moment) -> Self {
        let handshake = Handshake::agent(
            &config.session_id,
            &config.participant_id,
            &config.static_secret,
            &config.seed,
        )
        .expect("a 32-byte key is all that the handshake needs");
        Self {
            state: State::Opening(Box::new(handshake)),
            gate: Gate::new(config.consent.clone()),
            technician: String::new(),
            check: WordsCheck::None,
            config,
            outputs: VecDeque::new(),
            now,
            handshake_deadline: now + HANDSHAKE_TIMEOUT,
            preferences: Preferences::default(),
            input: HeldInput::default(),
            input_sequence: 0,
            last_input_at: None,
            echo: EchoHold::default(),
            layout_generation: 1,
            only_display: None,
            guard: Guard::default(),
            pacer: Pacer::default(),
            frames: Frames::default(),
            cursor: CursorSlots::default(),
            places: Places::default(),
        }
    }

    /// Takes one binary WebSocket message of the viewer.
    pub fn handle_message(&mut self, now: Moment, message: &[u8]) {
        self.now = now;
        if message.len() > MAX_SESSION_MESSAGE_BYTES {
            return self.fail("the viewer sent a message above the limit");
        }
        let (header, body) = match Header::split(message) {
            Ok(parts) => parts,
            Err(error) => return self.fail(&error.to_string()),
        };
        match (&mut self.state, header.lane) {
            (State::Ended, _) => {}
            (State::Opening(_), Lane::Handshake) => self.handle_opening(now, body),
            (State::Running(keys), Lane::Control | Lane::Input) => match keys.open(header, body) {
                Ok(body) => self.handle_opened(now, header.lane, &body),
                Err(error) => self.fail(&error.to_string()),
            },
            _ => self.fail("the viewer used a lane that is not open"),
        }
        self.handle_consent_timeout(now);
        self.order_capture(now);
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Moment) {
        self.now = now;
        if matches!(self.state, State::Opening(_)) && now >= self.handshake_deadline {
            self.end("the viewer did not open the handshake in time");
        }
        self.handle_consent_timeout(now);
        self.tell_pointer(now);
        self.order_capture(now);
    }

    /// The screen may have changed.
    pub fn handle_activity(&mut self, now: Moment) {
        self.frames.wanted = true;
        self.frames.wake(now);
        self.order_capture(now);
    }

    /// Tells the technician something.
    pub fn handle_notice(&mut self, _now: Moment, notice: HostNotice, detail: &str) {
        let code = match notice {
            HostNotice::InputUnavailable => v1::NoticeCode::InputUnavailable,
            HostNotice::ChordUnsupported => v1::NoticeCode::ChordUnsupported,
            HostNotice::QuestionsClosed => v1::NoticeCode::QuestionsClosed,
            HostNotice::ElevationFailed => v1::NoticeCode::ElevationFailed,
        };
        let notice = v1::Notice {
            code: code.into(),
            detail: text(detail),
        };
        self.send(Lane::Control, agent_message::Body::Notice(notice));
    }

    /// Ends the session from this side.
    pub fn close(&mut self, now: Moment, why: CloseReason) {
        self.now = now;
        let (code, detail) = match why {
            CloseReason::AgentStopping => {
                (v1::SessionErrorCode::EndedByAgent, "the agent is stopping")
            }
            CloseReason::DesktopLost => (v1::SessionErrorCode::DesktopLost, "the desktop is gone"),
            CloseReason::EndedByServer => (
                v1::SessionErrorCode::EndedByAgent,
                "the server ended the session",
            ),
            CloseReason::EndedByPerson => (
                v1::SessionErrorCode::EndedByPerson,
                "the person at the machine disconnected",
            ),
            CloseReason::DesktopChanged => {
                self.end("another desktop session is to be shown");
                return;
            }
        };
        self.fail_with(code, detail);
    }

    /// The connection is gone: releases what the viewer held.
    pub fn handle_disconnected(&mut self, now: Moment) {
        self.now = now;
        self.end("the viewer's connection is gone");
    }

    /// What to do next.
    pub fn poll_output(&mut self) -> Option<HostOutput> {
        self.outputs.pop_front()
    }

    /// When to call [`Host::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Moment> {
        match self.state {
            State::Opening(_) => Some(self.handshake_deadline),
            State::Running(_) => [
                self.next_capture(),
                self.consent_deadline(),
                self.pointer_due(),
            ]
            .into_iter()
            .flatten()
            .min(),
            State::Ended => None,
        }
    }

    /// True once nothing more will happen.
    pub fn is_ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    /// Skips the handshake.
    #[cfg(feature = "fuzzing")]
    pub fn open_for_fuzzing(&mut self, _now: Moment) {
        let mut keys = LaneKeys::derive(crate::seal::Role::Agent, &[0; 32], &[0; 32]);
        keys.set_picture_key(1, &[0; 32]);
        self.state = State::Running(Box::new(keys));
        self.gate.admit(Rights::CONTROL, "");
        self.frames.wanted = true;
    }

    /// Takes a message as if it had been opened.
    #[cfg(feature = "fuzzing")]
    pub fn handle_opened_for_fuzzing(&mut self, now: Moment, lane: Lane, body: &[u8]) {
        self.handle_opened(now, lane, body);
        self.order_capture(now);
    }

    fn handle_opened(&mut self, now: Moment, lane: Lane, body: &[u8]) {
        let Ok(message) = v1::ViewerMessage::decode(body) else {
            return self.fail("the viewer sent a message that is not readable");
        };
        let is_input = matches!(
            message.body,
            Some(
                viewer_message::Body::Mouse(_)
                    | viewer_message::Body::Key(_)
                    | viewer_message::Body::Chord(_)
                    | viewer_message::Body::ReleaseAll(_)
            )
        );
        if is_input != (lane == Lane::Input) && message.body.is_some() {
            return self.fail("the viewer sent a message on the wrong lane");
        }
        match message.body {
            Some(viewer_message::Body::Ack(ack)) => self.handle_ack(now, &ack),
            Some(
                viewer_message::Body::Mouse(_)
                | viewer_message::Body::Key(_)
                | viewer_message::Body::Chord(_),
            ) if !self.admits_input() => {}
            Some(viewer_message::Body::Mouse(event)) => {
                let events = if self.is_of_another_layout(&event) {
                    self.input.mouse_elsewhere(&event)
                } else {
                    self.input.mouse(&event, self.config.layout.picture)
                };
                self.inject(now, event.sequence, events);
            }
            Some(viewer_message::Body::Key(event)) => {
                let events = self.input.key(&event);
                self.inject(now, event.sequence, events);
            }
            Some(viewer_message::Body::Chord(chord)) => match self.input.chord(&chord) {
                Ok(events) => self.inject(now, chord.sequence, events),
                Err(error) => {
                    self.handle_notice(now, HostNotice::ChordUnsupported, &error.to_string());
                }
            },
            Some(viewer_message::Body::ReleaseAll(release)) => {
                let events = self.input.release_all();
                self.inject(now, release.sequence, events);
            }
            Some(viewer_message::Body::Preferences(set)) => {
                if let Some(preferences) = set.preferences {
                    self.preferences = Preferences::from_wire(preferences);
                }
                if self.preferences.view_only {
                    self.release_all();
                    self.lift_guard();
                }
            }
            Some(viewer_message::Body::Refresh(request)) => {
                self.frames.restart = true;
                if request.without_films {
                    self.frames.films = FilmFormats::default();
                }
                let failed = request.without.into_iter().take(MAX_LIST_LEN);
                for format in failed.filter_map(format_from_wire) {
                    self.frames.films = self.frames.films.without(format);
                }
            }
            Some(viewer_message::Body::Ping(ping)) => {
                self.send(
                    Lane::Control,
                    agent_message::Body::Pong(v1::Pong { token: ping.token }),
                );
            }
            Some(viewer_message::Body::Pong(pong)) => {
                self.pacer.handle_probe_answer(now, pong.token);
            }
            Some(viewer_message::Body::Goodbye(goodbye)) => {
                self.end(&format!("the viewer left: {}", text(&goodbye.reason)));
            }
            Some(viewer_message::Body::Words(reveal)) => self.handle_words(now, &reveal),
            Some(viewer_message::Body::Consent(request)) => self.handle_request(now, &request),
            Some(viewer_message::Body::SelectDisplay(select)) => self.handle_select(select),
            Some(viewer_message::Body::SelectDesktopSession(select)) => {
                self.handle_select_session(select);
            }
            Some(viewer_message::Body::Guard(wanted)) => self.handle_set_guard(wanted),
            // A newer viewer's message that this version does not know.
            None => {}
        }
    }

    fn admits_input(&self) -> bool {
        self.gate.admits_input() && !self.preferences.view_only
    }

    fn inject(&mut self, now: Moment, sequence: u64, events: Vec<InputEvent>) {
        self.input_sequence = self.input_sequence.max(sequence);
        self.last_input_at = Some(now);
        self.echo.handle_input(now, &events);
        self.outputs
            .extend(events.into_iter().map(HostOutput::Inject));
    }

    fn release_all(&mut self) {
        let events = self.input.release_all();
        self.outputs
            .extend(events.into_iter().map(HostOutput::Inject));
    }

    /// Seals and queues a message; how many bytes it has on the network.
    fn send(&mut self, lane: Lane, body: agent_message::Body) -> Option<usize> {
        let State::Running(keys) = &mut self.state else {
            return None;
        };
        let message = v1::AgentMessage { body: Some(body) };
        let sealed = keys.seal(lane, &message.encode_to_vec());
        debug_assert!(sealed.len() <= MAX_SESSION_MESSAGE_BYTES + HEADER_BYTES);
        let bytes = sealed.len();
        self.outputs.push_back(HostOutput::Send(sealed));
        Some(bytes)
    }

    fn fail(&mut self, detail: &str) {
        self.fail_with(v1::SessionErrorCode::Protocol, detail);
    }

    /// Tells the viewer why, then ends.
    fn fail_with(&mut self, code: v1::SessionErrorCode, detail: &str) {
        if self.is_ended() {
            return;
        }
        let error = v1::SessionError {
            code: code.into(),
            detail: text(detail),
        };
        self.send(Lane::Control, agent_message::Body::Error(error));
        self.end(detail);
    }

    fn end(&mut self, log: &str) {
        if self.is_ended() {
            return;
        }
        self.release_all();
        self.lift_guard();
        self.withdraw_question();
        self.state = State::Ended;
        self.outputs.push_back(HostOutput::Ended(log.to_owned()));
    }
}
