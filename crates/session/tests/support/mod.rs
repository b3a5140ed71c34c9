//! A whole session in virtual time: a screen, its agent's machine, a link, a
//! viewer and a person who types.

#![allow(dead_code, reason = "each suite uses its part")]

pub mod download;
pub mod films;

use std::collections::VecDeque;
use std::time::Duration;

use ed25519_dalek::{Signer as _, SigningKey};
use gc_codec::{EncodeOrder, Encoder, FilmCodec, FilmFormat, FrameView, film_codecs};
use gc_model::geometry::{Display, DisplayLayout, Rect, Size};
use gc_model::id::{MachineId, ParticipantId, SessionId};
use gc_model::input::InputEvent;
use gc_model::time::Moment;
use gc_proto::{Message as _, v1};
use gc_session::viewer::{Film, ShownFrame, ViewerEvent};
use gc_session::{
    Captured, Consent, Elevation, Guard, Host, HostConfig, HostOutput, OsFamily, Preferences,
    Viewer, ViewerConfig, ViewerOutput, agent_public_key,
};
use gc_testkit::link::Link;

use download::Download;

pub const WIDTH: u32 = 320;
pub const HEIGHT: u32 = 240;
pub const AGENT_SECRET: [u8; 32] = [7; 32];
pub const UNIX_SECONDS: u64 = 1_800_000_000;

/// Where a key press shows.
pub const ECHO: Rect = Rect {
    x: 20,
    y: 20,
    width: 9,
    height: 15,
};
/// Where the video plays.
pub const VIDEO: Rect = Rect {
    x: 64,
    y: 64,
    width: 192,
    height: 128,
};

pub const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

pub fn server_key() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

pub fn session_id() -> SessionId {
    SessionId::parse("session-1").expect("an id")
}

pub fn participant_id() -> ParticipantId {
    ParticipantId::parse("participant-1").expect("an id")
}

/// A grant as the server makes it.
pub fn signed_grant(change: impl FnOnce(&mut v1::Grant)) -> Vec<u8> {
    let mut grant = v1::Grant {
        session_id: session_id().as_str().to_owned(),
        participant_id: participant_id().as_str().to_owned(),
        machine_id: "machine-1".to_owned(),
        user_id: "user-1".to_owned(),
        technician: "Ada".to_owned(),
        rights: vec![v1::Right::View.into(), v1::Right::Control.into()],
        issued_at: UNIX_SECONDS,
        expires_at: UNIX_SECONDS + 60,
    };
    change(&mut grant);
    let grant = grant.encode_to_vec();
    let message = [&b"guruconnect grant v1\0"[..], &grant].concat();
    let signature = server_key().sign(&message).to_bytes().to_vec();
    v1::SignedGrant {
        grant: grant.into(),
        signature: signature.into(),
    }
    .encode_to_vec()
}

pub fn layout(width: u32, height: u32) -> DisplayLayout {
    let size = Size::new(width, height).expect("a small screen");
    let display = Display {
        id: 1,
        name: "Screen".to_owned(),
        x: 0,
        y: 0,
        size,
        primary: true,
    };
    DisplayLayout {
        picture: size,
        displays: vec![display],
    }
}

pub fn host() -> Host {
    host_with(|_| {})
}

pub fn host_with(change: impl FnOnce(&mut HostConfig)) -> Host {
    let mut config = HostConfig {
        session_id: session_id(),
        participant_id: participant_id(),
        machine_id: MachineId::parse("machine-1").expect("an id"),
        static_secret: AGENT_SECRET,
        server_public_key: server_key().verifying_key().to_bytes(),
        unix_seconds: UNIX_SECONDS,
        seed: [1; 32],
        layout: layout(WIDTH, HEIGHT),
        os_family: OsFamily::Linux,
        software: "agent 0.0".to_owned(),
        has_input: true,
        has_secure_attention: false,
        guards: Guard::default(),
        quality: None,
        films: Vec::new(),
        consent: Consent::NotNeeded,
        elevation: Elevation::Unavailable,
    };
    change(&mut config);
    Host::new(config, Moment::ZERO)
}

pub fn viewer(signed_grant: Vec<u8>) -> Viewer {
    viewer_with(|config| config.signed_grant = signed_grant)
}

pub fn viewer_expecting(agent_public_key: [u8; 32], signed_grant: Vec<u8>) -> Viewer {
    viewer_with(|config| {
        config.agent_public_key = agent_public_key;
        config.signed_grant = signed_grant;
    })
}

