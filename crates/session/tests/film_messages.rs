//! What a viewer takes for a film, and when it acknowledges one.

mod support;

use gc_codec::FilmFormat;
use gc_model::time::Moment;
use gc_proto::{Message as _, v1};
use gc_session::viewer::Film;
use gc_session::{Lane, Viewer, ViewerOutput};
use support::{HEIGHT, WIDTH, viewer_with};

#[test]
fn text_is_acknowledged_past_a_film_that_is_still_decoded_but_not_past_many() {
    let mut viewer = opened_viewer();
    let send = |viewer: &mut Viewer, sequence: u64, is_film: bool| {
        let message = numbered(&film_message(|_| {}), sequence, is_film);
        viewer.handle_opened_for_fuzzing(Moment::ZERO, Lane::Picture, message);
    };
    let painted = |viewer: &mut Viewer, sequence| {
        viewer.handle_painted(Moment::ZERO, sequence);
        let outputs: Vec<_> = std::iter::from_fn(|| viewer.poll_output()).collect();
        let sent = |output: &&ViewerOutput| matches!(output, ViewerOutput::Send(_));
        outputs.iter().filter(sent).count()
    };
    for film in 1..=4 {
        send(&mut viewer, film, true);
    }
    send(&mut viewer, 5, false);
    while viewer.poll_output().is_some() {}

    assert_eq!(painted(&mut viewer, 5), 1, "four films are behind");
    send(&mut viewer, 6, true);
    send(&mut viewer, 7, false);
    while viewer.poll_output().is_some() {}
    assert_eq!(painted(&mut viewer, 7), 0, "five films are behind");
    for film in 1..=4 {
        let news = painted(&mut viewer, film);
        assert_eq!(news, usize::from(film == 1), "the text, once");
    }
    assert_eq!(painted(&mut viewer, 6), 0, "told already");
}

/// A film's frame as a hostile machine may send it.
fn film_message(change: impl FnOnce(&mut v1::FilmFrame)) -> Vec<u8> {
    let mut film = v1::FilmFrame {
        stream: 1,
        encoding: v1::Encoding::Vp9.into(),
        key: true,
        area: vec![64, 64, 64, 32],
        coded_width: 64,
        coded_height: 32,
        rects: vec![64, 64, 64, 16],
        data: vp9_packet(64, 32).into(),
        maker: None,
    };
    change(&mut film);
    let frame = v1::VideoFrame {
        sequence: 1,
        layout_generation: 1,
        encoding: v1::Encoding::ZstdBgrx.into(),
        film: Some(film),
        starts_stream: true,
        ..Default::default()
    };
    let body = Some(v1::agent_message::Body::Frame(frame));
    v1::AgentMessage { body }.encode_to_vec()
}

/// The head of a key frame; the rest does not matter to a viewer that only checks it.
fn vp9_packet(width: u32, height: u32) -> Vec<u8> {
    let sizes = (u64::from(width - 1) << 16 | u64::from(height - 1)) << 4;
    let size = &sizes.to_be_bytes()[3..];
    let mut packet = vec![0x82, 0x49, 0x83, 0x42, 0x20];
    packet[4] |= size[0];
    packet.extend_from_slice(&size[1..]);
    packet
}

/// The same frame as number `sequence`, with its film or without.
fn numbered(message: &[u8], sequence: u64, is_film: bool) -> Vec<u8> {
    let mut message = v1::AgentMessage::decode(message).expect("our own");
    if let Some(v1::agent_message::Body::Frame(frame)) = &mut message.body {
        frame.sequence = sequence;
        frame.film = frame.film.take().filter(|_| is_film);
    }
    message.encode_to_vec()
}

fn opened_viewer() -> Viewer {
    let mut viewer = viewer_with(|config| config.films = vec![FilmFormat::Vp9]);
    let accepted = v1::Accepted {
        layout: Some(v1::DisplayLayout {
            generation: 1,
            width: WIDTH,
            height: HEIGHT,
            ..Default::default()
        }),
        rights: vec![v1::Right::View.into()],
        ..Default::default()
    };
    viewer.open_for_fuzzing(Moment::ZERO, accepted);
    viewer
}

fn shown(message: Vec<u8>) -> Option<Film> {
    let mut viewer = opened_viewer();
    viewer.handle_opened_for_fuzzing(Moment::ZERO, Lane::Picture, message);
    std::iter::from_fn(|| viewer.poll_output()).find_map(|output| match output {
        ViewerOutput::Frame(frame) => frame.film,
        _ => None,
    })
}

#[test]
fn a_film_that_is_no_film_is_never_shown() {
    type Change = fn(&mut v1::FilmFrame);

    assert!(shown(film_message(|_| {})).is_some(), "a good one is");

    let broken: [(&str, Change); 14] = [
        ("in a format that nobody announced", |film| {
            film.encoding = v1::Encoding::H264.into();
        }),
        ("without its beginning", |film| film.key = false),
        ("nowhere", |film| film.area.clear()),
        ("in two places", |film| film.area.extend([0, 0, 8, 8])),
        ("outside of the picture", |film| {
            film.area = vec![WIDTH, 0, 64, 32];
        }),
        ("of a size that overflows", |film| {
            film.area = vec![u32::MAX, 1, u32::MAX, u32::MAX];
        }),
        ("painted outside of its place", |film| {
            film.rects = vec![0, 64, 64, 16];
        }),
        ("painted beyond all numbers", |film| {
            film.rects = vec![u32::MAX, u32::MAX, u32::MAX, u32::MAX];
        }),
        ("coded larger than it is", |film| film.coded_width = 65),
        ("coded as nothing", |film| film.coded_height = 0),
        ("without a byte", |film| film.data.clear()),
        ("larger than it says", |film| {
            film.data = vp9_packet(16_384, 16_384).into();
        }),
        ("in two frames at once", |film| {
            film.data = [vp9_packet(64, 32), vec![0xc1]].concat().into();
        }),
        ("painted in a thousand parts", |film| {
            film.rects = [64, 64, 1, 1].repeat(1_000);
        }),
    ];
    for (what, change) in broken {
        assert!(shown(film_message(change)).is_none(), "{what}");
    }
}
