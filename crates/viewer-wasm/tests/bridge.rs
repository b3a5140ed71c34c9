//! The JSON that the browser's side depends on, against a real host.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signer as _, SigningKey};
use gc_codec::{Encoder, FrameView};
use gc_model::geometry::{Display, DisplayLayout, Rect, Size};
use gc_model::id::{MachineId, ParticipantId, SessionId};
use gc_model::input::InputEvent;
use gc_model::pointer::{Pointer, PointerShape};
use gc_model::time::Moment;
use gc_proto::{Message as _, v1};
use gc_session::{
    Captured, Consent, DesktopSession, DesktopSessionKind, Elevation, Guard, Host, HostConfig,
    HostOutput, OsFamily, ScreenSource, agent_public_key,
};
use guruconnect_viewer::bridge::{Bridge, OutputKind};
use serde_json::{Value, json};

const AGENT_SECRET: [u8; 32] = [7; 32];

fn size() -> Size {
    Size::new(64, 32).expect("a small size")
}

fn config() -> Value {
    let grant = v1::Grant {
        session_id: "s".into(),
        participant_id: "p".into(),
        machine_id: "m".into(),
        rights: vec![v1::Right::View.into(), v1::Right::Control.into()],
        ..Default::default()
    };
    let grant = grant.encode_to_vec();
    let signature =
        SigningKey::from_bytes(&[9; 32]).sign(&[b"guruconnect grant v1\0", &grant[..]].concat());
    let signed = v1::SignedGrant {
        grant: grant.into(),
        signature: signature.to_vec().into(),
    };
    json!({
        "session_id": "s", "participant_id": "p", "software": "test", "quality": "high", "view_only": false,
        "agent_public_key": BASE64.encode(agent_public_key(&AGENT_SECRET).expect("32 bytes")),
        "signed_grant": BASE64.encode(signed.encode_to_vec()),
        "seed": BASE64.encode([3; 32]),
    })
}

fn host() -> Host {
    let display = Display {
        id: 1,
        name: "Screen".into(),
        x: 0,
        y: 0,
        size: size(),
        primary: true,
    };
    Host::new(
        HostConfig {
            session_id: SessionId::parse("s").expect("an id"),
            participant_id: ParticipantId::parse("p").expect("an id"),
            machine_id: MachineId::parse("m").expect("an id"),
            static_secret: AGENT_SECRET,
            server_public_key: SigningKey::from_bytes(&[9; 32]).verifying_key().to_bytes(),
            unix_seconds: 0,
            seed: [1; 32],
            layout: DisplayLayout {
                picture: size(),
                displays: vec![display],
            },
            os_family: OsFamily::Windows,
            software: "agent 9".into(),
            has_input: true,
            has_secure_attention: true,
            guards: Guard {
                block_input: true,
                blank_screen: false,
            },
            quality: None,
            films: Vec::new(),
            consent: Consent::NotNeeded,
            elevation: Elevation::Unavailable,
        },
        Moment::ZERO,
    )
}

/// A bridge, its host, and everything that was said.
struct Pair {
    host: Host,
    bridge: Bridge,
    encoder: Encoder,
    json: Vec<Value>,
    pixels: Vec<u8>,
    injected: Vec<InputEvent>,
    wishes: Vec<String>,
}

impl Pair {
    fn connected() -> Self {
        let bridge = Bridge::new(config().to_string().as_bytes(), Moment::ZERO)
            .expect("a good configuration");
        let encoder = Encoder::new(size()).expect("memory");
        let mut pair = Self {
            host: host(),
            bridge,
            encoder,
            json: Vec::new(),
            pixels: Vec::new(),
            injected: Vec::new(),
            wishes: Vec::new(),
        };
        pair.exchange();
        pair
    }

