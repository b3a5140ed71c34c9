//! A server of a few lines, a viewer, and the agent as a process.

#![allow(dead_code, reason = "each suite uses its part")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signer as _, SigningKey};
use futures_util::{SinkExt as _, StreamExt as _};
use gc_agent::clock::{Clock, random_bytes};
use gc_codec::FilmFormat;
use gc_model::geometry::Size;
use gc_model::id::{ParticipantId, SessionId};
use gc_proto::v1::{agent_control, server_control};
use gc_proto::{Message as _, v1};
use gc_session::viewer::ViewerEvent;
use gc_session::{Preferences, Viewer, ViewerConfig, ViewerOutput};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async};

/// How long a condition may take.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub const MACHINE_ID: &str = "machine-1";
pub const API_KEY: &str = "cak_of_machine_1";
pub const TOKEN: &str = "enr_good";

type Socket = WebSocketStream<TcpStream>;

/// What an agent finds at its server's address.
pub struct Server {
    pub address: String,
    shared: Arc<Shared>,
    controls: UnboundedReceiver<Control>,
    sessions: UnboundedReceiver<Socket>,
    task: tokio::task::JoinHandle<()>,
    key: SigningKey,
}

#[derive(Default)]
struct Shared {
    /// What the agent sent to enrol.
    enrolments: Mutex<Vec<serde_json::Value>>,
    /// Every request that needs the key is answered 401.
    revoked: Mutex<bool>,
}

/// A control connection, server side.
pub struct Control {
    socket: Socket,
}

impl Server {
    pub async fn start() -> Self {
        Self::start_on(0).await
    }

    /// On a port of an earlier one.
    pub async fn start_on(port: u16) -> Self {
        let listener = loop {
            match TcpListener::bind(("127.0.0.1", port)).await {
                Ok(listener) => break listener,
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        };
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let shared = Arc::new(Shared::default());
        let key = SigningKey::from_bytes(&[9; 32]);
        let (control_sender, controls) = unbounded_channel();
        let (session_sender, sessions) = unbounded_channel();
        let public = BASE64.encode(key.verifying_key().to_bytes());
        let seen = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, public) = (Arc::clone(&seen), public.clone());
                let (controls, sessions) = (control_sender.clone(), session_sender.clone());
                connections.spawn(async move {
                    answer(stream, &seen, &public, &controls, &sessions).await
                });
            }
        });
        Self {
            address,
            shared,
            controls,
            sessions,
            task,
            key,
        }
    }

    pub fn port(&self) -> u16 {
        self.address
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok())
            .expect("an address with a port")
    }

    /// Takes everything down, as a killed process does.
    pub fn kill(self) -> u16 {
        self.task.abort();
        self.port()
    }

    /// What signs its grants and the programs that it gives out.
    pub fn signing_key(&self) -> &SigningKey {
        &self.key
    }

    pub fn revoke_key(&self) {
        *self.shared.revoked.lock().expect("no panic") = true;
    }

    pub fn enrolments(&self) -> Vec<serde_json::Value> {
        self.shared.enrolments.lock().expect("no panic").clone()
    }

    /// The next control connection and its hello.
    pub async fn agent(&mut self) -> (Control, v1::AgentHello) {
        let mut control = in_time("the agent connects", self.controls.recv())
            .await
            .expect("the server runs");
        let Some(agent_control::Body::Hello(hello)) = control.receive().await else {
            panic!("hello comes first")
        };
        control
            .send(server_control::Body::Hello(v1::ServerHello {
                check_in_seconds: 60,
            }))
            .await;
        (control, hello)
    }

    /// Offers a session and connects a viewer to what comes.
    pub async fn view(&mut self, control: &mut Control) -> Watch {
        self.view_with(control, Vec::new()).await
    }

    /// The same for a viewer that decodes films.
    pub async fn view_with(&mut self, control: &mut Control, films: Vec<FilmFormat>) -> Watch {
        let (session_id, participant_id) = ("s-1".to_owned(), "p-1".to_owned());
        let path = "/ws/agent/session?ticket=t-1".to_owned();
        let offer = v1::SessionOffer {
            session_id,
            participant_id,
            path,
        };
        control.send(server_control::Body::Offer(offer)).await;
        let socket = in_time("the agent opens the session", self.sessions.recv())
            .await
            .expect("the server runs");
        let agent_public_key = self.enrolments()[0]["agent_public_key"]
            .as_str()
            .map(|key| BASE64.decode(key));
        let agent_public_key = agent_public_key
            .expect("a key")
            .expect("base64")
            .try_into()
            .expect("32 bytes");
        let config = ViewerConfig {
            session_id: SessionId::parse("s-1").expect("an id"),
            participant_id: ParticipantId::parse("p-1").expect("an id"),
            agent_public_key,
            signed_grant: self.grant(),
            preferences: Preferences::default(),
            seed: random_bytes(),
            software: "test".to_owned(),
            films,
        };
        let clock = Clock::new();
        let viewer = Viewer::new(config, clock.now());
        Watch {
            socket,
            viewer,
            clock,
            events: Vec::new(),
            shown: Vec::new(),
            picture: Picture::default(),
        }
    }

    fn grant(&self) -> Vec<u8> {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970")
            .as_secs();
        let grant = v1::Grant {
            session_id: "s-1".to_owned(),
            participant_id: "p-1".to_owned(),
            machine_id: MACHINE_ID.to_owned(),
            user_id: "u-1".to_owned(),
            technician: "Ada".to_owned(),
            rights: vec![v1::Right::View.into(), v1::Right::Control.into()],
            issued_at: now,
            expires_at: now + 60,
        };
        let grant = grant.encode_to_vec();
        let signed = [&b"guruconnect grant v1\0"[..], &grant].concat();
        let signature = self.key.sign(&signed).to_bytes().to_vec();
        v1::SignedGrant {
            grant: grant.into(),
            signature: signature.into(),
        }
        .encode_to_vec()
    }
}

