//! The technician's end of one connection: the same code in the browser (as
//! WASM), in tests and in native viewers.

mod consent;
mod event;
mod machine;
mod picture;

use std::collections::VecDeque;
use std::time::Duration;

use gc_codec::{Decoder, FilmFormat, FilmFormats, Moves, bgrx_to_rgba, unpack_cursor};
use gc_model::geometry::{DisplayLayout, Rect};
use gc_model::id::{ParticipantId, SessionId};
use gc_model::key::Usage;
use gc_model::pointer::PointerShape;
use gc_model::time::Moment;
use gc_proto::Message as _;
use gc_proto::limits::{
    MAX_CHORD_KEYS, MAX_CURSOR_SIDE_PX, MAX_LIST_LEN, MAX_SESSION_MESSAGE_BYTES, MAX_WHEEL,
};
use gc_proto::v1;
use gc_proto::v1::{agent_message, viewer_message};

use crate::consent::{Elevation, Rights};
use crate::convert::{
    film_from_wire, format_from_wire, format_to_wire, layout_from_wire, moves_from_wire,
    rects_from_wire, text,
};
use crate::cursor::CURSOR_SLOTS;
use crate::guard::Guard;
use crate::handshake::{Handshake, derive_key};
use crate::preferences::{OsFamily, Preferences};
use crate::seal::LaneKeys;
use crate::wire::{Header, Lane, WIRE_VERSION};
use crate::words::{TwoWords, commitment, two_words};

use picture::Picture;

pub use event::{EndCode, Film, Limit, NoticeCode, ShownFrame, ViewerEvent};

/// A machine that does not answer the handshake within this time is given up.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(15);

/// How often the round trip is measured while nothing else moves.
const PING_INTERVAL: Duration = Duration::from_secs(5);

/// Inputs whose answer is awaited for the latency figure.
const MAX_AWAITED_INPUTS: usize = 256;

/// Frames that the program may keep unpainted before the oldest is forgotten; a machine
/// that waits for acknowledgements never has so many on their way.
const MAX_PAINTING: usize = 256;

/// Films that may be undecoded while what came after them is acknowledged.
const MAX_BEHIND: usize = 4;

/// What a viewer must know.
pub struct ViewerConfig {
    /// The session that the server made.
    pub session_id: SessionId,
    /// This connection of it.
    pub participant_id: ParticipantId,
    /// The machine's static key, as enrolled and pinned.
    pub agent_public_key: [u8; 32],
    /// The server's permission, passed on as it is.
    pub signed_grant: Vec<u8>,
    /// The technician's wishes at the start.
    pub preferences: Preferences,
    /// 32 fresh random bytes, used for this viewer alone.
    pub seed: [u8; 32],
    /// Program and version, for people.
    pub software: String,
    /// The video codecs that the program can decode.
    pub films: Vec<FilmFormat>,
}

/// What the driver is to do.
#[derive(Debug)]
pub enum ViewerOutput {
    /// Send one binary WebSocket message.
    Send(Vec<u8>),
    /// Tell the technician's program.
    Event(ViewerEvent),
    /// Paint [`Viewer::pixels`], then call [`Viewer::handle_painted`].
    Frame(ShownFrame),
}

/// One connection to a machine.
pub struct Viewer {
    config: ViewerConfig,
    state: State,
    outputs: VecDeque<ViewerOutput>,
    deadline: Moment,
    layout: Option<(u32, DisplayLayout)>,
    decoder: Option<Decoder>,
    picture: Option<Picture>,
    /// Frames are ignored until a stream starts: something could not be decoded.
    awaits_stream: bool,
    /// Tells what the two words are made of, once the machine has answered.
    words_nonce: [u8; 32],
    /// What the machine allows us now.
    rights: Rights,
    requests: u32,
    input_sequence: u64,
    awaited_inputs: VecDeque<(u64, Moment)>,
    ping: Option<(u64, Moment)>,
    pings: u64,
    /// Frames that are not on the screen yet, in order.
    painting: VecDeque<Painting>,
    /// The newest of them that the machine was told of.
    acknowledged: u64,
    /// Formats that did not fail here yet.
    films: FilmFormats,
    /// Those that the machine makes.
    machine_films: FilmFormats,
    /// The film that is being followed.
    film_stream: Option<u32>,
    film_data: bytes::Bytes,
}

