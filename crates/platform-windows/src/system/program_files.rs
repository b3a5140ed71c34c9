//! The agent's program in its place below `Program Files`, where only
//! administrators may change it.

use std::fs::OpenOptions;
use std::io;
use std::os::windows::fs::OpenOptionsExt as _;
use std::os::windows::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use gc_platform::{PlatformError, Removed};
use windows_sys::Win32::Storage::FileSystem::{
    DELETE, FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE,
};
use windows_sys::Win32::System::Threading::CREATE_NO_WINDOW;

use super::{os, registry};

/// Name of the program, whatever the file was called that installed it.
const PROGRAM: &str = "guruconnect-agent.exe";

/// A process that just ended may hold its file for a moment.
const PATIENCE: Duration = Duration::from_secs(10);

/// 100 ms between two attempts.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// The program's place. From the registry, not the environment: whoever starts us makes that.
pub(crate) fn program() -> PathBuf {
    folder().join(PROGRAM)
}

fn folder() -> PathBuf {
    let versions = r"SOFTWARE\Microsoft\Windows\CurrentVersion";
    let programs = registry::read_text(versions, "ProgramFilesDir");
    PathBuf::from(programs.unwrap_or_else(|| r"C:\Program Files".to_owned())).join("GuruConnect")
}

/// Copies `from` to `program`, in place of what was there.
pub(crate) fn place(from: &Path, program: &Path) -> Result<(), PlatformError> {
    if is_same(from, program) {
        return Ok(());
    }
    let new = program.with_extension("new");
    let copy = || {
        std::fs::create_dir_all(folder())?;
        std::fs::copy(from, &new)?;
        patiently(|| std::fs::rename(&new, program))
    };
    copy().map_err(|source| failed("copying the program", source))
}

/// Takes the program and its folder away; false when there was none. A program
/// that runs from there goes once it has ended.
pub(crate) fn remove() -> Result<bool, PlatformError> {
    let program = program();
    if !program.exists() {
        return Ok(false);
    }
    let runs_from_there = std::env::current_exe().is_ok_and(|own| is_same(&own, &program));
    let result = if runs_from_there {
        remove_after_end(&program)
    } else {
        patiently(|| std::fs::remove_file(&program)).and_then(|()| remove_folder())
    };
    result
        .map(|()| true)
        .map_err(|source| failed("removing the program", source))
}

/// The folder goes when nobody else put something there.
fn remove_folder() -> io::Result<()> {
    match std::fs::remove_dir(folder()) {
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
        result => result,
    }
}

/// Removes the file of this program, wherever it was downloaded to, once it has ended.
pub(crate) fn remove_downloaded() -> io::Result<Removed> {
    let program = std::env::current_exe()?;
    // Asked for the right to delete, but not to do it: says now what would fail later.
    OpenOptions::new()
        .access_mode(DELETE)
        .share_mode(FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
        .open(&program)?;
    interpret(REMOVE_FILE, &program).map(|()| Removed::AtTheEnd)
}

fn remove_after_end(program: &Path) -> io::Result<()> {
    interpret(REMOVE_WITH_FOLDER, program)
}

/// No program can delete its own file, so the command interpreter tries once a second until
/// the file is gone, for five minutes: the last page of the customer's window stands for two.
const REMOVE_FILE: &str = r#"for /l %i in (1,1,300) do (ping -n 2 127.0.0.1 >nul & del /f /q "%GC_PROGRAM%" & if not exist "%GC_PROGRAM%" exit)"#;

/// The same, and then its folder, unless somebody else put something there.
const REMOVE_WITH_FOLDER: &str = r#"for /l %i in (1,1,300) do (ping -n 2 127.0.0.1 >nul & del /f /q "%GC_PROGRAM%" & if not exist "%GC_PROGRAM%" (rmdir "%GC_FOLDER%" & exit))"#;

/// Lets the command interpreter do something, without a window. The file's name goes through
/// the environment, so that nothing in it is a command.
fn interpret(script: &str, program: &Path) -> io::Result<()> {
    let system = os::system_directory().ok_or(io::ErrorKind::NotFound)?;
    Command::new(system.join("cmd.exe"))
        // The interpreter knows no escapes: with /s the outermost quotes go, and all others stay.
        .raw_arg(format!("/d /s /c \"{script}\""))
        .env("GC_PROGRAM", program)
        .env("GC_FOLDER", folder())
        .current_dir(system)
        .creation_flags(CREATE_NO_WINDOW)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .map(drop)
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

fn patiently(mut attempt: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match attempt() {
            Err(error)
                if error.kind() == io::ErrorKind::PermissionDenied && Instant::now() < deadline =>
            {
                thread::sleep(RETRY_INTERVAL);
            }
            result => return result,
        }
    }
}

fn failed(call: &'static str, source: io::Error) -> PlatformError {
    match source.kind() {
        io::ErrorKind::PermissionDenied => PlatformError::Denied(call),
        _ => PlatformError::Os { call, source },
    }
}
