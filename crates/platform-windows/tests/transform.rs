//! The life of a hardware encoder, played by a script.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use gc_model::geometry::Size;
use gc_platform_windows::transform::{
    Event, MAX_PICTURE_TIME, Machine, Taken, Transform, TransformError, Turns, is_key, nv12_len,
    write_nv12,
};
use gc_video::{Chroma, Picture};
use proptest::prelude::*;

const PARAMETERS: [u8; 6] = [0, 0, 0, 1, 0x67, 66];
const KEY: [u8; 6] = [0, 0, 0, 1, 0x65, 0x88];
const DELTA: [u8; 6] = [0, 0, 0, 1, 0x41, 0x9a];

const E_NOTIMPL: i32 = 0x8000_4001_u32.cast_signed();

/// One thing that the encoder does when it is asked what is new.
#[derive(Debug, Clone)]
enum Step {
    Says(Event),
    /// Time passes before the next thing.
    Waits(Duration),
    Breaks(TransformError),
}

/// What happens at the next takings, in turn; after the last it is a good packet.
#[derive(Debug, Clone)]
enum Gift {
    Good,
    WithoutParameters,
    NotAKey,
    Of(i64),
    Empty,
    Changed,
    Nothing,
    Breaks(TransformError),
}

#[derive(Default)]
struct State {
    script: VecDeque<Step>,
    gifts: VecDeque<Gift>,
    beside: Vec<u8>,
    refuses_change: bool,
    now: Duration,
    /// Asked for and not given.
    credit: i64,
    announced: i64,
    given: Vec<(u64, bool)>,
    rates: Vec<u32>,
    refuses_rates: bool,
    changes: usize,
    ended: usize,
    broke_rules: Vec<&'static str>,
}

#[derive(Clone, Default)]
struct Fake(Rc<RefCell<State>>);

impl Transform for Fake {
    type Picture = str;

    fn next_event(&mut self, wait: Duration) -> Result<Option<Event>, TransformError> {
        let mut state = self.0.borrow_mut();
        let until = state.now + wait;
        loop {
            match state.script.pop_front() {
                None => {
                    state.now = until;
                    return Ok(None);
                }
                Some(Step::Waits(time)) if state.now + time >= until => {
                    let rest = (state.now + time).saturating_sub(until);
                    state.script.push_front(Step::Waits(rest));
                    state.now = until;
                    return Ok(None);
                }
                Some(Step::Waits(time)) => state.now += time,
                Some(Step::Breaks(error)) => return Err(error),
                Some(Step::Says(event)) => {
                    match event {
                        Event::NeedInput => state.credit += 1,
                        Event::HaveOutput => state.announced += 1,
                        Event::DrainComplete | Event::Other => {}
                    }
                    return Ok(Some(event));
                }
            }
        }
    }

    fn give(&mut self, _picture: &str, number: u64, key: bool) -> Result<(), TransformError> {
        let mut state = self.0.borrow_mut();
        state.credit -= 1;
        if state.credit < 0 {
            state.broke_rules.push("a picture that nobody asked for");
        }
        state.given.push((number, key));
        Ok(())
    }

    fn take(&mut self) -> Result<Taken, TransformError> {
        let mut state = self.0.borrow_mut();
        if state.announced <= 0 {
            state.broke_rules.push("a packet that nobody announced");
        }
        let (number, wants_key) = state.given.last().copied().unwrap_or((0, false));
        let gift = state.gifts.pop_front().unwrap_or(Gift::Good);
        if !matches!(gift, Gift::Changed) {
            state.announced -= 1;
        }
        let packet = |picture: u64, key: bool, data: &[u8]| Taken::Packet {
            picture,
            key,
            data: data.to_vec(),
        };
        let good = [&PARAMETERS[..], &KEY[..]].concat();
        Ok(match gift {
            Gift::Good if wants_key => packet(number, true, &good),
            Gift::WithoutParameters => packet(number, true, &KEY),
            Gift::Good | Gift::NotAKey => packet(number, false, &DELTA),
            Gift::Of(other) => packet(number.saturating_add_signed(other), wants_key, &good),
            Gift::Empty => packet(number, wants_key, &[]),
            Gift::Changed => Taken::StreamChanged,
            Gift::Nothing => Taken::Nothing,
            Gift::Breaks(error) => return Err(error),
        })
    }