enum State {
    Opening(Box<Handshake>),
    Running(Box<LaneKeys>),
    Ended,
}

#[derive(Clone, Copy)]
struct Painting {
    sequence: u64,
    received_at: Moment,
    /// On the screen, while one before it is not.
    done: bool,
}

impl Viewer {
    /// Starts the handshake; the first output is its message.
    ///
    /// # Panics
    /// Never for keys of 32 bytes, which the types ensure.
    pub fn new(config: ViewerConfig, now: Moment) -> Self {
        let handshake = Handshake::viewer(
            &config.session_id,
            &config.participant_id,
            &config.agent_public_key,
            &config.seed,
        );
        let mut viewer = Self {
            state: State::Ended,
            outputs: VecDeque::new(),
            deadline: now + HANDSHAKE_TIMEOUT,
            layout: None,
            decoder: None,
            picture: None,
            awaits_stream: false,
            words_nonce: *derive_key(&config.seed, b"guruconnect words nonce"),
            rights: Rights::NONE,
            requests: 0,
            input_sequence: 0,
            awaited_inputs: VecDeque::new(),
            ping: None,
            pings: 0,
            painting: VecDeque::new(),
            acknowledged: 0,
            films: config.films.iter().copied().collect(),
            machine_films: FilmFormats::default(),
            film_stream: None,
            film_data: bytes::Bytes::new(),
            config,
        };
        match handshake.and_then(|handshake| viewer.open(handshake)) {
            Ok(handshake) => viewer.state = State::Opening(Box::new(handshake)),
            Err(_) => viewer.emit_ended(EndCode::AgentKeyMismatch, KEY_MISMATCH),
        }
        viewer
    }

    fn open(
        &mut self,
        mut handshake: Handshake,
    ) -> Result<Handshake, crate::handshake::HandshakeError> {
        let opening = v1::Opening {
            signed_grant: self.config.signed_grant.clone().into(),
            capabilities: Some(v1::Capabilities {
                wire_version: WIRE_VERSION.into(),
                encodings: [v1::Encoding::ZstdBgrx]
                    .into_iter()
                    .chain(self.config.films.iter().copied().map(format_to_wire))
                    .map(Into::into)
                    .collect(),
                features: vec![
                    v1::Feature::Cursor.into(),
                    v1::Feature::TextInput.into(),
                    v1::Feature::Moves.into(),
                ],
                software: text(&self.config.software),
                os_family: v1::OsFamily::Unspecified.into(),
            }),
            preferences: Some(self.config.preferences.to_wire()),
            words_commitment: commitment(&self.words_nonce).to_vec().into(),
        };
        let body = handshake.write(&opening.encode_to_vec())?;
        let header = Header {
            lane: Lane::Handshake,
            epoch: 0,
        };
        self.outputs
            .push_back(ViewerOutput::Send([&header.to_bytes()[..], &body].concat()));
        Ok(handshake)
    }

