//! What is fuzzed, as plain functions of bytes: the fuzzer in `libfuzzer/`
//! calls them, and the test of this crate replays every corpus through them.

use gc_codec::{Decoder, Piece, unpack_cursor};
use gc_model::geometry::{Display, DisplayLayout, Rect, Size};
use gc_model::id::{MachineId, ParticipantId, SessionId};
use gc_model::time::Moment;
use gc_proto::{Message as _, v1};
use gc_session::{
    Captured, Consent, Elevation, Header, Host, HostConfig, HostOutput, Lane, OsFamily,
    Preferences, Viewer, ViewerConfig, ViewerOutput,
};

/// A target's name and function.
pub type Target = (&'static str, fn(&[u8]));

/// Every target; the names are the folders below `corpus/`.
pub const TARGETS: [Target; 7] = [
    ("header", header),
    ("picture", picture),
    ("cursor", cursor),
    ("viewer_from_agent", viewer_from_agent),
    ("host_from_viewer", host_from_viewer),
    ("handshake", handshake),
    ("control", control),
];

/// The clear header of any message.
pub fn header(data: &[u8]) {
    if let Ok((header, body)) = Header::split(data) {
        assert_eq!(header.to_bytes()[..], data[..data.len() - body.len()]);
    }
}

/// Rectangles and zstd data of a hostile agent.
pub fn picture(data: &[u8]) {
    let Some((&[count, flags, low, high], rest)) = data.split_first_chunk() else {
        return;
    };
    // The lowest bit is for the stream, the others choose photographs.
    let photos: Vec<u32> = (0..7).filter(|bit| flags >> (bit + 1) & 1 == 1).collect();
    let mut rects = Vec::new();
    let mut rest = rest;
    for _ in 0..count % 8 {
        let Some((&[x, y, width, height], after)) = rest.split_first_chunk() else {
            return;
        };
        rects.push(Rect {
            x: x.into(),
            y: y.into(),
            width: width.into(),
            height: height.into(),
        });
        rest = after;
    }
    let plain_bytes = usize::from(u16::from_le_bytes([low, high])).min(rest.len());
    let (data, photo_data) = rest.split_at(plain_bytes);
    let mut decoder = Decoder::new(size()).expect("memory");
    for _ in 0..2 {
        let piece = Piece {
            rects: &rects,
            photos: &photos,
            data,
            photo_data,
            starts_stream: flags & 1 == 0,
        };
        if let Ok(pixels) = decoder.decode(&piece) {
            assert_eq!(
                pixels.len(),
                rects.iter().map(|rect| rect.area() * 4).sum::<usize>()
            );
        }
    }
}

/// A pointer's picture of a hostile agent.
pub fn cursor(data: &[u8]) {
    let Some((&[width, height], packed)) = data.split_first_chunk() else {
        return;
    };
    if let Ok(rgba) = unpack_cursor(packed, width.into(), height.into()) {
        assert_eq!(rgba.len(), usize::from(width) * usize::from(height) * 4);
    }
}

/// What a hostile agent says to a viewer once the session is open.
pub fn viewer_from_agent(data: &[u8]) {
    let Some((&lane, body)) = data.split_first() else {
        return;
    };
    let mut viewer = Viewer::new(viewer_config(), Moment::ZERO);
    let accepted = v1::Accepted {
        capabilities: Some(v1::Capabilities::default()),
        layout: Some(v1::DisplayLayout {
            generation: 1,
            width: 64,
            height: 48,
            displays: Vec::new(),
            only: None,
        }),
        rights: vec![v1::Right::View.into(), v1::Right::Control.into()],
        consent_pending: false,
    };
    viewer.open_for_fuzzing(Moment::ZERO, accepted);
    let lane = [Lane::Control, Lane::Cursor, Lane::Picture][usize::from(lane) % 3];
    viewer.handle_opened_for_fuzzing(Moment::ZERO, lane, body.to_vec());
    while let Some(output) = viewer.poll_output() {
        if let ViewerOutput::Frame(frame) = output {
            let bytes: usize = frame.rects.iter().map(|rect| rect.area() * 4).sum();
            assert_eq!(viewer.pixels().len(), bytes);
            if let Some(film) = &frame.film {
                let picture = Size::new(64, 48).expect("a small size");
                assert!(film.area.fits(picture) && !viewer.film_data().is_empty());
                assert!(film.rects.iter().all(|rect| rect.fits(picture)));
            }
            viewer.handle_painted(Moment::ZERO, frame.sequence);
        }
    }
}

/// What a hostile viewer says to an agent once the session is open.
pub fn host_from_viewer(data: &[u8]) {
    let mut host = Host::new(host_config(), Moment::ZERO);
    host.open_for_fuzzing(Moment::ZERO);
    // Several messages, each with its length and lane.
    let mut rest = data;
    while let Some((&[lane, length], after)) = rest.split_first_chunk() {
        let (body, after) = after.split_at(after.len().min(length.into()));
        let lane = if lane & 1 == 0 {
            Lane::Control
        } else {
            Lane::Input
        };
        host.handle_opened_for_fuzzing(Moment::ZERO, lane, body);
        rest = after;
        while let Some(output) = host.poll_output() {
            if matches!(output, HostOutput::Capture(_)) {
                host.handle_captured(Moment::ZERO, Captured::Failed("fuzzing".to_owned()));
            }
        }
    }
}

/// Anything as the first message, for both ends.
pub fn handshake(data: &[u8]) {
    let mut host = Host::new(host_config(), Moment::ZERO);
    host.handle_message(Moment::ZERO, data);
    while host.poll_output().is_some() {}
    let mut viewer = Viewer::new(viewer_config(), Moment::ZERO);
    viewer.handle_message(Moment::ZERO, data);
    while viewer.poll_output().is_some() {}
}

/// The control connection and grants, as far as the messages themselves go.
pub fn control(data: &[u8]) {
    if let Ok(message) = v1::AgentControl::decode(data) {
        assert_eq!(
            v1::AgentControl::decode(&*message.encode_to_vec()),
            Ok(message)
        );
    }
    if let Ok(message) = v1::ServerControl::decode(data) {
        assert_eq!(
            v1::ServerControl::decode(&*message.encode_to_vec()),
            Ok(message)
        );
    }
    if let Ok(message) = v1::SignedGrant::decode(data) {
        let _ = v1::Grant::decode(&*message.grant);
    }
}

fn size() -> Size {
    Size::new(64, 48).expect("a small size")
}

fn ids() -> (SessionId, ParticipantId) {
    let session = SessionId::parse("session").expect("an id");
    (session, ParticipantId::parse("participant").expect("an id"))
}

fn viewer_config() -> ViewerConfig {
    let (session_id, participant_id) = ids();
    ViewerConfig {
        session_id,
        participant_id,
        agent_public_key: gc_session::agent_public_key(&[7; 32]).expect("32 bytes"),
        signed_grant: Vec::new(),
        preferences: Preferences::default(),
        seed: [2; 32],
        software: String::new(),
        films: vec![gc_codec::FilmFormat::Vp9],
    }
}

fn host_config() -> HostConfig {
    let (session_id, participant_id) = ids();
    let display = Display {
        id: 1,
        name: "Screen".to_owned(),
        x: 0,
        y: 0,
        size: size(),
        primary: true,
    };
    HostConfig {
        session_id,
        participant_id,
        machine_id: MachineId::parse("machine").expect("an id"),
        static_secret: [7; 32],
        server_public_key: [0; 32],
        unix_seconds: 0,
        seed: [1; 32],
        layout: DisplayLayout {
            picture: size(),
            displays: vec![display],
        },
        os_family: OsFamily::Linux,
        software: String::new(),
        has_input: true,
        has_secure_attention: true,
        guards: gc_session::Guard {
            block_input: true,
            blank_screen: true,
        },
        quality: None,
        films: vec![gc_codec::FilmFormat::Vp9],
        consent: Consent::NotNeeded,
        elevation: Elevation::Unavailable,
    }
}
