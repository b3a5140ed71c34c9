//! What the person at the machine allows. The gate stands in the machine's end,
//! before capture and input, and believes neither the viewer nor the server.

use std::time::Duration;

use gc_model::time::Moment;
use gc_proto::v1;

/// Questions that one connection may put on the screen; further ones are declined unasked.
const MAX_QUESTIONS: u32 = 16;

/// What may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rights {
    /// See the screen.
    pub view: bool,
    /// Use mouse and keyboard.
    pub control: bool,
    /// Administrator rights for the agent itself. Asked for and agreed to once, never kept:
    /// the agent that has them is another one.
    pub elevation: bool,
}

impl Rights {
    /// Nothing.
    pub const NONE: Self = Self {
        view: false,
        control: false,
        elevation: false,
    };

    /// To see and nothing else.
    pub const VIEW: Self = Self {
        view: true,
        control: false,
        elevation: false,
    };

    /// To see and to use mouse and keyboard.
    pub const CONTROL: Self = Self {
        view: true,
        control: true,
        elevation: false,
    };

    /// Administrator rights for the agent, and nothing else.
    pub const ELEVATION: Self = Self {
        view: false,
        control: false,
        elevation: true,
    };

    /// Their names, as in reports: `view`, `control`, `elevation`.
    pub fn names(self) -> Vec<&'static str> {
        let named = [
            (self.view, "view"),
            (self.control, "control"),
            (self.elevation, "elevation"),
        ];
        let given = named.into_iter().filter(|(given, _)| *given);
        given.map(|(_, name)| name).collect()
    }

    pub(crate) fn to_wire(self) -> Vec<i32> {
        let named = [
            (self.view, v1::Right::View),
            (self.control, v1::Right::Control),
            (self.elevation, v1::Right::Elevation),
        ];
        let given = named.into_iter().filter(|(given, _)| *given);
        given.map(|(_, right)| right.into()).collect()
    }

    pub(crate) fn from_wire(rights: &[i32]) -> Self {
        Self {
            view: rights.contains(&v1::Right::View.into()),
            control: rights.contains(&v1::Right::Control.into()),
            elevation: rights.contains(&v1::Right::Elevation.into()),
        }
    }

    const fn and(self, other: Self) -> Self {
        Self {
            view: self.view && other.view,
            control: self.control && other.control,
            elevation: self.elevation && other.elevation,
        }
    }

    const fn or(self, other: Self) -> Self {
        Self {
            view: self.view || other.view,
            control: self.control || other.control,
            elevation: self.elevation || other.elevation,
        }
    }

    const fn without(self, other: Self) -> Self {
        Self {
            view: self.view && !other.view,
            control: self.control && !other.control,
            elevation: self.elevation && !other.elevation,
        }
    }
}

/// Whether somebody at the machine has to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Consent {
    /// The grant is enough: nobody sits there.
    NotNeeded,
    /// Nothing is captured and nothing is done before the person said yes.
    Required {
        /// No answer for this long means no.
        timeout: Duration,
        /// What the person allowed before the connection was made anew.
        given: Option<Given>,
    },
}

/// Whether the agent of an attended session has administrator rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Elevation {
    /// Nobody is asked for them here.
    #[default]
    Unavailable,
    /// The person may be asked; on a yes, the agent starts anew.
    Possible,
    /// It has them.
    Elevated,
}

/// An answer of the same session, which lasts for the same technician.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// By the server's word in the grant.
    pub technician: String,
    /// What was allowed.
    pub rights: Rights,
}

/// What a person says to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Yes.
    Allow,
    /// No.
    Decline,
}

/// What became of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsentOutcome {
    /// The person said yes.
    Allowed,
    /// The person said no.
    Declined,
    /// Nobody answered in time, which means no.
    TimedOut,
    /// The technician left, or the connection was lost, before an answer.
    Withdrawn,
}

/// A question on the machine's screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) id: u32,
    pub(crate) rights: Rights,
    asked_at: Moment,
    pub(crate) deadline: Moment,
}

/// What a request for rights leads to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The person is to be asked for these.
    Question(Rights),
    /// No question is needed.
    Settled(ConsentOutcome),
}

/// Stands between the viewer and everything that it may see or do.
///
/// INVARIANT: `allowed` never has a right that `granted` lacks.
pub(crate) struct Gate {
    consent: Consent,
    granted: Rights,
    allowed: Rights,
    question: Option<Question>,
    asked: u32,
    pub(crate) paused: bool,
    /// A question is on the machine's screen, this viewer's or another's: only the person
    /// there may press anything.
    pub(crate) held: bool,
}

impl Gate {
    /// Shut.
    pub(crate) const fn new(consent: Consent) -> Self {
        Self {
            consent,
            granted: Rights::NONE,
            allowed: Rights::NONE,
            question: None,
            asked: 0,
            paused: false,
            held: false,
        }
    }

    /// The grant was checked. True when somebody has to be asked first.
    pub(crate) fn admit(&mut self, granted: Rights, technician: &str) -> bool {
        debug_assert!(!granted.elevation, "no grant has that right");
        self.granted = granted;
        self.allowed = match &self.consent {
            Consent::NotNeeded => granted,
            Consent::Required {
                given: Some(given), ..
            } if given.technician == technician => given.rights.and(granted),
            Consent::Required { .. } => Rights::NONE,
        };
        !self.allowed.view
    }

    pub(crate) const fn granted(&self) -> Rights {
        self.granted
    }

    pub(crate) const fn allowed(&self) -> Rights {
        self.allowed
    }

    /// The screen may be read and shown now.
    pub(crate) const fn shows(&self) -> bool {
        self.allowed.view && !self.paused
    }

    /// Input may be made now.
    pub(crate) const fn admits_input(&self) -> bool {
        self.allowed.control && self.shows() && !self.held
    }

    pub(crate) const fn question(&self) -> Option<Question> {
        self.question
    }

    /// Puts a question on the screen, or says why none is needed. Who may control may ask for
    /// administrator rights where the agent `can_elevate`.
    pub(crate) fn ask(&mut self, now: Moment, id: u32, wanted: Rights, can_elevate: bool) -> Asked {
        let missing = wanted.without(self.allowed);
        if missing == Rights::NONE {
            return Asked::Settled(ConsentOutcome::Allowed);
        }
        let Consent::Required { timeout, .. } = self.consent else {
            return Asked::Settled(ConsentOutcome::Declined);
        };
        let granted = Rights {
            elevation: can_elevate && self.granted.control && self.allowed.view,
            ..self.granted
        };
        let askable = missing.and(granted);
        // One question, one yes: nobody agrees to more than the title says.
        let alone = !missing.elevation || missing == Rights::ELEVATION;
        let open = self.question.is_none() && self.asked < MAX_QUESTIONS && alone;
        if askable == Rights::NONE || !open {
            return Asked::Settled(ConsentOutcome::Declined);
        }
        self.asked += 1;
        self.question = Some(Question {
            id,
            rights: askable,
            asked_at: now,
            deadline: now + timeout,
        });
        Asked::Question(askable)
    }

    /// Takes the question off the screen; the question and how long it stood.
    pub(crate) fn settle(
        &mut self,
        now: Moment,
        outcome: ConsentOutcome,
    ) -> Option<(Question, Duration)> {
        let question = self.question.take()?;
        if outcome == ConsentOutcome::Allowed {
            self.allowed = self.allowed.or(question.rights).without(Rights::ELEVATION);
        }
        Some((question, now.since(question.asked_at)))
    }
}
