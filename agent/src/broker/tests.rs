use gc_model::id::ParticipantId;
use proptest::prelude::*;

use super::*;

const CONSOLE: DesktopSession = DesktopSession(1);
const REMOTE: DesktopSession = DesktopSession(2);

fn at(millis: u64) -> Moment {
    Moment::from_micros(millis * 1000)
}

fn offer(number: usize) -> Offer {
    Offer {
        session_id: SessionId::parse(&format!("s{number}")).expect("an id"),
        participant_id: ParticipantId::parse(&format!("p{number}")).expect("an id"),
        path: "/ws/agent/session?ticket=a".to_owned(),
    }
}

/// The outputs since the last call, as short texts.
fn said(broker: &mut Broker) -> Vec<String> {
    std::iter::from_fn(|| broker.poll_output())
        .map(|output| match output {
            BrokerOutput::Launch {
                number,
                session,
                has_leftovers,
            } => {
                let leftovers = if has_leftovers { " with leftovers" } else { "" };
                format!("launch {} in {}{leftovers}", number.0, session.0)
            }
            BrokerOutput::Kill(worker, _) => format!("kill {}", worker.0),
            BrokerOutput::Failed(failed) => {
                format!("failed {}: {}", failed.session_id, failed.detail)
            }
            BrokerOutput::Send(worker, order) => match order {
                Order::Offer(offer) => format!("offer {} to {}", offer.session_id, worker.0),
                Order::Close(session, _) => format!("close {session} at {}", worker.0),
                Order::Ping => format!("ping {}", worker.0),
                Order::End(_) => format!("end {}", worker.0),
            },
        })
        .collect()
}

fn showing_console() -> Broker {
    let mut broker = Broker::default();
    broker.handle_desktop_sessions(at(0), Some(CONSOLE), &[CONSOLE, REMOTE]);
    broker
}

/// A worker that serves one viewer since `at(100)`.
fn serving() -> Broker {
    let mut broker = showing_console();
    broker.handle_offer(at(0), offer(1));
    broker.handle_ready(at(100), WorkerNumber(1));
    broker.handle_alive(at(100), WorkerNumber(1), 1);
    said(&mut broker);
    broker
}

#[test]
fn no_worker_runs_while_nobody_looks() {
    let mut broker = showing_console();

    assert!(said(&mut broker).is_empty());
    assert_eq!(broker.poll_timeout(), None);
}

#[test]
fn a_viewer_gets_a_worker_in_the_session_that_shows() {
    let mut broker = showing_console();

    broker.handle_offer(at(0), offer(1));
    broker.handle_offer(at(10), offer(2));
    assert_eq!(said(&mut broker), ["launch 1 in 1"]);
    broker.handle_ready(at(100), WorkerNumber(1));

    assert_eq!(said(&mut broker), ["offer s1 to 1", "offer s2 to 1"]);
}

#[test]
fn a_killed_worker_is_replaced_at_once() {
    let mut broker = serving();

    broker.handle_gone(at(5_000), WorkerNumber(1), "exit code 1");

    assert_eq!(said(&mut broker), ["launch 2 in 1 with leftovers"]);
}

#[test]
fn what_a_killed_worker_held_is_released_by_the_one_that_comes_up_after_it() {
    let mut broker = serving();
    broker.handle_gone(at(5_000), WorkerNumber(1), "exit code 1");
    assert_eq!(said(&mut broker), ["launch 2 in 1 with leftovers"]);

    // The second dies before it could.
    broker.handle_gone(at(5_100), WorkerNumber(2), "exit code 1");
    broker.handle_timeout(at(6_000));
    assert_eq!(said(&mut broker), ["launch 3 in 1 with leftovers"]);
    broker.handle_ready(at(6_100), WorkerNumber(3));
    broker.handle_stop(at(6_200), CloseReason::AgentStopping);

    assert!(broker.leftovers.is_empty());
}

#[test]
fn a_worker_that_hangs_is_replaced() {
    let mut broker = serving();
    let mut now = at(100);
    // Asked, and then out of patience.
    for expected in ["ping 1", "kill 1"] {
        now = broker.poll_timeout().expect("a worker is looked after");
        broker.handle_timeout(now);
        assert_eq!(said(&mut broker), [expected]);
    }

    broker.handle_gone(now, WorkerNumber(1), "killed");

    assert_eq!(said(&mut broker), ["launch 2 in 1 with leftovers"]);
    assert!(now <= at(100) + PING_INTERVAL + ANSWER_PATIENCE, "{now:?}");
}