    fn exchange(&mut self) {
        let screen = [10, 20, 30, 0].repeat(size().area());
        for step in 1..20_u64 {
            let now = Moment::from_micros(step * 20_000);
            loop {
                match self.bridge.poll() {
                    OutputKind::Nothing => break,
                    OutputKind::Send => self.host.handle_message(now, &self.bridge.output),
                    OutputKind::Event => self
                        .json
                        .push(serde_json::from_slice(&self.bridge.output).expect("JSON")),
                    OutputKind::Frame => {
                        let frame: Value =
                            serde_json::from_slice(&self.bridge.output).expect("JSON");
                        self.pixels = self.bridge.viewer().pixels().to_vec();
                        let sequence = frame["sequence"].as_u64().expect("a number");
                        self.bridge.viewer().handle_painted(now, sequence);
                        self.json.push(frame);
                    }
                }
            }
            while let Some(output) = self.host.poll_output() {
                match output {
                    HostOutput::Send(message) => self.bridge.viewer().handle_message(now, &message),
                    HostOutput::Inject(event) => self.injected.push(event),
                    HostOutput::Capture(order) => {
                        let view = FrameView::new(size(), 64 * 4, &screen).expect("a whole frame");
                        let whole = Rect::whole(size());
                        let encoded = self
                            .encoder
                            .encode(now, &view, &[whole], &order)
                            .expect("an encoder that works");
                        let (capture, encode) =
                            (Duration::from_micros(900), Duration::from_micros(1_100));
                        self.host.handle_captured(
                            now,
                            Captured::Encoded {
                                encoded: Box::new(encoded),
                                captured_at: now,
                                capture,
                                encode,
                                waited: Duration::ZERO,
                            },
                        );
                    }
                    HostOutput::Started { .. }
                    | HostOutput::Words(_)
                    | HostOutput::Ask { .. }
                    | HostOutput::Settled { .. }
                    | HostOutput::Ended(_) => {}
                    HostOutput::Show(_)
                    | HostOutput::ShowDesktopSession(_)
                    | HostOutput::Guard(_) => self.wishes.push(format!("{output:?}")),
                }
            }
            self.host.handle_timeout(now);
        }
    }

    fn event(&self, kind: &str) -> &Value {
        self.json
            .iter()
            .rev()
            .find(|value| value["type"] == kind)
            .unwrap_or_else(|| panic!("no {kind}: {:?}", self.json))
    }
}

#[test]
fn tells_what_was_connected_and_shows_rgba_pixels() {
    let pair = Pair::connected();

    let expected = json!({
        "type": "connected", "software": "agent 9", "os_family": "windows", "rights": ["view", "control"], "consent_pending": false, "words": pair.event("connected")["words"],
        "features": ["cursor", "text_input", "secure_attention", "select_display", "block_input"],
    });
    assert_eq!(pair.event("connected"), &expected);
    let display = json!({"id": 1, "name": "Screen", "x": 0, "y": 0, "width": 64, "height": 32, "primary": true});
    assert_eq!(
        pair.event("layout"),
        &json!({"type": "layout", "width": 64, "height": 32, "displays": [display], "only": null})
    );
    let frame = pair
        .json
        .iter()
        .find(|value| value["sequence"] == 1)
        .expect("a frame");
    assert_eq!(frame["rects"], json!([[0, 0, 64, 16], [0, 16, 64, 16]]));
    assert_eq!(
        (&frame["capture_us"], &frame["encode_us"]),
        (&json!(900), &json!(1100))
    );
    assert_eq!(pair.pixels, [30, 20, 10, 255].repeat(size().area()));
}

