//! Films over simulated links, in virtual time, encoded and decoded for real.

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gc_codec::{
    FilmCodec, FilmEncoder, FilmError, FilmFormat, FilmMaker, FilmOrder, FilmPacket, FrameView,
    film_codecs,
};
use gc_model::time::Moment;
use gc_proto::{Message as _, v1};
use gc_session::viewer::{Film, ShownFrame};
use gc_session::{Lane, Preferences, Quality, Viewer, ViewerOutput};
use support::{HEIGHT, Session, VIDEO, WIDTH, host_with, viewer_with};

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Rate in bit/s and round trip.
const LINKS: [(u64, u64); 7] = [
    (64_000, 300),
    (256_000, 300),
    (1_000_000, 40),
    (2_000_000, 80),
    (20_000_000, 40),
    (100_000_000, 200),
    (1_000_000_000, 5),
];

fn playing(bits_per_second: u64, rtt_ms: u64) -> Session {
    let mut session = Session::with_films(bits_per_second, ms(rtt_ms));
    play(&mut session);
    session
}

fn play(session: &mut Session) {
    play_for(session, Duration::from_secs(10));
}

fn play_for(session: &mut Session, long: Duration) {
    session.connect();
    session
        .run_until(Duration::from_secs(30), Session::is_exact)
        .expect("the first picture comes");
    session.video = true;
    session.run_for(long);
    session.frames.clear();
}

fn has_film(frame: &ShownFrame) -> bool {
    frame.film.is_some()
}

fn films(session: &Session) -> usize {
    let frames = session.frames.iter();
    frames.filter(|(_, frame)| has_film(frame)).count()
}

#[test]
fn a_film_plays_smoothly_from_two_megabits_on() {
    for (rate, rtt) in LINKS {
        let mut session = playing(rate, rtt);

        session.run_for(Duration::from_secs(5));

        let wanted = if rate >= 2_000_000 { 15 } else { 2 };
        let shown = films(&session) / 5;
        assert!(
            shown >= wanted,
            "{rate} bit/s, {rtt} ms: {shown} frames a second"
        );
    }
}

#[test]
fn a_film_that_plays_alone_is_not_begun_anew() {
    let mut session = playing(20_000_000, 40);

    session.run_for(Duration::from_secs(20));

    let begun = |(_, frame): &&(Moment, ShownFrame)| {
        !frame.rects.is_empty() || frame.film.as_ref().is_some_and(|film| film.key)
    };
    let begun = session.frames.iter().filter(begun).count();
    assert_eq!(begun, 0, "of {} frames", session.frames.len());
}

/// So that what comes after it need not find the line's rate first.
#[test]
fn a_film_that_needs_little_shows_how_much_the_line_carries() {
    for (rate, rtt) in [(4_000_000, 40), (10_000_000, 20)] {
        let mut session = playing(rate, rtt);
        session.fine = true;
        session.paint = ms(6);
        session.paint_screen = ms(20);
        session.run_for(Duration::from_secs(5));

        let before = session.down.carried_bytes();
        session.run_for(Duration::from_secs(10));

        let used = (session.down.carried_bytes() - before) as f64 * 8.0 / 10.0 / rate as f64;
        let (_, frame) = session.frames.last().expect("frames");
        let known = frame.delivered_rate as f64 * 8.0 / rate as f64;
        assert!(used < 0.3, "{rate} bit/s: the film takes {used:.2} of it");
        assert!(
            (0.6..1.2).contains(&known),
            "{rate} bit/s, {rtt} ms: {known:.2} of it are known"
        );
    }
}

#[test]
fn what_is_shown_of_a_film_looks_like_it() {
    for (rate, rtt, limit) in [(20_000_000, 40, 6.0), (1_000_000, 40, 12.0)] {
        let mut session = playing(rate, rtt);

        // The screen goes on meanwhile: stop it, and look before anything is sharpened.
        session.video = false;
        session.run_for(ms(rtt + 100));

        let error = session.error_in(VIDEO);
        assert!(error < limit, "{rate} bit/s: {error:.1} levels");
        assert!(!session.is_exact());
    }
}

