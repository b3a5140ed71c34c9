//! Writes a first corpus for every target: real messages of every kind, for
//! the fuzzer to start from. Files that are there stay. `cargo run -p gc-fuzz --bin seed-corpus`.

use std::time::Duration;

use std::path::Path;

use gc_codec::{Abilities, Colours, EncodeOrder, Encoder, FrameView, Update, pack_cursor};
use gc_model::geometry::{Rect, Size};
use gc_model::time::Moment;
use gc_proto::v1::{agent_control, agent_message, key_chord, server_control, viewer_message};
use gc_proto::{Message, v1};
use gc_session::{Header, Lane};

fn main() -> std::io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut seeds: Vec<(&str, Vec<u8>)> = vec![("handshake", vec![1, 0, 0, 0])];
    seeds.push(("handshake", [&[1, 0, 0, 0][..], &[7; 96]].concat()));
    for lane in [
        Lane::Handshake,
        Lane::Control,
        Lane::Input,
        Lane::Cursor,
        Lane::Picture,
    ] {
        seeds.push((
            "header",
            [&Header { lane, epoch: 258 }.to_bytes()[..], b"body"].concat(),
        ));
    }
    let mut frames = Vec::new();
    for colour in [soft, noisy] {
        let update = picture(colour);
        let numbers = |rect: &Rect| [rect.x, rect.y, rect.width, rect.height];
        let rects: Vec<u32> = update.rects.iter().flat_map(numbers).collect();
        let bytes: Vec<u8> = rects.iter().map(|&number| number as u8).collect();
        let flags = update.photos.iter().map(|photo| 2_u8 << photo).sum();
        let count = update.rects.len() as u8;
        let [low, high] = (update.data.len() as u16).to_le_bytes();
        let head = [count, flags, low, high];
        seeds.push((
            "picture",
            [&head[..], &bytes, &update.data, &update.photo_data].concat(),
        ));
        frames.push(tiles_frame(rects, update));
    }
    let rgba = [200; 16 * 16 * 4];
    let packed = pack_cursor(&rgba).map_err(std::io::Error::other)?;
    seeds.push(("cursor", [&[16, 16][..], &packed].concat()));
    for (lane, body) in agent_messages(frames, packed) {
        let message = v1::AgentMessage { body: Some(body) }.encode_to_vec();
        seeds.push(("viewer_from_agent", [&[lane][..], &message].concat()));
    }
    let mut all = Vec::new();
    for (lane, body) in viewer_messages() {
        let message = v1::ViewerMessage { body: Some(body) }.encode_to_vec();
        let framed = [&[lane, message.len() as u8][..], &message].concat();
        all.extend_from_slice(&framed);
        seeds.push(("host_from_viewer", framed));
    }
    seeds.push(("host_from_viewer", all));
    seeds.extend(
        control_messages()
            .into_iter()
            .map(|message| ("control", message)),
    );

    for (index, (target, seed)) in seeds.iter().enumerate() {
        let folder = corpus.join(target);
        std::fs::create_dir_all(&folder)?;
        let file = folder.join(format!("seed-{index:02}"));
        if !file.exists() {
            std::fs::write(file, seed)?;
        }
    }
    Ok(())
}

/// A byte of something drawn.
fn soft(index: usize) -> u8 {
    (index / 40) as u8
}

/// A byte of something like a photograph.
fn noisy(index: usize) -> u8 {
    (index.wrapping_mul(2_654_435_761) >> 13) as u8
}

/// A whole small picture.
fn picture(colour: fn(usize) -> u8) -> Update {
    let size = Size::new(64, 48).expect("a small size");
    let screen: Vec<u8> = (0..size.area() * 4).map(colour).collect();
    let frame = FrameView::new(size, 64 * 4, &screen).expect("a whole frame");
    let order = EncodeOrder {
        restart: false,
        budget_bytes: 100_000,
        colours: Colours::All,
        rested: Duration::ZERO,
        hold_films: false,
        viewer: Abilities {
            moves: true,
            photos: true,
        },
        film: None,
        glance_above_bytes: None,
    };
    let mut encoder = Encoder::new(size).expect("memory");
    let encoded = encoder
        .encode(Moment::ZERO, &frame, &[], &order)
        .expect("an encoder that works");
    encoded.update.expect("the first picture")
}

fn agent_messages(
    frames: Vec<v1::VideoFrame>,
    packed_cursor: Vec<u8>,
) -> Vec<(u8, agent_message::Body)> {
    use agent_message::Body;
    let frames = frames.into_iter().map(|frame| (2, Body::Frame(frame)));
    let display = v1::Display {
        id: 1,
        name: "Screen".into(),
        width: 64,
        height: 48,
        primary: true,
        ..Default::default()
    };
    let others = vec![
        (
            0,
            Body::Layout(v1::DisplayLayout {
                generation: 2,
                width: 64,
                height: 48,
                displays: vec![display],
                only: None,
            }),
        ),
        (
            0,
            Body::PictureKey(v1::PictureKey {
                epoch: 2,
                key: vec![3; 32].into(),
            }),
        ),
        (
            0,
            Body::DesktopSessions(v1::DesktopSessions {
                sessions: vec![v1::DesktopSession {
                    id: 2,
                    kind: v1::DesktopSessionKind::Remote.into(),
                    user: "bob".into(),
                    shown: true,
                }],
            }),
        ),
        (
            0,
            Body::Guard(v1::GuardState {
                block_input: true,
                blank_screen: false,
                detail: "no".into(),
            }),
        ),
        (0, Body::Pong(v1::Pong { token: 1 })),
        (0, Body::Ping(v1::Ping { token: 1 })),
        (
            0,
            Body::Error(v1::SessionError {
                code: 2,
                detail: "the desktop is gone".into(),
            }),
        ),
        (
            0,
            Body::Notice(v1::Notice {
                code: 1,
                detail: "locked".into(),
            }),
        ),
        (
            1,
            Body::CursorPosition(v1::CursorPosition {
                x: -3,
                y: 9,
                visible: true,
            }),
        ),
        (
            1,
            Body::CursorShape(v1::CursorShape {
                id: 3,
                width: 16,
                height: 16,
                hot_x: 2,
                hot_y: 2,
                rgba_zstd: packed_cursor.into(),
            }),
        ),
        (2, Body::Frame(film_frame())),
    ];
    frames.chain(others).collect()
}

