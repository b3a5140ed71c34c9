//! The agent as a service of the system: there after every start of the
//! machine, without anybody signed in.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::PlatformError;

/// What a service is told while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceEvent {
    /// End soon: somebody stops the service, or the machine goes down.
    Stop,
    /// Another desktop session may be the one that shows.
    SessionChanged,
}

/// What the service does until it is told to stop; the text says what went wrong.
pub type ServiceBody = Box<dyn FnOnce(ServiceEvents) -> Result<(), String> + Send>;

/// What a service hears. There is one listener; it is called on the system's own thread, so that
/// nobody has to wait on another one.
#[derive(Clone, Default)]
pub struct ServiceEvents {
    ears: Arc<Mutex<Ears>>,
}

#[derive(Default)]
struct Ears {
    listener: Option<Box<dyn Fn(ServiceEvent) + Send>>,
    /// What happened before anybody listened, each once.
    missed: Vec<ServiceEvent>,
}

impl ServiceEvents {
    /// Calls `listener`, which does not wait, for all that happens, and for what has already.
    pub fn listen(&self, listener: impl Fn(ServiceEvent) + Send + 'static) {
        let mut ears = self.lock();
        for event in std::mem::take(&mut ears.missed) {
            listener(event);
        }
        ears.listener = Some(Box::new(listener));
    }

    /// Something happened: for the system's side.
    pub fn tell(&self, event: ServiceEvent) {
        let mut ears = self.lock();
        match &ears.listener {
            Some(listener) => listener(event),
            None if ears.missed.contains(&event) => {}
            None => ears.missed.push(event),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Ears> {
        self.ears.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of asking for a service to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceStart {
    /// It runs now.
    Started,
    /// It ran before.
    RanAlready,
}

/// The agent's entry among the services of the system. Everything can be repeated safely.
pub trait ServiceControl {
    /// Where the program belongs once it is installed.
    ///
    /// # Errors
    /// When the system names no such place.
    fn program(&self) -> Result<PathBuf, PlatformError>;

    /// True when the service is installed.
    ///
    /// # Errors
    /// See [`PlatformError`].
    fn is_installed(&self) -> Result<bool, PlatformError>;

    /// Stops the service if it runs, puts `from` in the program's place, and
    /// registers it to be started with the machine, with `arguments`. Answers
    /// with what this system could not set, in words; the service works without.
    ///
    /// # Errors
    /// [`PlatformError::Denied`] without the rights of an administrator.
    fn install(&self, from: &Path, arguments: &[String]) -> Result<Vec<String>, PlatformError>;

    /// Stops the service and takes away what [`ServiceControl::install`] made.
    /// False when there was nothing.
    ///
    /// # Errors
    /// [`PlatformError::Denied`] without the rights of an administrator.
    fn uninstall(&self) -> Result<bool, PlatformError>;

    /// Starts the service and waits until it runs.
    ///
    /// # Errors
    /// [`PlatformError::Gone`] when it is not installed.
    fn start(&self) -> Result<ServiceStart, PlatformError>;

    /// Serves as the service, in the process that the system started for it.
    ///
    /// # Errors
    /// When the system did not start this process as a service.
    fn run(&self, body: ServiceBody) -> Result<(), PlatformError>;
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn what_happens_before_anybody_listens_is_not_lost() {
        let events = ServiceEvents::default();
        let system = events.clone();
        for event in [
            ServiceEvent::SessionChanged,
            ServiceEvent::Stop,
            ServiceEvent::SessionChanged,
        ] {
            system.tell(event);
        }
        let (sender, heard) = channel();

        events.listen(move |event| sender.send(event).expect("the test listens"));
        system.tell(ServiceEvent::SessionChanged);

        let heard: Vec<_> = heard.try_iter().collect();
        assert_eq!(
            heard,
            [
                ServiceEvent::SessionChanged,
                ServiceEvent::Stop,
                ServiceEvent::SessionChanged
            ]
        );
    }
}