#[test]
fn a_film_that_stops_is_exact_soon() {
    for (rate, rtt) in [(2_000_000, 80), (20_000_000, 40), (1_000_000_000, 5)] {
        let mut session = playing(rate, rtt);

        session.video = false;
        // Its pixels are 24 to 98 KB, whatever they were packed as before.
        let own = Duration::from_secs_f64(98_000.0 * 8.0 / rate as f64);
        let exact = session.run_until(Duration::from_secs(20), Session::is_exact);

        let limit = ms(150 + rtt) + own;
        assert!(
            exact.is_some_and(|took| took < limit),
            "{rate}: {exact:?} of {limit:?}"
        );
    }
}

/// Another way through the net, or a tunnel that was set up.
#[test]
fn longer_ways_are_not_taken_for_a_queue() {
    for rate in [1_000_000, 2_000_000, 20_000_000] {
        let mut session = playing(rate, 5);
        session.fine = true;
        for link in [&mut session.down, &mut session.up] {
            link.set_delay(ms(60));
        }
        session.run_for(Duration::from_secs(2));
        session.frames.clear();

        session.run_for(Duration::from_secs(3));

        let shown = films(&session) / 3;
        assert!(shown >= 25, "{rate} bit/s: {shown} frames a second");
    }
}

#[test]
fn a_film_that_a_slow_line_made_coarse_is_fine_again_on_a_faster_one() {
    let mut session = playing(64_000, 40);
    session.video = false;
    session.run_for(ms(90));
    let coarse = session.error_in(VIDEO);
    session.video = true;

    session.down.set_rate(session.now.as_micros(), 20_000_000);
    session.run_for(Duration::from_secs(6));
    session.video = false;
    session.run_for(ms(90));

    let error = session.error_in(VIDEO);
    assert!(error < 6.0, "{error:.1} levels, {coarse:.1} before");
}

/// Bytes a second of a film whose frames come after these pauses, again and again, in ms.
fn bytes_of_film(pauses: &[u64]) -> u64 {
    let mut session = playing(20_000_000, 40);
    session.video = false;
    let mut frame = 1_000;
    let mut before = 0;
    for seconds in [2, 8] {
        before = session.down.carried_bytes();
        let end = session.now + Duration::from_secs(seconds);
        for pause in pauses.iter().cycle() {
            session.run_for(ms(*pause));
            frame += 1;
            session.draw_film(VIDEO, frame);
            if session.now >= end {
                break;
            }
        }
    }
    (session.down.carried_bytes() - before) / 8
}

#[test]
fn a_film_that_stutters_is_not_sent_exactly_between_its_frames() {
    let steady = bytes_of_film(&[40]);
    for pauses in [
        &[33, 33, 33, 33, 33, 33, 33, 115][..],
        &[20, 110],
        &[33, 120],
        &[20, 180],
    ] {
        let bytes = bytes_of_film(pauses);
        assert!(bytes < steady * 3 / 2, "{pauses:?}: {bytes} of {steady}");
    }
}

/// Twelve pictures, one every half second; how many frames of a film were made of them.
fn show_slides(session: &mut Session) -> usize {
    session.frames.clear();
    for slide in 0..12 {
        session.draw_film(VIDEO, slide * 50);
        session.run_for(ms(500));
    }
    films(session)
}

#[test]
fn slides_are_no_film_where_the_line_carries_them() {
    for (rate, rtt) in [(20_000_000, 40), (1_000_000_000, 5)] {
        let mut session = Session::with_films(rate, ms(rtt));
        session.connect();
        session.run_for(Duration::from_secs(2));

        assert_eq!(show_slides(&mut session), 0, "{rate} bit/s");
        assert!(session.is_exact());

        // Where a film played just now, the first of them may look like more of it.
        play(&mut session);
        session.video = false;
        let films = show_slides(&mut session);
        assert!(films < 5, "{rate} bit/s: {films}");
    }
}

#[test]
fn a_film_that_was_paused_for_a_moment_goes_on_as_one() {
    let mut session = playing(20_000_000, 40);
    session.video = false;
    session.run_for(Duration::from_secs(3));
    assert!(session.is_exact());

    session.frames.clear();
    session.video = true;
    session.run_for(ms(200));

    assert!(session.frames.len() > 2);
    assert!(session.frames.iter().all(|(_, frame)| has_film(frame)));
}

#[test]
fn slides_become_a_film_where_the_line_would_be_late() {
    let mut session = Session::with_films(256_000, ms(300));
    session.connect();
    session.run_for(Duration::from_secs(5));

    assert!(show_slides(&mut session) > 0);
}

