//! Support codes: what a customer types so that a technician can help, and the
//! one table of where a code stands and what may happen to it.
//!
//! ```text
//!            claim            accept             start            end
//!   open ───────────► waiting ───────► accepted ───────► active ───────► completed
//!    │ │               │ │ │ └─ leave ──► completed ◄──────┘ (end, leave)
//!    │ └ expire ───────│─┘ └─ refuse ─► refused
//!    └── cancel ───────┴─────────────► cancelled   expire ─► expired
//! ```

use std::fmt;

/// How many digits new codes have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeDigits {
    /// 100,000 codes.
    Five,
    /// 1,000,000 codes.
    Six,
}

impl CodeDigits {
    /// How many codes there are.
    pub const fn space(self) -> u32 {
        match self {
            Self::Five => 100_000,
            Self::Six => 1_000_000,
        }
    }

    const fn width(self) -> usize {
        match self {
            Self::Five => 5,
            Self::Six => 6,
        }
    }
}

/// A text that is no support code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a support code has five or six digits")]
pub struct ParseCodeError;

/// Five or six digits.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SupportCode(String);

impl SupportCode {
    /// Reads what a person typed; spaces, dashes and dots between digits are fine.
    ///
    /// # Errors
    /// Anything other than five or six digits.
    pub fn parse(text: &str) -> Result<Self, ParseCodeError> {
        let mut digits = String::with_capacity(6);
        for c in text.trim().chars() {
            match c {
                '0'..='9' if digits.len() < 6 => digits.push(c),
                ' ' | '\u{a0}' | '-' | '.' => {}
                _ => return Err(ParseCodeError),
            }
        }
        if digits.len() < 5 {
            return Err(ParseCodeError);
        }
        Ok(Self(digits))
    }

    /// A code of which every one is as likely as any other. `next` gives random
    /// numbers; those that would favour some codes are thrown away.
    pub fn draw(digits: CodeDigits, mut next: impl FnMut() -> u32) -> Self {
        let space = digits.space();
        let fair = u32::MAX - u32::MAX % space;
        let number = loop {
            let number = next();
            if number < fair {
                break number % space;
            }
        };
        let width = digits.width();
        Self(format!("{number:0width$}"))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Logs never show a code.
impl fmt::Debug for SupportCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SupportCode(…)")
    }
}

/// Where a support code stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CodeState {
    /// Nobody used it yet.
    Open,
    /// A guest is in the waiting room.
    Waiting,
    /// The technician let the guest in.
    Accepted,
    /// A session was started.
    Active,
    /// Over.
    Completed,
    /// The technician took it back.
    Cancelled,
    /// Nobody used it in time.
    Expired,
    /// The technician sent the guest away.
    Refused,
}

/// What may happen to a support code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CodeEvent {
    /// A guest came with it.
    Claim,
    /// The technician lets the guest in.
    Accept,
    /// The technician sends the guest away.
    Refuse,
    /// The technician starts a session.
    Start,
    /// The technician takes the code back before anybody was let in.
    Cancel,
    /// Its time is over before anybody was let in.
    Expire,
    /// The guest leaves, or is gone for too long.
    Leave,
    /// The last session is over, or the technician is done.
    End,
}

impl CodeState {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Open,
        Self::Waiting,
        Self::Accepted,
        Self::Active,
        Self::Completed,
        Self::Cancelled,
        Self::Expired,
        Self::Refused,
    ];

    /// Where the code stands after `event`; `None` when that cannot happen now.
    #[must_use]
    pub const fn after(self, event: CodeEvent) -> Option<Self> {
        use CodeEvent as E;
        Some(match (self, event) {
            (Self::Open, E::Claim) => Self::Waiting,
            (Self::Waiting, E::Accept) => Self::Accepted,
            (Self::Waiting, E::Refuse) => Self::Refused,
            // A second session of the same help: a viewer that was reloaded.
            (Self::Accepted | Self::Active, E::Start) => Self::Active,
            (Self::Open | Self::Waiting, E::Cancel) => Self::Cancelled,
            (Self::Open | Self::Waiting, E::Expire) => Self::Expired,
            (Self::Waiting | Self::Accepted | Self::Active, E::Leave)
            | (Self::Accepted | Self::Active, E::End) => Self::Completed,
            _ => return None,
        })
    }

    /// True while no other code may have the same digits.
    pub const fn is_live(self) -> bool {
        matches!(
            self,
            Self::Open | Self::Waiting | Self::Accepted | Self::Active
        )
    }

    /// True while a guest belongs to it.
    pub const fn has_guest(self) -> bool {
        matches!(self, Self::Waiting | Self::Accepted | Self::Active)
    }

    /// The states in which `event` can happen.
    pub fn before(event: CodeEvent) -> impl Iterator<Item = Self> {
        Self::ALL
            .into_iter()
            .filter(move |state| state.after(event).is_some())
    }

    /// Its name in the database and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Waiting => "waiting",
            Self::Accepted => "accepted",
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Refused => "refused",
        }
    }

    /// The state of that name; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [CodeEvent; 8] = [
        CodeEvent::Claim,
        CodeEvent::Accept,
        CodeEvent::Refuse,
        CodeEvent::Start,
        CodeEvent::Cancel,
        CodeEvent::Expire,
        CodeEvent::Leave,
        CodeEvent::End,
    ];

    #[test]
    fn reads_what_people_type() {
        let table = [
            ("847291", Some("847291")),
            (" 847 291 ", Some("847291")),
            ("847-291", Some("847291")),
            ("00421", Some("00421")),
            ("8472", None),
            ("8472911", None),
            ("84729a", None),
            ("８４７２９１", None),
            ("", None),
        ];
        for (text, expected) in table {
            let code = SupportCode::parse(text).ok();
            assert_eq!(code.as_ref().map(SupportCode::as_str), expected, "{text:?}");
        }
    }

    #[test]
    fn draws_each_code_as_often_as_any_other() {
        // The last incomplete round of numbers is thrown away.
        let mut numbers = [u32::MAX, u32::MAX - 295_295, 4_293_999_999].into_iter();
        let code = SupportCode::draw(CodeDigits::Six, || numbers.next().expect("a number"));
        assert_eq!(code.as_str(), "999999");
        assert_eq!(SupportCode::draw(CodeDigits::Five, || 42).as_str(), "00042");
    }

    #[test]
    fn what_is_over_stays_over() {
        for state in CodeState::ALL.into_iter().filter(|state| !state.is_live()) {
            for event in EVENTS {
                assert_eq!(state.after(event), None, "{state:?} {event:?}");
            }
        }
    }

    #[test]
    fn nobody_gets_a_session_without_being_let_in() {
        for state in [CodeState::Open, CodeState::Waiting] {
            assert_eq!(state.after(CodeEvent::Start), None);
        }
        assert_eq!(CodeState::Open.after(CodeEvent::Accept), None);
        assert_eq!(CodeState::Waiting.after(CodeEvent::Claim), None);
    }

    #[test]
    fn every_live_code_can_end() {
        for state in CodeState::ALL.into_iter().filter(|state| state.is_live()) {
            let ends = EVENTS
                .into_iter()
                .filter_map(|event| state.after(event))
                .any(|after| !after.is_live());
            assert!(ends, "{state:?}");
        }
    }

    #[test]
    fn names_lead_back_to_their_state() {
        for state in CodeState::ALL {
            assert_eq!(CodeState::parse(state.as_str()), Some(state));
        }
        assert_eq!(CodeState::parse("Open"), None);
    }
}
