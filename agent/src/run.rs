//! The agent's life: settings, enrolment, and one control connection after another.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clap::ValueEnum as _;
use gc_platform::{Host, ServiceEvent};
use gc_session::CloseReason;
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{error, info, warn};

use crate::address::ServerAddress;
use crate::cli::{Options, QualityCap};
use crate::clock::{Clock, random_bytes};
use crate::config::{ApiKey, DataDir, Identity, Stored};
use crate::connection::Connector;
use crate::control::{self, Ending};
use crate::desktop_thread::sentence;
use crate::enrol::{self, Token};
use crate::films::{Films, Hardware};
use crate::guards::GuardRoom;
use crate::help::{self, HelpDesk};
use crate::http::RequestError;
use crate::power::PowerRoom;
use crate::reconnect::{Backoff, Failure};
use crate::session::Context;
use crate::sessions::Sessions;
use crate::supervisor::Supervisor;
use crate::viewers::Viewers;
use crate::worker_messages::Begin;
use crate::{SOFTWARE, logging, platform, service};

/// Runs until told to stop.
///
/// # Errors
/// Settings that make no sense, files that cannot be used, a server that refuses to enrol this machine.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let host = platform::host();
    // What is wrong with the settings is said before anything is made.
    Settings::new(options, &host)?;
    let data_dir = data_dir_of(options, &host)?;
    let data = DataDir::open(&host, &data_dir)?;
    start_log(options, &host, &data_dir);
    run_with(options, &data, Orders::Signals)
}

/// Starts the log of this process, beside the keys unless told otherwise.
pub(crate) fn start_log(options: &Options, host: &dyn Host, data_dir: &Path) {
    let file = match &options.log_file {
        Some(path) => path.clone(),
        None => host.default_log_file(data_dir),
    };
    logging::start(host, options.log_level.filter(), &file);
}

/// From where this program hears that it is to stop.
pub(crate) enum Orders {
    /// The system's signals, or the console's.
    Signals,
    /// The system's services.
    Service(Receiver<ServiceEvent>),
}

/// Where keys and settings are.
pub(crate) fn data_dir_of(options: &Options, host: &dyn Host) -> anyhow::Result<PathBuf> {
    match &options.data_dir {
        Some(path) => Ok(path.clone()),
        None => host
            .default_data_dir()
            .context("choose a data directory; --data-dir names one"),
    }
}

/// Runs until told to stop, with the log started and the data directory taken.
pub(crate) fn run_with(options: &Options, data: &DataDir, orders: Orders) -> anyhow::Result<()> {
    let host: Arc<dyn Host> = Arc::new(platform::host());
    host.release_memory();
    let settings = Settings::new(options, &*host)?;
    info!(version = env!("CARGO_PKG_VERSION"), data_dir = %data.path().display(), "Starting {SOFTWARE}");

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start the runtime")?;
    let result = runtime.block_on(live(host, &settings, data, orders));
    // A name that is being looked up must not hold up the end.
    runtime.shutdown_background();
    info!("Stopped");
    result
}

/// The command line and what an installer left, checked.
pub(crate) struct Settings<'a> {
    options: &'a Options,
    server: Option<ServerAddress>,
    token: Option<Token>,
    api_key: Option<ApiKey>,
}

impl<'a> Settings<'a> {
    pub(crate) fn new(options: &'a Options, host: &dyn Host) -> anyhow::Result<Self> {
        let preset = host.preset();
        let server = options.server.clone().or(preset.server);
        let server = server.map(|text| ServerAddress::parse(&text)).transpose()?;
        let token = options.token.as_ref().map(|text| {
            Token::parse(text).context("--token is no enrolment token: it starts with enr_")
        });
        let api_key = options.api_key.clone().or(preset.api_key);
        let api_key = api_key.map(|text| {
            ApiKey::parse(&text).context("--api-key is no machine key: it starts with cak_")
        });
        if let Some(id) = &options.device_id {
            ensure!(
                enrol::is_device_id(id),
                "--device-id has 1 to 64 letters, digits, '-' or '_'"
            );
        }
        Ok(Self {
            options,
            server,
            token: token.transpose()?,
            api_key: api_key.transpose()?,
        })
    }

    fn connector(&self, server: &ServerAddress) -> anyhow::Result<Connector> {
        Connector::new(server.clone(), self.options.ca_file.as_deref())
    }
}

/// What this program is told while it runs.
struct Told {
    /// True from the order to stop on.
    stop: watch::Receiver<bool>,
    /// Changes when another desktop session may show.
    switched: watch::Receiver<u32>,
}

