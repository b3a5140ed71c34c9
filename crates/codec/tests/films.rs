//! What plays on the screen travels as a film, and nothing else does.

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gc_codec::{
    EncodeOrder, Encoded, Encoder, FilmCodec, FilmEncoder, FilmError, FilmFormat, FilmFormats,
    FilmOrder, FilmPacket, FilmPiece, FrameView, Pending, Update,
};
use gc_model::geometry::{Rect, Size};
use gc_model::time::Moment;

use support::{ORDER, frames};

const WIDTH: u32 = 640;
const HEIGHT: u32 = 480;
const VIDEO: Rect = Rect {
    x: 128,
    y: 160,
    width: 320,
    height: 240,
};
const CAPTION: Rect = Rect {
    x: 200,
    y: 40,
    width: 40,
    height: 12,
};

/// How a codec behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Good,
    CannotOpen,
    Fails,
    MakesRubbish,
    MakesNothing,
    MakesTooMuch,
    NeverBegins,
}

/// A codec that notes what it is asked, and behaves as it is told to.
#[derive(Clone)]
struct Notes {
    format: FilmFormat,
    /// Width, height of each stream that was opened.
    opened: Arc<Mutex<Vec<(u32, u32)>>>,
    mood: Arc<Mutex<Mood>>,
    /// Shorter sides are not for it.
    shortest_side: u32,
}

impl Notes {
    fn of(format: FilmFormat) -> Self {
        Self {
            format,
            opened: Arc::default(),
            mood: Arc::new(Mutex::new(Mood::Good)),
            shortest_side: 0,
        }
    }

    fn become_(&self, mood: Mood) {
        *self.mood.lock().expect("a lock") = mood;
    }

    fn mood(&self) -> Mood {
        *self.mood.lock().expect("a lock")
    }
}

impl FilmCodec for Notes {
    fn format(&self) -> FilmFormat {
        self.format
    }

    fn coded_size(&self, width: u32, height: u32) -> Option<(u32, u32)> {
        (width.min(height) >= self.shortest_side).then_some((width, height))
    }

    fn open(&self, width: u32, height: u32) -> Result<Box<dyn FilmEncoder>, FilmError> {
        self.opened.lock().expect("a lock").push((width, height));
        if self.mood() == Mood::CannotOpen {
            return Err(FilmError("no such device".to_owned()));
        }
        Ok(Box::new(NotedEncoder {
            notes: self.clone(),
            frames: 0,
            size: (width, height),
        }))
    }
}

struct NotedEncoder {
    notes: Notes,
    frames: u32,
    size: (u32, u32),
}

impl FilmEncoder for NotedEncoder {
    fn encode(
        &mut self,
        _picture: &FrameView<'_>,
        _order: &FilmOrder,
    ) -> Result<FilmPacket, FilmError> {
        self.frames += 1;
        let mood = self.notes.mood();
        let key = self.frames == 1 && mood != Mood::NeverBegins;
        let mut data = frames::head(self.notes.format, key, self.size);
        match mood {
            Mood::Good | Mood::NeverBegins => {}
            Mood::CannotOpen | Mood::Fails => return Err(FilmError("out of luck".to_owned())),
            Mood::MakesRubbish => data = vec![0x5a; 200],
            Mood::MakesNothing => data.clear(),
            Mood::MakesTooMuch => data.resize(16 << 20, 1),
        }
        Ok(FilmPacket {
            data,
            key,
            held_back: false,
            maker: None,
        })
    }
}

struct Stage {
    screen: Vec<u8>,
    encoder: Encoder,
    notes: Notes,
    now: Moment,
    order: EncodeOrder,
}

impl Stage {
    fn new() -> Self {
        Self::with(vec![Notes::of(FilmFormat::Vp9)])
    }

    /// With these codecs, the first of which is the one that is looked at.
    fn with(codecs: Vec<Notes>) -> Self {
        let size = Size::new(WIDTH, HEIGHT).expect("a small size");
        let notes = codecs[0].clone();
        let codecs = codecs
            .into_iter()
            .map(|codec| Box::new(codec) as Box<dyn FilmCodec>)
            .collect();
        let mut stage = Self {
            screen: vec![0; size.area() * 4],
            encoder: Encoder::with_films(size, codecs).expect("memory"),
            notes,
            now: Moment::ZERO,
            order: ORDER,
        };
        while stage.encode(&[]).pending != Pending::Nothing {}
        stage
    }

