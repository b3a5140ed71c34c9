//! The local door, inside: who knocks is told how things are, whenever that
//! changes, and may wish.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use gc_model::text::{MAX_NAME_CHARS, clean};
use gc_platform::Host;
use tokio::io::split;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{debug, info, warn};

use super::HelpDesk;
use super::messages::{MAX_STANDING_BYTES, MAX_WISH_BYTES, Wish};
use crate::clock::Clock;
use crate::connection::Stream;
use crate::framed;

/// Programs that are told how things are: a tray icon for each login, and some windows.
pub(super) const MAX_VISITORS: usize = 16;

/// Of one user, so that nobody keeps the others out.
const MAX_OF_ONE_USER: usize = 6;

/// Who does not take what they are told for so long is sent away.
const TELL_PATIENCE: Duration = Duration::from_secs(10);

/// Errors of the system, one after another, after which the door is made anew.
const MAX_ERRORS: u32 = 5;

/// After an error of the system, before the next try: doubled with each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pauses {
    first: Duration,
    longest: Duration,
}

impl Pauses {
    /// A minute after the system has room again, or whoever had the door's name is gone,
    /// users can ask.
    pub(crate) const USUAL: Self = Self {
        first: Duration::from_secs(1),
        longest: Duration::from_mins(1),
    };

    fn after(self, errors: u32) -> Duration {
        let doubled = 1_u32.checked_shl(errors.saturating_sub(1));
        let pause = doubled.map_or(self.longest, |times| self.first.saturating_mul(times));
        pause.min(self.longest)
    }
}

/// Who knocked.
pub(crate) struct Visitor {
    pub(crate) stream: Box<dyn Stream>,
    /// As the system names them; `None` where the door itself lets in nobody but whoever
    /// is signed in.
    pub(crate) user: Option<String>,
}

/// Waits for whoever knocks.
pub(crate) type Knock<'a> = Pin<Box<dyn Future<Output = io::Result<Visitor>> + Send + 'a>>;

/// Where programs of this machine's users come in.
pub(crate) trait Door: Send {
    fn next(&mut self) -> Knock<'_>;
}

/// Makes the door.
pub(crate) type Open = Box<dyn FnMut() -> io::Result<Box<dyn Door>> + Send>;

/// What whoever comes is served with.
pub(crate) struct Attendance {
    pub(crate) desk: Arc<HelpDesk>,
    pub(crate) host: Arc<dyn Host>,
    pub(crate) clock: Clock,
    pub(crate) pauses: Pauses,
}

/// Serves everybody who comes, for as long as the agent runs. A door that cannot be made, or
/// through which nobody comes any more, is tried again; `opened` changes with each that was made.
pub(crate) async fn attend(mut open: Open, attendance: Attendance, opened: watch::Sender<u32>) {
    let mut errors = 0;
    let mut is_known = false;
    loop {
        let error = match open() {
            Ok(door) => {
                if is_known {
                    info!("Users of this machine can ask for help again");
                    is_known = false;
                }
                opened.send_modify(|times| *times = times.wrapping_add(1));
                greet(door, &attendance, &mut errors).await
            }
            Err(error) => error,
        };
        errors = errors.saturating_add(1);
        if is_known {
            debug!(%error, "Users of this machine cannot ask for help yet");
        } else {
            warn!(%error, "Users of this machine cannot ask for help; trying again");
            is_known = true;
        }
        sleep(attendance.pauses.after(errors)).await;
    }
}

/// Serves whoever comes through this door, until nobody does. Whoever is inside then has to
/// come in anew: there can be no other door of that name beside theirs.
async fn greet(mut door: Box<dyn Door>, attendance: &Attendance, errors: &mut u32) -> io::Error {
    let mut visitors = JoinSet::new();
    let places = Arc::new(Places::default());
    let mut in_a_row = 0;
    loop {
        let knocked = tokio::select! {
            knocked = door.next() => knocked,
            Some(_gone) = visitors.join_next() => continue,
        };
        let visitor = match knocked {
            Ok(visitor) => visitor,
            Err(error) => {
                in_a_row += 1;
                if in_a_row >= MAX_ERRORS {
                    return error;
                }
                debug!(%error, "Somebody could not come in");
                *errors = errors.saturating_add(1);
                sleep(attendance.pauses.after(*errors)).await;
                continue;
            }
        };
        (in_a_row, *errors) = (0, 0);
        // The server knows them by the same name.
        let is_named = visitor.user.is_some();
        let user = visitor.user;
        let user = user.unwrap_or_else(|| attendance.host.facts().current_user);
        let user = clean(&user, MAX_NAME_CHARS);
        if is_named && user.is_empty() {
            debug!("Somebody was sent away: the system does not say who it is");
            continue;
        }
        let Some(place) = Places::take(&places, &user) else {
            debug!("Somebody was sent away: too many are here");
            continue;
        };
        let (desk, clock) = (Arc::clone(&attendance.desk), attendance.clock);
        visitors.spawn(async move {
            if let Err(error) = serve(visitor.stream, &desk, &place.user, clock).await {
                debug!(%error, "Somebody left");
            }
        });
    }
}