/// A frame that begins the stream.
fn tiles_frame(rects: Vec<u32>, update: Update) -> v1::VideoFrame {
    v1::VideoFrame {
        sequence: 1,
        layout_generation: 1,
        encoding: v1::Encoding::ZstdBgrx.into(),
        starts_stream: true,
        rects,
        photos: update.photos,
        data: update.data.into(),
        photo_data: update.photo_data.into(),
        complete: true,
        link: Some(v1::LinkReport::default()),
        ..Default::default()
    }
}

/// A frame with nothing but a film.
fn film_frame() -> v1::VideoFrame {
    let film = v1::FilmFrame {
        stream: 1,
        encoding: v1::Encoding::Vp9.into(),
        key: true,
        area: vec![8, 8, 32, 24],
        coded_width: 16,
        coded_height: 12,
        rects: vec![8, 8, 32, 16],
        data: vec![0x82, 0x49, 0x83, 0x42, 0x20, 0x00, 0xf0, 0x00, 0xb0].into(),
        maker: Some(v1::FilmMaker {
            name: "libvpx".to_owned(),
            hardware: false,
        }),
    };
    v1::VideoFrame {
        sequence: 2,
        layout_generation: 1,
        encoding: v1::Encoding::ZstdBgrx.into(),
        starts_stream: true,
        film: Some(film),
        ..Default::default()
    }
}

fn viewer_messages() -> Vec<(u8, viewer_message::Body)> {
    use viewer_message::Body;
    let preferences = v1::ViewerPreferences {
        quality: v1::Quality::Low.into(),
        view_only: true,
    };
    vec![
        (
            0,
            Body::Ack(v1::FrameAck {
                sequence: 1,
                shown_us: 3,
                own_us: 2,
            }),
        ),
        (
            0,
            Body::Preferences(v1::SetPreferences {
                preferences: Some(preferences),
            }),
        ),
        (0, Body::Refresh(v1::RefreshRequest::default())),
        (0, Body::Ping(v1::Ping { token: 9 })),
        (0, Body::Pong(v1::Pong { token: 9 })),
        (
            1,
            Body::Mouse(v1::MouseEvent {
                sequence: 1,
                x: 5,
                y: 6,
                buttons: 3,
                wheel_x: -120,
                wheel_y: 240,
                layout_generation: 1,
            }),
        ),
        (
            1,
            Body::Key(v1::KeyEvent {
                sequence: 2,
                usage: 4,
                down: true,
                text: "ä".into(),
                modifiers: 1,
                repeat: false,
            }),
        ),
        (
            0,
            Body::SelectDisplay(v1::SelectDisplay { display: Some(1) }),
        ),
        (
            0,
            Body::SelectDesktopSession(v1::SelectDesktopSession { id: 2 }),
        ),
        (
            0,
            Body::Guard(v1::SetGuard {
                block_input: true,
                blank_screen: true,
            }),
        ),
        (
            1,
            Body::Chord(v1::KeyChord {
                sequence: 3,
                kind: key_chord::Kind::Usages.into(),
                usages: vec![0xe0, 0x4c],
            }),
        ),
        (
            1,
            Body::Chord(v1::KeyChord {
                sequence: 4,
                kind: key_chord::Kind::SecureAttention.into(),
                usages: vec![],
            }),
        ),
        (1, Body::ReleaseAll(v1::ReleaseAll { sequence: 5 })),
        (
            0,
            Body::Goodbye(v1::Goodbye {
                reason: "done".into(),
            }),
        ),
    ]
}

fn control_messages() -> Vec<Vec<u8>> {
    let facts = v1::MachineFacts {
        host_name: "front-desk".into(),
        os_family: "windows".into(),
        ..Default::default()
    };
    let hello = v1::AgentHello {
        control_version: 1,
        software_version: "0.1.0".into(),
        facts: Some(facts.clone()),
        power_actions: vec!["restart".into()],
    };
    let failed = v1::OfferFailed {
        session_id: "s".into(),
        detail: "no display".into(),
    };
    let offer = v1::SessionOffer {
        session_id: "s".into(),
        participant_id: "p".into(),
        path: "/ws".into(),
    };
    let closed = v1::SessionClosed {
        session_id: "s".into(),
        reason: "ended".into(),
    };
    let grant = v1::Grant {
        session_id: "s".into(),
        rights: vec![1, 2],
        ..Default::default()
    }
    .encode_to_vec();
    let agent = |body| v1::AgentControl { body: Some(body) }.encode_to_vec();
    let server = |body| v1::ServerControl { body: Some(body) }.encode_to_vec();
    vec![
        agent(agent_control::Body::Hello(hello)),
        agent(agent_control::Body::CheckIn(v1::CheckIn {
            facts: Some(facts),
        })),
        agent(agent_control::Body::OfferFailed(failed)),
        server(server_control::Body::Hello(v1::ServerHello {
            check_in_seconds: 60,
        })),
        server(server_control::Body::Offer(offer)),
        server(server_control::Body::Closed(closed)),
        v1::SignedGrant {
            grant: grant.into(),
            signature: vec![5; 64].into(),
        }
        .encode_to_vec(),
    ]
}
