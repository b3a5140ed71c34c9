//! Films that several viewers of one screen make together.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gc_codec::{
    Abilities, BYTES_PER_PIXEL, Decoder, EncodeOrder, Encoded, Encoder, FilmCodec, FilmEncoder,
    FilmError, FilmFormat, FilmOrder, FilmPacket, FilmPiece, FrameView, Pending, Piece,
    SharedFilms,
};
use gc_model::geometry::{Rect, Size};
use gc_model::time::Moment;
use proptest::prelude::*;

use support::{ORDER, frames};

const WIDTH: u32 = 384;
const HEIGHT: u32 = 160;
const VIDEO: Rect = Rect {
    x: 64,
    y: 16,
    width: 256,
    height: 128,
};
const LARGER: Rect = Rect {
    x: 64,
    y: 16,
    width: 320,
    height: 144,
};

/// A codec whose packets are the picture itself behind the numbers of this packet and of the
/// one that must have come before it.
#[derive(Clone, Default)]
struct Plain {
    full_chroma: bool,
    packed: Arc<AtomicUsize>,
    keys: Arc<AtomicUsize>,
    targets: Arc<Mutex<Vec<usize>>>,
    broken: Arc<Mutex<bool>>,
}

struct PlainStream {
    plain: Plain,
    size: (u32, u32),
    last: u64,
}

impl FilmCodec for Plain {
    fn format(&self) -> FilmFormat {
        if self.full_chroma {
            FilmFormat::Vp9FullChroma
        } else {
            FilmFormat::Vp9
        }
    }

    fn open(&self, width: u32, height: u32) -> Result<Box<dyn FilmEncoder>, FilmError> {
        Ok(Box::new(PlainStream {
            plain: self.clone(),
            size: (width, height),
            last: 0,
        }))
    }
}

impl FilmEncoder for PlainStream {
    fn encode(
        &mut self,
        picture: &FrameView<'_>,
        order: &FilmOrder,
    ) -> Result<FilmPacket, FilmError> {
        if *self.plain.broken.lock().expect("a lock") {
            return Err(FilmError("out of luck".to_owned()));
        }
        let number = self.plain.packed.fetch_add(1, Ordering::SeqCst) as u64 + 1;
        let key = self.last == 0;
        self.plain
            .keys
            .fetch_add(usize::from(key), Ordering::SeqCst);
        let mut targets = self.plain.targets.lock().expect("a lock");
        targets.push(order.target_bytes);
        let mut data = frames::head(self.plain.format(), key, self.size);
        data.extend_from_slice(&self.last.to_le_bytes());
        data.extend_from_slice(&number.to_le_bytes());
        for y in 0..picture.size().height() {
            data.extend_from_slice(picture.row(0, y, picture.size().width()));
        }
        // No picture ends in a way that would announce several frames.
        data.push(0);
        self.last = number;
        Ok(FilmPacket {
            data,
            key,
            held_back: false,
            maker: None,
        })
    }
}

/// A screen, and what is common to its viewers.
struct Screen {
    size: Size,
    pixels: Vec<u8>,
    now: Moment,
    frame: u32,
    plain: Plain,
    films: SharedFilms,
}

struct Watcher {
    encoder: Encoder,
    decoder: Decoder,
    shown: Vec<u8>,
    changed: Vec<Rect>,
    order: EncodeOrder,
    /// The stream that is decoded, and its last packet.
    film: Option<(u32, u64)>,
    films: usize,
    keys: usize,
    pending: Pending,
    /// It has looked at the screen as it is.
    current: bool,
}

impl Screen {
    fn new() -> Self {
        let size = Size::new(WIDTH, HEIGHT).expect("a small screen");
        Self {
            size,
            pixels: vec![0; size.area() * BYTES_PER_PIXEL],
            now: Moment::from_micros(1_000_000),
            frame: 0,
            plain: Plain::default(),
            films: SharedFilms::default(),
        }
    }

    fn watcher(&self) -> Watcher {
        let full_chroma = Plain {
            full_chroma: true,
            ..self.plain.clone()
        };
        let codecs: Vec<Box<dyn FilmCodec>> =
            vec![Box::new(self.plain.clone()), Box::new(full_chroma)];
        let codecs = self.films.for_viewer(codecs);
        Watcher {
            encoder: Encoder::with_films(self.size, codecs).expect("memory"),
            decoder: Decoder::new(self.size).expect("memory"),
            shown: vec![0; self.pixels.len()],
            changed: Vec::new(),
            order: EncodeOrder {
                viewer: Abilities::default(),
                ..ORDER
            },
            film: None,
            films: 0,
            keys: 0,
            pending: Pending::Now,
            current: false,
        }
    }