    /// Takes one binary WebSocket message of the agent.
    pub fn handle_message(&mut self, now: Moment, message: &[u8]) {
        if matches!(self.state, State::Ended) {
            return;
        }
        if message.len() > MAX_SESSION_MESSAGE_BYTES {
            return self.end(
                EndCode::Protocol,
                "The machine sent a message above the limit.",
            );
        }
        let (header, body) = match Header::split(message) {
            Ok(parts) => parts,
            Err(error) => {
                return self.end(
                    EndCode::Protocol,
                    &format!("The machine broke the protocol: {error}."),
                );
            }
        };
        match (&mut self.state, header.lane) {
            (State::Opening(_), Lane::Handshake) => self.handle_answer(now, body),
            (State::Running(keys), Lane::Control | Lane::Cursor | Lane::Picture) => match keys.open(header, body) {
                Ok(opened) => self.handle_opened(now, header.lane, opened, message.len()),
                Err(_) => self.end(
                    EndCode::Tampered,
                    "A message was changed, repeated or reordered on its way. The session was ended to be safe.",
                ),
            },
            _ => self.end(EndCode::Protocol, "The machine used a lane that is not open."),
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Moment) {
        if now < self.deadline {
            return;
        }
        match self.state {
            State::Opening(_) => self.end(EndCode::Protocol, "The machine did not answer in time."),
            State::Running(_) => {
                self.pings += 1;
                self.ping = Some((self.pings, now));
                self.deadline = now + PING_INTERVAL;
                self.send(
                    Lane::Control,
                    viewer_message::Body::Ping(v1::Ping { token: self.pings }),
                );
            }
            State::Ended => {}
        }
    }

    /// Moves the pointer or changes its buttons (bit 0 left, 1 right, 2 middle, 3 back, 4 forward).
    pub fn handle_pointer(&mut self, now: Moment, x: i32, y: i32, buttons: u32) {
        self.mouse(now, x, y, buttons, 0, 0);
    }

    /// Scrolls by 1/120 notches, positive right and down, with `buttons` held.
    pub fn handle_wheel(
        &mut self,
        now: Moment,
        x: i32,
        y: i32,
        buttons: u32,
        wheel_x: i32,
        wheel_y: i32,
    ) {
        let limit = |distance: i32| distance.clamp(-MAX_WHEEL, MAX_WHEEL);
        self.mouse(now, x, y, buttons, limit(wheel_x), limit(wheel_y));
    }

    fn mouse(&mut self, now: Moment, x: i32, y: i32, buttons: u32, wheel_x: i32, wheel_y: i32) {
        if let Some(sequence) = self.next_input(now) {
            let event = v1::MouseEvent {
                sequence,
                x,
                y,
                buttons: buttons & 0b1_1111,
                wheel_x,
                wheel_y,
                layout_generation: self.layout.as_ref().map_or(0, |(number, _)| *number),
            };
            self.send(Lane::Input, viewer_message::Body::Mouse(event));
        }
    }

    /// Presses or releases a key. `code` is the browser's name of the physical key, empty for text from an input method.
    pub fn handle_key(
        &mut self,
        now: Moment,
        code: &str,
        down: bool,
        typed: Option<&str>,
        modifiers: u32,
        repeat: bool,
    ) {
        let usage = Usage::from_code(code).unwrap_or(Usage::UNKNOWN);
        if usage == Usage::UNKNOWN && typed.is_none_or(str::is_empty) {
            return;
        }
        if let Some(sequence) = self.next_input(now) {
            let event = v1::KeyEvent {
                sequence,
                usage: usage.number().into(),
                down,
                text: typed.unwrap_or_default().to_owned(),
                modifiers,
                repeat,
            };
            self.send(Lane::Input, viewer_message::Body::Key(event));
        }
    }

    /// Sends Ctrl+Alt+Del.
    pub fn handle_secure_attention(&mut self, now: Moment) {
        self.chord(now, v1::key_chord::Kind::SecureAttention, Vec::new());
    }

    /// Presses keys together, by the browser's names. Unknown names and more than six are not sent; false then.
    pub fn handle_chord(&mut self, now: Moment, codes: &[&str]) -> bool {
        let usages: Option<Vec<u32>> = codes
            .iter()
            .map(|code| Usage::from_code(code).map(|usage| usage.number().into()))
            .collect();
        match usages {
            Some(usages) if !usages.is_empty() && usages.len() <= MAX_CHORD_KEYS => {
                self.chord(now, v1::key_chord::Kind::Usages, usages);
                true
            }
            _ => false,
        }
    }

    fn chord(&mut self, now: Moment, kind: v1::key_chord::Kind, usages: Vec<u32>) {
        if let Some(sequence) = self.next_input(now) {
            let chord = v1::KeyChord {
                sequence,
                kind: kind.into(),
                usages,
            };
            self.send(Lane::Input, viewer_message::Body::Chord(chord));
        }
    }

    /// Nothing may stay pressed: the window lost the focus.
    pub fn handle_release_all(&mut self, _now: Moment) {
        if self.rights.control {
            self.input_sequence += 1;
            let release = v1::ReleaseAll {
                sequence: self.input_sequence,
            };
            self.send(Lane::Input, viewer_message::Body::ReleaseAll(release));
        }
    }

    /// Changes the technician's wishes.
    pub fn handle_preferences(&mut self, now: Moment, preferences: Preferences) {
        if preferences.view_only && !self.config.preferences.view_only {
            self.handle_release_all(now);
        }
        self.config.preferences = preferences;
        let set = v1::SetPreferences {
            preferences: Some(preferences.to_wire()),
        };
        self.send(Lane::Control, viewer_message::Body::Preferences(set));
    }

    /// Asks for the whole picture anew.
    pub fn handle_refresh(&mut self, _now: Moment) {
        self.refresh(None, false);
    }

    /// Films in `format` cannot be decoded here: there shall be none of them any more. Other
    /// formats that were announced may follow.
    pub fn handle_film_failed(&mut self, _now: Moment, format: FilmFormat) {
        let again = !self.films.contains(format);
        self.films = self.films.without(format);
        self.awaits_stream = true;
        let others = FilmFormat::ALL
            .into_iter()
            .any(|other| self.films.contains(other) && self.machine_films.contains(other));
        // A machine that does not know the first form goes on with what failed.
        self.refresh(Some(format), again || !others);
    }

    fn refresh(&mut self, failed: Option<FilmFormat>, without_films: bool) {
        let request = v1::RefreshRequest {
            without_films,
            without: failed
                .into_iter()
                .map(|format| format_to_wire(format).into())
                .collect(),
        };
        self.send(Lane::Control, viewer_message::Body::Refresh(request));
    }

    /// Leaves for good.
    pub fn handle_goodbye(&mut self, _now: Moment) {
        let goodbye = v1::Goodbye {
            reason: "closed by the technician".to_owned(),
        };
        self.send(Lane::Control, viewer_message::Body::Goodbye(goodbye));
        self.end(EndCode::Goodbye, "You ended the session.");
    }

    /// The frame's pixels are on the screen.
    pub fn handle_painted(&mut self, now: Moment, sequence: u64) {
        for painting in &mut self.painting {
            painting.done |= painting.sequence == sequence;
        }
        // A film is decoded beside the rest: what came after it may be painted before it, and
        // does not wait for a decoder that takes its time, unless too much is behind.
        let newest = self.painting.iter().rposition(|painting| painting.done);
        let passed = newest.filter(|&last| {
            let earlier = self.painting.iter().take(last);
            earlier.filter(|painting| !painting.done).count() <= MAX_BEHIND
        });
        let last = passed.or_else(|| {
            let undone = self.painting.iter().position(|painting| !painting.done);
            undone.and_then(|first| first.checked_sub(1))
        });
        let Some(painting) = last.map(|last| self.painting[last]) else {
            return;
        };
        self.painting
            .retain(|other| !other.done || other.sequence > painting.sequence);
        if painting.sequence > self.acknowledged {
            self.acknowledged = painting.sequence;
            self.acknowledge(painting, now);
        }
    }

    /// The pixels of the last [`ViewerOutput::Frame`]: RGBA of each rectangle, in order.
    pub fn pixels(&self) -> &[u8] {
        let decoded = || self.decoder.as_ref().map_or(&[][..], Decoder::pixels);
        let moved = self.picture.as_ref().and_then(Picture::moved);
        moved.unwrap_or_else(decoded)
    }

    /// The film's packet of the last [`ViewerOutput::Frame`]; empty when it has none.
    pub fn film_data(&self) -> &[u8] {
        &self.film_data
    }

    /// What to do next.
    pub fn poll_output(&mut self) -> Option<ViewerOutput> {
        self.outputs.pop_front()
    }

    /// When to call [`Viewer::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Moment> {
        (!matches!(self.state, State::Ended)).then_some(self.deadline)
    }

