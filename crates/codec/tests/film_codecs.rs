//! Codecs that fail are replaced, and the best that both ends know is used.

mod support;

use gc_codec::{FilmFormat, FilmFormats};
use gc_model::geometry::Rect;

use support::stage::{Mood, Notes, Stage, VIDEO, film};

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