    fn pass(&mut self, milliseconds: u64) {
        self.now = self.now + Duration::from_millis(milliseconds);
    }

    /// The next frame of something with many colours.
    fn play(&mut self, rect: Rect, watchers: &mut [Watcher]) {
        self.frame += 1;
        let frame = self.frame;
        for y in rect.rows() {
            for x in rect.columns() {
                let value = (x * 7 + y * 13 + frame * 29).wrapping_mul(2_654_435_761) >> 7;
                let at = ((y * WIDTH + x) * 4) as usize;
                self.pixels[at..at + 4].copy_from_slice(&(value & 0xff_ffff).to_le_bytes());
            }
        }
        for watcher in watchers {
            watcher.changed.push(rect);
            watcher.current = false;
        }
    }

    fn packed(&self) -> usize {
        self.plain.packed.load(Ordering::SeqCst)
    }
}

impl Watcher {
    /// Takes an update of the screen as it is.
    fn look(&mut self, screen: &Screen) -> Encoded {
        let stride = WIDTH as usize * BYTES_PER_PIXEL;
        let frame = FrameView::new(screen.size, stride, &screen.pixels)
            .expect("a whole frame")
            .taken_at(screen.now);
        let encoded = self
            .encoder
            .encode(
                screen.now,
                &frame,
                &std::mem::take(&mut self.changed),
                &self.order,
            )
            .expect("an encoder that works");
        self.order.restart = false;
        self.pending = encoded.pending;
        self.current = true;
        if let Some(update) = &encoded.update {
            self.paint(&update.piece());
            if let Some(film) = &update.film {
                self.decode(film);
            }
        }
        encoded
    }

    fn paint(&mut self, piece: &Piece<'_>) {
        if piece.rects.is_empty() {
            return;
        }
        let pixels = self.decoder.decode(piece);
        let mut pixels = &*pixels.expect("a good update");
        for rect in piece.rects {
            for y in rect.rows() {
                let (row, rest) = pixels.split_at(rect.width as usize * 4);
                let at = ((y * WIDTH + rect.x) * 4) as usize;
                self.shown[at..at + row.len()].copy_from_slice(row);
                pixels = rest;
            }
        }
    }

    /// Fails when a packet needs another one than the last.
    fn decode(&mut self, film: &FilmPiece) {
        let size = (film.coded_width, film.coded_height);
        let data = &film.data[frames::head(film.format, film.key, size).len()..];
        let number =
            |at: usize| u64::from_le_bytes(data[at..at + 8].try_into().expect("eight bytes"));
        let (needed, own) = (number(0), number(8));
        if film.key {
            assert_eq!(needed, 0, "a key frame needs nothing");
        } else {
            assert_eq!(
                self.film,
                Some((film.stream, needed)),
                "a packet is missing"
            );
        }
        self.film = Some((film.stream, own));
        self.films += 1;
        self.keys += usize::from(film.key);
        let picture = &data[16..];
        for rect in &film.rects {
            for y in rect.rows() {
                let row = rect.width as usize * 4;
                let from = ((y - film.area.y) * film.area.width + rect.x - film.area.x) * 4;
                let at = ((y * WIDTH + rect.x) * 4) as usize;
                self.shown[at..at + row]
                    .copy_from_slice(&picture[from as usize..from as usize + row]);
            }
        }
    }

    fn with_target(mut self, bytes: usize) -> Self {
        self.order.film.as_mut().expect("films").target_bytes = bytes;
        self
    }
}

/// Lets everybody look until nothing is to come; panics when that does not happen.
fn rest(screen: &mut Screen, watchers: &mut [Watcher]) {
    for _ in 0..400 {
        screen.pass(20);
        for watcher in watchers.iter_mut() {
            watcher.look(screen);
        }
        let done = |watcher: &Watcher| watcher.pending == Pending::Nothing;
        if watchers.iter().all(done) {
            return;
        }
    }
    panic!("it never rests");
}

/// Everybody sees each of `frames`.
fn together(screen: &mut Screen, watchers: &mut [Watcher], frames: u32) {
    for _ in 0..frames {
        screen.pass(33);
        screen.play(VIDEO, watchers);
        for watcher in watchers.iter_mut() {
            watcher.look(screen);
        }
    }
}

#[test]
fn viewers_of_the_same_film_share_every_frame() {
    let mut screen = Screen::new();
    let mut watchers = [screen.watcher(), screen.watcher(), screen.watcher()];

    together(&mut screen, &mut watchers, 60);

    assert!(watchers[0].films > 50);
    assert_eq!(watchers[1].films, watchers[0].films);
    assert_eq!(watchers[2].films, watchers[0].films);
    assert_eq!(screen.packed(), watchers[0].films);
    assert_eq!(screen.films.streams(), 1);
}