    fn encode(&mut self, changed: &[Rect]) -> Encoded {
        self.encode_after(Duration::from_millis(33), changed)
    }

    fn encode_after(&mut self, time: Duration, changed: &[Rect]) -> Encoded {
        self.now = self.now + time;
        let size = Size::new(WIDTH, HEIGHT).expect("a small size");
        let frame = FrameView::new(size, WIDTH as usize * 4, &self.screen).expect("a whole frame");
        self.encoder
            .encode(self.now, &frame, changed, &self.order)
            .expect("an encoder that works")
    }

    fn draw(&mut self, rect: Rect, mut pixel: impl FnMut(u32, u32) -> u32) {
        for y in rect.rows() {
            for x in rect.columns() {
                let at = (y * WIDTH + x) as usize * 4;
                self.screen[at..at + 4].copy_from_slice(&(pixel(x, y) & 0xff_ffff).to_le_bytes());
            }
        }
    }

    /// A frame of something with many colours.
    fn draw_film(&mut self, rect: Rect, frame: u32) {
        self.draw(rect, |x, y| {
            (x * 7 + y * 13 + frame * 29).wrapping_mul(2_654_435_761) >> 7
        });
    }

    fn play_in(&mut self, rect: Rect, frame: u32) -> Update {
        self.draw_film(rect, frame);
        self.encode(&[rect]).update.expect("a change")
    }

    fn play(&mut self, frames: u32) -> Update {
        let updates: Vec<Update> = (0..frames)
            .map(|frame| self.play_in(VIDEO, frame))
            .collect();
        updates.into_iter().last().expect("some frames")
    }
}

fn film(update: &Update) -> &FilmPiece {
    update.film.as_ref().expect("a film")
}

#[test]
fn a_video_becomes_a_film_of_its_own_rectangle() {
    let mut stage = Stage::new();

    let update = stage.play(12);

    assert_eq!(film(&update).area, VIDEO);
    assert_eq!(film(&update).rects, [VIDEO]);
    assert!(update.rects.is_empty() && update.reduced);
    assert_eq!(*stage.notes.opened.lock().expect("a lock"), [(320, 240)]);
}

#[test]
fn text_that_scrolls_stays_exact() {
    let mut stage = Stage::new();

    for line in 0..20 {
        stage.draw(VIDEO, |x, y| match (x / 3 + (y + line * 5) / 5) % 3 {
            0 => 0x20_20_20,
            1 => 0xd0_d0_d0,
            _ => 0x80_80_90,
        });
        let update = stage.encode(&[VIDEO]).update.expect("a change");
        assert!(update.film.is_none() && !update.reduced);
    }
}

#[test]
fn a_film_goes_on_while_the_answer_to_a_key_is_looked_for_again_and_again() {
    let mut stage = Stage::new();
    stage.play(12);
    for frame in 12..60 {
        for _ in 0..4 {
            let looked = stage.encode_after(Duration::from_millis(6), &[]);
            assert_eq!(looked.update, None);
        }
        stage.draw_film(VIDEO, frame);
        let encoded = stage.encode_after(Duration::from_millis(9), &[VIDEO]);
        let update = encoded.update.expect("a change");
        assert!(update.film.is_some(), "frame {frame} is exact");
    }
}

#[test]
fn a_picture_that_waits_to_be_sent_is_no_film() {
    let mut stage = Stage::new();
    stage.order.restart = true;
    stage.order.budget_bytes = 3_000;
    stage.draw(VIDEO, |x, y| {
        (x * 7 + y * 13).wrapping_mul(2_654_435_761) >> 7
    });

    for step in 0..200 {
        let update = stage.encode(&[]).update;
        stage.order.restart = false;
        let Some(update) = update else { return };
        assert!(update.film.is_none() && !update.reduced, "update {step}");
    }
    panic!("the picture is never whole");
}

