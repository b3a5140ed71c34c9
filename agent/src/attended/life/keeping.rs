//! Staying connected to the server.

use std::sync::Arc;
use std::time::Duration;

use gc_model::time::Moment;
use gc_session::CloseReason;
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::warn;

use crate::attended::link::{Attendant, Line, Signal};
use crate::clock::random_bytes;
use crate::control::{self, Ending};
use crate::reconnect::{Backoff, Failure};
use crate::session::Context;
use crate::sessions::Sessions;
use crate::viewers::Viewers;

/// 3 min: a server that is away for longer has ended the support session by itself.
const LONGEST_OUTAGE: Duration = Duration::from_mins(3);

/// One control connection after another, until told to stop or the server forgets us.
pub(super) async fn keep_connected(
    context: Arc<Context>,
    attendant: Arc<Attendant>,
    mut stop: watch::Receiver<bool>,
) {
    let tell = |line| attendant.signal(Signal::Line(line));
    let clock = context.clock;
    let mut sessions = Viewers::Here(Sessions::new(Arc::clone(&context)));
    let mut backoff = Backoff::default();
    let mut lost: Option<Moment> = None;
    loop {
        let ending = control::serve(&context, &mut sessions, &mut stop, None, || {
            backoff.handle_connected(clock.now());
            lost = None;
            tell(Line::Standing);
        })
        .await;
        let wait = match ending {
            Ending::Stopped => break,
            Ending::Refused(_) => {
                tell(Line::Gone);
                break;
            }
            Ending::Lost(why) => {
                warn!(why, "No connection to the server; trying again");
                let since = *lost.get_or_insert(clock.now());
                let given_up = clock.now().since(since) > LONGEST_OUTAGE;
                tell(if given_up { Line::GivenUp } else { Line::Lost });
                let chance = u64::from_le_bytes(random_bytes());
                backoff.handle_failure(clock.now(), Failure::Unreachable, chance)
            }
        };
        tokio::select! {
            () = sleep(wait) => {}
            _ = stop.wait_for(|stop| *stop) => break,
        }
    }
    sessions.close_all(CloseReason::EndedByPerson).await;
}
