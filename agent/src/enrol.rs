//! Makes a machine of this computer: exchanges an enrolment token for a key.

use std::fmt::Write as _;

use gc_model::id::{MAX_ID_CHARS, MachineId};
use gc_platform::Host;
use gc_session::agent_public_key;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::config::{ApiKey, Identity, key_from_base64, key_to_base64};
use crate::connection::Connector;
use crate::facts;
use crate::http::{self, RequestError};

/// Longest enrolment token, in characters.
const MAX_TOKEN_CHARS: usize = 256;

/// An enrolment token (`enr_…`). Never shown.
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

impl Token {
    /// Checks what a person or an installer gave.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let fits = text.starts_with("enr_")
            && text.len() <= MAX_TOKEN_CHARS
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(Zeroizing::new(text.to_owned())))
    }
}

/// True for an id that the server accepts from another system.
pub fn is_device_id(text: &str) -> bool {
    MachineId::parse(text).is_ok() && text.len() <= MAX_ID_CHARS
}

/// The id of a machine that nobody gave one: the same whenever the agent is installed anew, and
/// nothing that tells of what it was made.
pub(crate) fn device_id_of(installation: &str) -> String {
    let hash = Sha256::new()
        .chain_update("GuruConnect device\0")
        .chain_update(installation)
        .finalize();
    let mut id = String::new();
    for (index, byte) in hash[..16].iter().enumerate() {
        // As ids are written that the server makes.
        if matches!(index, 4 | 6 | 8 | 10) {
            id.push('-');
        }
        let _never_fails = write!(id, "{byte:02x}");
    }
    id
}

/// Enrols, with the machine's static key, whose secret half never leaves.
pub(crate) async fn enrol(
    connector: &Connector,
    host: &dyn Host,
    token: &Token,
    device_id: Option<&str>,
    secret: Zeroizing<[u8; 32]>,
) -> Result<Identity, RequestError> {
    let public = agent_public_key(&*secret).expect("any 32 bytes are a secret");
    let request = json!({
        "token": *token.0,
        "agent_public_key": key_to_base64(public),
        "device_id": device_id,
        "facts": facts::to_json(host.facts()),
    });
    let answer: Enrolled = http::post(connector, "/api/agent/enrol", &request).await?;
    Ok(Identity {
        server: connector.server().clone(),
        machine_id: MachineId::parse(&answer.machine_id).map_err(|_| RequestError::Nonsense)?,
        api_key: ApiKey::parse(&answer.api_key).ok_or(RequestError::Nonsense)?,
        secret,
        server_public_key: key_from_base64(&answer.server_public_key)
            .ok_or(RequestError::Nonsense)?,
    })
}

/// Asks the server which machine a key belongs to: checks the key and the connection.
pub(crate) async fn identify(
    connector: &Connector,
    api_key: &ApiKey,
) -> Result<MachineId, RequestError> {
    let answer: Identified = http::get(connector, "/api/agent/self", api_key).await?;
    MachineId::parse(&answer.machine_id).map_err(|_| RequestError::Nonsense)
}

#[derive(Deserialize)]
struct Enrolled {
    machine_id: String,
    api_key: String,
    server_public_key: String,
}

#[derive(Deserialize)]
struct Identified {
    machine_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installation_has_one_id_and_another_one_another() {
        let id = device_id_of("4c4c4544 6f 6e 65");

        assert!(is_device_id(&id) && id.len() == 36, "{id}");
        assert_eq!(id, device_id_of("4c4c4544 6f 6e 65"));
        assert_ne!(id, device_id_of("4c4c4544 6f 6e 66"));
        assert!(!id.contains("4c4c"), "{id}");
    }
}
