//! What is kept from the person at the machine, for all technicians who look: one state of the
//! machine, made of what each of them wants. It ends with the last one who wanted it.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gc_platform::{Guardian, Guards, Host, PlatformError};
use gc_session::Guard;
use tokio::sync::watch;
use tracing::warn;

use crate::desktop_thread::sentence;

/// Why something is not given back: another technician wants it kept.
const KEPT_BY_ANOTHER: &str = "another technician keeps it";

type MakeGuardian = dyn Fn() -> Result<Box<dyn Guardian>, PlatformError> + Send + Sync;

/// The machine's guards, shared by all sessions.
pub(crate) struct GuardRoom {
    make_guardian: Box<MakeGuardian>,
    kept: Mutex<Kept>,
    /// What is so now.
    state: watch::Sender<Guard>,
}

#[derive(Default)]
struct Kept {
    guardian: Option<Box<dyn Guardian>>,
    /// Of each seat that ever wanted something.
    wishes: Vec<(u64, Guard)>,
    last_seat: u64,
}

impl Kept {
    /// What all of them want together.
    fn wanted(&self) -> Guard {
        self.wishes
            .iter()
            .fold(Guard::default(), |all, (_, one)| Guard {
                block_input: all.block_input || one.block_input,
                blank_screen: all.blank_screen || one.blank_screen,
            })
    }

    fn wish_of(&self, seat: u64) -> Guard {
        let found = self.wishes.iter().find(|(of, _)| *of == seat);
        found.map_or_else(Guard::default, |(_, wish)| *wish)
    }

    fn set_wish(&mut self, seat: u64, wish: Guard) {
        self.wishes.retain(|(of, _)| *of != seat);
        if !wish.is_none() {
            self.wishes.push((seat, wish));
        }
    }
}

impl GuardRoom {
    pub(crate) fn new(machine: Arc<dyn Host>) -> Arc<Self> {
        Self::with(Box::new(move || machine.guardian()))
    }

    fn with(make_guardian: Box<MakeGuardian>) -> Arc<Self> {
        Arc::new(Self {
            make_guardian,
            kept: Mutex::default(),
            state: watch::Sender::default(),
        })
    }

    /// A seat for one technician.
    pub(crate) fn sit_down(self: &Arc<Self>) -> Seat {
        let mut kept = self.lock();
        kept.last_seat += 1;
        Seat {
            id: kept.last_seat,
            state: self.state.subscribe(),
            room: Arc::clone(self),
        }
    }

    /// Blocks for as long as the system takes. What is so then, and why not what was wanted.
    fn wish(&self, seat: u64, wanted: Guard) -> (Guard, String) {
        let mut kept = self.lock();
        let (now, own) = (*self.state.borrow(), kept.wish_of(seat));
        kept.set_wish(seat, wish_after(own, now, wanted));
        let mut detail = String::new();
        if let Err(error) = self.keep(&mut kept) {
            detail = sentence(&error);
            // What the others want is still possible, or nothing is.
            kept.set_wish(seat, Guard::default());
            if self.keep(&mut kept).is_err() {
                kept.wishes.clear();
            }
        } else if kept.wanted() != wanted {
            KEPT_BY_ANOTHER.clone_into(&mut detail);
        }
        (*self.state.borrow(), detail)
    }

    fn leave(&self, seat: u64) {
        let mut kept = self.lock();
        kept.set_wish(seat, Guard::default());
        if let Err(error) = self.keep(&mut kept) {
            warn!(
                error = sentence(&error),
                "Nothing is kept from the person at the machine any more"
            );
            kept.wishes.clear();
        }
    }

    /// Makes so what all want together, unless it is; on failure nothing is kept.
    fn keep(&self, kept: &mut Kept) -> Result<(), PlatformError> {
        let wanted = kept.wanted();
        if *self.state.borrow() == wanted {
            return Ok(());
        }
        let result = self.set(kept, wanted);
        self.state.send_replace(match result {
            Ok(()) => wanted,
            Err(_) => Guard::default(),
        });
        result
    }

    fn set(&self, kept: &mut Kept, wanted: Guard) -> Result<(), PlatformError> {
        if wanted.is_none() {
            // It gives everything back.
            drop(mem::take(&mut kept.guardian));
            return Ok(());
        }
        let guardian = match &mut kept.guardian {
            Some(guardian) => guardian,
            none => none.insert((self.make_guardian)()?),
        };
        guardian.set(Guards {
            block_input: wanted.block_input,
            blank_screen: wanted.blank_screen,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A technician's own wish after they chose: what was so already, by whoever's wish, is not
/// theirs because they left it as it was.
fn wish_after(own: Guard, now: Guard, wanted: Guard) -> Guard {
    let one = |own: bool, now: bool, wanted: bool| wanted && (own || !now);
    Guard {
        block_input: one(own.block_input, now.block_input, wanted.block_input),
        blank_screen: one(own.blank_screen, now.blank_screen, wanted.blank_screen),
    }
}

/// One technician's place. What they want ends when it is dropped.
pub(crate) struct Seat {
    room: Arc<GuardRoom>,
    id: u64,
    state: watch::Receiver<Guard>,
}

impl Seat {
    /// Keeps this from the person; what is so then, and why it is not what was wanted.
    pub(crate) async fn wish(&mut self, wanted: Guard) -> (Guard, String) {
        let (room, id) = (Arc::clone(&self.room), self.id);
        let setting = tokio::task::spawn_blocking(move || room.wish(id, wanted));
        let answer = setting
            .await
            .unwrap_or_else(|error| (Guard::default(), error.to_string()));
        self.state.mark_unchanged();
        answer
    }

    /// The state, when somebody else changed it.
    pub(crate) async fn changed(&mut self) -> Guard {
        // The sender lives in the room, which this seat keeps.
        let _never_closed = self.state.changed().await;
        *self.state.borrow_and_update()
    }

    /// What is so now.
    pub(crate) fn state(&mut self) -> Guard {
        *self.state.borrow_and_update()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.room.leave(self.id);
    }
}

#[cfg(test)]
mod tests;