/// The options that a worker needs to know from its command line.
fn worker_arguments(options: &Options) -> Vec<OsString> {
    let level = options.log_level.to_possible_value();
    let level = level.map(|value| value.get_name().to_owned());
    let level = level.map(|name| vec!["--log-level".into(), name.into()]);
    let folder = options.data_dir.as_ref();
    let folder = folder.map(|path| vec!["--data-dir".into(), path.into()]);
    [level, folder].into_iter().flatten().flatten().collect()
}

impl Orders {
    fn listen(self) -> std::io::Result<Told> {
        let (sender, stop) = watch::channel(false);
        let (switch, switched) = watch::channel(0_u32);
        match self {
            Self::Signals => {
                tokio::spawn(async move {
                    match platform::stop_requested().await {
                        Ok(()) => info!("Stopping"),
                        Err(error) => error!(%error, "Cannot receive the system's signals"),
                    }
                    sender.send_replace(true);
                });
            }
            Self::Service(events) => {
                thread::Builder::new()
                    .name("orders".to_owned())
                    .spawn(move || {
                        for event in events {
                            match event {
                                ServiceEvent::Stop => {
                                    info!("Stopping");
                                    sender.send_replace(true);
                                }
                                ServiceEvent::SessionChanged => {
                                    switch.send_modify(|times| *times = times.wrapping_add(1));
                                }
                            }
                        }
                    })?;
            }
        }
        Ok(Told { stop, switched })
    }
}

async fn live(
    host: Arc<dyn Host>,
    settings: &Settings<'_>,
    data: &DataDir,
    orders: Orders,
) -> anyhow::Result<()> {
    let is_service = matches!(orders, Orders::Service(_));
    let Told { mut stop, switched } = orders.listen().context("start a thread for orders")?;
    let clock = Clock::new();
    let Some(identity) = identity(&*host, settings, data, clock, &mut stop).await? else {
        return Ok(());
    };
    service::forget_secrets(&*host, data.path())?;
    if let Err(error) = host.forget_preset_key() {
        warn!(%error, "The key that an installer left on this machine cannot be deleted");
    }
    let power = Arc::new(PowerRoom::new(
        Arc::clone(&host),
        data.path(),
        settings.options.power_dry_run,
    ));
    let (connected, was_connected) = watch::channel(false);
    tokio::spawn(Arc::clone(&power).watch_safe_mode(clock, was_connected));
    // A service makes no films: its workers do.
    let wants_hardware = settings.options.hardware_films.unwrap_or(false);
    let hardware = (wants_hardware && !is_service)
        .then(|| Hardware::find(&host, data.path()))
        .flatten();
    let context = Arc::new(Context {
        guards: GuardRoom::new(Arc::clone(&host)),
        machine: host,
        connector: settings.connector(&identity.server)?,
        identity,
        quality: settings.options.quality.map(QualityCap::quality),
        films: Films::new(settings.options.film_codecs.as_deref(), hardware),
        clock,
        attendant: None,
        desktops: None,
        power: Some(power),
    });
    info!(machine_id = %context.identity.machine_id, server = %context.identity.server, "This machine is enrolled");
    let trays = switched.clone();
    let launcher = is_service
        .then(|| platform::worker_launcher(worker_arguments(settings.options)))
        .flatten();
    let mut sessions = match launcher {
        Some(launcher) => {
            let begin = Begin {
                identity: Stored::new(&context.identity),
                quality: settings.options.quality,
                film_codecs: settings.options.film_codecs.clone(),
                hardware_films: wants_hardware,
                ca_file: settings.options.ca_file.clone(),
                has_leftovers: false,
            };
            Viewers::InWorker(Supervisor::start(launcher, begin, clock, switched))
        }
        None => Viewers::Here(Sessions::new(Arc::clone(&context))),
    };
    let server = context.identity.server.host();
    let desk = Arc::new(HelpDesk::new(server, context.identity.machine_id.as_str()));
    if open_door(&context, &desk, data.path()) && is_service {
        tokio::spawn(keep_trays(trays, settings.options.data_dir.clone()));
    }
    let mut backoff = Backoff::new(settings.options.longest_wait());
    loop {
        let ending = control::serve(&context, &mut sessions, &mut stop, Some(&desk), || {
            backoff.handle_connected(clock.now());
            connected.send_replace(true);
        })
        .await;
        let wait = match ending {
            Ending::Stopped => break,
            Ending::Lost(why) => {
                let wait = backoff.handle_failure(clock.now(), Failure::Unreachable, chance());
                warn!(why, ?wait, "No connection to the server; trying again");
                wait
            }
            Ending::Refused(why) => {
                let wait = backoff.handle_failure(clock.now(), Failure::Refused, chance());
                error!(why, ?wait, "Refused by the server; asking again");
                wait
            }
        };
        if pause(wait, &mut stop).await {
            break;
        }
    }
    sessions.close_all(CloseReason::AgentStopping).await;
    Ok(())
}

