//! The system calls. Each module wraps one family of them in safe functions and
//! owning types; functions that Windows 7 SP1 lacks are looked up when the program runs.
#![allow(unsafe_code)]

mod capture;
mod com;
mod desktop;
mod direct3d;
mod displays;
mod dxgi;
mod elevation;
mod events;
mod gdi;
mod graphics;
mod guardian;
mod guest;
mod hardware;
mod help_pipe;
mod host;
mod input;
mod input_desktop;
mod keyboard;
mod late;
mod letters;
mod media;
mod os;
mod pointer;
mod power;
mod private_files;
mod program_files;
mod registry;
mod secrets;
mod secure_attention;
mod service;
mod slot;
mod tokens;
mod tray;
mod window_face;
mod worker;

pub use desktop::WindowsDesktop;
pub use elevation::start_elevated;
pub use help_pipe::{HelpPipe, open_help_pipe};
pub use host::WindowsHost;
pub use late::load_libraries_of_windows_only;
pub use service::WindowsService;
pub use tray::start_for_user;
pub use worker::{Login, WorkerPipe, WorkerProcess, logins, open_pipe, showing_session};
