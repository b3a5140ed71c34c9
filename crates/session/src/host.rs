//! The machine's end of one viewer's connection.

mod consent;
mod machine;

use std::collections::VecDeque;
use std::time::Duration;

use gc_codec::{Colours, EncodeOrder, Encoded, Pending, Update};
use gc_model::geometry::DisplayLayout;
use gc_model::id::{MachineId, ParticipantId, SessionId};
use gc_model::input::InputEvent;
use gc_model::pointer::Pointer;
use gc_model::time::Moment;
use gc_proto::Message as _;
use gc_proto::limits::MAX_SESSION_MESSAGE_BYTES;
use gc_proto::v1;
use gc_proto::v1::{agent_message, viewer_message};
use zeroize::Zeroizing;

use crate::consent::{Consent, ConsentOutcome, Gate, Rights};
use crate::convert::{rects_to_wire, text};
use crate::cursor::CursorSlots;
use crate::echo::EchoHold;
use crate::grant;
use crate::guard::Guard;
use crate::handshake::{Handshake, derive_key};
use crate::input::HeldInput;
use crate::pacer::Pacer;
use crate::preferences::{OsFamily, Preferences, Quality};
use crate::seal::LaneKeys;
use crate::wire::{HEADER_BYTES, Header, Lane, WIRE_VERSION};
use crate::words::TwoWords;

/// A viewer that does not open the handshake within this time is let go.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(15);

/// Shortest time between two frames: 60 a second.
const MIN_INTERVAL: Duration = Duration::from_micros(16_600);

/// Longest time between two frames that the cost of making them may cause: 20 a second.
const MAX_INTERVAL: Duration = Duration::from_millis(50);

/// After input the answer is looked for this often at most.
const INPUT_INTERVAL: Duration = Duration::from_millis(4);

/// How long after input its answer is expected.
const INPUT_WINDOW: Duration = Duration::from_millis(150);

/// Below this delivered rate, in bytes a second, automatic quality takes the fewest colours: 0.5 Mbit/s.
const FEW_COLOURS_BELOW: u64 = 64_000;

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
    /// Whether somebody at the machine has to allow it.
    pub consent: Consent,
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

/// What became of a [`HostOutput::Capture`].
#[derive(Debug)]
pub enum Captured {
    /// The screen was read.
    Encoded {
        /// What the encoder made of it.
        encoded: Encoded,
        /// When reading began.
        captured_at: Moment,
        /// Time for reading the screen.
        capture: Duration,
        /// Time for finding changes and packing them.
        encode: Duration,
    },
    /// The layout changed; [`Host::handle_layout`] follows.
    Reopen,
    /// The screen cannot be read.
    Failed(String),
}

/// Something for the technician to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostNotice {
    /// Input has no effect right now.
    InputUnavailable,
    /// A key combination cannot be made here.
    ChordUnsupported,
    /// The screen is read in a slower way.
    CaptureFallback,
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