    /// Skips the handshake.
    #[cfg(feature = "fuzzing")]
    pub fn open_for_fuzzing(&mut self, now: Moment, accepted: v1::Accepted) {
        let keys = LaneKeys::derive(crate::seal::Role::Viewer, &[0; 32], &[0; 32]);
        self.state = State::Running(Box::new(keys));
        self.handle_accepted(now, accepted, two_words(&[0; 32], &[0; 32]));
    }

    /// Believes what the machine never said, as a hostile viewer would.
    #[cfg(feature = "fuzzing")]
    pub fn believe_for_fuzzing(&mut self, rights: Rights) {
        self.rights = rights;
    }

    /// Takes a message as if it had been opened.
    #[cfg(feature = "fuzzing")]
    pub fn handle_opened_for_fuzzing(&mut self, now: Moment, lane: Lane, body: Vec<u8>) {
        let bytes = body.len();
        self.handle_opened(now, lane, body, bytes);
    }

    fn next_input(&mut self, now: Moment) -> Option<u64> {
        let running = matches!(self.state, State::Running(_));
        if !running || !self.rights.control || self.config.preferences.view_only {
            return None;
        }
        self.input_sequence += 1;
        if self.awaited_inputs.len() == MAX_AWAITED_INPUTS {
            self.awaited_inputs.pop_front();
        }
        self.awaited_inputs.push_back((self.input_sequence, now));
        Some(self.input_sequence)
    }

