//! The thread that makes one viewer's input. The system may take its time over a
//! key, and then only this session waits, not the agent.

use std::thread;

use gc_model::input::InputEvent;
use gc_platform::{Input, PlatformError};
use tokio::sync::{mpsc, oneshot};

/// The session waits for each event, so there is never a second one.
const MAX_EVENTS: usize = 1;

/// The session's handle. When it is dropped the thread releases what is held and ends.
pub(crate) struct InputThread {
    events: mpsc::Sender<(InputEvent, oneshot::Sender<Result<(), PlatformError>>)>,
}

impl InputThread {
    pub(crate) fn start(mut input: Box<dyn Input>) -> std::io::Result<Self> {
        let (events, mut queue) = mpsc::channel::<(InputEvent, oneshot::Sender<_>)>(MAX_EVENTS);
        thread::Builder::new()
            .name("input".to_owned())
            .spawn(move || {
                while let Some((event, done)) = queue.blocking_recv() {
                    let _session_over = done.send(input.inject(&event));
                }
            })?;
        Ok(Self { events })
    }

    /// Hands one event to the system and says what became of it.
    pub(crate) async fn inject(&self, event: InputEvent) -> Result<(), PlatformError> {
        let gone = || PlatformError::Gone("the input");
        let (done, answer) = oneshot::channel();
        self.events.send((event, done)).await.map_err(|_| gone())?;
        answer.await.unwrap_or_else(|_| Err(gone()))
    }
}
