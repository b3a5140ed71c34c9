//! The agent's life: settings, enrolment, and one control connection after another.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clap::ValueEnum as _;
use gc_platform::{Host, ServiceEvent, ServiceEvents};
use gc_session::CloseReason;
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{error, info, warn};
use zeroize::Zeroizing;

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
use crate::help::{self, Attendance, HelpDesk, Pauses};
use crate::http::RequestError;
use crate::looking::Onlookers;
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
    Service(ServiceEvents),
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

    /// The id that this machine enrols with: the one that another system gave it, its former
    /// one, or its installation's. Agents with data directories of their own are machines of
    /// their own, though their installation is the same.
    fn device_id(&self, host: &dyn Host, former: Option<&Identity>) -> Option<String> {
        let given = self.options.device_id.clone();
        let former = || former.map(|former| former.machine_id.to_string());
        let derived = || {
            let is_only_one = self.options.data_dir.is_none();
            let installation = is_only_one.then(|| host.installation()).flatten();
            installation.as_deref().map(enrol::device_id_of)
        };
        given.or_else(former).or_else(derived)
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
    fn listen(self) -> Told {
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
            Self::Service(events) => events.listen(move |event| match event {
                ServiceEvent::Stop => {
                    info!("Stopping");
                    sender.send_replace(true);
                }
                ServiceEvent::SessionChanged => {
                    switch.send_modify(|times| *times = times.wrapping_add(1));
                }
            }),
        }
        Told { stop, switched }
    }
}

