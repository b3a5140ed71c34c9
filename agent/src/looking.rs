//! Who looks at this machine now, for the people at it. Begun and ended by the
//! sessions themselves, so that nobody is named who has gone, and nobody is
//! left out who is there.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// One technician who looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Looking {
    pub(crate) technician: String,
    /// By this machine's clock.
    pub(crate) since_unix: u64,
    /// May use mouse and keyboard.
    pub(crate) can_control: bool,
}

/// Everybody who looks.
#[derive(Clone)]
pub(crate) struct Onlookers(Arc<watch::Sender<Vec<Looking>>>);

/// Somebody looks until this is dropped.
pub(crate) struct Look {
    looking: Looking,
    of: Onlookers,
}

impl Default for Onlookers {
    fn default() -> Self {
        Self(Arc::new(watch::channel(Vec::new()).0))
    }
}

impl Onlookers {
    /// Changes when somebody comes or goes.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Vec<Looking>> {
        self.0.subscribe()
    }

    /// A technician looks from now on.
    pub(crate) fn begin(&self, technician: String, can_control: bool) -> Look {
        let looking = Looking {
            technician,
            since_unix: unix_now(),
            can_control,
        };
        self.0.send_modify(|all| all.push(looking.clone()));
        Look {
            looking,
            of: self.clone(),
        }
    }

    /// Everybody who looks, as somebody else says who keeps count.
    pub(crate) fn replace(&self, now: Vec<Looking>) {
        self.0.send_if_modified(|all| {
            let is_new = *all != now;
            *all = now;
            is_new
        });
    }
}

impl Drop for Look {
    fn drop(&mut self) {
        self.of.0.send_modify(|all| {
            if let Some(place) = all.iter().position(|one| *one == self.looking) {
                all.remove(place);
            }
        });
    }
}

/// Whole seconds of the machine's clock.
pub(crate) fn unix_now() -> u64 {
    let age = SystemTime::now().duration_since(UNIX_EPOCH);
    age.map_or(0, |age| age.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_looks_is_named_from_the_first_picture_to_the_end_of_the_session() {
        let onlookers = Onlookers::default();
        let known = onlookers.subscribe();
        let names = || -> Vec<String> {
            let all = known.borrow();
            all.iter().map(|one| one.technician.clone()).collect()
        };
        assert!(names().is_empty());

        let ada = onlookers.begin("Ada".to_owned(), true);
        // The same technician in two windows is there until both are closed.
        let again = onlookers.begin("Ada".to_owned(), true);
        let ben = onlookers.begin("Ben".to_owned(), false);
        assert_eq!(names(), ["Ada", "Ada", "Ben"]);

        drop(ada);
        assert_eq!(names(), ["Ada", "Ben"]);
        drop((again, ben));
        assert!(names().is_empty());
    }
}
