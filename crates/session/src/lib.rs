//! One remote control as state machines, for both ends: handshake and sealing,
//! pacing, input. Handed bytes and time, they say what to do next; they open
//! nothing, read no clock and ask nobody for random numbers.

mod consent;
mod convert;
mod cursor;
mod deliveries;
mod desktop_sessions;
mod echo;
mod fixed_delay;
mod grant;
mod guard;
mod handshake;
pub mod host;
mod input;
mod key;
pub mod pacer;
mod pairs;
mod preferences;
mod screen_source;
mod seal;
pub mod viewer;
mod wire;
pub mod words;

pub use consent::{Answer, Consent, ConsentOutcome, Elevation, Given, Rights};
pub use desktop_sessions::{DesktopSession, DesktopSessionKind};
pub use grant::GrantError;
pub use guard::Guard;
pub use host::{Captured, CloseReason, Host, HostConfig, HostNotice, HostOutput, INPUT_WINDOW};
pub use key::{AgentKeyError, agent_public_key};
pub use preferences::{OsFamily, Preferences, Quality};
pub use screen_source::ScreenSource;
pub use viewer::{Viewer, ViewerConfig, ViewerOutput};
pub use wire::{HEADER_BYTES, Header, HeaderError, Lane, WIRE_VERSION};