    fn accept_change(&mut self) -> Result<(), TransformError> {
        let mut state = self.0.borrow_mut();
        state.changes += 1;
        if state.refuses_change {
            return Err(TransformError::Rules("makes something else"));
        }
        Ok(())
    }

    fn parameters(&self) -> &[u8] {
        // The script does not change them while the machine looks.
        if self.0.borrow().beside.is_empty() {
            &[]
        } else {
            &PARAMETERS
        }
    }

    fn set_rate(&mut self, bits_per_second: u32) -> Result<(), TransformError> {
        let mut state = self.0.borrow_mut();
        state.rates.push(bits_per_second);
        if state.refuses_rates {
            return TransformError::check("ICodecAPI::SetValue", E_NOTIMPL);
        }
        Ok(())
    }

    fn end(&mut self) {
        self.0.borrow_mut().ended += 1;
    }

    fn now(&self) -> Duration {
        self.0.borrow().now
    }
}

impl Fake {
    fn plays(&self, steps: impl IntoIterator<Item = Step>) {
        self.0.borrow_mut().script.extend(steps);
    }

    fn gives(&self, gifts: impl IntoIterator<Item = Gift>) {
        self.0.borrow_mut().gifts.extend(gifts);
    }
}

fn says(events: &[Event]) -> Vec<Step> {
    events.iter().copied().map(Step::Says).collect()
}

fn encoder() -> (Machine<Fake>, Fake) {
    let fake = Fake::default();
    (Machine::new(fake.clone()), fake)
}

use Event::{DrainComplete, HaveOutput, NeedInput, Other};

#[test]
fn a_picture_becomes_a_packet_and_the_first_is_a_key_frame() {
    let (mut machine, fake) = encoder();
    fake.plays(says(&[
        NeedInput, HaveOutput, NeedInput, HaveOutput, NeedInput, HaveOutput,
    ]));

    let keys: Vec<_> = [false, false, true]
        .into_iter()
        .map(|key| machine.encode("a picture", key).expect("a packet").key)
        .collect();

    assert_eq!(keys, [true, false, true]);
    assert_eq!(fake.0.borrow().given, [(1, true), (2, false), (3, true)]);
}

#[test]
fn pictures_may_be_asked_for_ahead_and_packets_announced_in_between() {
    let (mut machine, fake) = encoder();
    fake.plays(says(&[
        NeedInput, NeedInput, Other, NeedInput, HaveOutput, Other, HaveOutput, HaveOutput,
    ]));

    for _ in 0..3 {
        machine.encode("a picture", false).expect("a packet");
    }

    assert!(fake.0.borrow().broke_rules.is_empty());
}

#[test]
fn a_change_of_the_stream_is_agreed_to_and_the_packet_follows() {
    let (mut machine, fake) = encoder();
    fake.plays(says(&[NeedInput, HaveOutput]));
    fake.gives([Gift::Changed, Gift::Good]);

    assert!(machine.encode("a picture", false).is_ok());

    assert_eq!(fake.0.borrow().changes, 1);
}

#[test]
fn an_announcement_of_nothing_is_waited_out() {
    let (mut machine, fake) = encoder();
    fake.plays(says(&[NeedInput, HaveOutput, HaveOutput]));
    fake.gives([Gift::Nothing, Gift::Good]);

    assert!(machine.encode("a picture", false).is_ok());
}

#[test]
fn parameters_that_stand_beside_the_stream_are_put_before_key_frames() {
    let (mut machine, fake) = encoder();
    fake.0.borrow_mut().beside = PARAMETERS.to_vec();
    fake.plays(says(&[NeedInput, HaveOutput]));
    fake.gives([Gift::WithoutParameters]);

    let packet = machine.encode("a picture", false).expect("a packet");

    assert_eq!(packet.data, [&PARAMETERS[..], &KEY[..]].concat());
}

#[test]
fn an_encoder_that_is_late_is_given_up_when_the_time_is_over() {
    for steps in [
        vec![],
        says(&[NeedInput]),
        vec![
            Step::Says(NeedInput),
            Step::Waits(MAX_PICTURE_TIME),
            Step::Says(HaveOutput),
        ],
    ] {
        let (mut machine, fake) = encoder();
        fake.plays(steps);

        let error = machine.encode("a picture", false);

        assert_eq!(error, Err(TransformError::TooLate(MAX_PICTURE_TIME)));
        assert!(fake.0.borrow().now <= MAX_PICTURE_TIME);
    }
}