#[test]
fn viewers_at_different_moments_share_as_well() {
    let mut screen = Screen::new();
    let mut watchers = [screen.watcher(), screen.watcher()];

    for _ in 0..60 {
        for watcher in 0..2 {
            screen.pass(16);
            screen.play(VIDEO, &mut watchers);
            watchers[watcher].look(&screen);
        }
    }

    let shown = watchers[0].films + watchers[1].films;
    assert!(shown > 100);
    assert!(
        screen.packed() < shown * 6 / 10,
        "{} packed",
        screen.packed()
    );
}

#[test]
fn a_late_comer_costs_the_others_one_key_frame() {
    let mut screen = Screen::new();
    let mut watchers = vec![screen.watcher()];
    together(&mut screen, &mut watchers, 90);
    let before = screen.packed();

    watchers.push(screen.watcher());
    together(&mut screen, &mut watchers, 60);

    let packed = screen.packed() - before;
    assert!(packed <= 61, "{packed} packed for 60 frames of both");
    assert_eq!(watchers[0].keys, 2);
    assert_eq!(watchers[1].keys, 1);
    assert!(watchers[1].films > 50);
}

#[test]
fn one_who_cannot_keep_up_goes_on_alone_and_disturbs_nobody() {
    let mut screen = Screen::new();
    let mut watchers = [screen.watcher(), screen.watcher()];
    together(&mut screen, &mut watchers, 30);

    for step in 0..1_800 {
        screen.pass(33);
        screen.play(VIDEO, &mut watchers);
        watchers[0].look(&screen);
        if step % 12 == 0 {
            watchers[1].look(&screen);
        }
    }

    assert_eq!(watchers[0].films, screen.frame as usize - 4);
    // A minute, and each time it tries again it waits twice as long as before.
    assert!(watchers[0].keys <= 6, "{} key frames", watchers[0].keys);
    assert!(watchers[1].films > 150);
}

#[test]
fn on_a_busy_machine_a_late_turn_is_no_reason_to_pack_twice() {
    let mut screen = Screen::new();
    let mut watchers = [screen.watcher(), screen.watcher()];
    together(&mut screen, &mut watchers, 30);
    let packed = screen.packed();

    for frame in 0..50 {
        screen.pass(40);
        screen.play(VIDEO, &mut watchers);
        watchers[0].look(&screen);
        screen.pass(80);
        // What the other is given is 200 ms old, and one newer frame is there.
        if frame > 0 {
            watchers[1].look(&screen);
        }
    }

    assert!(
        screen.packed() - packed <= 52,
        "{}",
        screen.packed() - packed
    );
    assert_eq!(screen.films.streams(), 1);
}

#[test]
fn viewers_with_other_wishes_have_other_films() {
    let mut screen = Screen::new();
    let mut watchers = [
        screen.watcher().with_target(4_000),
        screen.watcher().with_target(1_300),
        screen.watcher().with_target(3_000),
        // More than the best quality takes: as much as the next one, however much it is.
        screen.watcher().with_target(70_000),
        screen.watcher().with_target(3_000_000),
    ];

    together(&mut screen, &mut watchers, 30);

    assert_eq!(screen.films.streams(), 2);
    let targets = screen.plain.targets.lock().expect("a lock");
    assert_eq!(targets[targets.len() - 2..], [3_000, 1_300]);
}

#[test]
fn viewers_with_full_chroma_share_among_themselves_and_not_with_others() {
    let mut screen = Screen::new();
    let mut watchers: Vec<Watcher> = (0..4).map(|_| screen.watcher()).collect();
    for watcher in &mut watchers[2..] {
        let order = watcher.order.film.as_mut().expect("an order");
        order.formats = order.formats.with(FilmFormat::Vp9FullChroma);
    }
    rest(&mut screen, &mut watchers);
    together(&mut screen, &mut watchers, 90);
    let packed = screen.packed();

    together(&mut screen, &mut watchers, 30);

    assert_eq!(screen.packed() - packed, 60, "one stream for each form");
    assert_eq!(screen.films.streams(), 2);
    assert!(watchers.iter().all(|watcher| watcher.films > 60));
}

