//! The technician's end: the handshake and what it agrees on.

use gc_model::time::Moment;
use gc_proto::Message as _;
use gc_proto::limits::MAX_LIST_LEN;
use gc_proto::v1;
use gc_proto::v1::viewer_message;

use super::{EndCode, Lane, State, Viewer, ViewerEvent, ViewerOutput};
use crate::consent::{Elevation, Rights};
use crate::convert::{encodings_to_wire, format_from_wire, text};
use crate::guard::Guard;
use crate::handshake::{Handshake, HandshakeError};
use crate::preferences::OsFamily;
use crate::wire::{Header, WIRE_VERSION};
use crate::words::{TwoWords, commitment, two_words};

pub(super) const KEY_MISMATCH: &str = "What answered does not hold the key that this machine enrolled with. \
    Somebody may be between you and the machine, or its agent was installed anew without the server's knowledge. \
    Nothing was shown or sent.";

impl Viewer {
    pub(super) fn open(&mut self, mut handshake: Handshake) -> Result<Handshake, HandshakeError> {
        let opening = v1::Opening {
            signed_grant: self.config.signed_grant.clone().into(),
            capabilities: Some(v1::Capabilities {
                wire_version: WIRE_VERSION.into(),
                encodings: encodings_to_wire(&self.config.films),
                features: vec![
                    v1::Feature::Cursor.into(),
                    v1::Feature::TextInput.into(),
                    v1::Feature::Moves.into(),
                    v1::Feature::Photos.into(),
                ],
                software: text(&self.config.software),
                os_family: v1::OsFamily::Unspecified.into(),
            }),
            preferences: Some(self.config.preferences.to_wire()),
            words_commitment: commitment(&self.words_nonce).to_vec().into(),
        };
        let body = handshake.write(&opening.encode_to_vec())?;
        let header = Header {
            lane: Lane::Handshake,
            epoch: 0,
        };
        self.outputs
            .push_back(ViewerOutput::Send([&header.to_bytes()[..], &body].concat()));
        Ok(handshake)
    }

    pub(super) fn handle_answer(&mut self, now: Moment, body: &[u8]) {
        let State::Opening(mut handshake) = std::mem::replace(&mut self.state, State::Ended) else {
            unreachable!("called while opening")
        };
        let Ok(payload) = handshake.read(body) else {
            return self.emit_ended(EndCode::AgentKeyMismatch, KEY_MISMATCH);
        };
        let accepted = match v1::Answer::decode(&*payload).map(|answer| answer.result) {
            Ok(Some(v1::answer::Result::Accepted(accepted))) => accepted,
            Ok(Some(v1::answer::Result::Refused(refused))) => return self.handle_refused(&refused),
            _ => {
                return self.emit_ended(EndCode::Protocol, "The machine's answer is not readable.");
            }
        };
        let words = two_words(&handshake.hash(), &self.words_nonce);
        self.state = State::Running(Box::new(handshake.finish()));
        let reveal = v1::WordsReveal {
            nonce: self.words_nonce.to_vec().into(),
        };
        self.send(Lane::Control, viewer_message::Body::Words(reveal));
        self.handle_accepted(now, accepted, words);
    }

    pub(super) fn handle_accepted(&mut self, now: Moment, accepted: v1::Accepted, words: TwoWords) {
        self.deadline = now;

        let capabilities = accepted.capabilities.unwrap_or_default();
        let too_long =
            capabilities.features.len() > MAX_LIST_LEN || accepted.rights.len() > MAX_LIST_LEN;
        if too_long {
            return self.end(
                EndCode::Protocol,
                "The machine announced more than the protocol allows.",
            );
        }
        self.machine_films = capabilities
            .encodings
            .iter()
            .take(MAX_LIST_LEN)
            .filter_map(|&encoding| format_from_wire(encoding))
            .collect();
        let has = |feature: v1::Feature| capabilities.features.contains(&feature.into());
        let granted = Rights::from_wire(&accepted.rights);
        self.rights = if accepted.consent_pending {
            Rights::NONE
        } else {
            granted
        };
        self.emit(ViewerEvent::Connected {
            software: text(&capabilities.software),
            os_family: OsFamily::from_wire(capabilities.os_family),
            rights: self.rights,
            consent_pending: accepted.consent_pending,
            words,
            has_secure_attention: has(v1::Feature::SecureAttention),
            can_select_display: has(v1::Feature::SelectDisplay),
            guards: Guard {
                block_input: has(v1::Feature::BlockInput),
                blank_screen: has(v1::Feature::BlankScreen),
            },
            has_cursor: has(v1::Feature::Cursor),
            has_text_input: has(v1::Feature::TextInput),
            asks_person: has(v1::Feature::Consent),
            elevation: if has(v1::Feature::Elevated) {
                Elevation::Elevated
            } else if has(v1::Feature::Elevation) {
                Elevation::Possible
            } else {
                Elevation::Unavailable
            },
        });
        self.handle_layout(&accepted.layout.unwrap_or_default());
    }

    fn handle_refused(&mut self, refused: &v1::Refused) {
        let code = match v1::RefusalReason::try_from(refused.reason) {
            Ok(v1::RefusalReason::GrantExpired) => EndCode::GrantExpired,
            Ok(v1::RefusalReason::DesktopUnavailable) => EndCode::DesktopLost,
            Ok(v1::RefusalReason::Incompatible) => EndCode::Incompatible,
            _ => EndCode::Refused,
        };
        self.emit_ended(
            code,
            &format!(
                "The machine refused the session: {}.",
                text(&refused.detail)
            ),
        );
    }
}
