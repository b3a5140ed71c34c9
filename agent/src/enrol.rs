//! Makes a machine of this computer: exchanges an enrolment token for a key.

use gc_model::id::{MAX_ID_CHARS, MachineId};
use gc_platform::Host;
use gc_session::agent_public_key;
use serde::Deserialize;
use serde_json::json;
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

/// Enrols. The machine's static key is made here and its secret half never leaves.
pub(crate) async fn enrol(
    connector: &Connector,
    host: &dyn Host,
    token: &Token,
    device_id: Option<&str>,
) -> Result<Identity, RequestError> {
    let secret = Zeroizing::new(crate::clock::random_bytes());
    let public = agent_public_key(&*secret).expect("32 bytes were made above");
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
