//! Films that play.

use std::time::Duration;

use gc_session::viewer::ShownFrame;

use super::{Session, ms};

pub fn playing(bits_per_second: u64, rtt_ms: u64) -> Session {
    let mut session = Session::with_films(bits_per_second, ms(rtt_ms));
    play(&mut session);
    session
}

pub fn play(session: &mut Session) {
    play_for(session, Duration::from_secs(10));
}

pub fn play_for(session: &mut Session, long: Duration) {
    session.connect();
    session
        .run_until(Duration::from_secs(30), Session::is_exact)
        .expect("the first picture comes");
    session.video = true;
    session.run_for(long);
    session.frames.clear();
}

pub fn has_film(frame: &ShownFrame) -> bool {
    frame.film.is_some()
}

pub fn films(session: &Session) -> usize {
    let frames = session.frames.iter();
    frames.filter(|(_, frame)| has_film(frame)).count()
}
