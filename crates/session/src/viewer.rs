//! The technician's end of one connection: the same code in the browser (as
//! WASM), in tests and in native viewers.

mod consent;
mod event;
mod frames;
mod input;
mod machine;
mod opening;
mod picture;

use std::collections::VecDeque;
use std::time::Duration;

use gc_codec::{Decoder, FilmFormat, FilmFormats, unpack_cursor};
use gc_model::geometry::DisplayLayout;
use gc_model::id::{ParticipantId, SessionId};
use gc_model::pointer::PointerShape;
use gc_model::time::Moment;
use gc_proto::Message as _;
use gc_proto::limits::{MAX_CURSOR_SIDE_PX, MAX_SESSION_MESSAGE_BYTES};
use gc_proto::v1;
use gc_proto::v1::{agent_message, viewer_message};

use crate::consent::Rights;
use crate::convert::text;
use crate::cursor::CURSOR_SLOTS;
use crate::handshake::{Handshake, derive_key};
use crate::preferences::Preferences;
use crate::seal::LaneKeys;
use crate::wire::{Header, Lane};
#[cfg(feature = "fuzzing")]
use crate::words::two_words;

use frames::Painting;
use opening::KEY_MISMATCH;
use picture::Picture;

pub use event::{EndCode, Film, Limit, NoticeCode, ShownFrame, ViewerEvent};

/// A machine that does not answer the handshake within this time is given up.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(15);

/// How often the round trip is measured while nothing else moves.
const PING_INTERVAL: Duration = Duration::from_secs(5);

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
    /// The newest of them that the machine was told of, and when.
    acknowledged: u64,
    acknowledged_at: Moment,
    /// Formats that did not fail here yet.
    films: FilmFormats,
    /// Those that the machine makes.
    machine_films: FilmFormats,
    /// The film that is being followed.
    film_stream: Option<u32>,
    film_data: bytes::Bytes,
    /// Frames that began a stream and could not be unpacked, since the last good one.
    damaged: u32,
    /// What the machine said last of the link.
    link: v1::LinkReport,
}

enum State {
    Opening(Box<Handshake>),
    Running(Box<LaneKeys>),
    Ended,
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
            acknowledged_at: Moment::ZERO,
            films: config.films.iter().copied().collect(),
            machine_films: FilmFormats::default(),
            film_stream: None,
            film_data: bytes::Bytes::new(),
            damaged: 0,
            link: v1::LinkReport::default(),
            config,
        };
        match handshake.and_then(|handshake| viewer.open(handshake)) {
            Ok(handshake) => viewer.state = State::Opening(Box::new(handshake)),
            Err(_) => viewer.emit_ended(EndCode::AgentKeyMismatch, KEY_MISMATCH),
        }
        viewer
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

    /// Leaves for good.
    pub fn handle_goodbye(&mut self, _now: Moment) {
        let goodbye = v1::Goodbye {
            reason: "closed by the technician".to_owned(),
        };
        self.send(Lane::Control, viewer_message::Body::Goodbye(goodbye));
        self.end(EndCode::Goodbye, "You ended the session.");
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
