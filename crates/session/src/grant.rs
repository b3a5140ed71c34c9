//! The server's permission, as the agent checks it.

use ed25519_dalek::{Signature, VerifyingKey};
use gc_model::id::{MachineId, ParticipantId, SessionId};
use gc_proto::Message as _;
use gc_proto::limits::{MAX_GRANT_BYTES, MAX_LIST_LEN, MAX_TEXT_BYTES};
use gc_proto::v1;

/// What is signed before the grant's bytes, so that a signature made for
/// something else is never a grant.
const CONTEXT: &[u8] = b"guruconnect grant v1\0";

/// The clocks of server and machine may differ by this much, in seconds.
const CLOCK_SKEW_SECONDS: u64 = 5 * 60;

/// A grant that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) technician: String,
    pub(crate) can_control: bool,
}

/// Why a grant is not honoured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// Not a grant, or larger than any.
    #[error("the permission is not readable")]
    Malformed,
    /// Not signed by the server that this machine enrolled with.
    #[error("the permission is not signed by this machine's server")]
    Signature,
    /// For another session, participant or machine.
    #[error("the permission is for another session")]
    OtherSession,
    /// Not valid any more, or not yet.
    #[error("the permission has expired (check the clocks of server and machine)")]
    Expired,
    /// It does not even allow to look.
    #[error("the permission does not allow to see the screen")]
    NoRights,
}

/// Who asks for what.
pub(crate) struct Expected<'a> {
    pub(crate) session: &'a SessionId,
    pub(crate) participant: &'a ParticipantId,
    pub(crate) machine: &'a MachineId,
    pub(crate) server_public_key: &'a [u8; 32],
    pub(crate) unix_seconds: u64,
}

pub(crate) fn verify(signed: &[u8], expected: &Expected<'_>) -> Result<Grant, GrantError> {
    if signed.len() > MAX_GRANT_BYTES {
        return Err(GrantError::Malformed);
    }
    let signed = v1::SignedGrant::decode(signed).map_err(|_| GrantError::Malformed)?;
    let key =
        VerifyingKey::from_bytes(expected.server_public_key).map_err(|_| GrantError::Signature)?;
    let signature = Signature::from_slice(&signed.signature).map_err(|_| GrantError::Signature)?;
    let message = [CONTEXT, &signed.grant].concat();
    key.verify_strict(&message, &signature)
        .map_err(|_| GrantError::Signature)?;

    let grant = v1::Grant::decode(&*signed.grant).map_err(|_| GrantError::Malformed)?;
    if grant.technician.len() > MAX_TEXT_BYTES || grant.rights.len() > MAX_LIST_LEN {
        return Err(GrantError::Malformed);
    }
    let ours = grant.session_id == expected.session.as_str()
        && grant.participant_id == expected.participant.as_str()
        && grant.machine_id == expected.machine.as_str();
    if !ours {
        return Err(GrantError::OtherSession);
    }
    let now = expected.unix_seconds;
    let valid = grant.issued_at <= now.saturating_add(CLOCK_SKEW_SECONDS)
        && now <= grant.expires_at.saturating_add(CLOCK_SKEW_SECONDS);
    if !valid {
        return Err(GrantError::Expired);
    }
    let has = |right: v1::Right| grant.rights.contains(&(right as i32));
    if !has(v1::Right::View) {
        return Err(GrantError::NoRights);
    }
    let can_control = has(v1::Right::Control);
    Ok(Grant {
        technician: grant.technician,
        can_control,
    })
}