pub fn viewer_with(change: impl FnOnce(&mut ViewerConfig)) -> Viewer {
    let mut config = ViewerConfig {
        session_id: session_id(),
        participant_id: participant_id(),
        agent_public_key: agent_public_key(&AGENT_SECRET).expect("32 bytes"),
        signed_grant: signed_grant(|_| {}),
        preferences: Preferences::default(),
        seed: [2; 32],
        software: "test viewer".to_owned(),
        films: Vec::new(),
    };
    change(&mut config);
    Viewer::new(config, Moment::ZERO)
}

/// A machine, a link and a viewer, run by a virtual clock.
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch that a story throws"
)]
pub struct Session {
    pub now: Moment,
    pub host: Host,
    pub viewer: Viewer,
    pub down: Link,
    pub up: Link,
    pub screen: Vec<u8>,
    pub shown: Vec<u8>,
    pub events: Vec<ViewerEvent>,
    pub frames: Vec<(Moment, ShownFrame)>,
    pub injected: Vec<InputEvent>,
    pub captures: usize,
    pub questions: Vec<HostOutput>,
    /// What was wanted of the machine itself.
    pub machine: Vec<HostOutput>,
    pub ended: Option<String>,
    /// All that the relay carried, both ways.
    pub recorded: Vec<u8>,
    /// All that was to be sealed of pictures.
    pub updates: Vec<u8>,
    /// Time the viewer takes to decode and paint a frame.
    pub paint: Duration,
    /// What it takes more for a whole screen; for parts of it, their share.
    pub paint_screen: Duration,
    /// The viewer's program hangs: nothing is read any more.
    pub viewer_hangs: bool,
    pub video: bool,
    /// What plays is soft, with some grain, as films are; else it is noise.
    pub soft: bool,
    /// Time that the machine takes to pack a picture.
    pub packing: Duration,
    /// Time that each frame of a film waits for another viewer's thread.
    pub waited: Duration,
    /// What plays has thin coloured lines.
    pub fine: bool,
    /// What a viewer decodes films with: the stream and its decoder.
    film: Option<(u32, FilmDecoder)>,
    /// Formats for which the viewer's film decoder does not work.
    pub failing: Vec<FilmFormat>,
    /// So many of the next updates are damaged before they are sealed.
    pub damaged: usize,
    /// Another program's download over the same line.
    pub download: Option<Download>,
    encoder: Encoder,
    capturing: VecDeque<(Moment, Captured)>,
    changed: Vec<Rect>,
    painting: VecDeque<(Moment, u64)>,
    next_video: Moment,
    video_frame: u32,
}

/// What a browser has for each format.
enum FilmDecoder {
    Vp9(gc_vpx::Decoder),
    H264(Box<gc_openh264::Decoder>),
}

impl FilmDecoder {
    fn new(format: FilmFormat) -> Result<Self, ()> {
        Ok(match format {
            FilmFormat::Vp9 | FilmFormat::Vp9FullChroma => {
                Self::Vp9(gc_vpx::Decoder::new().map_err(drop)?)
            }
            FilmFormat::H264 => Self::H264(Box::new(gc_openh264::Decoder::new().map_err(drop)?)),
        })
    }

    fn decode(&mut self, packet: &[u8]) -> Result<gc_video::Picture, ()> {
        use gc_video::PictureDecoder as _;
        match self {
            Self::Vp9(decoder) => decoder.decode(packet).map_err(drop),
            Self::H264(decoder) => decoder.decode(packet).map_err(drop),
        }
    }
}

impl Session {
    /// A link of `bits_per_second` with a round trip of `rtt`.
    pub fn over(bits_per_second: u64, rtt: Duration) -> Self {
        let size = Size::new(WIDTH, HEIGHT).expect("a small screen");
        let screen = [0x30, 0x40, 0x50, 0].repeat(size.area());
        Self {
            now: Moment::ZERO,
            host: host(),
            viewer: viewer(signed_grant(|_| {})),
            down: Link::new(bits_per_second, rtt / 2),
            up: Link::new(bits_per_second.max(64_000), rtt / 2),
            shown: vec![0; screen.len()],
            screen,
            events: Vec::new(),
            frames: Vec::new(),
            injected: Vec::new(),
            captures: 0,
            questions: Vec::new(),
            machine: Vec::new(),
            ended: None,
            recorded: Vec::new(),
            updates: Vec::new(),
            paint: Duration::from_millis(3),
            paint_screen: Duration::ZERO,
            viewer_hangs: false,
            video: false,
            soft: false,
            packing: Duration::from_millis(2),
            waited: Duration::ZERO,
            fine: false,
            film: None,
            failing: Vec::new(),
            damaged: 0,
            download: None,
            encoder: Encoder::new(size).expect("memory"),
            capturing: VecDeque::new(),
            changed: Vec::new(),
            painting: VecDeque::new(),
            next_video: Moment::ZERO,
            video_frame: 0,
        }
    }