    fn handle_answer(&mut self, now: Moment, body: &[u8]) {
        let State::Opening(mut handshake) = std::mem::replace(&mut self.state, State::Ended) else {
            unreachable!("called while opening")
        };
        let Ok(payload) = handshake.read(body) else {
            return self.emit_ended(EndCode::AgentKeyMismatch, KEY_MISMATCH);
        };
        let accepted = match v1::Answer::decode(&*payload).map(|answer| answer.result) {
            Ok(Some(v1::answer::Result::Accepted(accepted))) => accepted,
            Ok(Some(v1::answer::Result::Refused(refused))) => return self.handle_refused(&refused),
            _ => {
                return self.emit_ended(EndCode::Protocol, "The machine's answer is not readable.");
            }
        };
        let words = two_words(&handshake.hash(), &self.words_nonce);
        self.state = State::Running(Box::new(handshake.finish()));
        let reveal = v1::WordsReveal {
            nonce: self.words_nonce.to_vec().into(),
        };
        self.send(Lane::Control, viewer_message::Body::Words(reveal));
        self.handle_accepted(now, accepted, words);
    }

    fn handle_accepted(&mut self, now: Moment, accepted: v1::Accepted, words: TwoWords) {
        self.deadline = now;

        let capabilities = accepted.capabilities.unwrap_or_default();
        let too_long =
            capabilities.features.len() > MAX_LIST_LEN || accepted.rights.len() > MAX_LIST_LEN;
        if too_long {
            return self.end(
                EndCode::Protocol,
                "The machine announced more than the protocol allows.",
            );
        }
        self.machine_films = capabilities
            .encodings
            .iter()
            .take(MAX_LIST_LEN)
            .filter_map(|&encoding| format_from_wire(encoding))
            .collect();
        let has = |feature: v1::Feature| capabilities.features.contains(&feature.into());
        let granted = Rights::from_wire(&accepted.rights);
        self.rights = if accepted.consent_pending {
            Rights::NONE
        } else {
            granted
        };
        self.emit(ViewerEvent::Connected {
            software: text(&capabilities.software),
            os_family: OsFamily::from_wire(capabilities.os_family),
            rights: self.rights,
            consent_pending: accepted.consent_pending,
            words,
            has_secure_attention: has(v1::Feature::SecureAttention),
            can_select_display: has(v1::Feature::SelectDisplay),
            guards: Guard {
                block_input: has(v1::Feature::BlockInput),
                blank_screen: has(v1::Feature::BlankScreen),
            },
            has_cursor: has(v1::Feature::Cursor),
            has_text_input: has(v1::Feature::TextInput),
            asks_person: has(v1::Feature::Consent),
            elevation: if has(v1::Feature::Elevated) {
                Elevation::Elevated
            } else if has(v1::Feature::Elevation) {
                Elevation::Possible
            } else {
                Elevation::Unavailable
            },
        });
        self.handle_layout(&accepted.layout.unwrap_or_default());
    }

    fn handle_refused(&mut self, refused: &v1::Refused) {
        let code = match v1::RefusalReason::try_from(refused.reason) {
            Ok(v1::RefusalReason::GrantExpired) => EndCode::GrantExpired,
            Ok(v1::RefusalReason::DesktopUnavailable) => EndCode::DesktopLost,
            Ok(v1::RefusalReason::Incompatible) => EndCode::Incompatible,
            _ => EndCode::Refused,
        };
        self.emit_ended(
            code,
            &format!(
                "The machine refused the session: {}.",
                text(&refused.detail)
            ),
        );
    }

