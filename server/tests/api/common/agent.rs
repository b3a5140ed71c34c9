//! An agent as the server sees it: enrolment, control connection, session ends.

use futures_util::SinkExt as _;
use gc_proto::Message as _;
use gc_proto::v1::agent_control::Body;
use gc_proto::v1::server_control::Body as ServerBody;
use gc_proto::v1::{
    AgentControl, AgentHello, ChatLine, ChatText, CheckIn, GuestPhase, MachineFacts, OfferFailed,
    ServerControl, SessionOffer, SupportRequest,
};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio_tungstenite::tungstenite::Message;

use super::viewer::{Socket, receive};
use super::{Answer, Person, TestServer, answer, client, close_code, connect, soon, text};

/// 32 bytes in base64.
pub(crate) const AGENT_KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

/// Enrols a machine at the server of this address.
pub(crate) async fn enrol(address: SocketAddr, token: &str, device: Option<&str>) -> Answer {
    enrol_as(
        address,
        json!({
            "token": token,
            "agent_public_key": AGENT_KEY,
            "device_id": device,
            "facts": { "host_name": "DESK-07", "os_family": "linux", "os_name": "Debian" },
        }),
    )
    .await
}

pub(crate) async fn enrol_as(address: SocketAddr, body: Value) -> Answer {
    answer(
        client()
            .post(format!("http://{address}/api/agent/enrol"))
            .json(&body),
    )
    .await
}

/// A machine with its control connection up.
pub(crate) struct TestAgent {
    address: SocketAddr,
    pub(crate) machine: String,
    pub(crate) api_key: String,
    pub(crate) server_public_key: String,
    pub(crate) control: Socket,
}

impl TestAgent {
    /// Enrols a new machine and connects.
    pub(crate) async fn online(server: &TestServer, admin: &Person) -> Self {
        Self::online_at(server.address, admin).await
    }

    pub(crate) async fn online_at(address: SocketAddr, admin: &Person) -> Self {
        let token = admin.enrolment_token().await;
        let enrolled = enrol(address, &token, None).await;
        let machine = text(&enrolled.body["machine_id"]);
        let api_key = text(&enrolled.body["api_key"]);
        let server_public_key = text(&enrolled.body["server_public_key"]);
        let control = connect_control(address, &api_key)
            .await
            .expect("the key is good");
        let mut agent = Self {
            address,
            machine,
            api_key,
            server_public_key,
            control,
        };
        agent.introduce().await;
        agent
    }

    /// Comes as a guest with a support code.
    pub(crate) async fn guest(server: &TestServer, code: &str) -> Self {
        let mut guest = Self::silent_guest(server, code).await;
        guest.introduce().await;
        guest
    }

    /// The same, before it says what it is.
    pub(crate) async fn silent_guest(server: &TestServer, code: &str) -> Self {
        let claimed = server
            .post("/api/support/claim", Self::claim_request(code))
            .await;
        assert_eq!(claimed.status.as_u16(), 201, "{}", claimed.body);
        let api_key = text(&claimed.body["api_key"]);
        Self {
            address: server.address,
            machine: text(&claimed.body["machine_id"]),
            server_public_key: text(&claimed.body["server_public_key"]),
            control: connect_control(server.address, &api_key)
                .await
                .expect("the key is good"),
            api_key,
        }
    }

    pub(crate) fn claim_request(code: &str) -> Value {
        json!({
            "code": code,
            "agent_public_key": AGENT_KEY,
            "facts": {
                "host_name": "HOME-PC", "os_family": "windows",
                "os_name": "Windows 11 Home", "current_user": "grace",
            },
        })
    }

    /// The next word about where this guest stands.
    pub(crate) async fn phase(&mut self) -> GuestPhase {
        match self.hear().await {
            ServerBody::Guest(state) => state.phase(),
            other => panic!("a state, not {other:?}"),
        }
    }

    /// The next line of the chat.
    pub(crate) async fn line(&mut self) -> ChatLine {
        match self.hear().await {
            ServerBody::Chat(line) => line,
            other => panic!("a line, not {other:?}"),
        }
    }

    /// Connects once more, as after a lost connection.
    pub(crate) async fn reconnect(&mut self) {
        self.control = connect_control(self.address, &self.api_key)
            .await
            .expect("the key is good");
        self.introduce().await;
    }