    /// The same with both ends able to do VP9.
    pub fn with_films(bits_per_second: u64, rtt: Duration) -> Self {
        Self::with_codecs(bits_per_second, rtt, film_codecs(&[FilmFormat::Vp9]))
    }

    /// The same with a machine that has these codecs, and a viewer that decodes all there are.
    pub fn with_codecs(
        bits_per_second: u64,
        rtt: Duration,
        codecs: Vec<Box<dyn FilmCodec>>,
    ) -> Self {
        let mut session = Self::over(bits_per_second, rtt);
        let size = Size::new(WIDTH, HEIGHT).expect("a small screen");
        let films = codecs.iter().map(|codec| codec.format()).collect();
        session.host = host_with(|config| config.films = films);
        session.viewer = viewer_with(|config| config.films = FilmFormat::ALL.to_vec());
        session.encoder = Encoder::with_films(size, codecs).expect("memory");
        session.soft = true;
        session
    }

    /// Draws a frame of a film.
    pub fn draw_film(&mut self, rect: Rect, frame: u32) {
        let time = frame as f32 * 0.12;
        for y in rect.rows() {
            for x in rect.columns() {
                let (u, v) = (x as f32 * 0.05, y as f32 * 0.04);
                let wave = |shift: f32| (u + time + shift).sin() * (v - time * 0.7 + shift).cos();
                let grain =
                    (x.wrapping_mul(7_919) ^ y.wrapping_mul(104_729) ^ frame.wrapping_mul(31)) % 5;
                let level = |shift: f32| (118.0 + wave(shift) * 90.0) as u32 + grain;
                let pixel = if self.fine && (x + frame).is_multiple_of(6) {
                    [0xff_00_00, 0x00_00_ff][(y / 8 % 2) as usize]
                } else {
                    level(0.0) << 16 | level(1.3) << 8 | level(2.6)
                };
                let at = (y * WIDTH + x) as usize * 4;
                self.screen[at..at + 4].copy_from_slice(&pixel.to_le_bytes());
            }
        }
        self.changed(rect);
    }

    /// Draws noise and lets the agent know.
    pub fn draw(&mut self, rect: Rect, seed: u32) {
        let mut value = seed.wrapping_mul(2_654_435_761) | 1;
        for y in rect.rows() {
            for x in rect.columns() {
                value = value.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = (y * WIDTH + x) as usize * 4;
                // 24 bits: the fourth byte of a pixel means nothing and stays 0.
                self.screen[at..at + 4].copy_from_slice(&(value >> 8).to_le_bytes());
            }
        }
        self.changed(rect);
    }

    /// Lets the agent know that the screen changed.
    pub fn changed(&mut self, rect: Rect) {
        self.changed.push(rect);
        self.host.handle_activity(self.now);
    }

