//! The calls of Media Foundation, with an encoder of our own behind the system's own library.

use std::error::Error as _;

use gc_model::geometry::Size;
use gc_platform::FilmEncoders;
use gc_video::{Chroma, Picture};

use super::encoder::Encoder;
use super::fake::{Manners, Owner, STREAM};
use super::film_encoders;
use super::library::Library;
use crate::transform::{Machine, Packet, TransformError};

const RATE: u32 = 2_000_000;

fn size() -> Size {
    Size::new(1_280, 720).expect("a size")
}

fn picture(colour: u8) -> Picture {
    let mut picture = Picture::new(size(), Chroma::Quarter);
    picture.plane_mut(2).fill(colour);
    picture
}

fn machine(manners: Manners) -> (Machine<Encoder>, Owner) {
    let fake = Owner::new(manners);
    let library = Library::open().expect("Media Foundation");
    let encoder = Encoder::begin_with(fake.object(), None, library, size(), RATE);
    (Machine::new(encoder.expect("it begins")), fake)
}

fn encode(machine: &mut Machine<Encoder>, colour: u8, key: bool) -> Packet {
    machine.encode(&picture(colour), key).expect("a packet")
}

#[test]
fn pictures_become_packets_however_an_encoder_speaks_and_keeps_its_memory() {
    for in_turns in [false, true] {
        for takes_memory in [false, true] {
            for says_beside in [false, true] {
                let manners = Manners {
                    in_turns,
                    takes_memory,
                    says_beside,
                    ..Manners::default()
                };
                let (mut machine, fake) = machine(manners);

                let first = encode(&mut machine, 1, false);
                let second = encode(&mut machine, 2, false);
                let third = encode(&mut machine, 3, true);

                let keys = [first.key, second.key, third.key];
                assert_eq!(keys, [true, false, true], "{manners:?}");
                assert!(first.data.starts_with(&STREAM), "{manners:?}");
                assert!(third.data.starts_with(&STREAM), "{manners:?}");
                let bytes = 1_280 * 720 * 3 / 2;
                assert_eq!(
                    fake.state().pictures,
                    [(1, bytes), (2, bytes), (3, bytes)],
                    "{manners:?}"
                );
                drop(machine);
                assert_eq!(fake.others(), 0, "nobody keeps it: {manners:?}");
            }
        }
    }
}

#[test]
fn a_rate_changes_while_the_film_goes_on() {
    let (mut machine, fake) = machine(Manners::default());
    encode(&mut machine, 1, false);

    machine.set_rate(500_000).expect("another rate");
    encode(&mut machine, 2, false);

    assert_eq!(fake.state().rates, [RATE, 500_000]);
}

#[test]
fn an_encoder_that_takes_no_other_rate_is_over() {
    let (mut machine, _fake) = machine(Manners {
        has_one_rate: true,
        ..Manners::default()
    });
    encode(&mut machine, 1, false);

    assert!(machine.set_rate(500_000).is_err());
    assert!(machine.encode(&picture(2), false).is_err());
}

#[test]
fn a_stream_that_changes_goes_on_in_the_same_size_only() {
    let changing = |by| Manners {
        changes_by: Some(by),
        ..Manners::default()
    };
    let (mut same, _fake) = machine(changing(0));
    let (mut other, _other_fake) = machine(changing(2));

    assert!(encode(&mut same, 1, false).key);

    assert_eq!(
        other.encode(&picture(1), false),
        Err(TransformError::Rules("makes something else"))
    );
}

#[test]
fn an_announcement_of_nothing_is_waited_out() {
    let (mut machine, _fake) = machine(Manners {
        announces_nothing: true,
        ..Manners::default()
    });

    assert!(encode(&mut machine, 1, false).key);
    assert!(!encode(&mut machine, 2, false).key);
}

#[test]
fn a_lost_device_is_told_from_other_errors_and_everything_is_given_back() {
    let (mut machine, fake) = machine(Manners {
        is_lost_at: Some(1),
        ..Manners::default()
    });
    encode(&mut machine, 1, false);

    let lost = machine.encode(&picture(2), false);

    assert_eq!(lost, Err(TransformError::DeviceLost));
    drop(machine);
    assert_eq!(fake.others(), 0);
    let ends = [0, 0x1000_0002, 0x1000_0001];
    assert!(fake.state().messages.ends_with(&ends));
}

#[test]
fn pictures_of_another_size_are_not_given_to_an_encoder() {
    let (mut machine, fake) = machine(Manners::default());
    let other = Picture::new(Size::new(640, 360).expect("a size"), Chroma::Quarter);

    assert!(machine.encode(&other, false).is_err());
    assert!(fake.state().pictures.is_empty());
}

#[test]
fn a_system_without_encoders_says_so_in_words() {
    for (which, text) in [
        (
            FilmEncoders::Hardware,
            "there is no hardware encoder for H.264",
        ),
        (
            FilmEncoders::Software,
            "there is no software encoder for H.264",
        ),
    ] {
        // Where there is one, there is nothing to ask here.
        let Err(error) = film_encoders(which) else {
            continue;
        };
        let why = error.source().map(ToString::to_string);
        assert_eq!(why.as_deref(), Some(text));
    }
}