#[test]
fn a_caption_over_a_film_is_sent_exactly_and_never_painted_over() {
    let mut stage = Stage::new();
    let caption = Rect {
        x: 256,
        y: 256,
        width: 60,
        height: 12,
    };
    // What plays leaves out the caption's tile.
    let around = [
        Rect {
            height: 96,
            ..VIDEO
        },
        Rect {
            y: 272,
            height: 128,
            ..VIDEO
        },
    ];
    for frame in 0..12 {
        for part in around {
            stage.draw(part, |x, y| {
                (x * 7 + y * 13 + frame * 29).wrapping_mul(2_654_435_761) >> 7
            });
        }
        stage.encode(&around);
    }

    stage.draw(caption, |x, _| x * 3);
    stage.draw(around[0], |x, y| (x + y).wrapping_mul(2_654_435_761) >> 7);
    let first = stage
        .encode(&[caption, around[0]])
        .update
        .expect("the caption");
    let second = stage.encode(&[]).update.expect("the film");

    assert_eq!(first.rects, [caption]);
    assert!(first.film.is_none(), "news go alone");
    assert!(
        film(&second)
            .rects
            .iter()
            .all(|rect| !rect.overlaps(caption))
    );
}

#[test]
fn a_film_that_stops_becomes_exact() {
    let mut stage = Stage::new();
    stage.play(12);

    let Pending::At(moment) = stage.encode(&[]).pending else {
        panic!("the film is to be sharpened");
    };
    stage.now = moment;
    let update = stage.encode(&[]).update.expect("the exact pixels");

    let area: usize = update.rects.iter().map(|rect| rect.area()).sum();
    assert_eq!(area, VIDEO.area());
    assert!(update.film.is_none() && !update.reduced);
    assert_eq!(stage.encode(&[]).pending, Pending::Nothing);
}

/// The right three quarters of [`VIDEO`].
const MOST_OF_IT: Rect = Rect {
    x: 192,
    width: 256,
    ..VIDEO
};

#[test]
fn what_stood_still_in_a_film_is_part_of_it_again_at_once() {
    // A moment, and longer than the film remembers its parts.
    for stood in [20, 60] {
        let mut stage = Stage::new();
        stage.play(12);
        for frame in 0..stood {
            stage.play_in(MOST_OF_IT, frame);
        }

        for frame in 70..74 {
            let update = stage.play_in(VIDEO, frame);
            assert!(update.rects.is_empty(), "{stood}: {:?}", update.rects);
            let painted = film(&update).rects.iter().map(|rect| rect.area());
            assert_eq!(painted.sum::<usize>(), VIDEO.area());
        }
    }
}

#[test]
fn a_film_of_which_parts_stood_still_becomes_exact_as_soon_as_any() {
    let mut stage = Stage::new();
    stage.play(12);
    for frame in 0..20 {
        stage.play_in(MOST_OF_IT, frame);
    }
    let moved_at = stage.now + Duration::from_millis(33 * 12);
    stage.play(12);

    let Pending::At(moment) = stage.encode(&[]).pending else {
        panic!("the film is to be sharpened");
    };
    assert_eq!(moment.since(moved_at), Duration::from_micros(82_500));
}

#[test]
fn text_beside_a_film_is_not_said_to_make_the_picture_exact() {
    let mut stage = Stage::new();
    stage.play(12);
    let text = Rect {
        x: 4,
        y: 4,
        width: 30,
        height: 12,
    };

    stage.draw(text, |_, _| 0xff_ffff);
    let update = stage.encode(&[text]).update.expect("the text");

    assert!(update.film.is_none() && update.complete);
    assert!(update.reduced);
}

#[test]
fn a_codec_that_fails_is_replaced_within_the_same_update() {
    let mut stage = Stage::new();
    stage.play(12);
    stage.notes.become_(Mood::Fails);

    let update = stage.play_in(VIDEO, 50);

    assert!(update.film.is_none() && update.complete);
    let area: usize = update.rects.iter().map(|rect| rect.area()).sum();
    assert_eq!(area, VIDEO.area());

    stage.notes.become_(Mood::Good);
    let update = stage.play_in(VIDEO, 51);
    assert!(film(&update).key, "the film begins anew");
}

#[test]
fn a_codec_that_always_fails_is_not_asked_for_ever() {
    let mut stage = Stage::new();
    stage.notes.become_(Mood::Fails);

    stage.play(40);

    assert_eq!(stage.notes.opened.lock().expect("a lock").len(), 3);
}

