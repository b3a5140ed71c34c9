use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);
const NOTHING: Guard = guard(false, false);
const BLOCK: Guard = guard(true, false);
const BLANK: Guard = guard(false, true);
const BOTH: Guard = guard(true, true);

const fn guard(block_input: bool, blank_screen: bool) -> Guard {
    Guard {
        block_input,
        blank_screen,
    }
}

/// A machine whose person may be kept from things, and what is kept from them.
#[derive(Clone, Default)]
struct Machine {
    kept: Arc<Mutex<Guards>>,
    cannot_blank: bool,
    /// It takes its time.
    slow: Arc<AtomicBool>,
    at_work: Arc<AtomicBool>,
}

struct FakeGuardian(Machine);

impl Guardian for FakeGuardian {
    fn set(&mut self, wanted: Guards) -> Result<(), PlatformError> {
        self.0.at_work.store(true, Ordering::SeqCst);
        let begin = Instant::now();
        while self.0.slow.load(Ordering::SeqCst) && begin.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.0.at_work.store(false, Ordering::SeqCst);
        let refused = wanted.blank_screen && self.0.cannot_blank;
        *self.0.kept.lock().expect("no panic") = if refused { Guards::default() } else { wanted };
        if refused {
            return Err(PlatformError::Unsupported("blanking the screen"));
        }
        Ok(())
    }
}

impl Drop for FakeGuardian {
    fn drop(&mut self) {
        *self.0.kept.lock().expect("no panic") = Guards::default();
    }
}

impl Machine {
    fn room(&self) -> Arc<GuardRoom> {
        let machine = self.clone();
        GuardRoom::with(Box::new(move || {
            Ok(Box::new(FakeGuardian(machine.clone())))
        }))
    }

    fn kept(&self) -> Guard {
        let kept = *self.kept.lock().expect("no panic");
        guard(kept.block_input, kept.blank_screen)
    }
}

#[tokio::test]
async fn what_one_technician_keeps_is_what_the_other_sees() {
    let machine = Machine::default();
    let room = machine.room();
    let (mut ada, mut bob) = (room.sit_down(), room.sit_down());

    assert_eq!(ada.wish(BLOCK).await, (BLOCK, String::new()));

    assert_eq!(bob.changed().await, BLOCK);
    assert_eq!(machine.kept(), BLOCK);
    assert_eq!(room.sit_down().state(), BLOCK);
}

#[tokio::test]
async fn it_ends_with_the_last_one_who_wanted_it() {
    let machine = Machine::default();
    let room = machine.room();
    let (mut ada, mut bob) = (room.sit_down(), room.sit_down());
    ada.wish(BLOCK).await;
    // Bob sees the block and adds darkness: the block stays Ada's.
    assert_eq!(bob.wish(BOTH).await, (BOTH, String::new()));

    drop(ada);
    assert_eq!(bob.changed().await, BLANK);
    assert_eq!(machine.kept(), BLANK);
    let mut eve = room.sit_down();
    drop(bob);

    assert_eq!(eve.changed().await, NOTHING);
    assert_eq!(machine.kept(), NOTHING);
}

#[tokio::test]
async fn nobody_takes_away_what_another_one_keeps() {
    let machine = Machine::default();
    let room = machine.room();
    let (mut ada, mut bob) = (room.sit_down(), room.sit_down());
    ada.wish(BLOCK).await;

    let answer = bob.wish(NOTHING).await;

    assert_eq!(answer, (BLOCK, KEPT_BY_ANOTHER.to_owned()));
    assert_eq!(machine.kept(), BLOCK);
    assert_eq!(ada.wish(NOTHING).await, (NOTHING, String::new()));
    assert_eq!(machine.kept(), NOTHING);
}

#[tokio::test]
async fn a_wish_that_fails_takes_nothing_from_the_other_one() {
    let machine = Machine {
        cannot_blank: true,
        ..Machine::default()
    };
    let room = machine.room();
    let (mut ada, mut bob) = (room.sit_down(), room.sit_down());
    ada.wish(BLOCK).await;

    let (state, why) = bob.wish(BOTH).await;

    assert_eq!(state, BLOCK);
    assert!(why.contains("blanking the screen"), "{why}");
    assert_eq!(machine.kept(), BLOCK);
}