#[test]
fn a_key_press_is_seen_soon_beside_a_film() {
    for (rate, rtt) in LINKS {
        let mut session = playing(rate, rtt);

        let mut took: Vec<Duration> = (0..20)
            .map(|seed| {
                let took = session.time_key_press(seed);
                session.run_for(ms(500 + u64::from(seed) * 37 % 400));
                took
            })
            .collect();
        took.sort_unstable();

        let own = Duration::from_secs_f64(1_000.0 * 8.0 / rate as f64);
        let limit = match (rate, rtt) {
            (2_000_000, 80) => ms(250),
            _ => ms(2 * rtt) + own + ms(300),
        };
        assert!(took[17] < limit, "{rate} bit/s, {rtt} ms: {took:?}");
        assert!(took[19] < limit + own, "{rate} bit/s, {rtt} ms: {took:?}");
    }
}

#[test]
fn no_queue_stands_while_a_film_plays() {
    for (rate, rtt) in LINKS {
        let mut session = playing(rate, rtt);

        let mut queues = Vec::new();
        for _ in 0..1_000 {
            session.run_for(ms(10));
            queues.push(session.down.queued_bytes());
        }
        queues.sort_unstable();

        let median = Duration::from_secs_f64(queues[500] as f64 * 8.0 / rate as f64);
        assert!(
            median < ms(rtt + 50) + Duration::from_secs_f64(1_000.0 * 8.0 / rate as f64),
            "{rate} bit/s, {rtt} ms: {median:?}"
        );
    }
}

#[test]
fn a_line_that_answers_no_more_gets_a_few_frames_however_fast_it_was() {
    let mut session = playing(1_000_000_000, 5);
    session.video = false;
    session.run_for(Duration::from_secs(5));
    let before = session.down.carried_bytes();

    session.viewer_hangs = true;
    session.video = true;
    session.run_for(Duration::from_secs(2));

    let sent = session.down.carried_bytes() - before;
    assert!(sent < 8_000, "{sent} bytes");
}

#[test]
fn a_viewer_that_knows_no_codec_gets_no_films() {
    let mut session = Session::over(20_000_000, ms(40));
    session.soft = true;
    session.host = host_with(|config| config.films = vec![FilmFormat::Vp9]);
    play(&mut session);

    session.run_for(Duration::from_secs(2));

    assert_eq!(films(&session), 0);
    assert!(session.frames.iter().any(|(_, frame)| frame.reduced));
}

#[test]
fn a_viewer_whose_decoder_fails_goes_on_without_films() {
    let mut session = playing(20_000_000, 40);
    assert!({
        session.run_for(ms(500));
        films(&session) > 0
    });

    session.failing = FilmFormat::ALL.to_vec();
    session.run_for(Duration::from_secs(2));
    session.frames.clear();
    session.run_for(Duration::from_secs(2));

    assert_eq!(films(&session), 0);
    assert!(session.frames.len() > 20);
    session.video = false;
    assert!(
        session
            .run_until(Duration::from_secs(5), Session::is_exact)
            .is_some()
    );
}

/// Both codecs on the machine, H.264 first, and a film that plays.
fn playing_h264_first() -> Session {
    let codecs = film_codecs(&[FilmFormat::H264, FilmFormat::Vp9]);
    let mut session = Session::with_codecs(20_000_000, ms(40), codecs);
    play_for(&mut session, Duration::from_secs(3));
    session.run_for(ms(500));
    session
}

/// Formats of the films that were shown, each once, in the order of their first frames.
fn formats(session: &Session) -> Vec<FilmFormat> {
    let mut found = Vec::new();
    for (_, frame) in &session.frames {
        if let Some(film) = &frame.film
            && !found.contains(&film.format)
        {
            found.push(film.format);
        }
    }
    found
}

/// What plays now is smooth, looks like it, and becomes exact when it stops.
fn goes_on(session: &mut Session) {
    session.frames.clear();
    session.run_for(Duration::from_secs(2));
    assert!(session.frames.len() > 20, "{} frames", session.frames.len());
    // What is shown is older than the screen, where thin lines are elsewhere by now.
    assert!(session.fine || session.error_in(VIDEO) < 40.0);
    session.video = false;
    let exact = session.run_until(Duration::from_secs(5), Session::is_exact);
    assert!(exact.is_some());
}

#[test]
fn a_film_in_h264_looks_like_it_and_becomes_exact() {
    let mut session = playing_h264_first();
    assert_eq!(formats(&session), [FilmFormat::H264]);

    session.video = false;
    session.run_for(ms(140));
    let error = session.error_in(VIDEO);
    assert!(error < 6.0, "{error:.1} levels");
    session.video = true;

    goes_on(&mut session);
}