#[test]
fn a_film_grows_with_what_plays_and_begins_anew_for_a_new_viewer() {
    let mut stage = Stage::new();
    let stream = film(&stage.play(12)).stream;
    let larger = Rect {
        width: 384,
        ..VIDEO
    };

    let updates: Vec<Update> = (0..12)
        .map(|frame| stage.play_in(larger, 60 + frame))
        .collect();
    let grown = film(updates.last().expect("updates"));
    assert_eq!(grown.area, larger);
    assert!(grown.stream > stream);

    stage.order.restart = true;
    let all = stage.play_in(larger, 90);
    stage.order.restart = false;
    assert!(all.starts_stream);
    assert!(film(&all).key && film(&all).stream > grown.stream);
}

#[test]
fn a_film_is_small_before_it_is_late() {
    let mut stage = Stage::new();
    stage.order.film.as_mut().expect("an order").target_bytes = 100;

    let update = stage.play(12);

    assert_eq!(film(&update).area, VIDEO);
    assert!(film(&update).coded_width <= VIDEO.width / 2);
    assert!(film(&update).coded_height <= VIDEO.height / 2);
}

fn film_order(stage: &mut Stage) -> &mut FilmOrder {
    stage.order.film.as_mut().expect("an order")
}

#[test]
fn a_film_that_was_made_small_is_large_again_when_there_is_room() {
    let mut stage = Stage::new();
    film_order(&mut stage).target_bytes = 100;
    stage.play(12);

    film_order(&mut stage).target_bytes = 50_000;
    let update = stage.play(20);

    assert_eq!(film(&update).coded_width, VIDEO.width);
}

#[test]
fn a_small_film_that_leaves_bytes_unused_shows_whether_a_larger_one_is_late() {
    let mut stage = Stage::new();
    // Its first frame would be a little late at half of each side.
    film_order(&mut stage).target_bytes = 100;
    let small = film(&stage.play(12)).coded_width;

    let larger = film(&stage.play(20)).coded_width;

    assert_eq!(larger, small * 2);
}

#[test]
fn a_film_that_had_to_be_small_for_a_moment_is_large_again_soon() {
    let mut stage = Stage::new();
    for (target_bytes, frames) in [(60, 60), (20_000, 90), (60, 10)] {
        film_order(&mut stage).target_bytes = target_bytes;
        stage.play(frames);
    }

    film_order(&mut stage).target_bytes = 20_000;
    let update = stage.play(70);

    assert_eq!(film(&update).coded_width, VIDEO.width);
}

#[test]
fn a_film_is_not_made_small_for_one_frame_that_might_have_fewer_bytes() {
    let mut stage = Stage::new();
    for _ in 0..40 {
        for (target_bytes, frames) in [(320, 120), (250, 2)] {
            film_order(&mut stage).target_bytes = target_bytes;
            stage.play(frames);
        }
    }

    let opened = stage.notes.opened.lock().expect("a lock").len();
    assert!(opened <= 2, "{opened} streams");
}

/// Pixels that were sent exactly a second of a film whose left part moves after these frames,
/// again and again.
fn exact_pixels(pauses: &[u32]) -> usize {
    let mut stage = Stage::new();
    stage.play(12);
    let mut pauses = pauses.iter().cycle();
    let (mut wait, mut pixels) = (0, 0);
    for frame in 0..600 {
        let all = wait == 0;
        wait = if all {
            pauses.next().expect("a cycle") - 1
        } else {
            wait - 1
        };
        let update = stage.play_in(if all { VIDEO } else { MOST_OF_IT }, frame);
        pixels += update.rects.iter().map(|rect| rect.area()).sum::<usize>();
    }
    pixels / 20
}

#[test]
fn a_part_of_a_film_that_stutters_is_not_sent_exactly_between_its_frames() {
    for pauses in [&[1, 1, 5][..], &[1, 1, 1, 1, 1, 1, 1, 1, 1, 5], &[4], &[5]] {
        let pixels = exact_pixels(pauses);
        assert!(pixels < 4_000, "{pauses:?}: {pixels} a second");
    }
}

#[test]
fn a_film_does_not_go_to_and_fro_between_two_sizes() {
    let mut stage = Stage::new();
    for _ in 0..20 {
        for target_bytes in [20, 2_000] {
            film_order(&mut stage).target_bytes = target_bytes;
            stage.play(30);
        }
    }

    // For 40 seconds the line says something else every second.
    let opened = stage.notes.opened.lock().expect("a lock").len();
    assert!(opened <= 8, "{opened} streams");
}