#[test]
fn reads_keys_chords_and_pointer_as_json_and_numbers() {
    let mut pair = Pair::connected();

    let now = Moment::from_micros(1_000_000);
    pair.bridge.pointer(now, 5, 6, 1);
    pair.bridge.wheel(now, 5, 6, 0, 120);
    pair.bridge
        .key(
            now,
            br#"{"code":"KeyA","down":true,"text":"a","modifiers":0}"#,
        )
        .expect("a key");
    pair.bridge
        .chord(now, br#"{"kind":"secure_attention"}"#)
        .expect("a chord");
    pair.bridge
        .chord(now, br#"{"kind":"keys","codes":["AltLeft","F4"]}"#)
        .expect("a chord");
    pair.exchange();

    assert!(
        pair.injected
            .contains(&InputEvent::PointerMove { x: 5, y: 6 })
    );
    assert!(pair.injected.contains(&InputEvent::Wheel { x: 0, y: 120 }));
    assert!(pair.injected.contains(&InputEvent::SecureAttention));
    let keys = pair
        .injected
        .iter()
        .filter(|event| matches!(event, InputEvent::Key(_)))
        .count();
    assert_eq!(
        keys, 6,
        "A and its release by the chord, Alt and F4 both ways"
    );
}

#[test]
fn reads_wishes_of_the_machine_and_tells_what_became_of_them() {
    let mut pair = Pair::connected();
    let now = Moment::from_micros(1_000_000);
    for wish in [
        r#"{"kind":"display","id":1}"#,
        r#"{"kind":"display","id":null}"#,
        r#"{"kind":"desktop_session","id":2}"#,
        r#"{"kind":"guard","block_input":true,"blank_screen":false}"#,
    ] {
        pair.bridge.machine(now, wish.as_bytes()).expect(wish);
    }
    assert!(pair.bridge.machine(now, br#"{"kind":"explode"}"#).is_err());
    pair.exchange();
    let login = DesktopSession {
        id: 2,
        kind: DesktopSessionKind::Remote,
        user: "bob".into(),
        shown: true,
    };
    pair.host.handle_desktop_sessions(now, &[login]);
    pair.host.handle_guard(now, Guard::default(), "no");
    let source = ScreenSource {
        method: "GDI".into(),
        reason: "desktop duplication: in use".into(),
    };
    pair.host.handle_screen_source(now, &source);
    pair.exchange();

    assert_eq!(
        pair.wishes,
        [
            "Show(Some(1))",
            "Show(None)",
            "ShowDesktopSession(2)",
            "Guard(Guard { block_input: true, blank_screen: false })",
        ]
    );
    let logins = json!([{"id": 2, "kind": "remote", "user": "bob", "shown": true}]);
    assert_eq!(
        pair.event("desktop_sessions"),
        &json!({"type": "desktop_sessions", "sessions": logins})
    );
    assert_eq!(
        pair.event("guard"),
        &json!({"type": "guard", "block_input": false, "blank_screen": false, "detail": "no"})
    );
    assert_eq!(
        pair.event("screen_source"),
        &json!({"type": "screen_source", "method": "GDI", "reason": "desktop duplication: in use"})
    );
}

#[test]
fn describes_the_pointer_once_and_names_it_later() {
    let mut pair = Pair::connected();
    let shape = PointerShape {
        width: 2,
        height: 1,
        hot_x: 1,
        hot_y: 0,
        rgba: vec![1, 2, 3, 255, 4, 5, 6, 0],
    };
    let pointer = Pointer {
        x: -1,
        y: 3,
        visible: true,
        shape: Some(shape),
    };

    pair.host.handle_pointer(Moment::ZERO, &pointer);
    pair.exchange();
    let first = pair.event("cursor_shape").clone();
    pair.host.handle_pointer(Moment::ZERO, &pointer);
    pair.exchange();

    let rgba = BASE64.encode([1, 2, 3, 255, 4, 5, 6, 0]);
    assert_eq!(
        first,
        json!({"type": "cursor_shape", "id": 0, "width": 2, "height": 1, "hot_x": 1, "hot_y": 0, "rgba": rgba})
    );
    assert_eq!(
        pair.event("cursor_shape"),
        &json!({"type": "cursor_shape", "id": 0, "rgba": null})
    );
    assert_eq!(
        pair.event("cursor_position"),
        &json!({"type": "cursor_position", "x": -1, "y": 3, "visible": true})
    );
}

#[test]
fn says_what_is_wrong_with_a_configuration() {
    let wrong = |field: &str, value: Value| {
        let mut config = config();
        config[field] = value;
        Bridge::new(config.to_string().as_bytes(), Moment::ZERO)
            .err()
            .expect("an error")
            .to_string()
    };

    assert_eq!(
        wrong("agent_public_key", json!("AAAA")),
        "agent_public_key is not base64 of the right length"
    );
    assert_eq!(wrong("session_id", json!("a b")), "session_id is not an id");
    assert_eq!(
        wrong("quality", json!("best")),
        "the configuration is not readable"
    );
}
