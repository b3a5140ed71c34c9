//! Coming to the server with the code.

use std::sync::Arc;
use std::time::Duration;

use gc_platform::guest::{Action, GuestEvent};
use tokio::time::sleep;
use tracing::warn;

use super::{End, Life};
use crate::attended::Settings;
use crate::attended::claim::{self, Attempt, Claimed, Solved};
use crate::connection::Connector;

/// Between two attempts to reach the server with the code.
const CLAIM_WAIT: Duration = Duration::from_secs(3);

const UNREACHABLE: &str =
    "The server cannot be reached. Check your internet connection; this goes on by itself.";
const SLOWED: &str = "The server asks to wait a moment. This goes on by itself.";
const TOO_HARD: &str = "The server asks for more than this program does. Try again later.";

impl Life {
    /// Comes with the code, for as long as the server cannot be reached.
    pub(super) async fn claim(&mut self, settings: &Settings, code: &str) -> Result<Claimed, End> {
        let mut solved: Option<Solved> = None;
        self.show();
        loop {
            let host = Arc::clone(&self.host);
            let connector: &Connector = &settings.connector;
            let asking = claim::claim(
                connector,
                &*host,
                code,
                settings.server_key,
                solved.as_ref(),
            );
            let attempt = self.unless_left(asking).await?;
            solved = None;
            let wait = match attempt {
                Attempt::Claimed(claimed) => return Ok(*claimed),
                Attempt::Refused(why) => return Err(End::Said(why)),
                Attempt::Work(work) => {
                    let working = tokio::task::spawn_blocking(move || work.solve());
                    let done = self.unless_left(working).await?;
                    let Ok(Some(done)) = done else {
                        return Err(End::Said(TOO_HARD.to_owned()));
                    };
                    solved = Some(done);
                    continue;
                }
                Attempt::Later(wait) => {
                    self.view.problem = Some(SLOWED.to_owned());
                    wait
                }
                Attempt::Unreachable(error) => {
                    warn!(
                        error = crate::desktop_thread::sentence(&error),
                        "The server does not answer"
                    );
                    self.view.problem = Some(UNREACHABLE.to_owned());
                    CLAIM_WAIT
                }
            };
            self.show();
            self.unless_left(sleep(wait)).await?;
        }
    }

    /// Does something, unless the person leaves or the system wants the program to end.
    pub(super) async fn unless_left<T>(&mut self, work: impl Future<Output = T>) -> Result<T, End> {
        let mut stop = self.stop.clone();
        let left = async {
            loop {
                let event = self.window.event().await;
                if matches!(
                    event,
                    GuestEvent::Closed | GuestEvent::Pressed(Action::Close)
                ) {
                    return;
                }
            }
        };
        tokio::select! {
            done = work => Ok(done),
            () = left => Err(End::Silent),
            _ = stop.wait_for(|stop| *stop) => Err(End::Silent),
        }
    }
}