#[test]
fn a_crash_loop_is_told_to_the_technician_in_words() {
    let mut broker = showing_console();
    let mut now = at(0);
    broker.handle_offer(now, offer(1));
    let mut heard = Vec::new();
    for number in 1..=3 {
        heard.extend(said(&mut broker));
        broker.handle_gone(now, WorkerNumber(number), "exit code 0xc0000005");
        now = now + Duration::from_millis(300);
        broker.handle_timeout(now);
    }
    heard.extend(said(&mut broker));

    let last = heard.pop().expect("something was said");
    assert_eq!(heard, ["launch 1 in 1", "launch 2 in 1", "launch 3 in 1"]);
    assert_eq!(
        last,
        "failed s1: the part of the agent that shows the screen ended 3 times in a row \
         (exit code 0xc0000005); try again in 1 s"
    );
}

#[test]
fn after_a_crash_loop_the_next_viewer_gets_a_worker_again() {
    let mut broker = showing_console();
    broker.handle_offer(at(0), offer(1));
    for number in 1..=3 {
        broker.handle_gone(at(0), WorkerNumber(number), "exit code 1");
        broker.handle_timeout(at(300));
    }
    said(&mut broker);

    broker.handle_offer(at(60_000), offer(2));

    assert_eq!(said(&mut broker), ["launch 4 in 1"]);
}

#[test]
fn a_worker_that_served_well_before_it_crashed_is_no_crash_loop() {
    let mut broker = serving();
    let mut now = at(100);
    for number in 1..=6 {
        broker.handle_alive(now, WorkerNumber(number), 1);
        now = now + GOOD_LIFE;
        broker.handle_gone(now, WorkerNumber(number), "exit code 1");
        assert_eq!(
            said(&mut broker),
            [format!("launch {} in 1 with leftovers", number + 1)]
        );
        broker.handle_ready(now, WorkerNumber(number + 1));
    }
}

#[test]
fn another_session_gets_a_worker_when_the_old_ones_is_gone() {
    let mut broker = serving();

    broker.handle_desktop_sessions(at(5_000), Some(REMOTE), &[CONSOLE, REMOTE]);
    assert_eq!(said(&mut broker), ["end 1"]);
    broker.handle_gone(at(5_010), WorkerNumber(1), "exit code 0");

    assert_eq!(said(&mut broker), ["launch 2 in 2"]);
}

#[test]
fn what_was_held_where_a_worker_hung_is_released_when_that_session_shows_again() {
    let mut broker = serving();
    broker.handle_chosen(at(5_000), REMOTE);
    assert_eq!(said(&mut broker), ["end 1"]);

    // It does not obey.
    broker.handle_timeout(at(5_000) + END_PATIENCE);
    assert_eq!(said(&mut broker), ["kill 1"]);
    broker.handle_gone(at(9_010), WorkerNumber(1), "ended by the service");
    assert_eq!(said(&mut broker), ["launch 2 in 2"]);
    broker.handle_ready(at(9_100), WorkerNumber(2));
    broker.handle_alive(at(9_200), WorkerNumber(2), 1);
    broker.handle_chosen(at(10_000), CONSOLE);
    broker.handle_gone(at(10_010), WorkerNumber(2), "exit code 0");

    assert_eq!(said(&mut broker), ["end 2", "launch 3 in 1 with leftovers"]);
}

#[test]
fn a_chosen_session_is_shown_until_its_user_signs_out() {
    let mut broker = serving();

    broker.handle_chosen(at(5_000), REMOTE);
    assert_eq!(said(&mut broker), ["end 1"]);
    broker.handle_gone(at(5_010), WorkerNumber(1), "exit code 0");
    assert_eq!(said(&mut broker), ["launch 2 in 2"]);
    broker.handle_ready(at(5_100), WorkerNumber(2));
    broker.handle_alive(at(5_200), WorkerNumber(2), 1);
    // Another user gets the machine's own screen: nobody asked to see that one.
    let third = DesktopSession(3);
    broker.handle_desktop_sessions(at(6_000), Some(third), &[CONSOLE, REMOTE, third]);
    assert!(said(&mut broker).is_empty());

    broker.handle_desktop_sessions(at(7_000), Some(third), &[third]);
    assert_eq!(said(&mut broker), ["end 2"]);
    broker.handle_gone(at(7_010), WorkerNumber(2), "exit code 0");

    assert_eq!(said(&mut broker), ["launch 3 in 3"]);
}

#[test]
fn who_comes_after_everybody_left_begins_at_the_machines_own_screen() {
    let mut broker = serving();
    broker.handle_chosen(at(1_000), REMOTE);
    broker.handle_gone(at(1_010), WorkerNumber(1), "killed");
    broker.handle_ready(at(1_100), WorkerNumber(2));
    broker.handle_alive(at(1_200), WorkerNumber(2), 0);
    broker.handle_timeout(at(1_200) + LINGER);
    broker.handle_gone(at(20_000), WorkerNumber(2), "exit code 0");
    said(&mut broker);

    broker.handle_offer(at(30_000), offer(2));

    assert_eq!(said(&mut broker), ["launch 3 in 1"]);
}

