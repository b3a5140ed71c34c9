//! The machine's end: words, questions and pauses.

use gc_model::time::Moment;
use gc_proto::limits::MAX_LIST_LEN;
use gc_proto::v1;
use gc_proto::v1::agent_message;

use super::{Host, HostOutput, Lane, State, WordsCheck};
use crate::consent::{Answer, Asked, Consent, ConsentOutcome, Elevation, Rights};
use crate::words::{commitment, two_words};

/// The question at the start has this number; a viewer's own are higher.
const FIRST_QUESTION: u32 = 0;

impl Host {
    /// The person at the machine answered a question. An answer to a question
    /// that stands no more changes nothing.
    pub fn handle_answer(&mut self, now: Moment, request_id: u32, answer: Answer) {
        let outcome = match answer {
            Answer::Allow => ConsentOutcome::Allowed,
            Answer::Decline => ConsentOutcome::Declined,
        };
        self.settle(now, request_id, outcome);
        self.order_capture(now);
    }

    /// The person pauses or resumes: nothing is shown and nothing done meanwhile.
    pub fn handle_pause(&mut self, now: Moment, paused: bool) {
        if self.is_ended() || self.gate.paused == paused {
            return;
        }
        self.gate.paused = paused;
        self.send(
            Lane::Control,
            agent_message::Body::Paused(v1::Paused { paused }),
        );
        if paused {
            self.release_all();
            self.lift_guard();
        } else {
            self.show(now);
        }
        self.order_capture(now);
    }

    /// A question stands on the machine's screen, or is gone from it: nobody but the person
    /// there may press a button of it.
    pub fn handle_hold(&mut self, now: Moment, held: bool) {
        if self.is_ended() || self.gate.held == held {
            return;
        }
        self.now = now;
        self.gate.held = held;
        if held {
            self.release_all();
        }
    }

    /// What may be done now.
    pub fn rights(&self) -> Rights {
        self.gate.allowed()
    }

    /// When something of the consent is due.
    pub(super) fn consent_deadline(&self) -> Option<Moment> {
        if let Some(question) = self.gate.question() {
            return Some(question.deadline);
        }
        let waits = self.is_asking() && matches!(self.check, WordsCheck::Promised { .. });
        waits.then_some(self.handshake_deadline)
    }

    pub(super) fn handle_consent_timeout(&mut self, now: Moment) {
        if !matches!(self.state, State::Running(_))
            || self
                .consent_deadline()
                .is_none_or(|deadline| now < deadline)
        {
            return;
        }
        match self.gate.question() {
            Some(question) => self.settle(now, question.id, ConsentOutcome::TimedOut),
            None => self.fail("the viewer did not say what the words are made of"),
        }
    }

    pub(super) fn handle_words(&mut self, now: Moment, reveal: &v1::WordsReveal) {
        let WordsCheck::Promised {
            commitment: promised,
            handshake_hash,
        } = &self.check
        else {
            return self.fail("the viewer told the number of the words unasked");
        };
        let nonce = <[u8; 32]>::try_from(&*reveal.nonce).ok();
        let Some(nonce) = nonce.filter(|nonce| commitment(nonce) == *promised) else {
            return self.fail("the viewer told another number than it promised");
        };
        let words = two_words(handshake_hash, &nonce);
        self.check = WordsCheck::Told;
        self.outputs.push_back(HostOutput::Words(words));
        if !self.gate.allowed().view {
            let granted = self.gate.granted();
            let wanted = Rights {
                control: granted.control && !self.preferences.view_only,
                ..granted
            };
            self.ask(now, FIRST_QUESTION, wanted);
        }
    }

    pub(super) fn handle_request(&mut self, now: Moment, request: &v1::ConsentRequest) {
        if request.rights.len() > MAX_LIST_LEN || request.request_id == FIRST_QUESTION {
            return self
                .fail("the viewer asked for rights in a way that the protocol does not allow");
        }
        if self.is_asking() && !matches!(self.check, WordsCheck::Told) {
            return self.fail("the viewer asked before the words could be compared");
        }
        self.ask(now, request.request_id, Rights::from_wire(&request.rights));
    }

    /// The connection ends with a question on the screen.
    pub(super) fn withdraw_question(&mut self) {
        if let Some((question, waited)) = self.gate.settle(self.now, ConsentOutcome::Withdrawn) {
            self.outputs.push_back(HostOutput::Settled {
                rights: question.rights,
                outcome: ConsentOutcome::Withdrawn,
                waited,
            });
        }
    }

    fn is_asking(&self) -> bool {
        self.config.consent != Consent::NotNeeded
    }

    fn ask(&mut self, now: Moment, request_id: u32, wanted: Rights) {
        let can_elevate = self.config.elevation == Elevation::Possible;
        match self.gate.ask(now, request_id, wanted, can_elevate) {
            Asked::Question(rights) => {
                let technician = self.technician.clone();
                self.outputs.push_back(HostOutput::Ask {
                    request_id,
                    technician,
                    rights,
                });
            }
            Asked::Settled(outcome) => self.respond(request_id, outcome, 0),
        }
    }

    fn settle(&mut self, now: Moment, request_id: u32, outcome: ConsentOutcome) {
        let stands = self.gate.question();
        if self.is_ended() || stands.is_none_or(|question| question.id != request_id) {
            return;
        }
        let could_see = self.gate.allowed().view;
        let Some((question, waited)) = self.gate.settle(now, outcome) else {
            return;
        };
        self.outputs.push_back(HostOutput::Settled {
            rights: question.rights,
            outcome,
            waited,
        });
        let waited_ms = u32::try_from(waited.as_millis()).unwrap_or(u32::MAX);
        self.respond(request_id, outcome, waited_ms);
        if could_see {
            return;
        }
        match outcome {
            ConsentOutcome::Allowed => self.start(now),
            _ => self.end("the person at the machine did not allow the session"),
        }
    }

    fn respond(&mut self, request_id: u32, outcome: ConsentOutcome, waited_ms: u32) {
        let outcome = match outcome {
            ConsentOutcome::Allowed => v1::ConsentOutcome::Allowed,
            ConsentOutcome::Declined => v1::ConsentOutcome::Declined,
            ConsentOutcome::TimedOut => v1::ConsentOutcome::TimedOut,
            // Whoever asked is gone.
            ConsentOutcome::Withdrawn => return,
        };
        let response = v1::ConsentResponse {
            request_id,
            outcome: outcome.into(),
            rights: self.gate.allowed().to_wire(),
            waited_ms,
        };
        self.send(Lane::Control, agent_message::Body::Consent(response));
    }
}