    fn handle_opened(&mut self, now: Moment, lane: Lane, body: Vec<u8>, bytes: usize) {
        let Ok(message) = v1::AgentMessage::decode(bytes::Bytes::from(body)) else {
            return self.end(
                EndCode::Protocol,
                "The machine sent a message that is not readable.",
            );
        };
        let expected = match &message.body {
            None => return,
            Some(agent_message::Body::Frame(_)) => Lane::Picture,
            Some(agent_message::Body::CursorShape(_) | agent_message::Body::CursorPosition(_)) => {
                Lane::Cursor
            }
            Some(_) => Lane::Control,
        };
        if lane != expected {
            return self.end(
                EndCode::Protocol,
                "The machine sent a message on the wrong lane.",
            );
        }
        match message.body {
            None => {}
            Some(agent_message::Body::Consent(response)) => self.handle_response(&response),
            Some(agent_message::Body::Paused(paused)) => {
                self.emit(ViewerEvent::Paused(paused.paused));
            }
            Some(agent_message::Body::Layout(layout)) => self.handle_layout(&layout),
            Some(agent_message::Body::DesktopSessions(list)) => self.handle_desktop_sessions(&list),
            Some(agent_message::Body::Guard(state)) => self.handle_guard_state(&state),
            Some(agent_message::Body::ScreenSource(source)) => self.handle_screen_source(&source),
            Some(agent_message::Body::PictureKey(dealt)) => self.handle_picture_key(&dealt),
            Some(agent_message::Body::Frame(frame)) => self.handle_frame(now, &frame, bytes),
            Some(agent_message::Body::CursorShape(shape)) => self.handle_cursor_shape(&shape),
            Some(agent_message::Body::CursorPosition(position)) => {
                self.emit(ViewerEvent::CursorPosition {
                    x: position.x,
                    y: position.y,
                    visible: position.visible,
                });
            }
            Some(agent_message::Body::Ping(ping)) => {
                self.send(
                    Lane::Control,
                    viewer_message::Body::Pong(v1::Pong { token: ping.token }),
                );
            }
            Some(agent_message::Body::Pong(pong)) => {
                if let Some((_, sent_at)) = self.ping.take_if(|(token, _)| *token == pong.token) {
                    self.emit(ViewerEvent::Pong(now.since(sent_at)));
                }
            }
            Some(agent_message::Body::Error(error)) => {
                let detail = text(&error.detail);
                match v1::SessionErrorCode::try_from(error.code) {
                    Ok(v1::SessionErrorCode::DesktopLost) => {
                        self.end(
                            EndCode::DesktopLost,
                            &format!("The machine's desktop cannot be shown: {detail}."),
                        );
                    }
                    Ok(v1::SessionErrorCode::EndedByAgent) => {
                        self.end(
                            EndCode::EndedByAgent,
                            &format!("The machine ended the connection: {detail}."),
                        );
                    }
                    Ok(v1::SessionErrorCode::EndedByPerson) => {
                        self.end(
                            EndCode::EndedByPerson,
                            "The person at the machine ended the session.",
                        );
                    }
                    Ok(v1::SessionErrorCode::GrantExpired) => {
                        self.end(
                            EndCode::GrantExpired,
                            "The permission for this session has expired.",
                        );
                    }
                    _ => self.end(
                        EndCode::Protocol,
                        &format!("The machine ended the session: {detail}."),
                    ),
                }
            }
            Some(agent_message::Body::Notice(notice)) => {
                let code = match v1::NoticeCode::try_from(notice.code) {
                    Ok(v1::NoticeCode::InputUnavailable) => NoticeCode::InputUnavailable,
                    Ok(v1::NoticeCode::ChordUnsupported) => NoticeCode::ChordUnsupported,
                    Ok(v1::NoticeCode::CaptureFallback) => NoticeCode::CaptureFallback,
                    Ok(v1::NoticeCode::QuestionsClosed) => NoticeCode::QuestionsClosed,
                    Ok(v1::NoticeCode::ElevationFailed) => NoticeCode::ElevationFailed,
                    // A newer agent's notice.
                    _ => return,
                };
                self.emit(ViewerEvent::Notice {
                    code,
                    detail: text(&notice.detail),
                });
            }
        }
    }