/// Lets everything else run until it is so.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let come = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, come).await.expect(what);
}

#[tokio::test]
async fn nobody_waits_on_the_runtime_while_the_machine_takes_its_time() {
    let machine = Machine::default();
    let room = machine.room();
    let mut ada = room.sit_down();
    machine.slow.store(true, Ordering::SeqCst);
    let wishing = tokio::spawn(async move {
        ada.wish(BLOCK).await;
        ada
    });
    let at_work = || machine.at_work.load(Ordering::SeqCst);
    until("the machine is at it", at_work).await;

    let bob = room.sit_down();
    drop(bob);
    wishing.abort();
    until("Ada is gone", || wishing.is_finished()).await;
    assert!(at_work(), "somebody waited for it");
    machine.slow.store(false, Ordering::SeqCst);

    let mut eve = room.sit_down();
    until("it is given back", || {
        eve.state() == NOTHING && machine.kept() == NOTHING && room.lock().wishes.is_empty()
    })
    .await;
}

#[test]
fn who_has_left_wishes_nothing_any_more() {
    let machine = Machine::default();
    let room = machine.room();
    let ada = room.sit_down();
    let late = Arc::clone(&ada.sitter);

    drop(ada);

    assert_eq!(room.wish(&late, BOTH), "");
    assert_eq!(machine.kept(), NOTHING);
}

#[tokio::test]
async fn an_answer_has_what_another_one_changed_meanwhile() {
    let machine = Machine::default();
    let room = machine.room();
    let (mut ada, bob) = (room.sit_down(), room.sit_down());
    machine.slow.store(true, Ordering::SeqCst);
    let mut wishing = Box::pin(ada.wish(BLOCK));
    let mut eve = room.sit_down();
    tokio::select! {
        biased;
        _ = &mut wishing => panic!("the machine was not slow"),
        () = std::future::ready(()) => {}
    }
    machine.slow.store(false, Ordering::SeqCst);
    // Ada's wish is granted, and before she hears of it Bob adds darkness.
    let begin = Instant::now();
    while room.lock().wishes.is_empty() {
        assert!(begin.elapsed() < PATIENCE, "Ada's wish is noted");
        std::thread::yield_now();
    }
    assert_eq!(room.wish(&bob.sitter, BOTH), "");

    assert_eq!(wishing.await.0, BOTH);
    assert_eq!(eve.state(), BOTH);
}

#[derive(Debug, Clone)]
enum Step {
    Come,
    Leave(prop::sample::Index),
    Wish(prop::sample::Index, Guard),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let wish = prop::sample::select(vec![NOTHING, BLOCK, BLANK, BOTH]);
    let step = prop_oneof![
        Just(Step::Come),
        any::<prop::sample::Index>().prop_map(Step::Leave),
        (any::<prop::sample::Index>(), wish).prop_map(|(who, what)| Step::Wish(who, what)),
    ];
    prop::collection::vec(step, 0..30)
}

proptest! {
    #[test]
    fn everybody_sees_what_is_so_and_nothing_is_kept_for_nobody(
        steps in steps(), cannot_blank: bool,
    ) {
        let machine = Machine { cannot_blank, ..Machine::default() };
        let room = machine.room();
        let mut seats = Vec::new();
        for step in steps {
            match step {
                Step::Come => seats.push(room.sit_down()),
                Step::Leave(_) | Step::Wish(..) if seats.is_empty() => {}
                Step::Leave(who) => drop(seats.swap_remove(who.index(seats.len()))),
                Step::Wish(who, wanted) => {
                    let index = who.index(seats.len());
                    let seat: &mut Seat = &mut seats[index];
                    let why = room.wish(&seat.sitter, wanted);
                    prop_assert_eq!(seat.state() == wanted, why.is_empty());
                }
            }
            for seat in &mut seats {
                prop_assert_eq!(seat.state(), machine.kept());
            }
        }
        drop(seats);
        prop_assert_eq!(machine.kept(), NOTHING);
    }
}