/// When and why the next frame is made.
struct Frames {
    sequence: u64,
    /// The screen may differ from what was sent.
    wanted: bool,
    restart: bool,
    /// Something is to be sharpened then.
    due: Option<Moment>,
    /// The budget of the order that was not answered yet.
    outstanding: Option<usize>,
    last_order: Option<Moment>,
    cost: Duration,
    limit: v1::Limit,
    viewer_time: Duration,
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
            frames: Frames {
                sequence: 0,
                wanted: false,
                restart: true,
                due: None,
                outstanding: None,
                last_order: None,
                cost: Duration::ZERO,
                limit: v1::Limit::NothingChanges,
                viewer_time: Duration::ZERO,
            },
            cursor: CursorSlots::default(),
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
        self.order_capture(now);
    }

    /// The screen may have changed.
    pub fn handle_activity(&mut self, now: Moment) {
        self.frames.wanted = true;
        self.order_capture(now);
    }

    /// The pointer's shape, place or visibility changed.
    pub fn handle_pointer(&mut self, _now: Moment, pointer: &Pointer) {
        if !matches!(self.state, State::Running(_)) || !self.gate.shows() {
            // Sent when the viewer may look: remember the shape until then.
            self.cursor.keep(pointer);
            return;
        }
        if let Some(shape) = &pointer.shape
            && let Some(message) = self.cursor.message(shape)
        {
            self.send(Lane::Cursor, agent_message::Body::CursorShape(message));
        }
        let position = v1::CursorPosition {
            x: pointer.x,
            y: pointer.y,
            visible: pointer.visible,
        };
        self.send(Lane::Cursor, agent_message::Body::CursorPosition(position));
    }

    /// The answer to [`HostOutput::Capture`].
    pub fn handle_captured(&mut self, now: Moment, captured: Captured) {
        let Some(budget) = self.frames.outstanding.take() else {
            return;
        };
        match captured {
            // Read before the person paused, and not to be shown any more.
            Captured::Encoded { .. } if !self.gate.shows() => self.frames.restart = true,
            Captured::Encoded {
                encoded,
                captured_at,
                capture,
                encode,
            } => {
                let cost = capture + encode;
                self.frames.cost = (self.frames.cost * 3 + cost) / 4;
                match encoded.pending {
                    Pending::Nothing => self.frames.due = None,
                    Pending::Now => self.frames.wanted = true,
                    Pending::At(moment) => self.frames.due = Some(moment),
                }
                self.echo.handle_captured(encoded.update.is_some());
                if let Some(update) = encoded.update {
                    self.send_frame(now, update, budget, captured_at, capture, encode);
                } else {
                    self.frames.limit = v1::Limit::NothingChanges;
                }
            }
            Captured::Reopen => self.frames.restart = true,
            Captured::Failed(detail) => {
                self.fail_with(v1::SessionErrorCode::DesktopLost, &detail);
            }
        }
        self.order_capture(now);
    }

    /// Tells the technician something.
    pub fn handle_notice(&mut self, _now: Moment, notice: HostNotice, detail: &str) {
        let code = match notice {
            HostNotice::InputUnavailable => v1::NoticeCode::InputUnavailable,
            HostNotice::ChordUnsupported => v1::NoticeCode::ChordUnsupported,
            HostNotice::CaptureFallback => v1::NoticeCode::CaptureFallback,
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
            State::Running(_) => [self.next_capture(), self.consent_deadline()]
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

    fn handle_opening(&mut self, now: Moment, body: &[u8]) {
        let State::Opening(handshake) = &mut self.state else {
            return;
        };
        let Ok(payload) = handshake.read(body) else {
            // An empty answer: the viewer says in words that this is not the machine it expected.
            let refusal = Header {
                lane: Lane::Handshake,
                epoch: 0,
            }
            .to_bytes()
            .to_vec();
            self.outputs.push_back(HostOutput::Send(refusal));
            return self
                .end("the viewer expects another machine key, or its handshake was damaged");
        };
        let opening = v1::Opening::decode(&*payload).unwrap_or_default();
        let checked = grant::verify(
            &opening.signed_grant,
            &grant::Expected {
                session: &self.config.session_id,
                participant: &self.config.participant_id,
                machine: &self.config.machine_id,
                server_public_key: &self.config.server_public_key,
                unix_seconds: self.config.unix_seconds,
            },
        );
        let speaks_zstd = opening.capabilities.as_ref().is_some_and(|capabilities| {
            capabilities
                .encodings
                .contains(&v1::Encoding::ZstdBgrx.into())
        });
        let grant = match checked {
            Ok(_) if !speaks_zstd => {
                let detail = "the viewer cannot decode any picture that this machine can make";
                return self.refuse(v1::RefusalReason::Incompatible, detail);
            }
            Ok(grant) => grant,
            Err(error @ grant::GrantError::Expired) => {
                return self.refuse(v1::RefusalReason::GrantExpired, &error.to_string());
            }
            Err(error) => return self.refuse(v1::RefusalReason::GrantInvalid, &error.to_string()),
        };

        let promise = <[u8; 32]>::try_from(&*opening.words_commitment).ok();
        if promise.is_none() && self.config.consent != Consent::NotNeeded {
            let detail = "this viewer is too old for a machine whose user is asked";
            return self.refuse(v1::RefusalReason::Incompatible, detail);
        }
        let granted = Rights {
            view: true,
            control: grant.can_control && self.config.has_input,
        };
        self.technician = text(&grant.technician);
        let consent_pending = self.gate.admit(granted, &self.technician);
        if let Some(preferences) = opening.preferences {
            self.preferences = Preferences::from_wire(preferences);
        }
        let rights = if consent_pending {
            granted
        } else {
            self.gate.allowed()
        };
        let accepted = v1::Accepted {
            capabilities: Some(self.capabilities()),
            layout: Some(self.wire_layout()),
            rights: rights.to_wire(),
            consent_pending,
        };
        if !self.answer(v1::answer::Result::Accepted(accepted)) {
            return;
        }
        let State::Opening(handshake) = std::mem::replace(&mut self.state, State::Ended) else {
            unreachable!("answer() kept the state")
        };
        if let Some(commitment) = promise {
            self.check = WordsCheck::Promised {
                commitment,
                handshake_hash: handshake.hash(),
            };
        }
        let mut keys = handshake.finish();
        let key: Zeroizing<[u8; 32]> = derive_key(&self.config.seed, b"guruconnect picture key");
        let dealt = v1::PictureKey {
            epoch: 1,
            key: key.to_vec().into(),
        };
        let message = v1::AgentMessage {
            body: Some(agent_message::Body::PictureKey(dealt)),
        };
        let sealed = keys.seal(Lane::Control, &message.encode_to_vec());
        keys.set_picture_key(1, &key);
        self.state = State::Running(Box::new(keys));
        self.outputs.push_back(HostOutput::Send(sealed));
        if !consent_pending {
            self.start(now);
        }
    }

    /// The viewer may look from now on.
    fn start(&mut self, now: Moment) {
        if self.gate.paused {
            let paused = v1::Paused { paused: true };
            self.send(Lane::Control, agent_message::Body::Paused(paused));
        }
        self.outputs.push_back(HostOutput::Started {
            technician: self.technician.clone(),
            can_control: self.gate.allowed().control,
        });
        self.show(now);
    }

    /// What was held back is shown.
    fn show(&mut self, now: Moment) {
        if !self.gate.shows() {
            return;
        }
        if let Some(pointer) = self.cursor.kept.take() {
            self.handle_pointer(now, &pointer);
        }
        self.frames.wanted = true;
    }

    fn capabilities(&self) -> v1::Capabilities {
        let mut features = vec![v1::Feature::Cursor.into(), v1::Feature::TextInput.into()];
        if self.config.has_secure_attention {
            features.push(v1::Feature::SecureAttention.into());
        }
        features.extend(self.machine_features());
        v1::Capabilities {
            wire_version: WIRE_VERSION.into(),
            encodings: vec![v1::Encoding::ZstdBgrx.into()],
            features,
            software: text(&self.config.software),
            os_family: self.config.os_family.to_wire().into(),
        }
    }

    fn refuse(&mut self, reason: v1::RefusalReason, detail: &str) {
        let refused = v1::Refused {
            reason: reason.into(),
            detail: text(detail),
        };
        if self.answer(v1::answer::Result::Refused(refused)) {
            self.end(&format!("refused the viewer: {detail}"));
        }
    }

    /// Sends the second handshake message.
    fn answer(&mut self, result: v1::answer::Result) -> bool {
        let State::Opening(handshake) = &mut self.state else {
            return false;
        };
        let answer = v1::Answer {
            result: Some(result),
        };
        let Ok(body) = handshake.write(&answer.encode_to_vec()) else {
            self.end("the handshake could not be answered");
            return false;
        };
        let header = Header {
            lane: Lane::Handshake,
            epoch: 0,
        };
        self.outputs
            .push_back(HostOutput::Send([&header.to_bytes()[..], &body].concat()));
        true
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
            Some(viewer_message::Body::Refresh(_)) => self.frames.restart = true,
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

    fn handle_ack(&mut self, now: Moment, ack: &v1::FrameAck) {
        if let Err(error) = self.pacer.handle_ack(now, ack.sequence) {
            return self.fail(&error.to_string());
        }
        self.frames.viewer_time = Duration::from_micros(ack.shown_us.into());
    }

    /// When the next frame is to be made, if there is a reason and room for one.
    fn next_capture(&self) -> Option<Moment> {
        if self.frames.outstanding.is_some() || !self.gate.shows() {
            return None;
        }
        let reason = match (self.frames.wanted || self.frames.restart, self.frames.due) {
            (true, _) => Moment::ZERO,
            (false, Some(due)) => due,
            (false, None) => return None,
        };
        self.pacer.budget()?;
        let earliest = self
            .frames
            .last_order
            .map_or(Moment::ZERO, |last| last + self.interval(last));
        Some(reason.max(earliest))
    }

    fn interval(&self, last: Moment) -> Duration {
        let cost = self.frames.cost;
        match self.last_input_at {
            _ if self.echo.is_active(last) => INPUT_INTERVAL,
            Some(input) if last.since(input) < INPUT_WINDOW => {
                cost.clamp(INPUT_INTERVAL, MIN_INTERVAL)
            }
            _ => (cost * 2).clamp(MIN_INTERVAL, MAX_INTERVAL),
        }
    }

    fn order_capture(&mut self, now: Moment) {
        if !matches!(self.state, State::Running(_)) {
            return;
        }
        match self.next_capture() {
            Some(at) if at <= now => {}
            _ => {
                let held_back = self.frames.wanted && self.frames.outstanding.is_none();
                if held_back && self.pacer.budget().is_none() {
                    let waits_for_viewer = self.frames.viewer_time * 2 > self.pacer.link().rtt;
                    self.frames.limit = if waits_for_viewer {
                        v1::Limit::Viewer
                    } else {
                        v1::Limit::Network
                    };
                }
                return;
            }
        }
        let Some(budget) = self.pacer.budget() else {
            return;
        };
        self.frames.outstanding = Some(budget);
        self.frames.last_order = Some(now);
        self.frames.wanted = false;
        self.frames.due = None;
        let order = EncodeOrder {
            restart: std::mem::take(&mut self.frames.restart),
            budget_bytes: budget,
            colours: self.colours(),
            hold_films: self.echo.holds(now),
        };
        self.outputs.push_back(HostOutput::Capture(order));
    }

    fn colours(&self) -> Colours {
        let wanted = match self.preferences.quality {
            Quality::High => Colours::All,
            Quality::Medium => Colours::Reduced,
            Quality::Low => Colours::Few,
            Quality::Auto => match self.pacer.link().delivered_rate {
                1..FEW_COLOURS_BELOW => Colours::Few,
                _ => Colours::Reduced,
            },
        };
        match (self.config.quality, wanted) {
            (Some(Quality::Low), _) => Colours::Few,
            (Some(Quality::Medium), Colours::All) => Colours::Reduced,
            _ => wanted,
        }
    }

    fn send_frame(
        &mut self,
        now: Moment,
        update: Update,
        budget: usize,
        captured_at: Moment,
        capture: Duration,
        encode: Duration,
    ) {
        let micros = |duration: Duration| u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
        if let Some(token) = self.pacer.next_probe(now) {
            self.send(Lane::Control, agent_message::Body::Ping(v1::Ping { token }));
        }
        let link = self.pacer.link();
        if update.complete {
            let slow = self.frames.cost * 2 > MIN_INTERVAL;
            self.frames.limit = if slow {
                v1::Limit::Agent
            } else {
                v1::Limit::FrameRate
            };
        }
        self.frames.sequence += 1;
        let app_limited = update.complete && update.data.len() < budget;
        let frame = v1::VideoFrame {
            sequence: self.frames.sequence,
            layout_generation: self.layout_generation,
            encoding: v1::Encoding::ZstdBgrx.into(),
            starts_stream: update.starts_stream,
            rects: rects_to_wire(&update.rects),
            data: update.data.into(),
            captured_at_us: captured_at.as_micros(),
            capture_us: micros(capture),
            encode_us: micros(encode),
            complete: update.complete,
            input_sequence: self.input_sequence,
            reduced: update.reduced,
            link: Some(v1::LinkReport {
                rtt_us: micros(link.rtt),
                base_rtt_us: micros(link.base_rtt),
                delivered_rate: link.delivered_rate,
                limit: self.frames.limit.into(),
            }),
        };
        if let Some(bytes) = self.send(Lane::Picture, agent_message::Body::Frame(frame)) {
            self.pacer
                .handle_sent(now, self.frames.sequence, bytes, app_limited);
        }
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