    pub(crate) async fn introduce(&mut self) {
        self.say_hello().await;
        assert!(matches!(self.hear().await, ServerBody::Hello(_)));
    }

    pub(crate) async fn say_hello(&mut self) {
        let hello = AgentHello {
            control_version: 1,
            software_version: "0.1.0".into(),
            facts: Some(facts("DESK-07")),
            power_actions: ["log_off", "restart", "emergency_restart", "dance"]
                .map(String::from)
                .into(),
        };
        self.say(Body::Hello(hello)).await;
    }

    pub(crate) async fn check_in(&mut self, host_name: &str) {
        self.say(Body::CheckIn(CheckIn {
            facts: Some(facts(host_name)),
        }))
        .await;
    }

    /// A user of this machine asks for help; `name` is the line's.
    pub(crate) async fn ask_for_help(&mut self, user: &str, name: &str, line: &str) {
        let text = ChatText {
            client_id: name.into(),
            text: line.into(),
        };
        self.say(Body::SupportRequest(SupportRequest {
            text: Some(text),
            user: user.into(),
        }))
        .await;
    }

    pub(crate) async fn refuse(&mut self, offer: &SessionOffer) {
        let session_id = offer.session_id.clone();
        self.say(Body::OfferFailed(OfferFailed {
            session_id,
            detail: "no desktop".into(),
        }))
        .await;
    }

    /// The next thing the server says, apart from that nobody at the machine asked for help.
    pub(crate) async fn hear(&mut self) -> ServerBody {
        loop {
            match self.hear_all().await {
                ServerBody::Guest(state) if state.phase() == GuestPhase::Unspecified => {}
                other => return other,
            }
        }
    }

    /// The next thing the server says.
    pub(crate) async fn hear_all(&mut self) -> ServerBody {
        let message = receive(&mut self.control).await;
        ServerControl::decode(message.as_slice())
            .expect("a message")
            .body
            .expect("a body")
    }

    pub(crate) async fn offer(&mut self) -> SessionOffer {
        match self.hear().await {
            ServerBody::Offer(offer) => offer,
            other => panic!("an offer, not {other:?}"),
        }
    }

    /// Waits for an offer and takes it.
    pub(crate) async fn join(&mut self) -> AgentEnd {
        let offer = self.offer().await;
        self.open(&offer).await.expect("the ticket is good")
    }

    pub(crate) async fn open(&self, offer: &SessionOffer) -> Result<AgentEnd, u16> {
        let url = format!("ws://{}{}", self.address, offer.path);
        let bearer = format!("Bearer {}", self.api_key);
        Ok(AgentEnd {
            socket: connect(&url, &[("Authorization", &bearer)]).await?,
        })
    }

    pub(crate) async fn close_code(&mut self) -> u16 {
        close_code(&mut self.control).await
    }

    pub(crate) async fn say(&mut self, body: Body) {
        let message = AgentControl { body: Some(body) }.encode_to_vec();
        soon(self.control.send(Message::binary(message)))
            .await
            .expect("it is sent");
    }
}

pub(crate) async fn connect_control(address: SocketAddr, api_key: &str) -> Result<Socket, u16> {
    let bearer = format!("Bearer {api_key}");
    connect(
        &format!("ws://{address}/ws/agent"),
        &[("Authorization", &bearer)],
    )
    .await
}

fn facts(host_name: &str) -> MachineFacts {
    MachineFacts {
        host_name: host_name.into(),
        os_family: "linux".into(),
        os_name: "Debian GNU/Linux".into(),
        os_version: "12".into(),
        architecture: "x86_64".into(),
        current_user: "grace".into(),
        boot_time_unix: 1_700_000_000,
    }
}

/// The agent's end of a session.
pub(crate) struct AgentEnd {
    pub(crate) socket: Socket,
}

impl AgentEnd {
    pub(crate) async fn send(&mut self, message: &[u8]) {
        let message = Message::binary(message.to_vec());
        soon(self.socket.send(message)).await.expect("it is sent");
    }

    pub(crate) async fn receive(&mut self) -> Vec<u8> {
        receive(&mut self.socket).await
    }

    pub(crate) async fn close_code(&mut self) -> u16 {
        close_code(&mut self.socket).await
    }
}
