//! The worker: serves the viewers from within the desktop session that shows,
//! for the service, which holds the control connection. It ends when the
//! service says so or is gone.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use gc_platform::Host;
use gc_session::DesktopSession;
use tokio::io::{AsyncWrite, split};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use crate::broker::Order;
use crate::cli::{Options, QualityCap};
use crate::clock::Clock;
use crate::connection::{Connector, Stream};
use crate::desktop_thread::sentence;
use crate::films::{Films, Hardware};
use crate::guards::GuardRoom;
use crate::looking::{Looking, Onlookers};
use crate::run::data_dir_of;
use crate::session::{Context, Desktops};
use crate::sessions::{Failed, Sessions};
use crate::worker_messages::{self as messages, Begin, FromWorker, ToWorker};
use crate::{logging, platform};

/// Name of its log, beside the service's: two processes cannot share one that is changed at a size.
pub(crate) const LOG_NAME: &str = "worker.log";

/// The service says who this machine is as soon as the pipe is open.
const BEGIN_PATIENCE: Duration = Duration::from_secs(10);

/// Orders that wait; the service waits when there are more.
const MAX_ORDERS: usize = 32;

/// 300 ms: the threads that make input release what is held before the process is gone.
const RELEASE_TIME: Duration = Duration::from_millis(300);

/// Serves the service that made the pipe.
///
/// # Errors
/// No pipe, or a service that says what makes no sense.
pub fn run(options: &Options, pipe: &str) -> anyhow::Result<()> {
    let host: Arc<dyn Host> = Arc::new(platform::host());
    host.release_memory();
    let data_dir = data_dir_of(options, &*host)?;
    let log = host.default_log_file(&data_dir).with_file_name(LOG_NAME);
    logging::start(&*host, options.log_level.filter(), &log);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start the runtime")?;
    let result = runtime.block_on(async {
        let pipe = platform::open_worker_pipe(pipe).context("open the service's pipe")?;
        serve(pipe, host, &data_dir).await
    });
    runtime.shutdown_background();
    if let Err(error) = &result {
        warn!(error = format!("{error:#}"), "The worker ends");
    }
    result
}

/// Serves over an open pipe until the service says so or is gone.
pub(crate) async fn serve(
    pipe: Box<dyn Stream>,
    host: Arc<dyn Host>,
    data_dir: &Path,
) -> anyhow::Result<()> {
    let (mut reader, mut writer) = split(pipe);
    let begin = match timeout(BEGIN_PATIENCE, messages::read(&mut reader)).await {
        Ok(Ok(ToWorker::Begin(begin))) => *begin,
        Ok(Ok(_)) => bail!("the service gave an order before it said who this machine is"),
        Ok(Err(error)) => return Err(error).context("hear who this machine is"),
        Err(_) => bail!("the service did not say in time who this machine is"),
    };
    if begin.has_leftovers {
        release_leftovers(Arc::clone(&host)).await;
    }
    let (logins, known_logins) = watch::channel(Vec::new());
    let (choose, chosen) = mpsc::unbounded_channel();
    let desktops = Desktops {
        known: known_logins,
        choose,
    };
    let context = context(&begin, host, data_dir, desktops)?;
    let looking = context.onlookers.subscribe();
    let sessions = Sessions::new(Arc::new(context));
    messages::write(&mut writer, &FromWorker::Ready).await?;
    info!("A worker is ready");

    // Reading a message is not to be broken off, so it has a task of its own.
    let (order_queue, orders) = mpsc::channel(MAX_ORDERS);
    let reading = tokio::spawn(async move {
        loop {
            let message: ToWorker = messages::read(&mut reader).await?;
            if let ToWorker::Logins(found) = message {
                logins.send_replace(found.iter().map(DesktopSession::from).collect());
                continue;
            }
            if order_queue.send(message.order()?).await.is_err() {
                return std::io::Result::Ok(());
            }
        }
    });
    let result = obey(sessions, orders, chosen, looking, &mut writer).await;
    reading.abort();
    sleep(RELEASE_TIME).await;
    info!("The worker ends");
    result
}

/// The worker before this one ended with keys down. Viewers are not kept waiting for a system that cannot tell which.
async fn release_leftovers(host: Arc<dyn Host>) {
    let releasing = tokio::task::spawn_blocking(move || host.open_desktop()?.release_leftovers());
    match releasing.await {
        Ok(Ok(0)) => {}
        Ok(Ok(released)) => info!(released, "Released what the last worker left held"),
        Ok(Err(error)) => warn!(
            error = sentence(&error),
            "What the last worker held may still be down"
        ),
        Err(error) => warn!(%error, "What the last worker held may still be down"),
    }
}

fn context(
    begin: &Begin,
    host: Arc<dyn Host>,
    data_dir: &Path,
    desktops: Desktops,
) -> anyhow::Result<Context> {
    let identity = begin
        .identity
        .identity()
        .map_err(|field| anyhow::anyhow!("the service gave a {field} that makes no sense"))?;
    let hardware = begin
        .hardware_films
        .then(|| Hardware::find(&host, data_dir))
        .flatten();
    Ok(Context {
        guards: GuardRoom::new(Arc::clone(&host)),
        onlookers: Onlookers::default(),
        machine: host,
        connector: Connector::new(identity.server.clone(), begin.ca_file.as_deref())?,
        identity,
        quality: begin.quality.map(QualityCap::quality),
        films: Films::new(begin.film_codecs.as_deref(), hardware),
        clock: Clock::new(),
        attendant: None,
        desktops: Some(desktops),
        power: None,
    })
}

async fn obey(
    mut sessions: Sessions,
    mut orders: mpsc::Receiver<Order>,
    mut chosen: mpsc::UnboundedReceiver<u32>,
    mut looking: watch::Receiver<Vec<Looking>>,
    pipe: &mut (impl AsyncWrite + Unpin),
) -> anyhow::Result<()> {
    loop {
        let answer = tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Offer(offer)) => sessions.start(offer).err().map(FromWorker::from),
                Some(Order::Close(session_id, reason)) => {
                    sessions.close(&session_id, reason);
                    None
                }
                Some(Order::Ping) => Some(FromWorker::Alive { viewers: sessions.count() }),
                Some(Order::End(reason)) => {
                    sessions.close_all(reason).await;
                    return Ok(());
                }
                // The service is gone: its viewers come back when it is there again,
                // because nobody told them that their sessions are over.
                None => return Ok(()),
            },
            failed = sessions.failed() => Some(failed.into()),
            Some(session) = chosen.recv() => Some(FromWorker::Show { session }),
            Ok(()) = looking.changed() => {
                Some(FromWorker::Looking(looking.borrow_and_update().clone()))
            }
        };
        if let Some(answer) = answer {
            messages::write(pipe, &answer).await?;
        }
    }
}

impl From<Failed> for FromWorker {
    fn from(failed: Failed) -> Self {
        Self::Failed {
            session_id: failed.session_id.to_string(),
            detail: failed.detail,
        }
    }
}
