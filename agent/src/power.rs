//! What the server may order of the machine as a whole: lock, sign out, restart,
//! safe mode. Only a technician's word through the server brings one here; the
//! server checks and records who. A restart into safe mode leaves a note, from
//! which the agent that comes up there finds the way back.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gc_model::power::PowerAction;
use gc_platform::{Host, Power};
use gc_proto::v1;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::sleep_until;
use tracing::{error, info, warn};

use crate::clock::Clock;
use crate::desktop_thread::sentence;
use crate::safe_mode::{Output, SafeMode};

/// Name of the note in the data directory.
pub(crate) const NOTE_NAME: &str = "safe-mode.json";

/// Largest note, in bytes; a real one has about 30.
const MAX_NOTE_BYTES: u64 = 1024;

/// How long the agent may take to come back from safe mode, in seconds: 5 minutes to 2 hours.
const RETURN_AFTER: (u32, u32) = (5 * 60, 2 * 60 * 60);

/// Without a wish: a quarter of an hour, in seconds.
const DEFAULT_RETURN_AFTER: u32 = 15 * 60;

/// The machine's power, as the server may use it.
pub(crate) struct PowerRoom {
    host: Arc<dyn Host>,
    power: Option<Box<dyn Power>>,
    note: PathBuf,
    /// Says what it would do, and does nothing.
    is_dry_run: bool,
}

/// The note of a restart into safe mode.
#[derive(Serialize, Deserialize)]
struct Note {
    return_after_s: u32,
}

impl PowerRoom {
    pub(crate) fn new(host: Arc<dyn Host>, data_dir: &Path, is_dry_run: bool) -> Self {
        Self {
            power: host.power(),
            host,
            note: data_dir.join(NOTE_NAME),
            is_dry_run,
        }
    }

    /// What can be ordered here.
    pub(crate) fn actions(&self) -> Vec<PowerAction> {
        let can = |action: &PowerAction| {
            self.is_dry_run || self.power.as_ref().is_some_and(|power| power.can(*action))
        };
        PowerAction::ALL.into_iter().filter(can).collect()
    }

    /// Obeys; whose login that was about, or why not, in words. Blocks for as long as the system takes.
    /// `chosen` is the login that technicians look at instead of the machine's own screen: they mean the person there.
    pub(crate) fn obey(
        &self,
        order: &v1::PowerOrder,
        chosen: Option<u32>,
    ) -> Result<String, String> {
        let action = PowerAction::parse(&order.action)
            .filter(|action| self.actions().contains(action))
            .ok_or("this machine cannot do that")?;
        info!(
            action = action.as_str(),
            technician = gc_model::text::clean(&order.technician, 100),
            desktop_session = chosen,
            is_dry_run = self.is_dry_run,
            "A technician orders this of the machine"
        );
        if action.is_safe_mode() {
            self.restart_into(action, order.return_after_seconds)?;
            return Ok(String::new());
        }
        // Before: afterwards nobody may be signed in.
        let login = self.login(action, chosen);
        self.act(action, chosen).map(|()| login)
    }

    /// Who is locked or signed out.
    fn login(&self, action: PowerAction, desktop_session: Option<u32>) -> String {
        match (&self.power, action) {
            (Some(power), PowerAction::Lock | PowerAction::LogOff) => power.login(desktop_session),
            _ => String::new(),
        }
    }

    fn restart_into(&self, kind: PowerAction, return_after: u32) -> Result<(), String> {
        let wanted = match return_after {
            0 => DEFAULT_RETURN_AFTER,
            seconds => seconds.clamp(RETURN_AFTER.0, RETURN_AFTER.1),
        };
        let note = Note {
            return_after_s: wanted,
        };
        let note = serde_json::to_vec(&note).map_err(|error| error.to_string())?;
        // The note first: without it nobody would find the way back.
        self.host
            .replace_private_file(&self.note, &note)
            .map_err(|error| format!("the way back cannot be noted: {error}"))?;
        let started = self
            .set_safe_mode(Some(kind))
            .and_then(|()| self.act(PowerAction::Restart, None));
        started.map_err(|error| {
            if self.leave_safe_mode() {
                self.forget_note();
                error
            } else {
                // The note stays: whichever agent starts next tries again.
                format!("{error}; the next start of this machine may be one into safe mode")
            }
        })
    }

