//! The technician's end: asking for more, and the answers.

use gc_model::time::Moment;
use gc_proto::limits::MAX_LIST_LEN;
use gc_proto::v1;
use gc_proto::v1::viewer_message;

use super::{EndCode, Lane, State, Viewer, ViewerEvent};
use crate::consent::{ConsentOutcome, Rights};

impl Viewer {
    /// Asks the person at the machine for more; the answer is a [`ViewerEvent::Consent`] with the same number.
    pub fn handle_request(&mut self, _now: Moment, rights: Rights) -> u32 {
        self.requests += 1;
        let request = v1::ConsentRequest {
            request_id: self.requests,
            rights: rights.to_wire(),
        };
        self.send(Lane::Control, viewer_message::Body::Consent(request));
        self.requests
    }

    pub(super) fn handle_response(&mut self, response: &v1::ConsentResponse) {
        let outcome = match v1::ConsentOutcome::try_from(response.outcome) {
            Ok(v1::ConsentOutcome::Allowed) => ConsentOutcome::Allowed,
            Ok(v1::ConsentOutcome::Declined) => ConsentOutcome::Declined,
            Ok(v1::ConsentOutcome::TimedOut) => ConsentOutcome::TimedOut,
            _ => {
                return self.end(EndCode::Protocol, "The machine's answer is not readable.");
            }
        };
        if response.rights.len() > MAX_LIST_LEN {
            return self.end(
                EndCode::Protocol,
                "The machine announced more than the protocol allows.",
            );
        }
        let saw = self.rights.view;
        self.rights = Rights::from_wire(&response.rights);
        self.emit(ViewerEvent::Consent {
            request_id: response.request_id,
            outcome,
            rights: self.rights,
        });
        if saw || self.rights.view || !matches!(self.state, State::Running(_)) {
            return;
        }
        match outcome {
            ConsentOutcome::TimedOut => self.end(
                EndCode::NoAnswer,
                "Nobody at the machine answered the question in time, so nothing was shown.",
            ),
            ConsentOutcome::Declined => self.end(
                EndCode::Declined,
                "The person at the machine did not allow the session.",
            ),
            _ => {}
        }
    }
}
