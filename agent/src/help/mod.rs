//! Help that the user of this machine asks for: a window and a command for the
//! user, a door that only people of this machine come through, and the desk
//! behind it, which talks to the server. Nothing here gives anybody rights.

mod desk;
mod door;
mod messages;
mod page;
mod request;
mod tray;

pub(crate) use self::desk::HelpDesk;
pub(crate) use self::door::{Attendance, Door, Knock, Pauses, Visitor, attend};
pub use self::request::run;
pub use self::tray::run as run_tray;
