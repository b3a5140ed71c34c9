//! What a viewer tells the program around it.

use std::time::Duration;

use gc_codec::{FilmFormat, FilmMaker};
use gc_model::geometry::{DisplayLayout, Rect};
use gc_model::pointer::PointerShape;
use gc_proto::v1;

use crate::consent::{ConsentOutcome, Elevation, Rights};
use crate::desktop_sessions::DesktopSession;
use crate::guard::Guard;
use crate::preferences::OsFamily;
use crate::screen_source::ScreenSource;
use crate::words::TwoWords;

/// What the technician's program should know.
#[derive(Debug, Clone, PartialEq)]
pub enum ViewerEvent {
    /// The machine admitted us. A layout follows.
    Connected {
        /// Program and version of the agent.
        software: String,
        /// The machine's system.
        os_family: Option<OsFamily>,
        /// What is allowed now.
        rights: Rights,
        /// The person at the machine is being asked: nothing is shown before the answer.
        consent_pending: bool,
        /// The words that the person at the machine sees too.
        words: TwoWords,
        /// Ctrl+Alt+Del can be sent.
        has_secure_attention: bool,
        /// One display alone can be shown.
        can_select_display: bool,
        /// What can be kept from the person at the machine.
        guards: Guard,
        /// The pointer comes apart from the picture.
        has_cursor: bool,
        /// Text is typed as text where keys differ.
        has_text_input: bool,
        /// A person is there, who may be asked for more.
        asks_person: bool,
        /// Whether the agent has administrator rights, or its person may be asked for them.
        elevation: Elevation,
    },
    /// The displays; the picture starts anew.
    Layout {
        /// Places are relative to the picture; displays outside of it are listed too.
        layout: DisplayLayout,
        /// The display that alone is in the picture.
        only: Option<u32>,
    },
    /// The logins of the machine that can be shown.
    DesktopSessions(Vec<DesktopSession>),
    /// How the machine's screen is read.
    ScreenSource(ScreenSource),
    /// What is kept from the person at the machine now.
    Guard {
        /// Which of it.
        guard: Guard,
        /// Why it is not what was asked for; empty when it is. The agent's words: hostile text.
        detail: String,
    },
    /// The pointer looks like the shape of this id; `None` when that was told before.
    CursorShape {
        /// Below 64.
        id: u32,
        /// Its picture, the first time.
        shape: Option<PointerShape>,
    },
    /// Where the machine's pointer is.
    CursorPosition {
        /// Picture coordinates.
        x: i32,
        /// Picture coordinates.
        y: i32,
        /// False when an application hid it.
        visible: bool,
    },
    /// The person at the machine answered a question.
    Consent {
        /// What [`Viewer::handle_request`](super::Viewer::handle_request) gave; 0 for the question at the start.
        request_id: u32,
        /// The answer.
        outcome: ConsentOutcome,
        /// What is allowed from now on.
        rights: Rights,
    },
    /// The person at the machine paused or resumed the session.
    Paused(bool),
    /// A round trip was measured.
    Pong(Duration),
    /// Something to know that ends nothing.
    Notice {
        /// What it is about.
        code: NoticeCode,
        /// The agent's words: hostile text, to be shown as text only.
        detail: String,
    },
    /// The session is over on this connection.
    Ended {
        /// Why.
        code: EndCode,
        /// A sentence for the technician.
        message: String,
    },
}

/// See [`ViewerEvent::Notice`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeCode {
    /// Input has no effect right now.
    InputUnavailable,
    /// A key combination cannot be made there.
    ChordUnsupported,
    /// The person at the machine is not asked any more.
    QuestionsClosed,
    /// The person agreed, and still the agent has no administrator rights.
    ElevationFailed,
}

/// See [`ViewerEvent::Ended`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndCode {
    /// What answered does not hold the key that the machine enrolled with.
    AgentKeyMismatch,
    /// The machine does not honour the permission.
    Refused,
    /// The permission came too late.
    GrantExpired,
    /// A message was changed, repeated, lost or reordered.
    Tampered,
    /// One end broke the protocol.
    Protocol,
    /// Nothing that both ends can do.
    Incompatible,
    /// The screen cannot be read any more.
    DesktopLost,
    /// The agent stops.
    EndedByAgent,
    /// The person at the machine ended the session.
    EndedByPerson,
    /// The person at the machine said no.
    Declined,
    /// Nobody at the machine answered in time.
    NoAnswer,
    /// We left.
    Goodbye,
}

/// One decoded frame.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownFrame {
    /// To be named in [`Viewer::handle_painted`](super::Viewer::handle_painted).
    pub sequence: u64,
    /// Where the pixels go, in order.
    pub rects: Vec<Rect>,
    /// A frame of a film, to be decoded and painted after the pixels.
    pub film: Option<Film>,
    /// Everything that had changed is in.
    pub complete: bool,
    /// Some pixels of the picture, of this frame or of one before it, will come again exactly.
    pub reduced: bool,
    /// Size of the message.
    pub bytes: usize,
    /// Time the agent took to read the screen.
    pub capture: Duration,
    /// Time the agent took to find and pack the changes.
    pub encode: Duration,
    /// The agent's last measured round trip.
    pub rtt: Duration,
    /// The smallest of them.
    pub base_rtt: Duration,
    /// Bytes a second, by the agent's measurement.
    pub delivered_rate: u64,
    /// What holds the frame rate back, by the agent's word.
    pub limit: Limit,
    /// The newest input that the agent had made before it read the screen.
    pub input_sequence: u64,
    /// From sending that input to having this frame, when it is the first with it.
    pub input_latency: Option<Duration>,
}

/// A frame of a film. Its bytes are [`Viewer::film_data`](super::Viewer::film_data).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Film {
    /// Another number is another stream: it begins with a key frame and a new decoder.
    pub stream: u32,
    /// The codec.
    pub format: FilmFormat,
    /// The decoder can start here.
    pub key: bool,
    /// Where the film is in the picture.
    pub area: Rect,
    /// Width of the coded picture, which is stretched over the area.
    pub coded_width: u32,
    /// Height of the coded picture.
    pub coded_height: u32,
    /// What of it is to be painted, inside the area.
    pub rects: Vec<Rect>,
    /// What packs the stream from this frame on, where the machine says so; its name is hostile
    /// text. Without it, what was said of the stream before is so still.
    pub maker: Option<FilmMaker>,
}

/// What holds the frame rate back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Nothing changes on the screen.
    NothingChanges,
    /// The network.
    Network,
    /// The machine's CPU.
    Agent,
    /// This computer.
    Viewer,
    /// The highest frame rate.
    FrameRate,
}

impl Limit {
    pub(crate) fn from_wire(number: i32) -> Self {
        match v1::Limit::try_from(number) {
            Ok(v1::Limit::Network) => Self::Network,
            Ok(v1::Limit::Agent) => Self::Agent,
            Ok(v1::Limit::Viewer) => Self::Viewer,
            Ok(v1::Limit::FrameRate) => Self::FrameRate,
            _ => Self::NothingChanges,
        }
    }
}