#[test]
fn a_chosen_login_where_no_worker_starts_is_given_up_for_the_machines_own_screen() {
    let mut broker = serving();
    broker.handle_chosen(at(1_000), REMOTE);
    broker.handle_gone(at(1_010), WorkerNumber(1), "exit code 0");
    assert_eq!(said(&mut broker), ["end 1", "launch 2 in 2"]);

    broker.handle_gone(at(1_020), WorkerNumber(2), "access is denied");

    assert_eq!(said(&mut broker), ["launch 3 in 1"]);
    assert_eq!(broker.wanted_session(), Some(CONSOLE));
}

#[test]
fn a_chosen_login_whose_worker_does_not_say_that_it_is_ready_is_given_up_too() {
    let mut broker = serving();
    broker.handle_chosen(at(1_000), REMOTE);
    broker.handle_gone(at(1_010), WorkerNumber(1), "exit code 0");
    broker.handle_timeout(at(1_010) + START_PATIENCE);
    said(&mut broker);

    broker.handle_gone(at(12_000), WorkerNumber(2), "ended by the service");

    assert_eq!(said(&mut broker), ["launch 3 in 1"]);
}

#[test]
fn a_chosen_login_whose_workers_crash_again_and_again_is_given_up() {
    let mut broker = serving();
    broker.handle_chosen(at(1_000), REMOTE);
    broker.handle_gone(at(1_010), WorkerNumber(1), "exit code 0");
    let mut now = at(1_010);
    for number in 2..=4 {
        assert_eq!(broker.wanted_session(), Some(REMOTE));
        broker.handle_ready(now, WorkerNumber(number));
        broker.handle_alive(now, WorkerNumber(number), 1);
        broker.handle_gone(now, WorkerNumber(number), "exit code 0xc0000005");
        now = now + Duration::from_millis(300);
        broker.handle_timeout(now);
    }

    assert_eq!(broker.wanted_session(), Some(CONSOLE));
}

#[test]
fn without_a_desktop_session_the_technician_is_told_so() {
    let mut broker = Broker::default();

    broker.handle_offer(at(0), offer(1));

    let said = said(&mut broker);
    assert!(said[0].contains("no desktop session shows"), "{said:?}");
}

#[test]
fn a_worker_that_nobody_needs_is_asked_to_end_and_then_ended() {
    let mut broker = serving();
    broker.handle_alive(at(1_000), WorkerNumber(1), 0);

    broker.handle_timeout(at(1_000) + LINGER);
    assert_eq!(said(&mut broker), ["end 1"]);
    broker.handle_timeout(at(1_000) + LINGER + END_PATIENCE);
    assert_eq!(said(&mut broker), ["kill 1"]);
    broker.handle_gone(at(60_000), WorkerNumber(1), "killed");

    assert!(said(&mut broker).is_empty());
    assert!(broker.is_alone());
}

#[test]
fn who_comes_while_a_worker_leaves_gets_the_next_one() {
    let mut broker = serving();
    broker.handle_alive(at(1_000), WorkerNumber(1), 0);
    broker.handle_timeout(at(1_000) + LINGER);
    said(&mut broker);

    broker.handle_offer(at(17_000), offer(2));
    assert!(said(&mut broker).is_empty());
    broker.handle_gone(at(17_010), WorkerNumber(1), "exit code 0");

    assert_eq!(said(&mut broker), ["launch 2 in 1"]);
}

#[test]
fn stopping_ends_the_worker_and_refuses_viewers() {
    let mut broker = serving();

    broker.handle_stop(at(1_000), CloseReason::AgentStopping);
    broker.handle_offer(at(1_001), offer(2));
    broker.handle_gone(at(1_100), WorkerNumber(1), "exit code 0");

    assert_eq!(
        said(&mut broker),
        ["end 1", "failed s2: the agent is stopping"]
    );
    assert!(broker.is_alone());
}

/// Everything that can happen to a broker.
#[derive(Debug, Clone)]
enum Happening {
    Passes(u64),
    Offer,
    Close(usize),
    Shows(Option<u32>, Vec<u32>),
    Chosen(u32),
    Ready,
    Alive(usize),
    Gone,
    /// What an earlier worker says late.
    Stale(u64),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        3 => (0_u64..40_000).prop_map(Happening::Passes),
        3 => Just(Happening::Offer),
        1 => (0_usize..20).prop_map(Happening::Close),
        1 => (prop::option::of(1_u32..4), prop::collection::vec(1_u32..4, 0..3))
            .prop_map(|(session, others)| Happening::Shows(session, others)),
        1 => (1_u32..4).prop_map(Happening::Chosen),
        4 => Just(Happening::Ready),
        2 => (0_usize..3).prop_map(Happening::Alive),
        3 => Just(Happening::Gone),
        1 => (0_u64..6).prop_map(Happening::Stale),
    ]
}

