//! Temporary.
use base64::Engine as _;
use futures_util::{SinkExt as _, StreamExt as _};
use gc_agent::clock::{Clock, random_bytes};
use gc_model::id::{ParticipantId, SessionId};
use gc_session::viewer::ViewerEvent;
use gc_session::{Preferences, Viewer, ViewerConfig, ViewerOutput};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let j: serde_json::Value = serde_json::from_reader(std::io::stdin()).unwrap();
    let b64 = |k: &str| {
        base64::engine::general_purpose::STANDARD
            .decode(j[k].as_str().unwrap())
            .unwrap()
    };
    let secs: u64 = std::env::args().nth(1).map_or(5, |s| s.parse().unwrap());
    let keys = std::env::args().nth(2).is_some();
    let clock = Clock::new();
    let mut v = Viewer::new(
        ViewerConfig {
            session_id: SessionId::parse(j["session_id"].as_str().unwrap()).unwrap(),
            participant_id: ParticipantId::parse(j["participant_id"].as_str().unwrap()).unwrap(),
            agent_public_key: b64("agent_public_key").try_into().unwrap(),
            signed_grant: b64("signed_grant"),
            preferences: Preferences::default(),
            seed: random_bytes(),
            software: "look".into(),
        },
        clock.now(),
    );
    let url = j["websocket_url"].as_str().unwrap();
    let mut req = url.into_client_request().unwrap();
    let host = req.headers()["host"].clone();
    req.headers_mut().insert(
        "origin",
        format!("http://{}", host.to_str().unwrap())
            .parse()
            .unwrap(),
    );
    let tcp = tokio::net::TcpStream::connect(host.to_str().unwrap())
        .await
        .unwrap();
    tcp.set_nodelay(true).unwrap();
    let (mut ws, _) = tokio_tungstenite::client_async(req, tcp).await.unwrap();
    let end = tokio::time::Instant::now() + Duration::from_secs(secs);
    let mut tick = tokio::time::interval(Duration::from_millis(150));
    let (mut frames, mut bytes, mut lat, mut down) = (0u32, 0usize, Vec::new(), false);
    let mut cap = (Duration::ZERO, Duration::ZERO);
    loop {
        while let Some(o) = v.poll_output() {
            match o {
                ViewerOutput::Send(m) => ws.send(Message::Binary(m.into())).await.unwrap(),
                ViewerOutput::Event(e) => match e {
                    ViewerEvent::CursorShape { .. }
                    | ViewerEvent::CursorPosition { .. }
                    | ViewerEvent::Pong(_) => {}
                    e => println!("{:?} {e:?}", clock.now()),
                },
                ViewerOutput::Frame(f) => {
                    frames += 1;
                    bytes += f.bytes;
                    cap.0 += f.capture;
                    cap.1 += f.encode;
                    if let Some(l) = f.input_latency {
                        lat.push(l);
                    }
                    if frames < 4 {
                        println!(
                            "{:?} frame {} rects {} bytes",
                            clock.now(),
                            f.rects.len(),
                            f.bytes
                        );
                    }
                    v.handle_painted(clock.now(), f.sequence);
                }
            }
        }
        let due = v.poll_timeout().map(|m| clock.instant(m).into());
        tokio::select! {
            m = ws.next() => match m { Some(Ok(Message::Binary(b))) => v.handle_message(clock.now(), &b), Some(Ok(_)) => {}, other => { println!("closed {other:?}"); break; } },
            () = tokio::time::sleep_until(due.unwrap_or(end)), if due.is_some() => v.handle_timeout(clock.now()),
            _ = tick.tick(), if keys => { down = !down; v.handle_key(clock.now(), "KeyA", down, Some("a"), 0, false); }
            () = tokio::time::sleep_until(end) => break,
        }
    }
    lat.sort();
    println!(
        "frames {frames} bytes {bytes} capture {:?} encode {:?} latency median {:?} p95 {:?} n {}",
        cap.0 / frames.max(1),
        cap.1 / frames.max(1),
        lat.get(lat.len() / 2),
        lat.get(lat.len() * 95 / 100),
        lat.len()
    );
}
