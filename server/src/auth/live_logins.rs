//! Which sign-ins are live, asked on every request. The database knows; this
//! remembers its answer for a moment.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use gc_model::id::{LoginId, UserId};
use gc_model::time::Moment;
use gc_store::{Store, StoreError, User};

use crate::clock::Clock;

/// How long an answer is believed. A sign-in that ends through this server is
/// forgotten at once; this is for one that ends another way.
const BELIEVED: Duration = Duration::from_secs(10);

/// Sign-ins remembered at once.
const MAX_REMEMBERED: usize = 10_000;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct LiveLogins {
    remembered: Mutex<Remembered>,
}

#[derive(Debug, Default)]
struct Remembered {
    users: HashMap<LoginId, (User, Moment)>,
    /// Grows when a sign-in ends, so that an answer from before is not kept.
    endings: u64,
}

impl LiveLogins {
    /// The person of a live sign-in; `None` when it is not live.
    pub(crate) async fn user(
        &self,
        store: &Store,
        clock: Clock,
        login: &LoginId,
    ) -> Result<Option<User>, StoreError> {
        let now = clock.moment();
        let endings = {
            let remembered = self.remembered.lock().expect("no code here panics");
            match remembered.users.get(login) {
                Some((user, at)) if now.since(*at) < BELIEVED => return Ok(Some(user.clone())),
                _ => remembered.endings,
            }
        };
        let Some((_, user)) = store.live_login(login, clock.now()).await? else {
            return Ok(None);
        };
        let mut remembered = self.remembered.lock().expect("no code here panics");
        if remembered.endings == endings {
            if remembered.users.len() >= MAX_REMEMBERED {
                remembered.users.clear();
            }
            remembered.users.insert(login.clone(), (user.clone(), now));
        }
        Ok(Some(user))
    }

    /// Forgets what was known of a person who was changed.
    pub(crate) fn forget_user(&self, id: &UserId) {
        let mut remembered = self.remembered.lock().expect("no code here panics");
        remembered.endings += 1;
        remembered.users.retain(|_, (user, _)| user.id != *id);
    }

    /// Forgets a sign-in that ended.
    pub(crate) fn forget(&self, login: &LoginId) {
        let mut remembered = self.remembered.lock().expect("no code here panics");
        remembered.endings += 1;
        remembered.users.remove(login);
    }
}
