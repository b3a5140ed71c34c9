//! When a support session is over without anybody saying so.

use std::collections::HashMap;
use std::time::Duration;

use gc_model::id::SupportId;
use gc_model::support::{CodeEvent, CodeState};
use gc_model::time::Moment;

/// A guest that is gone for so long does not come back: a computer that was
/// restarted has forgotten the program.
const GUEST_GONE: Duration = Duration::from_mins(1);

/// After the last session the help is over; a viewer that is only reloaded is
/// back sooner.
const NO_SESSION: Duration = Duration::from_secs(10);

/// What is seen of one live code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) state: CodeState,
    /// The code's time is over.
    pub(crate) expired: bool,
    /// The guest's program is connected, or it is a managed machine, which may come and go.
    pub(crate) online: bool,
    /// A session with the guest is open.
    pub(crate) in_session: bool,
}

/// How a code ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Over {
    pub(crate) event: CodeEvent,
    pub(crate) reason: &'static str,
}

/// Remembers since when something is amiss.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    gone_since: HashMap<SupportId, Moment>,
    idle_since: HashMap<SupportId, Moment>,
}

impl Watch {
    /// Looks at a code, as often as one likes.
    pub(crate) fn look(&mut self, now: Moment, id: &SupportId, seen: Seen) -> Option<Over> {
        let over = |event, reason| Some(Over { event, reason });
        let early = matches!(seen.state, CodeState::Open | CodeState::Waiting);
        if early && seen.expired {
            return over(CodeEvent::Expire, "expired");
        }
        let gone = seen.state.has_guest() && !seen.online;
        let idle = seen.state == CodeState::Active && !seen.in_session;
        if lasts(&mut self.gone_since, now, id, gone) >= Some(GUEST_GONE) {
            return over(CodeEvent::Leave, "guest_gone");
        }
        if lasts(&mut self.idle_since, now, id, idle) >= Some(NO_SESSION) {
            return over(CodeEvent::End, "session_ended");
        }
        None
    }

    /// Forgets all but these.
    pub(crate) fn keep(&mut self, live: impl Fn(&SupportId) -> bool) {
        self.gone_since.retain(|id, _| live(id));
        self.idle_since.retain(|id, _| live(id));
    }
}

fn lasts(
    since: &mut HashMap<SupportId, Moment>,
    now: Moment,
    id: &SupportId,
    is_so: bool,
) -> Option<Duration> {
    if !is_so {
        since.remove(id);
        return None;
    }
    Some(now.since(*since.entry(id.clone()).or_insert(now)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_micros(seconds * 1_000_000)
    }

    fn seen(state: CodeState, online: bool, in_session: bool) -> Seen {
        Seen {
            state,
            expired: false,
            online,
            in_session,
        }
    }

    #[test]
    fn a_guest_that_comes_back_within_a_minute_is_waited_for() {
        let id = SupportId::parse("a").expect("an id");
        let mut watch = Watch::default();
        let away = seen(CodeState::Waiting, false, false);

        assert_eq!(watch.look(at(0), &id, away), None);
        assert_eq!(watch.look(at(59), &id, away), None);
        let back = seen(CodeState::Waiting, true, false);
        assert_eq!(watch.look(at(59), &id, back), None);
        assert_eq!(watch.look(at(60), &id, away), None);
        assert_eq!(watch.look(at(119), &id, away), None);
        let over = watch.look(at(120), &id, away);
        assert_eq!(over.map(|over| over.event), Some(CodeEvent::Leave));
    }

    #[test]
    fn a_viewer_may_be_reloaded_and_then_the_help_is_over() {
        let id = SupportId::parse("a").expect("an id");
        let mut watch = Watch::default();
        let between = seen(CodeState::Active, true, false);

        assert_eq!(watch.look(at(0), &id, between), None);
        assert_eq!(
            watch.look(at(5), &id, seen(CodeState::Active, true, true)),
            None
        );
        assert_eq!(watch.look(at(9), &id, between), None);
        assert_eq!(watch.look(at(18), &id, between), None);
        let over = watch.look(at(19), &id, between);
        assert_eq!(over.map(|over| over.event), Some(CodeEvent::End));
    }

    #[test]
    fn a_code_expires_until_somebody_is_let_in() {
        let id = SupportId::parse("a").expect("an id");
        let expired = |state| Seen {
            expired: true,
            ..seen(state, true, true)
        };
        let table = [
            (CodeState::Open, true),
            (CodeState::Waiting, true),
            (CodeState::Accepted, false),
            (CodeState::Active, false),
        ];
        for (state, ends) in table {
            let over = Watch::default().look(at(0), &id, expired(state));
            assert_eq!(over.is_some(), ends, "{state:?}");
        }
    }
}
