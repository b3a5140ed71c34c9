//! Where viewers are served: in this process, or, by a service, in its worker.

use gc_model::id::SessionId;
use gc_session::CloseReason;

use crate::broker::DesktopSession;
use crate::session::Offer;
use crate::sessions::{Failed, Sessions};
use crate::supervisor::Supervisor;

/// All sessions of this agent, as the control connection knows them.
pub(crate) enum Viewers {
    Here(Sessions),
    InWorker(Supervisor),
}

impl Viewers {
    /// Begins to serve a viewer.
    pub(crate) fn start(&mut self, offer: Offer) -> Result<(), Failed> {
        match self {
            Self::Here(sessions) => sessions.start(offer),
            Self::InWorker(supervisor) => {
                supervisor.offer(offer);
                Ok(())
            }
        }
    }

    /// Ends one session for every viewer of it.
    pub(crate) fn close(&mut self, session_id: &SessionId, reason: CloseReason) {
        match self {
            Self::Here(sessions) => sessions.close(session_id, reason),
            Self::InWorker(supervisor) => supervisor.close(session_id, reason),
        }
    }

    /// The login that a technician chose instead of the machine's own screen.
    pub(crate) fn chosen_session(&self) -> Option<DesktopSession> {
        match self {
            Self::Here(_) => None,
            Self::InWorker(supervisor) => supervisor.chosen_session(),
        }
    }

    /// The next offer that came to nothing. Never while there is none.
    pub(crate) async fn failed(&mut self) -> Failed {
        match self {
            Self::Here(sessions) => sessions.failed().await,
            Self::InWorker(supervisor) => supervisor.failed().await,
        }
    }

    /// Ends everything and waits until viewers were told and keys released.
    pub(crate) async fn close_all(&mut self, reason: CloseReason) {
        match self {
            Self::Here(sessions) => sessions.close_all(reason).await,
            Self::InWorker(supervisor) => supervisor.close_all(reason).await,
        }
    }
}