async fn live(
    host: Arc<dyn Host>,
    settings: &Settings<'_>,
    data: &DataDir,
    orders: Orders,
) -> anyhow::Result<()> {
    let is_service = matches!(orders, Orders::Service(_));
    let Told { mut stop, switched } = orders.listen();
    let clock = Clock::new();
    let known = identity(&*host, settings, data, clock, &mut stop).await?;
    let Some(Known {
        identity,
        is_current,
    }) = known
    else {
        return Ok(());
    };
    if is_current {
        service::forget_secrets(&*host, data.path())?;
    }
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
        onlookers: Onlookers::default(),
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
            let onlookers = context.onlookers.clone();
            let supervisor = Supervisor::start(launcher, begin, clock, switched, onlookers);
            Viewers::InWorker(supervisor)
        }
        None => Viewers::Here(Sessions::new(Arc::clone(&context))),
    };
    let server = context.identity.server.host();
    let desk = Arc::new(HelpDesk::new(server, context.identity.machine_id.as_str()));
    tokio::spawn(Arc::clone(&desk).watch(context.onlookers.subscribe()));
    let opened = open_door(&context, desk.clone(), data.path());
    if is_service {
        let data_dir = settings.options.data_dir.clone();
        tokio::spawn(keep_trays(trays, opened, data_dir));
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

/// Users of this machine can ask for help from now on. What comes back changes whenever their
/// way to the desk is made.
fn open_door(context: &Context, desk: Arc<HelpDesk>, data_dir: &Path) -> watch::Receiver<u32> {
    let (opened, was_opened) = watch::channel(0);
    let data_dir = data_dir.to_owned();
    let open = Box::new(move || platform::open_door(&data_dir));
    let attendance = Attendance {
        desk,
        host: Arc::clone(&context.machine),
        clock: context.clock,
        pauses: Pauses::USUAL,
    };
    tokio::spawn(help::attend(open, attendance, opened));
    was_opened
}

/// Everybody who is signed in has our icon, which ends where it does not reach the desk.
async fn keep_trays(
    mut switched: watch::Receiver<u32>,
    mut opened: watch::Receiver<u32>,
    data_dir: Option<PathBuf>,
) {
    let mut arguments: Vec<OsString> = vec!["tray".into()];
    if let Some(path) = data_dir {
        arguments.extend(["--data-dir".into(), path.into()]);
    }
    let mut trays = platform::Trays::new(arguments);
    if opened.changed().await.is_err() {
        return;
    }
    loop {
        trays = match tokio::task::spawn_blocking(move || trays.started()).await {
            Ok(trays) => trays,
            Err(_) => return,
        };
        let news = tokio::select! {
            news = switched.changed() => news,
            news = opened.changed() => news,
        };
        if news.is_err() {
            return;
        }
    }
}

/// Who this machine is.
struct Known {
    identity: Identity,
    /// What was given to enrol it is not needed (any more).
    is_current: bool,
}

impl From<Identity> for Known {
    fn from(identity: Identity) -> Self {
        Self {
            identity,
            is_current: true,
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
) -> anyhow::Result<Option<Known>> {
    let Some(mut identity) = data.load(host)? else {
        let enrolled = enrol(host, settings, data, clock, stop, None).await?;
        return Ok(enrolled.map(Known::from));
    };
    let server = settings
        .server
        .clone()
        .unwrap_or_else(|| identity.server.clone());
    let api_key = settings
        .api_key
        .clone()
        .unwrap_or_else(|| identity.api_key.clone());
    let is_new = server != identity.server || api_key != identity.api_key;
    if !is_new && settings.token.is_none() {
        return Ok(Some(identity.into()));
    }
    // Something new is kept once the server says that it is this machine. A token is for a
    // machine whose key is worth nothing, there or any more.
    let connector = settings.connector(&server)?;
    let ask = || enrol::identify(&connector, &api_key);
    let asked = if is_new {
        until_answered(clock, stop, ask).await
    } else {
        tokio::select! {
            answer = ask() => answer.map(Some),
            _ = stop.wait_for(|stop| *stop) => Ok(None),
        }
    };
    let machine_id = match asked {
        Ok(Some(_)) if !is_new => return Ok(Some(identity.into())),
        Ok(Some(machine_id)) => machine_id,
        Ok(None) => return Ok(None),
        Err(error) if error.is_unknown_key() && settings.token.is_some() => {
            warn!("The server does not accept this machine's key; enrolling it anew");
            let former = Some(&identity).filter(|_| server == identity.server);
            let enrolled = enrol(host, settings, data, clock, stop, former).await;
            return match enrolled {
                // As it was: it says so at every attempt to connect, and asks now and then.
                Err(error) if !is_new && is_refusal(&error) => {
                    error!(
                        error = format!("{error:#}"),
                        "This machine cannot be enrolled anew"
                    );
                    Ok(Some(identity.into()))
                }
                enrolled => Ok(enrolled?.map(Known::from)),
            };
        }
        // A server that is away is no reason not to begin.
        Err(error) if !is_new => {
            info!(
                error = sentence(&error),
                "The server cannot say yet whether the token is needed"
            );
            return Ok(Some(Known {
                identity,
                is_current: false,
            }));
        }
        Err(error) => return Err(error).context("check the new server address or key"),
    };
    ensure!(
        machine_id == identity.machine_id,
        "the key belongs to another machine ({machine_id}) than the one enrolled here ({})",
        identity.machine_id
    );
    (identity.server, identity.api_key) = (server, api_key);
    data.store(host, &identity)?;
    info!("Stored the new server address or key");
    Ok(Some(identity.into()))
}

fn is_refusal(error: &anyhow::Error) -> bool {
    let request = error.downcast_ref::<RequestError>();
    request.is_some_and(RequestError::is_refusal)
}

/// Enrols; in the place of the former identity, where this machine had one at that server.
async fn enrol(
    host: &dyn Host,
    settings: &Settings<'_>,
    data: &DataDir,
    clock: Clock,
    stop: &mut watch::Receiver<bool>,
    former: Option<&Identity>,
) -> anyhow::Result<Option<Identity>> {
    let Some(server) = settings
        .server
        .as_ref()
        .or(former.map(|former| &former.server))
    else {
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
    let device_id = settings.device_id(host, former);
    // Viewers know a machine by its key.
    let secret = former.map_or_else(
        || Zeroizing::new(random_bytes()),
        |former| former.secret.clone(),
    );
    let asked = until_answered(clock, stop, || {
        enrol::enrol(
            &connector,
            host,
            token,
            device_id.as_deref(),
            secret.clone(),
        )
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