/// What an observer of the machine's processes sees.
#[derive(Default)]
struct Observer {
    alive: Option<WorkerNumber>,
    killed: bool,
    waiting: Vec<SessionId>,
    /// Where the worker that lives was started, until it says that it is ready.
    starting_in: Option<DesktopSession>,
    /// Where the last one could not start; nobody has wanted to see it since.
    failed_in: Option<DesktopSession>,
}

impl Observer {
    fn watch(&mut self, broker: &mut Broker) -> Result<(), TestCaseError> {
        while let Some(output) = broker.poll_output() {
            match output {
                BrokerOutput::Launch {
                    number, session, ..
                } => {
                    prop_assert_eq!(self.alive, None, "never two workers");
                    (self.alive, self.killed) = (Some(number), false);
                    prop_assert!(
                        self.failed_in != Some(session) || broker.showing == Some(session),
                        "nobody waits for a login where no worker starts"
                    );
                    (self.starting_in, self.failed_in) = (Some(session), None);
                }
                BrokerOutput::Kill(number, _) => {
                    prop_assert_eq!(self.alive, Some(number));
                    prop_assert!(!self.killed, "killed once");
                    self.killed = true;
                }
                BrokerOutput::Send(number, order) => {
                    prop_assert_eq!(self.alive, Some(number), "the dead are told nothing");
                    if let Order::Offer(offer) = order {
                        self.waiting.retain(|id| *id != offer.session_id);
                    }
                }
                BrokerOutput::Failed(failed) => self.waiting.retain(|id| *id != failed.session_id),
            }
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn never_two_workers_and_never_none_while_a_viewer_waits_longer_than_the_back_off(
        happenings in prop::collection::vec(happening(), 1..120),
    ) {
        let mut broker = showing_console();
        let mut observer = Observer::default();
        let (mut now, mut offers) = (at(0), 0);
        for happening in happenings {
            match happening {
                Happening::Passes(millis) => {
                    let end = now + Duration::from_millis(millis);
                    while let Some(due) = broker.poll_timeout().filter(|due| *due <= end) {
                        now = now.max(due);
                        broker.handle_timeout(now);
                        observer.watch(&mut broker)?;
                        // Nothing is due for ever: each time-out moves on.
                        prop_assert!(broker.poll_timeout().is_none_or(|next| next > now));
                    }
                    now = end;
                }
                Happening::Offer => {
                    let offer = offer(offers);
                    offers += 1;
                    observer.waiting.push(offer.session_id.clone());
                    broker.handle_offer(now, offer);
                }
                Happening::Close(number) => {
                    let id = offer(number).session_id;
                    observer.waiting.retain(|waiting| *waiting != id);
                    broker.handle_close(&id, CloseReason::EndedByServer);
                }
                Happening::Shows(session, others) => {
                    let all: Vec<_> = session.into_iter().chain(others).map(DesktopSession).collect();
                    broker.handle_desktop_sessions(now, session.map(DesktopSession), &all);
                }
                Happening::Chosen(session) => {
                    observer.failed_in = None;
                    broker.handle_chosen(now, DesktopSession(session));
                }
                Happening::Ready => {
                    if let Some(number) = observer.alive {
                        observer.starting_in = None;
                        broker.handle_ready(now, number);
                    }
                }
                Happening::Alive(viewers) => {
                    if let Some(number) = observer.alive {
                        broker.handle_alive(now, number, viewers);
                    }
                }
                Happening::Gone => {
                    if let Some(number) = observer.alive.take() {
                        let failed = observer.starting_in.take();
                        observer.failed_in = failed.filter(|_| !observer.killed);
                        broker.handle_gone(now, number, "exit code 1");
                    }
                }
                Happening::Stale(number) => {
                    let number = WorkerNumber(number);
                    if observer.alive != Some(number) {
                        broker.handle_ready(now, number);
                        broker.handle_alive(now, number, 1);
                        broker.handle_gone(now, number, "exit code 1");
                    }
                }
            }
            observer.watch(&mut broker)?;
            if observer.alive.is_none() && !observer.waiting.is_empty() {
                let due = broker.poll_timeout();
                prop_assert!(due.is_some_and(|due| due <= now + Duration::from_secs(1)),
                    "{:?} wait without a worker until {due:?}, and it is {now:?}", observer.waiting);
            }
            prop_assert_eq!(broker.is_alone(), observer.alive.is_none());
        }
    }
}
