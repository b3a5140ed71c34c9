//! The thread that makes one viewer's input. The system may take its time over a
//! key, and then only this session waits, not the agent.

use std::thread;
use std::time::Duration;

use gc_model::input::InputEvent;
use gc_platform::{Input, PlatformError};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// The session waits for each event, so there is never a second one.
const MAX_EVENTS: usize = 1;

/// 1 s: a system that releases a key takes milliseconds, even one that is busy.
const FINISH_PATIENCE: Duration = Duration::from_secs(1);

/// The session's handle. When it is dropped the thread releases what is held and ends.
pub(crate) struct InputThread {
    events: mpsc::Sender<(InputEvent, oneshot::Sender<Result<(), PlatformError>>)>,
    /// Never gets a value: it closes when the thread has ended.
    ended: oneshot::Receiver<()>,
}

impl InputThread {
    pub(crate) fn start(mut input: Box<dyn Input>) -> std::io::Result<Self> {
        let (events, mut queue) = mpsc::channel::<(InputEvent, oneshot::Sender<_>)>(MAX_EVENTS);
        let (alive, ended) = oneshot::channel::<()>();
        thread::Builder::new()
            .name("input".to_owned())
            .spawn(move || {
                while let Some((event, done)) = queue.blocking_recv() {
                    let _session_over = done.send(input.inject(&event));
                }
                drop(input);
                drop(alive);
            })?;
        Ok(Self { events, ended })
    }

    /// Hands one event to the system and says what became of it.
    pub(crate) async fn inject(&self, event: InputEvent) -> Result<(), PlatformError> {
        let gone = || PlatformError::Gone("the input");
        let (done, answer) = oneshot::channel();
        self.events.send((event, done)).await.map_err(|_| gone())?;
        answer.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Releases what is held and waits until the system has done it: a process that ends
    /// before that may leave keys down.
    pub(crate) async fn finish(self) {
        let Self { events, ended } = self;
        drop(events);
        let _late = timeout(FINISH_PATIENCE, ended).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    /// A system that takes its time to release what is held.
    struct SlowRelease(Arc<AtomicBool>);

    impl Input for SlowRelease {
        fn inject(&mut self, _event: &InputEvent) -> Result<(), PlatformError> {
            Ok(())
        }
    }

    impl Drop for SlowRelease {
        fn drop(&mut self) {
            thread::sleep(Duration::from_millis(50));
            self.0.store(true, Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn whoever_finishes_waits_until_everything_is_released() {
        let released = Arc::new(AtomicBool::new(false));
        let input =
            InputThread::start(Box::new(SlowRelease(Arc::clone(&released)))).expect("a thread");
        input
            .inject(InputEvent::SecureAttention)
            .await
            .expect("taken");

        input.finish().await;

        assert!(released.load(Ordering::SeqCst));
    }
}
