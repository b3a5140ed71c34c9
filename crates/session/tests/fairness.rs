//! A session and another program's download on one line, in virtual time.

mod support;

use std::time::Duration;

use support::download::Download;
use support::{Session, ms};

#[test]
fn what_plays_and_a_download_share_the_line_and_keys_stay_quick() {
    for (rate, rtt) in [(1_000_000, 40), (2_000_000, 80), (20_000_000, 40)] {
        let mut session = Session::over(rate, ms(rtt));
        session.connect();
        session.video = true;
        session.run_for(Duration::from_secs(10));
        // Twice what the line holds by itself, or what any TCP takes ahead: alone, it is a queue.
        let window = (rate / 8 * rtt * 2 / 1_000).max(30_000) as usize;
        session.download = Some(Download::new(window, ms(rtt / 2), session.now));
        session.run_for(Duration::from_secs(25));

        let before = (session.down.carried_bytes(), downloaded(&session));
        let mut slowest = Duration::ZERO;
        for seed in 0..10 {
            slowest = slowest.max(session.time_key_press(seed));
            session.run_for(ms(900));
        }
        let all = session.down.carried_bytes() - before.0;
        let theirs = (downloaded(&session) - before.1) as f64 / all as f64;

        assert!(
            (0.3..0.8).contains(&theirs),
            "{rate} bit/s: the download has {theirs:.2}"
        );
        // Its queue is in every answer; ours is a round trip at most.
        let queue = Duration::from_secs_f64(window as f64 * 8.0 / rate as f64);
        let limit = (ms(rtt) + queue) * 2 + ms(100);
        assert!(slowest < limit, "{rate} bit/s: {slowest:?} of {limit:?}");

        session.download.as_mut().expect("set above").complete = true;
        session.run_for(Duration::from_secs(15));
        let used = session.bits_per_second_for(Duration::from_secs(10)) / rate as f64;
        assert!(used > 0.7, "{rate} bit/s: {used:.2} of it afterwards");
    }
}

fn downloaded(session: &Session) -> usize {
    let download = session.download.as_ref();
    download.map_or(0, |download| download.arrived_bytes)
}