    fn handle_layout(&mut self, wire: &v1::DisplayLayout) {
        let layout = match layout_from_wire(wire) {
            Ok(layout) => layout,
            Err(error) => {
                return self.end(
                    EndCode::Protocol,
                    &format!("The machine broke the protocol: {error}."),
                );
            }
        };
        match Decoder::new(layout.picture) {
            Ok(decoder) => {
                self.decoder = Some(decoder);
                self.picture = Some(Picture::new(layout.picture));
            }
            Err(_) => {
                return self.end(
                    EndCode::Protocol,
                    "There is not enough memory for the picture.",
                );
            }
        }
        self.emit(ViewerEvent::Layout {
            layout: layout.clone(),
            only: wire.only,
        });
        self.layout = Some((wire.generation, layout));
    }

    fn handle_picture_key(&mut self, dealt: &v1::PictureKey) {
        let State::Running(keys) = &mut self.state else {
            return;
        };
        match (
            u16::try_from(dealt.epoch),
            <&[u8; 32]>::try_from(&*dealt.key),
        ) {
            (Ok(epoch), Ok(key)) => keys.set_picture_key(epoch, key),
            _ => self.end(EndCode::Protocol, "The machine dealt a key that is none."),
        }
    }

    fn handle_frame(&mut self, now: Moment, frame: &v1::VideoFrame, bytes: usize) {
        let generation = self.layout.as_ref().map(|(generation, _)| *generation);
        // A frame from before the layout changed: on its way when the new layout overtook it.
        let outdated = generation != Some(frame.layout_generation);
        let skipped = outdated || (self.awaits_stream && !frame.starts_stream);
        if skipped {
            return self.acknowledge(
                Painting {
                    sequence: frame.sequence,
                    received_at: now,
                    done: true,
                },
                now,
            );
        }
        let Ok((rects, film)) = self.decode_all(frame) else {
            self.awaits_stream = true;
            self.acknowledge(
                Painting {
                    sequence: frame.sequence,
                    received_at: now,
                    done: true,
                },
                now,
            );
            return self.handle_refresh(now);
        };
        self.awaits_stream = false;
        let link = frame.link.unwrap_or_default();
        let micros = |value: u32| Duration::from_micros(value.into());
        let input_latency = self.input_latency(now, frame.input_sequence);
        if self.painting.len() == MAX_PAINTING {
            self.painting.pop_front();
        }
        self.painting.push_back(Painting {
            sequence: frame.sequence,
            received_at: now,
            done: false,
        });
        self.outputs.push_back(ViewerOutput::Frame(ShownFrame {
            sequence: frame.sequence,
            rects,
            film,
            complete: frame.complete,
            reduced: frame.reduced,
            bytes,
            capture: micros(frame.capture_us),
            encode: micros(frame.encode_us),
            rtt: micros(link.rtt_us),
            base_rtt: micros(link.base_rtt_us),
            delivered_rate: link.delivered_rate,
            limit: Limit::from_wire(link.limit),
            input_sequence: frame.input_sequence,
            input_latency,
        }));
    }

    /// What is to be painted: what moved, what is new, and a film.
    fn decode_all(&mut self, frame: &v1::VideoFrame) -> Result<(Vec<Rect>, Option<Film>), Damaged> {
        let moves = self.check_moves(frame)?;
        let film = self.decode_film(frame)?;
        let rects = self.decode(frame)?;
        let decoded = self.decoder.as_ref().map_or(&[][..], Decoder::pixels);
        let picture = self.picture.as_mut().ok_or(Damaged)?;
        Ok((picture.take(moves.as_ref(), rects, decoded), film))
    }

    fn check_moves(&self, frame: &v1::VideoFrame) -> Result<Option<Moves>, Damaged> {
        let (_, layout) = self.layout.as_ref().ok_or(Damaged)?;
        let moves = frame.moves.as_ref();
        moves
            .map(|moves| moves_from_wire(moves, layout.picture).map_err(|_| Damaged))
            .transpose()
    }

