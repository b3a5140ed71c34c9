//! JSON on the one side, the viewer's state machine on the other.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use gc_codec::FilmFormat;
use gc_model::geometry::{DisplayLayout, Rect};
use gc_model::id::{ParticipantId, SessionId};
use gc_model::time::Moment;
use gc_session::viewer::{EndCode, Limit, NoticeCode, ShownFrame, ViewerEvent};
use gc_session::{
    ConsentOutcome, DesktopSession, DesktopSessionKind, Elevation, Guard, OsFamily, Preferences,
    Quality, Viewer, ViewerConfig, ViewerOutput,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Input of the JavaScript side that is not what it should be: a bug there, or a damaged answer of the server.
#[derive(Debug, thiserror::Error)]
pub enum BridgeError {
    /// Not the JSON that was expected.
    #[error("the {0} is not readable")]
    Json(&'static str),
    /// A field that should be base64 of a certain length.
    #[error("{0} is not base64 of the right length")]
    Base64(&'static str),
    /// An id that is none.
    #[error("{0} is not an id")]
    Id(&'static str),
}

/// Settings of a new viewer.
#[derive(Deserialize)]
struct Config {
    session_id: String,
    participant_id: String,
    agent_public_key: String,
    signed_grant: String,
    seed: String,
    #[serde(default)]
    quality: WireQuality,
    #[serde(default)]
    view_only: bool,
    software: String,
    /// Formats of films that the browser decodes.
    #[serde(default)]
    films: Vec<WireFormat>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireFormat {
    Vp9,
    H264,
    Vp9FullChroma,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireQuality {
    #[default]
    Auto,
    Low,
    Medium,
    High,
}

#[derive(Deserialize)]
struct WirePreferences {
    #[serde(default)]
    quality: WireQuality,
    #[serde(default)]
    view_only: bool,
}

#[derive(Deserialize)]
struct Key {
    code: String,
    down: bool,
    text: Option<String>,
    #[serde(default)]
    modifiers: u32,
    #[serde(default)]
    repeat: bool,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Chord {
    SecureAttention,
    Keys { codes: Vec<String> },
}

/// What is wanted of the machine itself.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum MachineWish {
    /// `null` for all of them.
    Display {
        id: Option<u32>,
    },
    DesktopSession {
        id: u32,
    },
    Guard {
        block_input: bool,
        blank_screen: bool,
    },
}

/// What `gc_viewer_poll` found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputKind {
    /// Nothing more.
    Nothing = 0,
    /// Bytes for the WebSocket.
    Send = 1,
    /// An event as JSON.
    Event = 2,
    /// A frame's description as JSON; its pixels are beside it.
    Frame = 3,
}

/// A viewer that speaks JSON.
pub struct Bridge {
    viewer: Viewer,
    buttons: u32,
    /// The last polled output.
    pub output: Vec<u8>,
}

impl Bridge {
    /// Makes a viewer from its JSON settings; see the crate's interface.
    ///
    /// # Errors
    /// Settings that are not readable.
    pub fn new(config: &[u8], now: Moment) -> Result<Self, BridgeError> {
        let config: Config = parse(config, "configuration")?;
        let viewer = Viewer::new(
            ViewerConfig {
                session_id: SessionId::parse(&config.session_id)
                    .map_err(|_| BridgeError::Id("session_id"))?,
                participant_id: ParticipantId::parse(&config.participant_id)
                    .map_err(|_| BridgeError::Id("participant_id"))?,
                agent_public_key: key(&config.agent_public_key, "agent_public_key")?,
                signed_grant: BASE64
                    .decode(&config.signed_grant)
                    .map_err(|_| BridgeError::Base64("signed_grant"))?,
                preferences: preferences(config.quality, config.view_only),
                seed: key(&config.seed, "seed")?,
                software: config.software,
                films: config
                    .films
                    .iter()
                    .map(|format| match format {
                        WireFormat::Vp9 => FilmFormat::Vp9,
                        WireFormat::H264 => FilmFormat::H264,
                        WireFormat::Vp9FullChroma => FilmFormat::Vp9FullChroma,
                    })
                    .collect(),
            },
            now,
        );
        Ok(Self {
            viewer,
            buttons: 0,
            output: Vec::new(),
        })
    }

    /// As [`Viewer::handle_film_failed`]; `format` counts [`FilmFormat::ALL`].
    pub fn film_failed(&mut self, now: Moment, format: u32) {
        if let Some(&format) = FilmFormat::ALL.get(format as usize) {
            self.viewer.handle_film_failed(now, format);
        }
    }

    /// The viewer behind it.
    pub fn viewer(&mut self) -> &mut Viewer {
        &mut self.viewer
    }

    /// See [`Viewer::handle_pointer`].
    pub fn pointer(&mut self, now: Moment, x: i32, y: i32, buttons: u32) {
        self.buttons = buttons;
        self.viewer.handle_pointer(now, x, y, buttons);
    }

    /// See [`Viewer::handle_wheel`].
    pub fn wheel(&mut self, now: Moment, x: i32, y: i32, wheel_x: i32, wheel_y: i32) {
        self.viewer
            .handle_wheel(now, x, y, self.buttons, wheel_x, wheel_y);
    }

    /// See [`Viewer::handle_key`].
    ///
    /// # Errors
    /// JSON that is not a key.
    pub fn key(&mut self, now: Moment, json: &[u8]) -> Result<(), BridgeError> {
        let key: Key = parse(json, "key")?;
        self.viewer.handle_key(
            now,
            &key.code,
            key.down,
            key.text.as_deref(),
            key.modifiers,
            key.repeat,
        );
        Ok(())
    }

    /// See [`Viewer::handle_chord`].
    ///
    /// # Errors
    /// JSON that is not a chord, or keys that do not exist.
    pub fn chord(&mut self, now: Moment, json: &[u8]) -> Result<(), BridgeError> {
        match parse(json, "chord")? {
            Chord::SecureAttention => self.viewer.handle_secure_attention(now),
            Chord::Keys { codes } => {
                let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
                if !self.viewer.handle_chord(now, &codes) {
                    return Err(BridgeError::Json("chord"));
                }
            }
        }
        Ok(())
    }

    /// See [`Viewer::handle_select_display`], [`Viewer::handle_select_desktop_session`] and
    /// [`Viewer::handle_set_guard`].
    ///
    /// # Errors
    /// JSON that is none of them.
    pub fn machine(&mut self, now: Moment, json: &[u8]) -> Result<(), BridgeError> {
        match parse(json, "wish")? {
            MachineWish::Display { id } => self.viewer.handle_select_display(now, id),
            MachineWish::DesktopSession { id } => {
                self.viewer.handle_select_desktop_session(now, id);
            }
            MachineWish::Guard {
                block_input,
                blank_screen,
            } => {
                let guard = Guard {
                    block_input,
                    blank_screen,
                };
                self.viewer.handle_set_guard(now, guard);
            }
        }
        Ok(())
    }

    /// See [`Viewer::handle_release_all`].
    pub fn release_all(&mut self, now: Moment) {
        self.buttons = 0;
        self.viewer.handle_release_all(now);
    }

    /// See [`Viewer::handle_preferences`].
    ///
    /// # Errors
    /// JSON that is not preferences.
    pub fn preferences(&mut self, now: Moment, json: &[u8]) -> Result<(), BridgeError> {
        let wanted: WirePreferences = parse(json, "preferences")?;
        self.viewer
            .handle_preferences(now, preferences(wanted.quality, wanted.view_only));
        Ok(())
    }

    /// Puts the next output into [`Bridge::output`].
    pub fn poll(&mut self) -> OutputKind {
        match self.viewer.poll_output() {
            None => OutputKind::Nothing,
            Some(ViewerOutput::Send(bytes)) => {
                self.output = bytes;
                OutputKind::Send
            }
            Some(ViewerOutput::Event(event)) => {
                self.output = to_bytes(&event_json(&event));
                OutputKind::Event
            }
            Some(ViewerOutput::Frame(frame)) => {
                self.output = to_bytes(&FrameJson::of(&frame));
                OutputKind::Frame
            }
        }
    }
}

fn parse<'a, T: Deserialize<'a>>(json: &'a [u8], what: &'static str) -> Result<T, BridgeError> {
    serde_json::from_slice(json).map_err(|_| BridgeError::Json(what))
}

fn to_bytes(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("numbers and texts are always JSON")
}

fn key(base64: &str, name: &'static str) -> Result<[u8; 32], BridgeError> {
    let bytes = BASE64
        .decode(base64)
        .map_err(|_| BridgeError::Base64(name))?;
    bytes.try_into().map_err(|_| BridgeError::Base64(name))
}

fn preferences(quality: WireQuality, view_only: bool) -> Preferences {
    let quality = match quality {
        WireQuality::Auto => Quality::Auto,
        WireQuality::Low => Quality::Low,
        WireQuality::Medium => Quality::Medium,
        WireQuality::High => Quality::High,
    };
    Preferences { quality, view_only }
}

/// Durations are microseconds.
#[derive(Serialize)]
struct FrameJson {
    sequence: u64,
    rects: Vec<[u32; 4]>,
    film: Option<FilmJson>,
    complete: bool,
    reduced: bool,
    bytes: usize,
    capture_us: u64,
    encode_us: u64,
    rtt_us: u64,
    base_rtt_us: u64,
    delivered_rate: u64,
    limit: &'static str,
    input_sequence: u64,
    input_latency_us: Option<u64>,
}

#[derive(Serialize)]
struct FilmJson {
    stream: u32,
    format: &'static str,
    key: bool,
    area: [u32; 4],
    coded: [u32; 2],
    rects: Vec<[u32; 4]>,
    maker: Option<MakerJson>,
}

#[derive(Serialize)]
struct MakerJson {
    name: String,
    hardware: bool,
}

fn rect_json(rect: &Rect) -> [u32; 4] {
    [rect.x, rect.y, rect.width, rect.height]
}

impl FrameJson {
    fn of(frame: &ShownFrame) -> Self {
        let micros = |duration: std::time::Duration| duration.as_micros() as u64;
        Self {
            sequence: frame.sequence,
            rects: frame.rects.iter().map(rect_json).collect(),
            film: frame.film.as_ref().map(|film| FilmJson {
                stream: film.stream,
                format: film.format.name(),
                key: film.key,
                area: rect_json(&film.area),
                coded: [film.coded_width, film.coded_height],
                rects: film.rects.iter().map(rect_json).collect(),
                maker: film.maker.as_ref().map(|maker| MakerJson {
                    name: maker.name.to_string(),
                    hardware: maker.is_hardware,
                }),
            }),
            complete: frame.complete,
            reduced: frame.reduced,
            bytes: frame.bytes,
            capture_us: micros(frame.capture),
            encode_us: micros(frame.encode),
            rtt_us: micros(frame.rtt),
            base_rtt_us: micros(frame.base_rtt),
            delivered_rate: frame.delivered_rate,
            limit: match frame.limit {
                Limit::NothingChanges => "nothing_changes",
                Limit::Network => "network",
                Limit::Agent => "agent",
                Limit::Viewer => "viewer",
                Limit::FrameRate => "frame_rate",
            },
            input_sequence: frame.input_sequence,
            input_latency_us: frame.input_latency.map(micros),
        }
    }
}

fn os_family_name(family: OsFamily) -> &'static str {
    match family {
        OsFamily::Windows => "windows",
        OsFamily::Linux => "linux",
        OsFamily::MacOs => "macos",
    }
}

fn event_json(event: &ViewerEvent) -> Value {
    match event {
        ViewerEvent::Connected {
            software,
            os_family,
            rights,
            consent_pending,
            words,
            has_secure_attention,
            can_select_display,
            guards,
            has_cursor,
            has_text_input,
            asks_person,
            elevation,
        } => {
            let named = |flag: bool, name: &'static str| flag.then_some(name);
            let features: Vec<_> = [
                named(*has_cursor, "cursor"),
                named(*has_text_input, "text_input"),
                named(*has_secure_attention, "secure_attention"),
                named(*asks_person, "consent"),
                named(*elevation == Elevation::Possible, "elevation"),
                named(*elevation == Elevation::Elevated, "elevated"),
                named(*can_select_display, "select_display"),
                named(guards.block_input, "block_input"),
                named(guards.blank_screen, "blank_screen"),
            ]
            .into_iter()
            .flatten()
            .collect();
            let os_family = os_family.map(os_family_name);
            json!({"type": "connected", "software": software, "os_family": os_family, "rights": rights.names(), "consent_pending": consent_pending, "words": words, "features": features})
        }
        ViewerEvent::Layout { layout, only } => layout_json(layout, *only),
        ViewerEvent::DesktopSessions(sessions) => {
            let sessions: Vec<Value> = sessions.iter().map(desktop_session_json).collect();
            json!({"type": "desktop_sessions", "sessions": sessions})
        }
        ViewerEvent::ScreenSource(source) => {
            json!({"type": "screen_source", "method": source.method, "reason": source.reason})
        }
        ViewerEvent::Guard { guard, detail } => json!({
            "type": "guard", "block_input": guard.block_input, "blank_screen": guard.blank_screen, "detail": detail,
        }),
        ViewerEvent::CursorShape { id, shape: None } => {
            json!({"type": "cursor_shape", "id": id, "rgba": null})
        }
        ViewerEvent::CursorShape {
            id,
            shape: Some(shape),
        } => json!({
            "type": "cursor_shape", "id": id, "width": shape.width, "height": shape.height,
            "hot_x": shape.hot_x, "hot_y": shape.hot_y, "rgba": BASE64.encode(&shape.rgba),
        }),
        ViewerEvent::CursorPosition { x, y, visible } => {
            json!({"type": "cursor_position", "x": x, "y": y, "visible": visible})
        }
        ViewerEvent::Consent {
            request_id,
            outcome,
            rights,
        } => {
            let outcome = match outcome {
                ConsentOutcome::Allowed => "allowed",
                ConsentOutcome::Declined => "declined",
                ConsentOutcome::TimedOut => "timed_out",
                ConsentOutcome::Withdrawn => "withdrawn",
            };
            json!({"type": "consent", "request_id": request_id, "outcome": outcome, "rights": rights.names()})
        }
        ViewerEvent::Paused(paused) => json!({"type": "paused", "paused": paused}),
        ViewerEvent::Pong(rtt) => json!({"type": "pong", "rtt_us": rtt.as_micros() as u64}),
        ViewerEvent::Notice { code, detail } => {
            let code = match code {
                NoticeCode::InputUnavailable => "input_unavailable",
                NoticeCode::ChordUnsupported => "chord_unsupported",
                NoticeCode::QuestionsClosed => "questions_closed",
                NoticeCode::ElevationFailed => "elevation_failed",
            };
            json!({"type": "notice", "code": code, "detail": detail})
        }
        ViewerEvent::Ended { code, message } => {
            let code = match code {
                EndCode::AgentKeyMismatch => "agent_key_mismatch",
                EndCode::Refused => "refused",
                EndCode::GrantExpired => "grant_expired",
                EndCode::Tampered => "tampered",
                EndCode::Protocol => "protocol",
                EndCode::Incompatible => "incompatible",
                EndCode::DesktopLost => "desktop_lost",
                EndCode::EndedByAgent => "ended_by_agent",
                EndCode::EndedByPerson => "ended_by_person",
                EndCode::Declined => "declined",
                EndCode::NoAnswer => "no_answer",
                EndCode::Goodbye => "goodbye",
            };
            json!({"type": "ended", "code": code, "message": message})
        }
    }
}

fn desktop_session_json(session: &DesktopSession) -> Value {
    let kind = match session.kind {
        DesktopSessionKind::Console => "console",
        DesktopSessionKind::Remote => "remote",
    };
    json!({"id": session.id, "kind": kind, "user": session.user, "shown": session.shown})
}

fn layout_json(layout: &DisplayLayout, only: Option<u32>) -> Value {
    let displays: Vec<Value> = layout
        .displays
        .iter()
        .map(|display| {
            json!({
                "id": display.id, "name": display.name, "x": display.x, "y": display.y,
                "width": display.size.width(), "height": display.size.height(), "primary": display.primary,
            })
        })
        .collect();
    json!({"type": "layout", "width": layout.picture.width(), "height": layout.picture.height(), "displays": displays, "only": only})
}
