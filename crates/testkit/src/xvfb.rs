//! A virtual X display for one test.

use std::io::{self, BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// A running Xvfb. It picks a free display number itself and is stopped on drop.
pub struct Xvfb {
    server: Child,
    display: String,
}

impl Xvfb {
    /// Starts a 24-bit display of this size and waits until it takes connections.
    ///
    /// # Errors
    /// When Xvfb is not installed or does not start.
    pub fn start(width: u32, height: u32) -> io::Result<Self> {
        Self::start_with(&["-screen", "0", &format!("{width}x{height}x24")])
    }

    /// Starts Xvfb with arguments of the caller's; `-displayfd`, `-noreset` and `-nolisten tcp` are added.
    ///
    /// # Errors
    /// When Xvfb is not installed or does not start.
    pub fn start_with(arguments: &[&str]) -> io::Result<Self> {
        let mut server = Command::new("Xvfb")
            .args(arguments)
            // A server that resets when its last client leaves would forget layouts between two connections.
            .args(["-displayfd", "1", "-noreset", "-nolisten", "tcp"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| {
                io::Error::new(
                    error.kind(),
                    format!("starting Xvfb (package xvfb): {error}"),
                )
            })?;
        let mut number = String::new();
        let output = server.stdout.take().expect("stdout is piped above");
        // The number comes when the server listens; the pipe closes when it could not.
        BufReader::new(output).read_line(&mut number)?;
        let number = number.trim();
        if number.is_empty() {
            let status = server.wait()?;
            return Err(io::Error::other(format!("Xvfb did not start: {status}")));
        }
        Ok(Self {
            display: format!(":{number}"),
            server,
        })
    }

    /// Its name, as `DISPLAY` takes it.
    pub fn display(&self) -> &str {
        &self.display
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.server.id()
    }
}

impl Drop for Xvfb {
    fn drop(&mut self) {
        // It may have ended by itself; then both calls say so, and it is gone as wanted.
        let _gone = self.server.kill();
        let _gone = self.server.wait();
    }
}
