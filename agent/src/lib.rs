//! The agent: keeps one control connection to its server and, while somebody
//! looks, one connection for each viewer. A library so that tests can drive it;
//! the program is `main.rs`.

pub mod address;
pub mod attended;
mod broker;
pub mod cli;
pub mod clock;
pub mod config;
mod connection;
mod control;
mod desktop_thread;
pub mod enrol;
mod facts;
mod films;
mod framed;
mod guards;
pub mod help;
mod http;
mod input_thread;
pub mod logging;
mod looking;
pub mod platform;
mod power;
pub mod reconnect;
mod run;
mod safe_mode;
mod screen;
pub mod service;
mod session;
mod sessions;
mod shown;
mod supervisor;
mod test_capture;
mod tls;
mod viewers;
mod websocket;
mod window;
pub mod worker;
mod worker_messages;

pub use films::probe as film_probe;
pub use run::run;
pub use test_capture::test_capture;

/// Program and version, as viewers and servers see it.
pub const SOFTWARE: &str = concat!("agent ", env!("CARGO_PKG_VERSION"));