    /// Checks what the program is to decode. A stream is only followed from its beginning.
    fn decode_film(&mut self, frame: &v1::VideoFrame) -> Result<Option<Film>, Damaged> {
        self.film_data = bytes::Bytes::new();
        let Some(wire) = &frame.film else {
            return Ok(None);
        };
        let (_, layout) = self.layout.as_ref().ok_or(Damaged)?;
        let film = film_from_wire(wire, layout.picture).map_err(|_| Damaged)?;
        let announced = self.config.films.contains(&film.format);
        let follows = film.key || self.film_stream == Some(film.stream);
        if !announced || !follows {
            return Err(Damaged);
        }
        self.film_stream = Some(film.stream);
        self.film_data = wire.data.clone();
        Ok(Some(film))
    }

    fn decode(&mut self, frame: &v1::VideoFrame) -> Result<Vec<Rect>, Damaged> {
        let decoder = self.decoder.as_mut().ok_or(Damaged)?;
        if v1::Encoding::try_from(frame.encoding) != Ok(v1::Encoding::ZstdBgrx) {
            return Err(Damaged);
        }
        let rects = rects_from_wire(&frame.rects).map_err(|_| Damaged)?;
        let pixels = decoder
            .decode(&rects, &frame.data, frame.starts_stream)
            .map_err(|_| Damaged)?;
        bgrx_to_rgba(pixels);
        Ok(rects)
    }

    fn input_latency(&mut self, now: Moment, sequence: u64) -> Option<Duration> {
        let mut newest = None;
        while let Some(&(awaited, sent_at)) = self.awaited_inputs.front() {
            if awaited > sequence {
                break;
            }
            newest = Some(now.since(sent_at));
            self.awaited_inputs.pop_front();
        }
        newest
    }

    fn handle_cursor_shape(&mut self, wire: &v1::CursorShape) {
        const BAD: &str = "The machine sent a pointer that is none.";
        let sound = wire.id < CURSOR_SLOTS
            && (1..=MAX_CURSOR_SIDE_PX).contains(&wire.width)
            && (1..=MAX_CURSOR_SIDE_PX).contains(&wire.height)
            && wire.hot_x < wire.width
            && wire.hot_y < wire.height;
        if !sound {
            return self.end(EndCode::Protocol, BAD);
        }
        if wire.rgba_zstd.is_empty() {
            return self.emit(ViewerEvent::CursorShape {
                id: wire.id,
                shape: None,
            });
        }
        match unpack_cursor(&wire.rgba_zstd, wire.width, wire.height) {
            Ok(rgba) => self.emit(ViewerEvent::CursorShape {
                id: wire.id,
                shape: Some(PointerShape {
                    width: wire.width,
                    height: wire.height,
                    hot_x: wire.hot_x,
                    hot_y: wire.hot_y,
                    rgba,
                }),
            }),
            Err(_) => self.end(EndCode::Protocol, BAD),
        }
    }

    fn acknowledge(&mut self, painting: Painting, now: Moment) {
        let micros = |duration: Duration| u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
        let ack = v1::FrameAck {
            sequence: painting.sequence,
            shown_us: micros(now.since(painting.received_at)),
        };
        self.send(Lane::Control, viewer_message::Body::Ack(ack));
    }

    fn send(&mut self, lane: Lane, body: viewer_message::Body) {
        if let State::Running(keys) = &mut self.state {
            let message = v1::ViewerMessage { body: Some(body) };
            let sealed = keys.seal(lane, &message.encode_to_vec());
            self.outputs.push_back(ViewerOutput::Send(sealed));
        }
    }

    fn emit(&mut self, event: ViewerEvent) {
        self.outputs.push_back(ViewerOutput::Event(event));
    }

    fn emit_ended(&mut self, code: EndCode, message: &str) {
        self.emit(ViewerEvent::Ended {
            code,
            message: message.to_owned(),
        });
    }

    fn end(&mut self, code: EndCode, message: &str) {
        if !matches!(self.state, State::Ended) {
            self.state = State::Ended;
            self.emit_ended(code, message);
        }
    }
}

const KEY_MISMATCH: &str = "What answered does not hold the key that this machine enrolled with. \
    Somebody may be between you and the machine, or its agent was installed anew without the server's knowledge. \
    Nothing was shown or sent.";

/// A frame that cannot be shown.
struct Damaged;