#[test]
fn a_film_that_began_elsewhere_is_joined_where_it_is() {
    let mut screen = Screen::new();
    let mut watchers = vec![screen.watcher()];
    for _ in 0..40 {
        screen.pass(33);
        screen.play(LARGER, &mut watchers);
        watchers[0].look(&screen);
    }
    together(&mut screen, &mut watchers, 10);

    watchers.push(screen.watcher());
    together(&mut screen, &mut watchers, 40);

    assert_eq!(screen.films.streams(), 1);
    rest(&mut screen, &mut watchers);
    assert!(
        watchers
            .iter()
            .all(|watcher| watcher.shown == screen.pixels)
    );
}

#[test]
fn a_codec_that_fails_leaves_everybody_with_exact_pictures() {
    let mut screen = Screen::new();
    let mut watchers = [screen.watcher(), screen.watcher()];
    together(&mut screen, &mut watchers, 30);

    *screen.plain.broken.lock().expect("a lock") = true;
    together(&mut screen, &mut watchers, 10);
    rest(&mut screen, &mut watchers);

    assert!(
        watchers
            .iter()
            .all(|watcher| watcher.shown == screen.pixels)
    );
    assert_eq!(screen.films.streams(), 0);
}

#[test]
fn viewers_share_again_at_once_when_a_codec_failed_once() {
    let mut screen = Screen::new();
    let mut watchers = [screen.watcher(), screen.watcher(), screen.watcher()];
    together(&mut screen, &mut watchers, 30);

    screen.pass(33);
    screen.play(VIDEO, &mut watchers);
    for (index, watcher) in watchers.iter_mut().enumerate() {
        *screen.plain.broken.lock().expect("a lock") = index == 0;
        watcher.look(&screen);
    }
    let before = screen.packed();
    together(&mut screen, &mut watchers, 60);

    let packed = screen.packed() - before;
    assert!(packed < 60 + 10, "{packed} packets for 60 frames");
    assert!(watchers.iter().all(|watcher| watcher.films > 80));
}

#[test]
fn whoever_leaves_leaves_nothing_behind() {
    let mut screen = Screen::new();
    let mut watchers = vec![screen.watcher(), screen.watcher()];
    together(&mut screen, &mut watchers, 30);

    watchers.remove(0);
    together(&mut screen, &mut watchers, 30);
    assert_eq!(screen.films.streams(), 1);

    watchers.clear();
    assert_eq!(screen.films.streams(), 0);
}

#[derive(Debug, Clone)]
enum Step {
    Play(bool),
    Look(usize),
    Pass(u64),
    Hold(usize, bool),
    Restart(usize),
    Target(usize, usize),
    Come,
    Go(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let watcher = 0..4_usize;
    prop_oneof![
        8 => any::<bool>().prop_map(Step::Play),
        24 => watcher.clone().prop_map(Step::Look),
        8 => (1..60_u64).prop_map(Step::Pass),
        1 => (100..1_500_u64).prop_map(Step::Pass),
        1 => (watcher.clone(), any::<bool>()).prop_map(|(at, hold)| Step::Hold(at, hold)),
        1 => watcher.clone().prop_map(Step::Restart),
        1 => (watcher.clone(), 1_000..40_000_usize).prop_map(|(at, bytes)| Step::Target(at, bytes)),
        1 => Just(Step::Come),
        1 => watcher.prop_map(Step::Go),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Every packet can be decoded by the viewer that gets it, whatever the others do; and at
    /// rest everybody has the screen.
    #[test]
    fn any_interleaving_decodes_and_ends_exact(steps in prop::collection::vec(step(), 50..400)) {
        let mut screen = Screen::new();
        let mut watchers = vec![screen.watcher(), screen.watcher()];
        together(&mut screen, &mut watchers, 12);
        for step in steps {
            let count = watchers.len();
            match step {
                Step::Play(large) => {
                    screen.pass(16);
                    screen.play(if large { LARGER } else { VIDEO }, &mut watchers);
                }
                Step::Look(at) if at < count => {
                    screen.pass(1);
                    watchers[at].look(&screen);
                }
                Step::Pass(milliseconds) => screen.pass(milliseconds),
                Step::Hold(at, hold) if at < count => watchers[at].order.hold_films = hold,
                Step::Restart(at) if at < count => watchers[at].order.restart = true,
                Step::Target(at, bytes) if at < count => {
                    watchers[at].order.film.as_mut().expect("films").target_bytes = bytes;
                }
                Step::Come if count < 4 => watchers.push(screen.watcher()),
                Step::Go(at) if at < count && count > 1 => drop(watchers.remove(at)),
                _ => {}
            }
            prop_assert!(screen.films.streams() <= watchers.len());
        }
        for watcher in &mut watchers {
            watcher.order.hold_films = false;
        }
        rest(&mut screen, &mut watchers);
        for watcher in &watchers {
            prop_assert!(watcher.shown == screen.pixels);
        }
    }
}