    fn act(&self, action: PowerAction, desktop_session: Option<u32>) -> Result<(), String> {
        match &self.power {
            _ if self.is_dry_run => {
                info!(
                    action = action.as_str(),
                    desktop_session, "Would do it (dry run)"
                );
                Ok(())
            }
            Some(power) => power
                .act(action, desktop_session)
                .map_err(|error| sentence(&error)),
            None => Err("this machine cannot do that".to_owned()),
        }
    }

    fn set_safe_mode(&self, kind: Option<PowerAction>) -> Result<(), String> {
        match &self.power {
            _ if self.is_dry_run => {
                let kind = kind.map_or("ordinary", PowerAction::as_str);
                info!(kind, "Would set how the machine starts (dry run)");
                Ok(())
            }
            Some(power) => power.set_safe_mode(kind).map_err(|error| sentence(&error)),
            None => Err("this machine cannot do that".to_owned()),
        }
    }

    /// True when the next start is an ordinary one.
    fn leave_safe_mode(&self) -> bool {
        let left = self.set_safe_mode(None);
        if let Err(error) = &left {
            error!(error, "The machine may start in safe mode again");
        }
        left.is_ok()
    }

    fn forget_note(&self) {
        match fs::remove_file(&self.note) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                warn!(%error, "The note of the safe mode cannot be deleted");
            }
            _ => {}
        }
    }

    /// The note that an agent left before the restart.
    fn pending(&self) -> Option<Duration> {
        let found = fs::metadata(&self.note).ok()?;
        let content = (found.len() <= MAX_NOTE_BYTES).then(|| fs::read(&self.note));
        let note = content.and_then(|content| serde_json::from_slice::<Note>(&content.ok()?).ok());
        // A note that cannot be read is one all the same.
        let seconds = note.map_or(DEFAULT_RETURN_AFTER, |note| note.return_after_s);
        Some(Duration::from_secs(
            seconds.clamp(RETURN_AFTER.0, RETURN_AFTER.1).into(),
        ))
    }

    /// Sees to it that the machine comes back from a safe mode that was ordered here.
    /// `connected` is true from the first connection on.
    pub(crate) async fn watch_safe_mode(
        self: Arc<Self>,
        clock: Clock,
        mut connected: watch::Receiver<bool>,
    ) {
        let is_in = self
            .power
            .as_ref()
            .is_some_and(|power| power.is_in_safe_mode());
        let mut safe_mode = SafeMode::new(clock.now(), self.pending(), is_in);
        let mut is_connected = false;
        loop {
            while let Some(output) = safe_mode.poll_output() {
                let room = Arc::clone(&self);
                let doing = tokio::task::spawn_blocking(move || room.handle_output(output));
                let is_done = doing.await.unwrap_or_else(|error| {
                    error!(%error, "The way back from safe mode is not clear");
                    false
                });
                if output == Output::StartOrdinarilyNextTime {
                    safe_mode.handle_next_start(clock.now(), is_done);
                }
            }
            let Some(due) = safe_mode.poll_timeout() else {
                return;
            };
            tokio::select! {
                _ = connected.wait_for(|connected| *connected), if !is_connected => {
                    is_connected = true;
                    safe_mode.handle_connected();
                }
                () = sleep_until(clock.instant(due).into()) => safe_mode.handle_timeout(clock.now()),
            }
        }
    }

    /// True when it is done.
    fn handle_output(&self, output: Output) -> bool {
        match output {
            Output::StartOrdinarilyNextTime => {
                let is_ordinary = self.leave_safe_mode();
                if is_ordinary {
                    info!("The next start of this machine is an ordinary one");
                }
                return is_ordinary;
            }
            Output::ForgetNote => self.forget_note(),
            Output::Restart => {
                warn!("Nobody was reached from safe mode in time: restarting");
                if let Err(error) = self.act(PowerAction::Restart, None) {
                    error!(error, "The machine stays in safe mode");
                    return false;
                }
            }
        }
        true
    }
}

#[cfg(test)]
mod tests;