#[test]
fn a_lost_device_is_an_error_wherever_it_happens_and_ends_the_machine() {
    type Scene = (Vec<Step>, Vec<Gift>);
    let lost = TransformError::DeviceLost;
    let scenes: [Scene; 3] = [
        (vec![Step::Breaks(lost.clone())], vec![]),
        (
            vec![Step::Says(NeedInput), Step::Breaks(lost.clone())],
            vec![],
        ),
        (
            says(&[NeedInput, HaveOutput]),
            vec![Gift::Breaks(lost.clone())],
        ),
    ];
    for (steps, gifts) in scenes {
        let (mut machine, fake) = encoder();
        fake.plays(steps);
        fake.gives(gifts);

        assert_eq!(machine.encode("a picture", false), Err(lost.clone()));

        fake.plays(says(&[NeedInput, HaveOutput]));
        let given = fake.0.borrow().given.len();
        assert!(machine.encode("a picture", false).is_err(), "it is over");
        assert_eq!(fake.0.borrow().given.len(), given);
        drop(machine);
        assert_eq!(fake.0.borrow().ended, 1);
    }
}

#[test]
fn an_encoder_that_breaks_the_rules_is_given_up() {
    let two = [NeedInput, HaveOutput];
    for (what, events, gifts) in [
        ("ends by itself", vec![DrainComplete], vec![]),
        ("chatters", vec![Other; 1_000], vec![]),
        (
            "asks without end",
            [vec![NeedInput; 1_000], vec![HaveOutput]].concat(),
            vec![],
        ),
        ("makes no key frames", two.to_vec(), vec![Gift::NotAKey]),
        (
            "does not say what it makes",
            two.to_vec(),
            vec![Gift::WithoutParameters],
        ),
        ("makes nothing", two.to_vec(), vec![Gift::Empty]),
        ("keeps pictures back", two.to_vec(), vec![Gift::Of(-1)]),
        ("invents pictures", two.to_vec(), vec![Gift::Of(1)]),
        ("changes its mind", two.to_vec(), vec![Gift::Changed; 1_000]),
        (
            "announces nothing again and again",
            [vec![NeedInput], vec![HaveOutput; 1_000]].concat(),
            vec![Gift::Nothing; 1_000],
        ),
    ] {
        let (mut machine, fake) = encoder();
        fake.plays(says(&events));
        fake.gives(gifts);

        let error = machine.encode("a picture", false);

        assert!(
            matches!(error, Err(TransformError::Rules(_))),
            "{what}: {error:?}"
        );
    }
}

#[test]
fn a_change_to_something_else_is_an_error() {
    let (mut machine, fake) = encoder();
    fake.0.borrow_mut().refuses_change = true;
    fake.plays(says(&[NeedInput, HaveOutput]));
    fake.gives([Gift::Changed]);

    assert!(machine.encode("a picture", false).is_err());
}

#[test]
fn an_encoder_that_takes_no_other_rate_is_over() {
    let (mut machine, fake) = encoder();
    fake.plays(says(&[NeedInput, HaveOutput, NeedInput, HaveOutput]));
    machine.encode("a picture", false).expect("a packet");
    machine.set_rate(1_000_000).expect("another rate");

    fake.0.borrow_mut().refuses_rates = true;
    assert!(machine.set_rate(2_000_000).is_err());

    assert!(machine.encode("a picture", false).is_err());
    assert!(machine.set_rate(1_000_000).is_err());
    assert_eq!(fake.0.borrow().rates, [1_000_000, 2_000_000]);
}

#[test]
fn what_windows_answers_is_told_apart() {
    let lost = 0x887a_0005_u32.cast_signed();

    assert_eq!(TransformError::check("x", 0), Ok(()));
    assert_eq!(TransformError::check("x", 1), Ok(()));
    assert_eq!(
        TransformError::check("x", lost),
        Err(TransformError::DeviceLost)
    );
    let other = TransformError::check("ProcessInput", E_NOTIMPL).expect_err("a failure");
    assert_eq!(other.to_string(), "ProcessInput failed with 0x80004001");
}

