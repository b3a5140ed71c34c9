//! Several viewers of one screen over simulated links, in virtual time. Their machines' clocks
//! and screens go in step, and they share their films as one agent's viewers do.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gc_codec::{
    FilmCodec, FilmEncoder, FilmError, FilmFormat, FilmOrder, FilmPacket, FrameView, SharedFilms,
    film_codecs,
};
use support::{Session, ms};

/// Counts the frames that are really packed.
struct Counting {
    codec: Box<dyn FilmCodec>,
    packed: Arc<AtomicUsize>,
}

struct CountingStream(Box<dyn FilmEncoder>, Arc<AtomicUsize>);

impl FilmCodec for Counting {
    fn format(&self) -> FilmFormat {
        self.codec.format()
    }

    fn open(&self, width: u32, height: u32) -> Result<Box<dyn FilmEncoder>, FilmError> {
        let stream = self.codec.open(width, height)?;
        Ok(Box::new(CountingStream(stream, Arc::clone(&self.packed))))
    }
}

impl FilmEncoder for CountingStream {
    fn encode(
        &mut self,
        picture: &FrameView<'_>,
        order: &FilmOrder,
    ) -> Result<FilmPacket, FilmError> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.encode(picture, order)
    }
}

/// Viewers behind links of these rates and round trips, of whom each has the first picture.
struct Room {
    sessions: Vec<Session>,
    films: SharedFilms,
    packed: Arc<AtomicUsize>,
}

impl Room {
    fn of(links: &[(u64, u64)]) -> Self {
        let mut room = Self {
            sessions: Vec::new(),
            films: SharedFilms::default(),
            packed: Arc::default(),
        };
        for &(rate, rtt) in links {
            let session = room.come(rate, rtt);
            room.sessions.push(session);
        }
        for session in &mut room.sessions {
            session.connect();
            let exact = session.run_until(Duration::from_secs(30), Session::is_exact);
            exact.expect("the first picture comes");
        }
        // From here on they have the same time.
        let latest = room.sessions.iter().map(|session| session.now).max();
        let latest = latest.expect("somebody looks");
        for session in &mut room.sessions {
            session.run_for(latest.since(session.now));
            session.video = true;
        }
        room
    }

    fn come(&self, rate: u64, rtt: u64) -> Session {
        let count = |codec| {
            Box::new(Counting {
                codec,
                packed: Arc::clone(&self.packed),
            }) as Box<dyn FilmCodec>
        };
        let codecs = film_codecs(&[FilmFormat::Vp9]).into_iter().map(count);
        let codecs = self.films.for_viewer(codecs.collect());
        Session::with_codecs(rate, ms(rtt), codecs)
    }

    fn run_for(&mut self, milliseconds: u64) {
        for _ in 0..milliseconds {
            for session in &mut self.sessions {
                session.run_for(ms(1));
            }
        }
    }

    /// Frames of films that each was shown in so many seconds, and how many were packed.
    fn count(&mut self, seconds: u64) -> (Vec<usize>, usize) {
        let packed = self.packed.load(Ordering::SeqCst);
        for session in &mut self.sessions {
            session.frames.clear();
        }
        self.run_for(seconds * 1_000);
        let films = |session: &Session| {
            let frames = session.frames.iter();
            frames.filter(|(_, frame)| frame.film.is_some()).count()
        };
        let shown = self.sessions.iter().map(films).collect();
        (shown, self.packed.load(Ordering::SeqCst) - packed)
    }
}

#[test]
fn one_behind_a_slow_line_takes_nothing_from_the_others() {
    let mut alone = Room::of(&[(20_000_000, 40)]);
    alone.run_for(8_000);
    let (alone, _) = alone.count(8);
    let mut room = Room::of(&[(20_000_000, 40), (20_000_000, 40), (64_000, 150)]);
    room.run_for(8_000);

    let (shown, _) = room.count(8);

    assert!(shown[0] * 100 >= alone[0] * 95, "{shown:?} of {alone:?}");
    assert!(shown[1] * 100 >= alone[0] * 95, "{shown:?} of {alone:?}");
    assert!(shown[2] > 0);
}

#[test]
fn a_film_is_packed_once_for_those_who_keep_up() {
    let mut room = Room::of(&[(20_000_000, 40), (20_000_000, 10), (100_000_000, 5)]);
    room.run_for(8_000);

    let (shown, packed) = room.count(10);

    let all: usize = shown.iter().sum();
    assert!(shown.iter().all(|&frames| frames > 200), "{shown:?}");
    assert!(packed * 2 < all, "{packed} packed for {shown:?}");
}

#[test]
fn everybody_is_exact_when_the_film_stops() {
    let mut room = Room::of(&[(20_000_000, 40), (2_000_000, 80), (1_000_000_000, 5)]);
    room.run_for(6_000);

    for session in &mut room.sessions {
        session.video = false;
    }
    room.run_for(3_000);

    assert!(room.sessions.iter().all(Session::is_exact));
}

#[test]
fn waiting_for_what_another_packs_does_not_count_as_work() {
    let frames = |waited| {
        let mut room = Room::of(&[(100_000_000, 5)]);
        room.sessions[0].waited = waited;
        room.run_for(4_000);
        room.count(8).0[0]
    };

    let (alone, in_company) = (frames(ms(0)), frames(ms(20)));

    assert!(in_company * 100 >= alone * 95, "{in_company} of {alone}");
}