impl Control {
    pub async fn send(&mut self, body: server_control::Body) {
        let message = v1::ServerControl { body: Some(body) }.encode_to_vec();
        self.socket
            .send(Message::Binary(message.into()))
            .await
            .expect("the agent listens");
    }

    /// The next message; `None` when the connection ended.
    pub async fn receive(&mut self) -> Option<agent_control::Body> {
        loop {
            match in_time("a control message", self.socket.next()).await {
                Some(Ok(Message::Binary(bytes))) => {
                    let message = v1::AgentControl::decode(bytes).expect("a control message");
                    return Some(message.body.expect("a message that this version knows"));
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// Says all of it and closes, at once.
    pub async fn close_saying(mut self, bodies: Vec<server_control::Body>, code: u16) {
        for body in bodies {
            let message = v1::ServerControl { body: Some(body) }.encode_to_vec();
            let message = Message::Binary(message.into());
            self.socket.feed(message).await.expect("the agent listens");
        }
        self.close(code).await;
    }

    pub async fn close(mut self, code: u16) {
        use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;

        let frame = CloseFrame {
            code: code.into(),
            reason: "".into(),
        };
        self.socket
            .close(Some(frame))
            .await
            .expect("the agent listens");
    }
}

/// A viewer on a session connection.
pub struct Watch {
    socket: Socket,
    pub viewer: Viewer,
    pub clock: Clock,
    pub events: Vec<ViewerEvent>,
    /// When each frame was shown, and how many pixels of it were new.
    pub shown: Vec<(Instant, usize)>,
    pub picture: Picture,
}

/// What is on the technician's screen.
#[derive(Default)]
pub struct Picture {
    pub size: Option<Size>,
    rgba: Vec<u8>,
}

impl Picture {
    pub fn pixel(&self, x: u32, y: u32) -> [u8; 3] {
        let width = self.size.expect("a layout came").width();
        let start = (y as usize * width as usize + x as usize) * 4;
        self.rgba[start..start + 3].try_into().expect("three bytes")
    }

    fn resize(&mut self, size: Size) {
        self.size = Some(size);
        self.rgba = vec![0; size.area() * 4];
    }

    fn draw(&mut self, rects: &[gc_model::geometry::Rect], pixels: &[u8]) {
        let stride = self.size.expect("a layout came").width() as usize * 4;
        let mut rows = pixels;
        for rect in rects {
            for y in rect.rows() {
                let (row, rest) = rows.split_at(rect.width as usize * 4);
                let start = y as usize * stride + rect.x as usize * 4;
                self.rgba[start..start + row.len()].copy_from_slice(row);
                rows = rest;
            }
        }
    }
}

impl Watch {
    /// Lets viewer and agent talk until `done`.
    pub async fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        in_time(what, self.talk_until(what, done)).await;
    }

    /// The same, however long it takes.
    pub async fn talk_until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        loop {
            self.act().await;
            if done(self) {
                return;
            }
            let due = self.viewer.poll_timeout();
            let due = due.map(|moment| self.clock.instant(moment).into());
            tokio::select! {
                message = self.socket.next() => match message {
                    Some(Ok(Message::Binary(bytes))) => self.viewer.handle_message(self.clock.now(), &bytes),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    other => panic!("{what}: the session's connection ended: {other:?}, events {:?}", self.events),
                },
                () = tokio::time::sleep_until(due.unwrap_or_else(tokio::time::Instant::now)), if due.is_some() => {
                    self.viewer.handle_timeout(self.clock.now());
                }
            }
        }
    }

    /// Sends what the viewer has to say.
    pub async fn act(&mut self) {
        while let Some(output) = self.viewer.poll_output() {
            match output {
                // When the agent hangs up, the next read says so.
                ViewerOutput::Send(message) => {
                    drop(self.socket.send(Message::Binary(message.into())).await);
                }
                ViewerOutput::Event(event) => {
                    if let ViewerEvent::Layout { layout, .. } = &event {
                        self.picture.resize(layout.picture);
                    }
                    self.events.push(event);
                }
                ViewerOutput::Frame(frame) => {
                    self.picture.draw(&frame.rects, self.viewer.pixels());
                    let film = frame.film.iter().flat_map(|film| &film.rects);
                    let rects = frame.rects.iter().chain(film);
                    let pixels = rects.map(|rect| rect.area()).sum();
                    self.shown.push((Instant::now(), pixels));
                    self.viewer.handle_painted(self.clock.now(), frame.sequence);
                }
            }
        }
    }

    pub fn ending(&self) -> Option<(gc_session::viewer::EndCode, &str)> {
        self.events.iter().find_map(|event| match event {
            ViewerEvent::Ended { code, message } => Some((*code, message.as_str())),
            _ => None,
        })
    }

    /// The newest layout, and the display that is shown alone.
    pub fn layout(&self) -> (gc_model::geometry::DisplayLayout, Option<u32>) {
        let mut layouts = self.events.iter().rev();
        layouts
            .find_map(|event| match event {
                ViewerEvent::Layout { layout, only } => Some((layout.clone(), *only)),
                _ => None,
            })
            .expect("a layout came")
    }

    pub fn is_connected(&self) -> bool {
        self.events
            .iter()
            .any(|event| matches!(event, ViewerEvent::Connected { .. }))
    }
}

/// A running agent. Killed when dropped.
pub struct Agent {
    process: Child,
    data_dir: PathBuf,
}

impl Agent {
    /// Starts the program with these arguments, a data directory and, perhaps, a display.
    pub fn start(data_dir: &Path, display: Option<&str>, arguments: &[&str]) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_guruconnect-agent"));
        Self::start_program(program, data_dir, display, arguments)
    }

    /// The same with an agent from elsewhere.
    pub fn start_program(
        program: &Path,
        data_dir: &Path,
        display: Option<&str>,
        arguments: &[&str],
    ) -> Self {
        let mut command = Command::new(program);
        command.env_remove("DISPLAY");
        command.envs(display.map(|display| ("DISPLAY", display)));
        command
            .args(["--log-level", "debug", "--data-dir"])
            .arg(data_dir)
            .args(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Self {
            process: command.spawn().expect("the agent starts"),
            data_dir: data_dir.to_owned(),
        }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.data_dir.join("logs/agent.log")).unwrap_or_default()
    }

    pub async fn logs(&self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.log().contains(text) {
            assert!(
                Instant::now() < deadline,
                "the agent logs {text:?}; it logged: {}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Memory of its own, in KiB.
    pub fn own_memory_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let status = status.expect("it runs");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("RssAnon:"));
        line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok())
            .expect("a number")
    }

    /// Asks it to end.
    #[cfg(unix)]
    pub fn terminate(&self) {
        let pid =
            rustix::process::Pid::from_raw(self.process.id().cast_signed()).expect("a process id");
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
    }

    pub async fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.process.try_wait().expect("its status") {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "the agent ends; it logged: {}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub fn is_running(&mut self) -> bool {
        self.process.try_wait().expect("its status").is_none()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have ended already.
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}

pub async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .unwrap_or_else(|_| panic!("{what}: not in time"))
}

async fn answer(
    mut stream: TcpStream,
    shared: &Shared,
    server_public_key: &str,
    controls: &UnboundedSender<Control>,
    sessions: &UnboundedSender<Socket>,
) -> Option<()> {
    let head = peek_head(&stream).await?;
    let revoked = *shared.revoked.lock().expect("no panic");
    let authorised = head
        .to_ascii_lowercase()
        .contains(&format!("authorization: bearer {API_KEY}"))
        && !revoked;
    let path = head.split(' ').nth(1)?;
    match path {
        "/api/agent/enrol" => {
            let body = read_body(&mut stream, &head).await?;
            let answer = if body["token"] == TOKEN {
                let answer = serde_json::json!({
                    "machine_id": MACHINE_ID, "api_key": API_KEY, "server_public_key": server_public_key,
                });
                shared.enrolments.lock().expect("no panic").push(body);
                *shared.revoked.lock().expect("no panic") = false;
                response("200 OK", &answer)
            } else {
                let error = serde_json::json!({"error": {"code": "wrong_token", "message": "This token is used up."}});
                response("403 Forbidden", &error)
            };
            stream.write_all(answer.as_bytes()).await.ok()
        }
        "/api/support/claim" => {
            let body = read_body(&mut stream, &head).await?;
            let answer = claim_answer(&body, server_public_key);
            if answer.starts_with("HTTP/1.1 201") {
                shared.enrolments.lock().expect("no panic").push(body);
            }
            stream.write_all(answer.as_bytes()).await.ok()
        }
        _ if !authorised => {
            let error = serde_json::json!({"error": {"code": "unauthorised", "message": "No."}});
            read_body(&mut stream, &head).await;
            stream
                .write_all(response("401 Unauthorized", &error).as_bytes())
                .await
                .ok()
        }
        "/api/agent/self" => {
            read_body(&mut stream, &head).await;
            let answer = response("200 OK", &serde_json::json!({ "machine_id": MACHINE_ID }));
            stream.write_all(answer.as_bytes()).await.ok()
        }
        "/ws/agent" => controls
            .send(Control {
                socket: accept_async(stream).await.ok()?,
            })
            .ok(),
        "/ws/agent/session?ticket=t-1" => sessions.send(accept_async(stream).await.ok()?).ok(),
        _ => None,
    }
}

/// What a server says to who comes with a support code: `000000` is not active, `111111` asks for work first.
fn claim_answer(body: &serde_json::Value, server_public_key: &str) -> String {
    if body["code"] == "000000" {
        let error = serde_json::json!({"error": {"code": "code_not_active", "message": "No."}});
        return response("404 Not Found", &error);
    }
    if body["code"] == "111111" && body["work"]["answer"].is_null() {
        let work = serde_json::json!({
            "error": {"code": "work_required", "message": "Work."}, "challenge": "1.8.a.b", "difficulty": 8,
        });
        return response("428 Precondition Required", &work);
    }
    let answer = serde_json::json!({
        "machine_id": MACHINE_ID, "api_key": API_KEY, "server_public_key": server_public_key,
        "support_session_id": "support-1", "technician": "Ada", "company": "Example",
    });
    response("201 Created", &answer)
}

fn response(status: &str, body: &serde_json::Value) -> String {
    let body = body.to_string();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A request's head, left in the socket.
async fn peek_head(stream: &TcpStream) -> Option<String> {
    let mut buffer = [0; 4096];
    loop {
        let length = stream.peek(&mut buffer).await.ok()?;
        let text = String::from_utf8_lossy(&buffer[..length]);
        if let Some(end) = text.find("\r\n\r\n") {
            return Some(text[..end + 4].to_owned());
        }
        if length == 0 {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Takes a request out of the socket and gives its body.
async fn read_body(stream: &mut TcpStream, head: &str) -> Option<serde_json::Value> {
    let lower = head.to_ascii_lowercase();
    let length = lower
        .split("content-length: ")
        .nth(1)
        .and_then(|rest| rest.split("\r\n").next()?.parse().ok());
    let mut request = vec![0; head.len() + length.unwrap_or(0)];
    stream.read_exact(&mut request).await.ok()?;
    serde_json::from_slice(&request[head.len()..]).ok()
}