#[test]
fn an_encoder_that_works_while_it_is_called_speaks_in_turns() {
    let mut turns = Turns::default();
    for _ in 0..3 {
        assert_eq!(turns.poll_event(), Some(NeedInput));
        assert_eq!(turns.poll_event(), None, "it waits for a picture");

        turns.handle_given();

        assert_eq!(turns.poll_event(), Some(HaveOutput));
    }
}

#[test]
fn key_frames_are_known_by_what_is_in_them() {
    assert!(is_key(&[&PARAMETERS[..], &KEY[..]].concat()));
    assert!(!is_key(&PARAMETERS));
    assert!(!is_key(&DELTA));
    assert!(!is_key(&[0, 0, 1]));
}

#[test]
fn hardware_gets_colours_in_pairs() {
    let mut picture = Picture::new(Size::new(4, 2).expect("a size"), Chroma::Quarter);
    picture
        .plane_mut(0)
        .copy_from_slice(&[1, 2, 3, 4, 5, 6, 7, 8]);
    picture.plane_mut(1).copy_from_slice(&[10, 11]);
    picture.plane_mut(2).copy_from_slice(&[20, 21]);
    assert_eq!(nv12_len(&picture), 12);

    for room in [0, 5, 9, 12, 14] {
        let mut bytes = vec![0; room];
        write_nv12(&picture, &mut bytes);
        let whole = [1, 2, 3, 4, 5, 6, 7, 8, 10, 20, 11, 21, 0, 0];
        let fits = if room == 9 { 8 } else { room };
        assert_eq!(bytes[..fits], whole[..fits]);
    }
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Says(NeedInput)),
        6 => Just(Step::Says(HaveOutput)),
        1 => Just(Step::Says(Other)),
        1 => Just(Step::Says(DrainComplete)),
        2 => (0_u64..200).prop_map(|ms| Step::Waits(Duration::from_millis(ms))),
        1 => Just(Step::Breaks(TransformError::DeviceLost)),
    ]
}

fn any_gift() -> impl Strategy<Value = Gift> {
    prop_oneof![
        8 => Just(Gift::Good),
        1 => Just(Gift::WithoutParameters),
        1 => Just(Gift::NotAKey),
        1 => (-3_i64..3).prop_map(Gift::Of),
        1 => Just(Gift::Empty),
        2 => Just(Gift::Changed),
        2 => Just(Gift::Nothing),
        1 => Just(Gift::Breaks(TransformError::DeviceLost)),
    ]
}

proptest! {
    #[test]
    fn whatever_an_encoder_does_the_rules_are_kept_and_the_time_too(
        steps in prop::collection::vec(any_step(), 0..80),
        gifts in prop::collection::vec(any_gift(), 0..20),
        keys in prop::collection::vec(any::<bool>(), 1..12),
        rates in prop::collection::vec(prop::option::of(1_u32..9_000_000), 12),
        refuses_rates: bool,
        beside: bool,
    ) {
        let (mut machine, fake) = encoder();
        fake.plays(steps);
        fake.gives(gifts);
        if beside {
            fake.0.borrow_mut().beside = PARAMETERS.to_vec();
        }
        let mut over = false;
        for (index, &key) in keys.iter().enumerate() {
            if let Some(rate) = rates[index] {
                fake.0.borrow_mut().refuses_rates = refuses_rates;
                let told = fake.0.borrow().rates.len();
                let result = machine.set_rate(rate);
                prop_assert_eq!(result.is_err(), over || refuses_rates);
                prop_assert_eq!(fake.0.borrow().rates.len() - told, usize::from(!over));
                over |= result.is_err();
            }
            let before = fake.0.borrow().now;
            let result = machine.encode("a picture", key);
            prop_assert!(fake.0.borrow().now <= before + MAX_PICTURE_TIME);
            prop_assert!(!over || result.is_err(), "nothing follows an error");
            over |= result.is_err();
            if let Ok(packet) = result {
                prop_assert!(!packet.data.is_empty());
                prop_assert!(packet.key || !(key || index == 0));
                prop_assert!(!packet.key || packet.data.starts_with(&PARAMETERS));
            }
        }
        drop(machine);
        let state = fake.0.borrow();
        prop_assert!(state.broke_rules.is_empty(), "{:?}", state.broke_rules);
        prop_assert_eq!(state.ended, 1);
    }
}