    /// Lets time pass.
    pub fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            self.drain();
            let next = self.next_event().map_or(end, |next| next.min(end));
            self.now = next.max(self.now + Duration::from_micros(1)).min(end);
            self.happen();
            if self.now >= end {
                self.drain();
                return;
            }
        }
    }

    /// Lets time pass; bits a second that went over the line meanwhile.
    pub fn bits_per_second_for(&mut self, duration: Duration) -> f64 {
        let before = self.down.carried_bytes();
        self.run_for(duration);
        (self.down.carried_bytes() - before) as f64 * 8.0 / duration.as_secs_f64()
    }

    /// Lets time pass until `done`, at most for `limit`; how long it took.
    pub fn run_until(
        &mut self,
        limit: Duration,
        mut done: impl FnMut(&Self) -> bool,
    ) -> Option<Duration> {
        let start = self.now;
        while self.now.since(start) < limit {
            if done(self) {
                return Some(self.now.since(start));
            }
            self.run_for(Duration::from_millis(1));
        }
        done(self).then(|| self.now.since(start))
    }

    pub fn connect(&mut self) {
        let connected = self.run_until(Duration::from_secs(20), |session| {
            session
                .events
                .iter()
                .any(|event| matches!(event, ViewerEvent::Connected { .. }))
        });
        assert!(connected.is_some(), "the session opens");
    }

    /// True when the viewer's picture is the screen.
    pub fn is_exact(&self) -> bool {
        self.shown == self.screen
    }

    /// True when the viewer shows what the screen has inside `rect`.
    pub fn shows(&self, rect: Rect) -> bool {
        rect.rows().all(|y| {
            let from = (y * WIDTH + rect.x) as usize * 4;
            let to = from + rect.width as usize * 4;
            self.shown[from..to] == self.screen[from..to]
        })
    }

    /// Presses a key whose echo is drawn when the press arrives; time until it is seen.
    pub fn time_key_press(&mut self, seed: u32) -> Duration {
        let before = self.injected.len();
        self.viewer
            .handle_key(self.now, "KeyA", true, Some("a"), 0, false);
        self.viewer
            .handle_key(self.now, "KeyA", false, None, 0, false);
        let pressed = self.now;
        let arrived = self.run_until(Duration::from_secs(30), |session| {
            session.injected.len() > before
        });
        assert!(arrived.is_some(), "the key press arrives");
        self.draw(ECHO, seed);
        let seen = self.run_until(Duration::from_secs(30), |session| session.shows(ECHO));
        assert!(seen.is_some(), "the key press is seen");
        self.now.since(pressed)
    }

    fn next_event(&self) -> Option<Moment> {
        let links = [self.down.next_event_us(), self.up.next_event_us()]
            .into_iter()
            .flatten()
            .map(Moment::from_micros)
            // What lies there since then waits for the viewer.
            .filter(|&at| at >= self.now);
        let download = self.download.as_ref().and_then(Download::next);
        let timers = [self.host.poll_timeout(), self.viewer.poll_timeout()]
            .into_iter()
            .flatten();
        let work = [
            self.capturing.front().map(|work| work.0),
            self.painting.front().map(|work| work.0),
        ];
        let video = self.video.then_some(self.next_video);
        links
            .chain(timers)
            .chain(work.into_iter().flatten())
            .chain(video)
            .chain(download)
            .min()
    }

    fn happen(&mut self) {
        let now = self.now;
        self.down.pass_time(now.as_micros());
        if let Some(download) = &mut self.download {
            download.go_on(now, &mut self.down);
        }
        if self.video && self.next_video <= now {
            self.video_frame += 1;
            self.next_video = now + Duration::from_millis(33);
            if self.soft {
                self.draw_film(VIDEO, self.video_frame);
            } else {
                self.draw(VIDEO, 1_000_000 + self.video_frame);
            }
        }
        while let Some(message) = self.up.receive(now.as_micros()) {
            self.host.handle_message(now, &message);
            self.drain();
        }
        while !self.viewer_hangs
            && self.painting.is_empty()
            && let Some(message) = self.down.receive(now.as_micros())
        {
            match &mut self.download {
                Some(download) if Download::owns(&message) => {
                    download.arrived(now, message.len());
                }
                _ => self.viewer.handle_message(now, &message),
            }
            self.drain();
        }
        if self.capturing.front().is_some_and(|&(at, _)| at <= now) {
            let (_, captured) = self.capturing.pop_front().expect("just looked at it");
            self.host.handle_captured(now, captured);
        }
        if self.painting.front().is_some_and(|&(at, _)| at <= now) {
            let (_, sequence) = self.painting.pop_front().expect("just looked at it");
            self.viewer.handle_painted(now, sequence);
        }
        self.host.handle_timeout(now);
        self.viewer.handle_timeout(now);
    }

    fn drain(&mut self) {
        let now = self.now;
        while let Some(output) = self.host.poll_output() {
            match output {
                HostOutput::Send(message) => {
                    self.recorded.extend_from_slice(&message);
                    self.down.send(now.as_micros(), message);
                }
                HostOutput::Capture(order) => self.capture(&order),
                HostOutput::Inject(event) => self.injected.push(event),
                HostOutput::Started { .. } | HostOutput::Words(_) => {}
                HostOutput::Ask { .. } | HostOutput::Settled { .. } => self.questions.push(output),
                HostOutput::Show(_) | HostOutput::ShowDesktopSession(_) | HostOutput::Guard(_) => {
                    self.machine.push(output);
                }
                HostOutput::Ended(why) => self.ended = Some(why),
            }
        }
        while let Some(output) = self.viewer.poll_output() {
            match output {
                ViewerOutput::Send(message) => {
                    self.recorded.extend_from_slice(&message);
                    self.up.send(now.as_micros(), message);
                }
                ViewerOutput::Event(event) => self.events.push(event),
                ViewerOutput::Frame(frame) => self.show(frame),
            }
        }
    }

    fn capture(&mut self, order: &EncodeOrder) {
        self.captures += 1;
        let size = Size::new(WIDTH, HEIGHT).expect("a small screen");
        let frame = FrameView::new(size, WIDTH as usize * 4, &self.screen)
            .expect("a whole frame")
            .taken_at(self.now);
        let changed = std::mem::take(&mut self.changed);
        let mut encoded = self
            .encoder
            .encode(self.now, &frame, &changed, order)
            .expect("an encoder that works");
        if let Some(update) = &mut encoded.update
            && self.damaged > 0
        {
            self.damaged -= 1;
            update.data.splice(.., *b"no stream of pixels");
        }
        if let Some(update) = &encoded.update {
            self.updates.extend_from_slice(&update.data);
            self.updates.extend_from_slice(&update.photo_data);
        }
        let (capture, encode) = (Duration::from_millis(1), self.packing);
        // Only films are packed for several.
        let film = encoded
            .update
            .as_ref()
            .and_then(|update| update.film.as_ref());
        let waited = film.map_or(Duration::ZERO, |_| self.waited);
        let captured = Captured::Encoded {
            encoded: Box::new(encoded),
            captured_at: self.now,
            capture,
            encode: encode + waited,
            waited,
        };
        self.capturing
            .push_back((self.now + capture + encode + waited, captured));
    }

    fn show(&mut self, frame: ShownFrame) {
        let mut from = 0;
        for rect in &frame.rects {
            for y in rect.rows() {
                let row = rect.width as usize * 4;
                let at = (y * WIDTH + rect.x) as usize * 4;
                for (shown, rgba) in self.shown[at..at + row]
                    .chunks_exact_mut(4)
                    .zip(self.viewer.pixels()[from..].chunks_exact(4))
                {
                    shown.copy_from_slice(&[rgba[2], rgba[1], rgba[0], 0]);
                }
                from += row;
            }
        }
        if let Some(film) = &frame.film
            && self.show_film(film).is_err()
        {
            self.viewer.handle_film_failed(self.now, film.format);
        }
        let pixels: usize = frame.rects.iter().map(|rect| rect.area()).sum();
        let share = pixels as f64 / f64::from(WIDTH * HEIGHT);
        let painted_at = self.now + self.paint + self.paint_screen.mul_f64(share);
        self.painting.push_back((painted_at, frame.sequence));
        self.frames.push((self.now, frame));
    }

    /// Paints a film's frame, each pixel of the area from the nearest coded one.
    fn show_film(&mut self, film: &Film) -> Result<(), ()> {
        if self.failing.contains(&film.format) {
            return Err(());
        }
        if film.key || self.film.is_none() {
            self.film = Some((film.stream, FilmDecoder::new(film.format)?));
        }
        let (stream, decoder) = self.film.as_mut().expect("just made");
        assert_eq!(*stream, film.stream, "a stream begins with a key frame");
        let picture = decoder.decode(self.viewer.film_data())?;
        let coded = (picture.size().width(), picture.size().height());
        assert_eq!(coded, (film.coded_width, film.coded_height));
        let pixels = picture.to_bgrx();
        for rect in &film.rects {
            for y in rect.rows() {
                for x in rect.columns() {
                    let from_x = (x - film.area.x) * coded.0 / film.area.width;
                    let from_y = (y - film.area.y) * coded.1 / film.area.height;
                    let from = (from_y * coded.0 + from_x) as usize * 4;
                    let at = (y * WIDTH + x) as usize * 4;
                    self.shown[at..at + 3].copy_from_slice(&pixels[from..from + 3]);
                    self.shown[at + 3] = 0;
                }
            }
        }
        Ok(())
    }

    /// How far the viewer's picture is from the screen inside `rect`: levels of the mean byte.
    pub fn error_in(&self, rect: Rect) -> f64 {
        let mut sum = 0_u64;
        for y in rect.rows() {
            let from = (y * WIDTH + rect.x) as usize * 4;
            let to = from + rect.width as usize * 4;
            for (shown, screen) in self.shown[from..to].iter().zip(&self.screen[from..to]) {
                sum += u64::from(shown.abs_diff(*screen));
            }
        }
        sum as f64 / (rect.area() * 3) as f64
    }
}