#[test]
fn a_small_change_elsewhere_goes_before_the_film() {
    let mut stage = Stage::new();
    stage.play(12);

    stage.draw(CAPTION, |x, _| x);
    let frame = stage.play_in(VIDEO, 70);

    assert_eq!(
        frame.rects.len(),
        0,
        "the caption was not reported as changed"
    );
    let update = stage.encode(&[CAPTION]).update.expect("the caption");
    assert_eq!(update.rects, [CAPTION]);
    assert!(update.film.is_none());
}

#[test]
fn the_next_codec_takes_over_within_the_same_update() {
    for mood in [
        Mood::CannotOpen,
        Mood::Fails,
        Mood::MakesRubbish,
        Mood::MakesNothing,
        Mood::MakesTooMuch,
        Mood::NeverBegins,
    ] {
        let (first, second) = (Notes::of(FilmFormat::H264), Notes::of(FilmFormat::Vp9));
        first.become_(mood);
        let mut stage = Stage::with(vec![first, second]);

        let update = stage.play(12);

        assert_eq!(film(&update).format, FilmFormat::Vp9, "{mood:?}");
        assert!(
            update.rects.is_empty(),
            "{mood:?}: nothing of it is left over"
        );
    }
}

#[test]
fn a_codec_that_breaks_in_the_middle_hands_over_with_a_key_frame() {
    for mood in [Mood::Fails, Mood::MakesRubbish, Mood::MakesNothing] {
        let (first, second) = (Notes::of(FilmFormat::H264), Notes::of(FilmFormat::Vp9));
        let mut stage = Stage::with(vec![first, second]);
        let before = stage.play(12);
        assert_eq!(film(&before).format, FilmFormat::H264);
        let stream = film(&before).stream;

        stage.notes.become_(mood);
        let update = stage.play_in(VIDEO, 50);

        assert_eq!(film(&update).format, FilmFormat::Vp9, "{mood:?}");
        assert!(
            film(&update).key && film(&update).stream > stream,
            "{mood:?}"
        );
        stage.notes.become_(Mood::Good);
        let later = stage.play_in(VIDEO, 51);
        assert_eq!(
            (film(&later).format, film(&later).key),
            (FilmFormat::Vp9, false),
            "what works goes on: {mood:?}"
        );
    }
}

#[test]
fn pictures_go_on_exactly_when_no_codec_works() {
    for mood in [Mood::CannotOpen, Mood::MakesRubbish, Mood::NeverBegins] {
        let codecs = [FilmFormat::Vp9, FilmFormat::H264].map(Notes::of);
        for codec in &codecs {
            codec.become_(mood);
        }
        let mut stage = Stage::with(codecs.to_vec());

        for frame in 0..20 {
            let update = stage.play_in(VIDEO, frame);
            assert!(update.film.is_none(), "{mood:?}");
            let area: usize = update.rects.iter().map(|rect| rect.area()).sum();
            assert_eq!(area, VIDEO.area(), "{mood:?}, frame {frame}");
        }
        for codec in codecs {
            let tries = codec.opened.lock().expect("a lock").len();
            assert_eq!(tries, 3, "{mood:?}");
        }
    }
}

#[test]
fn a_format_that_the_viewer_cannot_decode_any_more_is_left_at_once() {
    let mut stage = Stage::with(FilmFormat::ALL.map(Notes::of).to_vec());
    assert_eq!(film(&stage.play(12)).format, FilmFormat::Vp9);

    let order = stage.order.film.as_mut().expect("an order");
    order.formats = order.formats.without(FilmFormat::Vp9);
    let update = stage.play_in(VIDEO, 50);

    assert_eq!(film(&update).format, FilmFormat::H264);
    assert!(film(&update).key);

    stage.order.film.as_mut().expect("an order").formats = FilmFormats::default();
    assert!(stage.play_in(VIDEO, 51).film.is_none());
}

#[test]
fn old_failures_are_forgiven_to_a_codec_that_does_well() {
    let mut stage = Stage::new();
    stage.play(12);
    for round in 0..5 {
        stage.notes.become_(Mood::Fails);
        assert!(stage.play_in(VIDEO, 50).film.is_none());
        stage.notes.become_(Mood::Good);

        let last = stage.play(310);

        assert!(last.film.is_some(), "round {round}");
    }
}

