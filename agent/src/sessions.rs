//! All sessions of this agent. They outlive the control connection: while it is
//! being made anew, whoever looks goes on looking.

use std::sync::Arc;
use std::time::Duration;

use gc_model::id::SessionId;
use gc_session::CloseReason;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{info, warn};

use crate::desktop_thread::sentence;
use crate::screen::Screens;
use crate::session::{self, Context, Offer};

/// Most viewers at once. Each has a connection to the X server or a desktop
/// handle for input, two threads and up to two copies of the picture.
pub(crate) const MAX_SESSIONS: usize = 8;

/// Time for all sessions to say good-bye.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// The sessions and the means to end them.
pub(crate) struct Sessions {
    context: Arc<Context>,
    screens: Arc<Screens>,
    tasks: JoinSet<Option<Failed>>,
    running: Vec<(SessionId, watch::Sender<Option<CloseReason>>)>,
}

/// An offer that came to nothing, for the server.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) session_id: SessionId,
    pub(crate) detail: String,
}

impl Sessions {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self {
            screens: Screens::new(
                Arc::clone(&context.machine),
                context.films.clone(),
                context.clock,
            ),
            context,
            tasks: JoinSet::new(),
            running: Vec::new(),
        }
    }

    /// Begins to serve a viewer.
    pub(crate) fn start(&mut self, offer: Offer) -> Result<(), Failed> {
        // The receiver lives as long as the session's task.
        self.running.retain(|(_, stop)| !stop.is_closed());
        if self.running.len() >= MAX_SESSIONS {
            let detail = format!("{MAX_SESSIONS} technicians are looking at this machine already");
            return Err(Failed {
                session_id: offer.session_id,
                detail,
            });
        }
        info!(session_id = %offer.session_id, "A viewer is waiting");
        let (stop, stopped) = watch::channel(None);
        self.running.push((offer.session_id.clone(), stop));
        let context = Arc::clone(&self.context);
        let screens = Arc::clone(&self.screens);
        self.tasks.spawn(async move {
            let error = session::run(&context, &screens, &offer, stopped)
                .await
                .err()?;
            let detail = sentence(&error);
            warn!(session_id = %offer.session_id, detail, "The session did not begin");
            Some(Failed {
                session_id: offer.session_id,
                detail,
            })
        });
        Ok(())
    }

    /// How many viewers are served.
    pub(crate) fn count(&self) -> usize {
        self.running
            .iter()
            .filter(|(_, stop)| !stop.is_closed())
            .count()
    }

    /// Ends one session for every viewer of it.
    pub(crate) fn close(&mut self, session_id: &SessionId, reason: CloseReason) {
        for (id, stop) in &self.running {
            if id == session_id {
                stop.send_replace(Some(reason));
            }
        }
    }

    /// The next offer that came to nothing. Never while there is none.
    pub(crate) async fn failed(&mut self) -> Failed {
        loop {
            match self.tasks.join_next().await {
                Some(Ok(Some(failed))) => return failed,
                Some(Ok(None)) => {}
                Some(Err(error)) => warn!(%error, "A session ended by a fault of the agent"),
                None => std::future::pending().await,
            }
        }
    }

    /// Ends everything and waits until viewers were told and keys released.
    pub(crate) async fn close_all(&mut self, reason: CloseReason) {
        for (_, stop) in &self.running {
            stop.send_replace(Some(reason));
        }
        let _late = timeout(CLOSE_TIMEOUT, async {
            while self.tasks.join_next().await.is_some() {}
        })
        .await;
    }
}
