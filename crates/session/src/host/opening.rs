//! The first two messages: who looks, and what they may.

use gc_codec::Abilities;
use gc_model::time::Moment;
use gc_proto::Message as _;
use gc_proto::v1;
use gc_proto::v1::agent_message;
use zeroize::Zeroizing;

use super::{Host, HostOutput, State, WordsCheck};
use crate::consent::{Consent, Elevation, Rights};
use crate::convert::{encodings_to_wire, format_to_wire, text};
use crate::grant;
use crate::handshake::derive_key;
use crate::preferences::Preferences;
use crate::wire::{Header, Lane, WIRE_VERSION};

impl Host {
    /// Takes what the viewer can; whether it can see anything at all.
    fn agree(&mut self, viewer: &v1::Capabilities) -> bool {
        let knows = |encoding: v1::Encoding| viewer.encodings.contains(&encoding.into());
        let can = |feature: v1::Feature| viewer.features.contains(&feature.into());
        self.frames.viewer = Abilities {
            moves: can(v1::Feature::Moves),
            photos: can(v1::Feature::Photos),
        };
        let films = self.config.films.iter().copied();
        self.frames.films = films.filter(|&one| knows(format_to_wire(one))).collect();
        knows(v1::Encoding::ZstdBgrx)
    }

    pub(super) fn handle_opening(&mut self, now: Moment, body: &[u8]) {
        let State::Opening(handshake) = &mut self.state else {
            return;
        };
        let Ok(payload) = handshake.read(body) else {
            // An empty answer: the viewer says in words that this is not the machine it expected.
            let refusal = Header {
                lane: Lane::Handshake,
                epoch: 0,
            }
            .to_bytes()
            .to_vec();
            self.outputs.push_back(HostOutput::Send(refusal));
            return self
                .end("the viewer expects another machine key, or its handshake was damaged");
        };
        let opening = v1::Opening::decode(&*payload).unwrap_or_default();
        let checked = grant::verify(
            &opening.signed_grant,
            &grant::Expected {
                session: &self.config.session_id,
                participant: &self.config.participant_id,
                machine: &self.config.machine_id,
                server_public_key: &self.config.server_public_key,
                unix_seconds: self.config.unix_seconds,
            },
        );
        let speaks_zstd = self.agree(&opening.capabilities.unwrap_or_default());
        let grant = match checked {
            Ok(_) if !speaks_zstd => {
                let detail = "the viewer cannot decode any picture that this machine can make";
                return self.refuse(v1::RefusalReason::Incompatible, detail);
            }
            Ok(grant) => grant,
            Err(error @ grant::GrantError::Expired) => {
                return self.refuse(v1::RefusalReason::GrantExpired, &error.to_string());
            }
            Err(error) => return self.refuse(v1::RefusalReason::GrantInvalid, &error.to_string()),
        };

        let promise = <[u8; 32]>::try_from(&*opening.words_commitment).ok();
        if promise.is_none() && self.config.consent != Consent::NotNeeded {
            let detail = "this viewer is too old for a machine whose user is asked";
            return self.refuse(v1::RefusalReason::Incompatible, detail);
        }
        let granted = Rights {
            view: true,
            control: grant.can_control && self.config.has_input,
            elevation: false,
        };
        self.technician = text(&grant.technician);
        let consent_pending = self.gate.admit(granted, &self.technician);
        if let Some(preferences) = opening.preferences {
            self.preferences = Preferences::from_wire(preferences);
        }
        let rights = if consent_pending {
            granted
        } else {
            self.gate.allowed()
        };
        let accepted = v1::Accepted {
            capabilities: Some(self.capabilities()),
            layout: Some(self.wire_layout()),
            rights: rights.to_wire(),
            consent_pending,
        };
        if !self.answer(v1::answer::Result::Accepted(accepted)) {
            return;
        }
        let State::Opening(handshake) = std::mem::replace(&mut self.state, State::Ended) else {
            unreachable!("answer() kept the state")
        };
        if let Some(commitment) = promise {
            self.check = WordsCheck::Promised {
                commitment,
                handshake_hash: handshake.hash(),
            };
        }
        let mut keys = handshake.finish();
        let key: Zeroizing<[u8; 32]> = derive_key(&self.config.seed, b"guruconnect picture key");
        let dealt = v1::PictureKey {
            epoch: 1,
            key: key.to_vec().into(),
        };
        let message = v1::AgentMessage {
            body: Some(agent_message::Body::PictureKey(dealt)),
        };
        let sealed = keys.seal(Lane::Control, &message.encode_to_vec());
        keys.set_picture_key(1, &key);
        self.state = State::Running(Box::new(keys));
        self.outputs.push_back(HostOutput::Send(sealed));
        if !consent_pending {
            self.start(now);
        }
    }

    /// The viewer may look from now on.
    pub(super) fn start(&mut self, now: Moment) {
        if self.gate.paused {
            let paused = v1::Paused { paused: true };
            self.send(Lane::Control, agent_message::Body::Paused(paused));
        }
        self.outputs.push_back(HostOutput::Started {
            technician: self.technician.clone(),
            can_control: self.gate.allowed().control,
        });
        self.show(now);
    }

    /// What was held back is shown.
    pub(super) fn show(&mut self, now: Moment) {
        if !self.gate.shows() {
            return;
        }
        if let Some(pointer) = self.cursor.kept.take() {
            self.handle_pointer(now, &pointer);
        }
        self.frames.wanted = true;
    }

    fn capabilities(&self) -> v1::Capabilities {
        let mut features = vec![v1::Feature::Cursor.into(), v1::Feature::TextInput.into()];
        if self.config.has_secure_attention {
            features.push(v1::Feature::SecureAttention.into());
        }
        if self.config.consent != Consent::NotNeeded {
            features.push(v1::Feature::Consent.into());
            match self.config.elevation {
                Elevation::Unavailable => {}
                Elevation::Possible => features.push(v1::Feature::Elevation.into()),
                Elevation::Elevated => features.push(v1::Feature::Elevated.into()),
            }
        }
        features.extend(self.machine_features());
        v1::Capabilities {
            wire_version: WIRE_VERSION.into(),
            encodings: encodings_to_wire(&self.config.films),
            features,
            software: text(&self.config.software),
            os_family: self.config.os_family.to_wire().into(),
        }
    }

    fn refuse(&mut self, reason: v1::RefusalReason, detail: &str) {
        let refused = v1::Refused {
            reason: reason.into(),
            detail: text(detail),
        };
        if self.answer(v1::answer::Result::Refused(refused)) {
            self.end(&format!("refused the viewer: {detail}"));
        }
    }

    /// Sends the second handshake message.
    fn answer(&mut self, result: v1::answer::Result) -> bool {
        let State::Opening(handshake) = &mut self.state else {
            return false;
        };
        let answer = v1::Answer {
            result: Some(result),
        };
        let Ok(body) = handshake.write(&answer.encode_to_vec()) else {
            self.end("the handshake could not be answered");
            return false;
        };
        let header = Header {
            lane: Lane::Handshake,
            epoch: 0,
        };
        self.outputs
            .push_back(HostOutput::Send([&header.to_bytes()[..], &body].concat()));
        true
    }
}