#[test]
fn an_area_too_narrow_for_a_codec_is_not_held_against_it() {
    let strip = Rect {
        y: 0,
        height: 32,
        ..VIDEO
    };
    let narrow_for = |format| Notes {
        shortest_side: 64,
        ..Notes::of(format)
    };
    let mut alone = Stage::with(vec![narrow_for(FilmFormat::H264)]);
    let mut helped = Stage::with(vec![
        narrow_for(FilmFormat::H264),
        Notes::of(FilmFormat::Vp9),
    ]);

    for frame in 0..40 {
        let exact = alone.play_in(strip, frame);
        assert!(exact.film.is_none(), "frame {frame}");
        let area: usize = exact.rects.iter().map(|rect| rect.area()).sum();
        assert_eq!(area, strip.area(), "frame {frame}");
    }
    let mut last = None;
    for frame in 0..12 {
        last = helped.play_in(strip, frame).film;
    }

    let other = last.expect("a film of the other codec");
    assert_eq!((other.format, other.area), (FilmFormat::Vp9, strip));
    assert_eq!(film(&alone.play(12)).format, FilmFormat::H264);
    for stage in [alone, helped] {
        let opened = stage.notes.opened.lock().expect("a lock");
        assert!(opened.iter().all(|(_, height)| *height >= 64), "{opened:?}");
    }
}

/// Both forms of VP9, and an order that has room for both. What plays is noise in all colours.
fn with_full_chroma() -> (Stage, Notes) {
    let (usual, full) = (
        Notes::of(FilmFormat::Vp9),
        Notes::of(FilmFormat::Vp9FullChroma),
    );
    let mut stage = Stage::with(vec![usual, full.clone()]);
    let order = stage.order.film.as_mut().expect("an order");
    order.formats = order.formats.with(FilmFormat::Vp9FullChroma);
    (stage, full)
}

#[test]
fn fine_colours_get_full_chroma_where_there_is_room_for_it() {
    let (mut stage, full) = with_full_chroma();

    let first = stage.play(12);
    let order = stage.order.film.as_mut().expect("an order");
    order.formats = order.formats.without(FilmFormat::Vp9FullChroma);
    let second = stage.play_in(VIDEO, 50);

    assert_eq!(film(&first).format, FilmFormat::Vp9FullChroma);
    assert!(!film(&first).key, "it goes on");
    assert_eq!(full.opened.lock().expect("a lock").len(), 1);
    assert_eq!(film(&second).format, FilmFormat::Vp9);
    assert!(film(&second).key && film(&second).stream > film(&first).stream);
}

#[test]
fn a_grey_film_and_one_that_is_reduced_have_no_full_chroma() {
    let (mut grey, full) = with_full_chroma();
    for frame in 0..20 {
        grey.draw(VIDEO, |x, y| {
            let noise = (x * 7 + y * 13 + frame * 29).wrapping_mul(2_654_435_761) >> 24;
            noise * 0x01_01_01
        });
        grey.encode(&[VIDEO]);
    }
    assert!(full.opened.lock().expect("a lock").is_empty());

    let (mut reduced, _) = with_full_chroma();
    reduced.order.film.as_mut().expect("an order").target_bytes = 100;
    let last = reduced.play(12);
    assert_eq!(film(&last).format, FilmFormat::Vp9);
}

#[test]
fn full_chroma_that_fails_goes_on_without_it_in_the_same_update() {
    for mood in [
        Mood::CannotOpen,
        Mood::Fails,
        Mood::MakesRubbish,
        Mood::NeverBegins,
    ] {
        let (mut stage, full) = with_full_chroma();
        full.become_(mood);

        for frame in 0..40 {
            let update = stage.play_in(VIDEO, frame);
            let piece = update.film.as_ref();
            assert!(
                piece.is_none_or(|piece| piece.format == FilmFormat::Vp9),
                "{mood:?}"
            );
            let exact: usize = update.rects.iter().map(|rect| rect.area()).sum();
            assert!(piece.is_some() != (exact > 0), "{mood:?}, frame {frame}");
        }

        assert_eq!(full.opened.lock().expect("a lock").len(), 3, "{mood:?}");
    }
}

#[test]
fn full_chroma_is_never_the_only_form_of_a_film() {
    let full = Notes::of(FilmFormat::Vp9FullChroma);
    let mut stage = Stage::with(vec![full]);
    let order = stage.order.film.as_mut().expect("an order");
    order.formats = FilmFormat::ALL.into_iter().collect();

    let update = stage.play(12);

    assert!(update.film.is_none());
}