/// Who is here.
#[derive(Default)]
struct Places(Mutex<Vec<String>>);

/// A visitor's place, which is free again however the visit ends.
struct Place {
    user: String,
    of: Arc<Places>,
}

impl Places {
    /// `None` when there is none left.
    fn take(places: &Arc<Self>, user: &str) -> Option<Place> {
        let mut users = places.lock();
        let of_user = users.iter().filter(|other| *other == user).count();
        if users.len() >= MAX_VISITORS || of_user >= MAX_OF_ONE_USER {
            return None;
        }
        users.push(user.to_owned());
        Some(Place {
            user: user.to_owned(),
            of: Arc::clone(places),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().expect("no code under this lock panics")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut users = self.of.lock();
        if let Some(place) = users.iter().position(|user| *user == self.user) {
            users.swap_remove(place);
        }
    }
}

async fn serve(
    stream: Box<dyn Stream>,
    desk: &HelpDesk,
    user: &str,
    clock: Clock,
) -> io::Result<()> {
    let (mut reader, mut writer) = split(stream);
    let mut changes = desk.changes();
    let hear = async {
        loop {
            let wish: Wish = framed::read(&mut reader, MAX_WISH_BYTES).await?;
            desk.wish(clock.now(), user, wish);
        }
    };
    let tell = async {
        let mut told = None;
        loop {
            changes.mark_unchanged();
            let standing = desk.standing(user);
            if told.as_ref() != Some(&standing) {
                let telling = framed::write(&mut writer, &standing, MAX_STANDING_BYTES);
                timeout(TELL_PATIENCE, telling).await??;
                told = Some(standing);
            }
            if changes.changed().await.is_err() {
                return io::Result::Ok(());
            }
        }
    };
    // Whichever ends first ends both.
    tokio::select! {
        result = hear => result,
        result = tell => result,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt as _, DuplexStream, duplex};
    use tokio::sync::mpsc;

    use super::super::messages::Standing;
    use super::*;

    /// Visitors that a test sends; an error when the test has let go of the door.
    struct Sent(mpsc::UnboundedReceiver<Visitor>);

    impl Door for Sent {
        fn next(&mut self) -> Knock<'_> {
            Box::pin(async { self.0.recv().await.ok_or_else(no_room) })
        }
    }

    fn no_room() -> io::Error {
        io::Error::other("no room")
    }

    fn open() -> (mpsc::UnboundedSender<Visitor>, Arc<HelpDesk>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut door = Some(Box::new(Sent(receiver)));
        let (desk, _) = attended(Box::new(move || match door.take() {
            Some(door) => Ok(door),
            None => Err(no_room()),
        }));
        (sender, desk)
    }

    /// A desk behind doors that a test makes, and how many were made.
    fn attended(open: Open) -> (Arc<HelpDesk>, watch::Receiver<u32>) {
        let desk = Arc::new(HelpDesk::new("support.example.com", "m1"));
        let attendance = Attendance {
            desk: Arc::clone(&desk),
            host: Arc::new(crate::platform::host()),
            clock: Clock::new(),
            pauses: Pauses {
                first: Duration::from_millis(1),
                longest: Duration::from_millis(2),
            },
        };
        let (opened, was_opened) = watch::channel(0);
        tokio::spawn(attend(open, attendance, opened));
        (desk, was_opened)
    }

    fn knock(door: &mpsc::UnboundedSender<Visitor>, user: &str) -> DuplexStream {
        let (ours, theirs) = duplex(MAX_STANDING_BYTES);
        let visitor = Visitor {
            stream: Box::new(theirs),
            user: Some(user.to_owned()),
        };
        assert!(door.send(visitor).is_ok(), "the door is open");
        ours
    }

    async fn told(visitor: &mut DuplexStream) -> io::Result<Standing> {
        let telling = framed::read(visitor, MAX_STANDING_BYTES);
        timeout(Duration::from_secs(20), telling).await?
    }

    #[tokio::test]
    async fn who_comes_is_told_how_things_are_and_of_every_change() {
        let (door, desk) = open();
        let mut grace = knock(&door, "grace");
        let first = told(&mut grace).await.expect("told");
        assert_eq!((first.machine_id.as_str(), first.connected), ("m1", false));

        desk.handle_connected();
        assert!(told(&mut grace).await.expect("told").connected);
        let wish = Wish::Ask("Help".to_owned());
        framed::write(&mut grace, &wish, MAX_WISH_BYTES)
            .await
            .expect("heard");
        assert_eq!(told(&mut grace).await.expect("told").unsent, ["Help"]);
    }

    #[tokio::test]
    async fn long_or_senseless_words_end_the_visit_and_nothing_else() {
        let (door, _desk) = open();
        for words in [
            u32::MAX.to_le_bytes().to_vec(),
            [5_u32.to_le_bytes().as_slice(), b"hello"].concat(),
        ] {
            let mut visitor = knock(&door, "mallory");
            told(&mut visitor).await.expect("told");
            visitor.write_all(&words).await.expect("written");
            assert!(told(&mut visitor).await.is_err(), "sent away");
        }
        assert!(told(&mut knock(&door, "grace")).await.is_ok());
    }

    #[tokio::test]
    async fn one_user_does_not_keep_the_others_out() {
        let (door, _desk) = open();
        let mut crowd: Vec<_> = (0..40).map(|_| knock(&door, "mallory")).collect();
        let mut inside = 0;
        for visitor in &mut crowd {
            inside += usize::from(told(visitor).await.is_ok());
        }
        assert_eq!(inside, MAX_OF_ONE_USER);
        assert!(told(&mut knock(&door, "grace")).await.is_ok());
    }

    #[tokio::test]
    async fn users_come_in_as_soon_as_there_is_a_door_again() {
        let (sender, mut doors) = mpsc::unbounded_channel();
        let mut refusals = 50;
        let (_desk, mut opened) = attended(Box::new(move || {
            refusals -= 1;
            if refusals > 0 {
                // Another program has its name, say.
                return Err(no_room());
            }
            refusals = 50;
            let (door, visitors) = mpsc::unbounded_channel();
            let _test_is_over = sender.send(door);
            Ok(Box::new(Sent(visitors)))
        }));
        for number in 1..4 {
            let waiting = timeout(Duration::from_secs(20), doors.recv());
            let door = waiting.await.expect("in time").expect("a door");
            let counted = opened.wait_for(|times| *times == number).await;
            assert!(counted.is_ok());
            let mut grace = knock(&door, "grace");
            assert!(told(&mut grace).await.is_ok());

            // The system has no room for anybody more: all have to come in anew.
            drop(door);
            assert!(told(&mut grace).await.is_err());
        }
    }

    #[test]
    fn the_pauses_grow_to_a_minute_and_no_further() {
        let pauses: Vec<_> = [1, 2, 3, 7, 32, 33, u32::MAX]
            .map(|errors| Pauses::USUAL.after(errors).as_secs())
            .into();
        assert_eq!(pauses, [1, 2, 4, 60, 60, 60, 60]);
    }

    #[tokio::test]
    async fn whoever_the_system_does_not_name_is_sent_away() {
        let (door, _desk) = open();
        for name in ["", " ", "\u{202e}\u{200b}"] {
            assert!(told(&mut knock(&door, name)).await.is_err(), "{name:?}");
        }
        assert!(told(&mut knock(&door, "grace")).await.is_ok());
    }

    #[test]
    fn a_visit_that_fails_gives_its_place_back() {
        let places = Arc::new(Places::default());
        for _ in 0..3 * MAX_OF_ONE_USER {
            let place = Places::take(&places, "grace").expect("there is a place");
            let visit = std::thread::spawn(move || {
                let _place = place;
                panic!("a visit failed");
            });
            assert!(visit.join().is_err());
        }
        assert!(places.lock().is_empty());
    }
}