#[test]
fn a_viewer_whose_h264_fails_gets_vp9_and_without_that_no_films() {
    let mut session = playing_h264_first();

    session.failing = vec![FilmFormat::H264];
    session.run_for(Duration::from_secs(1));
    session.frames.clear();
    session.run_for(Duration::from_secs(1));
    assert_eq!(formats(&session), [FilmFormat::Vp9]);

    session.failing = FilmFormat::ALL.to_vec();
    session.run_for(Duration::from_secs(1));
    session.frames.clear();
    session.run_for(Duration::from_secs(1));
    assert_eq!(films(&session), 0);
    goes_on(&mut session);
}

/// H.264 of a graphics card that works until it is told not to, and how it does not.
#[derive(Clone, Default)]
struct Moody(Arc<Mutex<Option<Trouble>>>);

#[derive(Clone, Copy)]
enum Trouble {
    CannotOpen,
    Fails,
    Rubbish,
    /// The head of a frame, and nothing that a decoder understands behind it.
    Hollow,
}

fn card() -> FilmMaker {
    FilmMaker {
        name: "A Card".into(),
        is_hardware: true,
    }
}

struct MoodyEncoder(Moody, Box<dyn FilmEncoder>);

impl FilmCodec for Moody {
    fn format(&self) -> FilmFormat {
        FilmFormat::H264
    }

    fn open(&self, width: u32, height: u32) -> Result<Box<dyn FilmEncoder>, FilmError> {
        if matches!(*self.0.lock().expect("a lock"), Some(Trouble::CannotOpen)) {
            return Err(FilmError("no such device".to_owned()));
        }
        let real = film_codecs(&[FilmFormat::H264]);
        let encoder = real[0].open(width, height)?;
        Ok(Box::new(MoodyEncoder(self.clone(), encoder)))
    }
}

impl FilmEncoder for MoodyEncoder {
    fn encode(
        &mut self,
        picture: &FrameView<'_>,
        order: &FilmOrder,
    ) -> Result<FilmPacket, FilmError> {
        let mut packet = self.1.encode(picture, order)?;
        packet.maker = packet.key.then(card);
        match *self.0.0.lock().expect("a lock") {
            Some(Trouble::Fails | Trouble::CannotOpen) => {
                return Err(FilmError("the device was removed".to_owned()));
            }
            Some(Trouble::Rubbish) => packet.data = vec![0x5a; 2_000],
            Some(Trouble::Hollow) => {
                let head = packet.data.len().min(40);
                packet.data[head..].fill(0xff);
            }
            None => {}
        }
        Ok(packet)
    }
}

#[test]
fn a_codec_that_breaks_while_a_film_plays_never_stops_the_picture() {
    for (trouble, others) in [
        (Trouble::Fails, vec![FilmFormat::Vp9]),
        (Trouble::Rubbish, vec![FilmFormat::Vp9]),
        (Trouble::Hollow, vec![FilmFormat::Vp9]),
        (Trouble::Hollow, vec![]),
    ] {
        let moody = Moody::default();
        let mut codecs = film_codecs(&others);
        codecs.insert(0, Box::new(moody.clone()));
        let mut session = Session::with_codecs(20_000_000, ms(40), codecs);
        play_for(&mut session, Duration::from_secs(2));

        *moody.0.lock().expect("a lock") = Some(trouble);
        session.run_for(ms(500));

        assert!(session.ended.is_none());
        goes_on(&mut session);
    }
}

#[test]
fn the_viewer_learns_what_packs_a_film_and_what_replaces_it() {
    let moody = Moody::default();
    let mut codecs = film_codecs(&[FilmFormat::Vp9]);
    codecs.insert(0, Box::new(moody.clone()));
    let mut session = Session::with_codecs(20_000_000, ms(40), codecs);
    session.connect();
    session.video = true;
    session.run_for(Duration::from_secs(3));
    assert_eq!(makers(&session), [card()]);

    session.frames.clear();
    *moody.0.lock().expect("a lock") = Some(Trouble::Fails);
    session.run_for(Duration::from_secs(1));

    assert_eq!(makers(&session), [FilmMaker::library("libvpx")]);
}

/// What the viewer was told of encoders, each change once.
fn makers(session: &Session) -> Vec<FilmMaker> {
    let films = session
        .frames
        .iter()
        .filter_map(|(_, frame)| frame.film.as_ref());
    let mut told: Vec<_> = films.filter_map(|film| film.maker.clone()).collect();
    told.dedup();
    told
}

