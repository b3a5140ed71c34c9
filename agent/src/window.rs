//! The window on a thread of its own: pages go in, what the person does comes out.

use std::sync::Arc;
use std::sync::mpsc as pages;
use std::time::Duration;

use gc_platform::guest::{GuestEvent, Page};
use gc_platform::{Host, PlatformError};
use tokio::sync::{mpsc, oneshot};
use tracing::warn;

/// 30 ms: a new page appears as fast as a person can see.
const LOOK: Duration = Duration::from_millis(30);

/// The way to the window's thread.
pub(crate) struct Window {
    pages: pages::Sender<Page>,
    events: mpsc::UnboundedReceiver<GuestEvent>,
    /// No other program of ours has a window here.
    pub(crate) first: bool,
}

impl Window {
    /// Opens the window.
    pub(crate) async fn open(host: Arc<dyn Host>) -> Result<Self, PlatformError> {
        let (pages, receiver) = pages::channel();
        let (sender, events) = mpsc::unbounded_channel();
        let (opened, first) = oneshot::channel();
        let thread = std::thread::Builder::new().name("guest window".to_owned());
        let started = thread.spawn(move || run(&*host, &receiver, &sender, opened));
        started.map_err(|source| PlatformError::Os {
            call: "thread",
            source,
        })?;
        let first = first
            .await
            .unwrap_or(Err(PlatformError::Gone("the window")))?;
        Ok(Self {
            pages,
            events,
            first,
        })
    }

    pub(crate) fn show(&self, page: Page) {
        // A window that is gone has said so as an event.
        let _gone = self.pages.send(page);
    }

    /// What the person did; [`GuestEvent::Closed`] too when the desktop is gone.
    pub(crate) async fn event(&mut self) -> GuestEvent {
        self.events.recv().await.unwrap_or(GuestEvent::Closed)
    }
}

fn run(
    host: &dyn Host,
    pages: &pages::Receiver<Page>,
    events: &mpsc::UnboundedSender<GuestEvent>,
    opened: oneshot::Sender<Result<bool, PlatformError>>,
) {
    let mut window = match host.open_guest_window() {
        Ok(window) => window,
        Err(error) => {
            let _nobody_waits = opened.send(Err(error));
            return;
        }
    };
    let _nobody_waits = opened.send(Ok(window.is_first()));
    loop {
        // Only the newest page matters.
        let page = match pages.try_iter().last() {
            Some(page) => Ok(Some(page)),
            None => match pages.try_recv() {
                Ok(page) => Ok(Some(page)),
                Err(pages::TryRecvError::Empty) => Ok(None),
                Err(pages::TryRecvError::Disconnected) => Err(()),
            },
        };
        let Ok(page) = page else { return };
        let shown = page.map_or(Ok(()), |page| window.show(&page));
        match shown.and_then(|()| window.wait(LOOK)) {
            Ok(Some(event)) => {
                if events.send(event).is_err() {
                    return;
                }
            }
            Ok(None) => {}
            Err(error) => {
                warn!(%error, "The window is gone");
                return;
            }
        }
    }
}
