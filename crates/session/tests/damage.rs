//! Pictures that arrive damaged, or as a hostile machine makes them.

mod support;

use std::time::Duration;

use gc_session::viewer::ViewerEvent;
use support::{Session, VIDEO, ms};

fn connected() -> Session {
    let mut session = Session::over(20_000_000, ms(40));
    session.connect();
    session
        .run_until(Duration::from_secs(5), Session::is_exact)
        .expect("the first picture comes");
    session
}

#[test]
fn after_a_damaged_update_the_whole_picture_is_asked_for_and_comes() {
    let mut session = connected();
    session.damaged = 1;
    session.draw(VIDEO, 4);

    session.run_until(Duration::from_secs(5), |session| session.damaged == 0);
    let exact = session.run_until(Duration::from_secs(5), Session::is_exact);

    assert!(exact.is_some());
    assert_eq!(session.ended, None);
    session.draw(VIDEO, 5);
    let next = session.run_until(Duration::from_secs(5), Session::is_exact);
    assert!(next.is_some(), "and all that follows");
}

#[test]
fn a_picture_that_can_never_be_unpacked_is_said_to_be_so() {
    let mut session = connected();
    session.damaged = usize::MAX;
    session.draw(VIDEO, 4);
    let before = session.down.carried_bytes();

    session.run_for(Duration::from_secs(20));

    let said = session.events.iter().find_map(|event| match event {
        ViewerEvent::Ended { message, .. } => Some(message.as_str()),
        _ => None,
    });
    assert!(
        said.is_some_and(|said| said.contains("cannot be unpacked")),
        "{said:?}"
    );
    let pictures = (session.down.carried_bytes() - before) / 1_000;
    assert!(pictures < 1_000, "{pictures} kB were sent in vain");
}