#[test]
fn a_codec_that_never_worked_is_not_noticed() {
    let moody = Moody::default();
    *moody.0.lock().expect("a lock") = Some(Trouble::CannotOpen);
    let mut codecs = film_codecs(&[FilmFormat::Vp9]);
    codecs.insert(0, Box::new(moody));
    let mut session = Session::with_codecs(20_000_000, ms(40), codecs);
    play_for(&mut session, Duration::from_secs(3));
    session.run_for(ms(500));

    assert_eq!(formats(&session), [FilmFormat::Vp9]);
    goes_on(&mut session);
}

/// A film with thin coloured lines on a machine that packs both forms of VP9.
fn playing_fine_colours(rate: u64, viewer: &[FilmFormat]) -> Session {
    let codecs = film_codecs(&[FilmFormat::Vp9, FilmFormat::Vp9FullChroma]);
    let mut session = Session::with_codecs(rate, ms(40), codecs);
    session.viewer = viewer_with(|config| config.films = viewer.to_vec());
    session.fine = true;
    play_for(&mut session, Duration::from_secs(8));
    session.run_for(Duration::from_secs(1));
    session
}

#[test]
fn fine_colours_get_full_chroma_from_a_viewer_that_knows_it_on_a_line_that_carries_it() {
    let knows = FilmFormat::ALL;
    let knows_not = [FilmFormat::Vp9, FilmFormat::H264];
    for (rate, viewer, format) in [
        (100_000_000, &knows[..], FilmFormat::Vp9FullChroma),
        (100_000_000, &knows_not[..], FilmFormat::Vp9),
        (256_000, &knows[..], FilmFormat::Vp9),
    ] {
        let mut session = playing_fine_colours(rate, viewer);

        assert_eq!(formats(&session), [format], "{rate} bit/s, {viewer:?}");
        goes_on(&mut session);
    }
}

#[test]
fn a_film_without_fine_colours_has_no_full_chroma() {
    let codecs = film_codecs(&[FilmFormat::Vp9, FilmFormat::Vp9FullChroma]);
    let mut session = Session::with_codecs(100_000_000, ms(40), codecs);

    play_for(&mut session, Duration::from_secs(8));
    session.run_for(Duration::from_secs(1));

    assert_eq!(formats(&session), [FilmFormat::Vp9]);
}

#[test]
fn who_asks_for_less_by_hand_gets_no_full_chroma() {
    let mut session = playing_fine_colours(100_000_000, &FilmFormat::ALL);
    let preferences = Preferences {
        quality: Quality::Medium,
        ..Preferences::default()
    };

    session.viewer.handle_preferences(session.now, preferences);
    session.run_for(ms(500));
    session.frames.clear();
    session.run_for(Duration::from_secs(1));

    assert_eq!(formats(&session), [FilmFormat::Vp9]);
}

#[test]
fn a_viewer_whose_full_chroma_fails_goes_on_in_the_usual_vp9() {
    let mut session = playing_fine_colours(100_000_000, &FilmFormat::ALL);

    session.failing = vec![FilmFormat::Vp9FullChroma];
    session.run_for(Duration::from_secs(1));
    session.frames.clear();
    session.run_for(Duration::from_secs(10));

    assert_eq!(formats(&session), [FilmFormat::Vp9]);
    goes_on(&mut session);
}

#[test]
fn a_line_that_becomes_slow_loses_full_chroma_and_not_the_film() {
    let mut session = playing_fine_colours(100_000_000, &FilmFormat::ALL);

    session.down.set_rate(session.now.as_micros(), 500_000);
    session.run_for(Duration::from_secs(5));
    session.frames.clear();
    session.run_for(Duration::from_secs(5));

    assert_eq!(formats(&session), [FilmFormat::Vp9]);
    goes_on(&mut session);
}

#[test]
fn the_highest_quality_has_no_films() {
    let mut session = playing(1_000_000_000, 5);

    let preferences = Preferences {
        quality: Quality::High,
        ..Preferences::default()
    };
    session.viewer.handle_preferences(session.now, preferences);
    session.run_for(ms(500));
    session.frames.clear();
    session.run_for(Duration::from_secs(1));

    assert_eq!(films(&session), 0);
    assert!(session.frames.iter().all(|(_, frame)| !frame.reduced));
}

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
