//! The attended role: the program that a customer downloads. It knows its
//! server and code, shows a window, asks before anything is shared, keeps
//! nothing, and removes itself at the end.

mod claim;
mod handover;
mod life;
mod link;
mod page;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail, ensure};
use gc_installer::file_name;
use gc_installer::slot::{self, SlotConfig, SlotError};
use gc_model::id::SessionId;
use gc_platform::Host;
use gc_session::{Elevation, Given};

pub(crate) use self::link::{Attendant, Attended, Command, Signal};

use self::claim::Claimed;
use self::handover::{GivenBefore, Handover};
use self::life::Life;
use self::link::Questions;
use crate::address::ServerAddress;
use crate::cli::Options;
use crate::config::key_from_base64;
use crate::connection::Connector;
use crate::shown::shown;
use crate::{logging, platform};

/// True when this program is to help once: told so, or downloaded with a server in it.
pub fn is_wanted(options: &Options) -> bool {
    // A damaged stamp is a download too, and says so.
    options.attended
        || options.take_over.is_some()
        || !matches!(stamp(&platform::host().configuration_slot()), Ok(None))
}

/// Shows the window and lets a technician help, until one of the two ends it.
///
/// # Errors
/// No desktop for the window, or settings that make no sense.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let host: Arc<dyn Host> = Arc::new(platform::host());
    host.release_memory();
    if let Some(path) = &options.log_file {
        logging::start(&*host, options.log_level.filter(), path);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start the runtime")?;
    let settings = match &options.take_over {
        None => Settings::new(options, &*host),
        Some(pipe) => {
            let taken = runtime.block_on(handover::take(pipe));
            let taken = taken.context("take the support session over");
            taken.and_then(|handover| Settings::succeed(handover, &*host))
        }
    };
    let here = tokio::task::LocalSet::new();
    let result = match settings {
        Ok(settings) => runtime.block_on(here.run_until(Life::run(host, settings))),
        // Who opened a download by a double click sees no console.
        Err(error) if !options.attended => {
            let why = format!("This program cannot be used: {error:#}.");
            let told = runtime.block_on(here.run_until(Life::say(host, why)));
            told.and(Err(error))
        }
        Err(error) => Err(error),
    };
    runtime.shutdown_background();
    result
}

/// What the program knows when it starts.
struct Settings {
    connector: Connector,
    /// `None` when nobody named one.
    code: Option<String>,
    /// How long a question waits: time to find the window, read it and compare
    /// the words. Nobody there means no.
    answer_within: Duration,
    /// The server's key, where the download says it.
    server_key: Option<[u8; 32]>,
    /// Came through a portal as one file, which goes again at the end.
    downloaded: bool,
    ca_file: Option<PathBuf>,
    /// Can be started anew with administrator rights.
    elevation: Elevation,
    /// What the program before this one, without administrator rights, has done already.
    before: Option<Before>,
}

/// See [`Settings::before`].
struct Before {
    claimed: Claimed,
    given: Option<(SessionId, Given)>,
    questions: Questions,
    /// The user paused: that ends at the window only.
    paused: bool,
}

impl Settings {
    fn new(options: &Options, host: &dyn Host) -> anyhow::Result<Self> {
        let stamp = stamp(&host.configuration_slot())?;
        let name = std::env::current_exe().context("find out this program's name")?;
        let name = name.file_name().unwrap_or_default().to_string_lossy();
        let named = file_name::code_in(&name).map(str::to_owned);
        let downloaded = stamp.is_some() && named.is_some();
        let server = options.server.clone();
        let (server, server_key) = match (server, &stamp) {
            (Some(server), _) => (server, None),
            (None, Some(stamp)) => (stamp.server.clone(), Some(key_of(stamp)?)),
            (None, None) => bail!("--attended needs --server, the address of the server"),
        };
        let server = ServerAddress::parse(&server)?;
        Ok(Self {
            connector: Connector::new(server, options.ca_file.as_deref())?,
            code: options.code.clone().or(named),
            answer_within: Duration::from_secs(options.answer_seconds.into()),
            server_key,
            downloaded,
            ca_file: options.ca_file.clone(),
            elevation: match (stamp.is_some(), host.is_elevated(), host.can_elevate()) {
                (_, true, _) => Elevation::Elevated,
                // Only a program that knows its server takes over.
                (true, false, true) => Elevation::Possible,
                _ => Elevation::Unavailable,
            },
            before: None,
        })
    }

    /// The settings of the program that this one takes over from.
    fn succeed(handover: Handover, host: &dyn Host) -> anyhow::Result<Self> {
        let stamp = stamp(&host.configuration_slot())?;
        let stamp = stamp.context("only a program that was downloaded takes over")?;
        let identity = handover.identity.identity();
        let identity = identity
            .map_err(|field| anyhow!("the program before gave a {field} that makes no sense"))?;
        // Whoever started this, it serves no other server than the one it came from.
        let own = ServerAddress::parse(&stamp.server)?;
        let same = identity.server == own && identity.server_public_key == key_of(&stamp)?;
        ensure!(same, "the program before belongs to another server");
        let claimed = Claimed {
            technician: shown(&handover.technician),
            company: shown(&handover.company),
            identity,
        };
        Ok(Self {
            connector: Connector::new(own, handover.ca_file.as_deref())?,
            code: None,
            server_key: None,
            downloaded: handover.downloaded,
            answer_within: handover.answer_within.min(Duration::from_mins(1)),
            ca_file: handover.ca_file,
            elevation: Elevation::Elevated,
            before: Some(Before {
                claimed,
                given: handover.given.and_then(GivenBefore::read),
                questions: handover.questions,
                paused: handover.paused,
            }),
        })
    }
}

/// The server in a slot; `None` for a program that came from no portal, and on systems without a slot.
fn stamp(slot: &[u8]) -> Result<Option<SlotConfig>, SlotError> {
    if slot.is_empty() {
        return Ok(None);
    }
    slot::parse(slot)
}

fn key_of(stamp: &SlotConfig) -> anyhow::Result<[u8; 32]> {
    key_from_base64(&stamp.server_public_key)
        .context("read the key in this program's configuration")
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn a_program_from_no_portal_is_an_agent_as_ever() {
        let options = Options::try_parse_from(["guruconnect-agent"]).expect("no flags");

        assert!(!is_wanted(&options));
        assert_eq!(stamp(&[]), Ok(None), "a system without a slot");
        assert_eq!(stamp(&slot::EMPTY), Ok(None));
        assert!(stamp(b"something else").is_err());
    }
}
