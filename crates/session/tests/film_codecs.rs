//! Codecs of films: which one is used, and what becomes of a film when one fails.

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gc_codec::{
    FilmCodec, FilmEncoder, FilmError, FilmFormat, FilmMaker, FilmOrder, FilmPacket, FrameView,
    film_codecs,
};
use gc_session::{Preferences, Quality};
use support::films::{films, play, play_for, playing};
use support::{Session, VIDEO, host_with, ms, viewer_with};

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