/// Users of this machine can ask for help from now on. False when they cannot.
fn open_door(context: &Context, desk: &Arc<HelpDesk>, data_dir: &Path) -> bool {
    match platform::open_door(data_dir) {
        Ok(door) => {
            let host = Arc::clone(&context.machine);
            tokio::spawn(help::attend(door, Arc::clone(desk), host, context.clock));
            true
        }
        Err(error) => {
            warn!(%error, "Users of this machine cannot ask for help: there is no way for them");
            false
        }
    }
}

/// Everybody who is signed in has our icon.
async fn keep_trays(mut switched: watch::Receiver<u32>, data_dir: Option<PathBuf>) {
    let mut arguments: Vec<OsString> = vec!["tray".into()];
    if let Some(path) = data_dir {
        arguments.extend(["--data-dir".into(), path.into()]);
    }
    let mut trays = platform::Trays::new(arguments);
    loop {
        trays = match tokio::task::spawn_blocking(move || trays.started()).await {
            Ok(trays) => trays,
            Err(_) => return,
        };
        if switched.changed().await.is_err() {
            return;
        }
    }
}

/// Who this machine is: from the file, or by enrolling. `None` when told to stop meanwhile.
async fn identity(
    host: &dyn Host,
    settings: &Settings<'_>,
    data: &DataDir,
    clock: Clock,
    stop: &mut watch::Receiver<bool>,
) -> anyhow::Result<Option<Identity>> {
    let Some(mut identity) = data.load(host)? else {
        return enrol(host, settings, data, clock, stop).await;
    };
    let server = settings
        .server
        .clone()
        .unwrap_or_else(|| identity.server.clone());
    let api_key = settings
        .api_key
        .clone()
        .unwrap_or_else(|| identity.api_key.clone());
    if server == identity.server && api_key == identity.api_key {
        return Ok(Some(identity));
    }
    // Something new: kept once the server says that it is this machine.
    let connector = settings.connector(&server)?;
    let asked = until_answered(clock, stop, || enrol::identify(&connector, &api_key)).await;
    let Some(machine_id) = asked.context("check the new server address or key")? else {
        return Ok(None);
    };
    ensure!(
        machine_id == identity.machine_id,
        "the key belongs to another machine ({machine_id}) than the one enrolled here ({})",
        identity.machine_id
    );
    (identity.server, identity.api_key) = (server, api_key);
    data.store(host, &identity)?;
    info!("Stored the new server address or key");
    Ok(Some(identity))
}

async fn enrol(
    host: &dyn Host,
    settings: &Settings<'_>,
    data: &DataDir,
    clock: Clock,
    stop: &mut watch::Receiver<bool>,
) -> anyhow::Result<Option<Identity>> {
    let Some(server) = &settings.server else {
        bail!(
            "this machine is not enrolled: give --server and --token (an enrolment token from the dashboard)"
        );
    };
    let Some(token) = &settings.token else {
        let hint = if settings.api_key.is_some() {
            "; --api-key only replaces the key of a machine that is"
        } else {
            ""
        };
        bail!(
            "this machine is not enrolled: give --token, an enrolment token from the dashboard{hint}"
        );
    };
    let connector = settings.connector(server)?;
    info!(%server, "Enrolling this machine");
    let device_id = settings.options.device_id.as_deref();
    let asked = until_answered(clock, stop, || {
        enrol::enrol(&connector, host, token, device_id)
    })
    .await;
    let Some(identity) = asked.context("enrol this machine")? else {
        return Ok(None);
    };
    data.store(host, &identity)?;
    Ok(Some(identity))
}

/// Asks until the server answers, for as long as that takes. `None` when told to stop.
async fn until_answered<T, F: Future<Output = Result<T, RequestError>>>(
    clock: Clock,
    stop: &mut watch::Receiver<bool>,
    mut ask: impl FnMut() -> F,
) -> Result<Option<T>, RequestError> {
    let mut backoff = Backoff::default();
    loop {
        let answer = tokio::select! {
            answer = ask() => answer,
            _ = stop.wait_for(|stop| *stop) => return Ok(None),
        };
        match answer {
            Ok(answer) => return Ok(Some(answer)),
            Err(error) if error.is_refusal() => return Err(error),
            Err(error) => {
                let wait = backoff.handle_failure(clock.now(), Failure::Unreachable, chance());
                warn!(
                    error = sentence(&error),
                    ?wait,
                    "The server does not answer; trying again"
                );
                if pause(wait, stop).await {
                    return Ok(None);
                }
            }
        }
    }
}

/// Waits, or less when told to stop; true then.
async fn pause(wait: Duration, stop: &mut watch::Receiver<bool>) -> bool {
    tokio::select! {
        () = sleep(wait) => false,
        _ = stop.wait_for(|stop| *stop) => true,
    }
}

fn chance() -> u64 {
    u64::from_le_bytes(random_bytes())
}
