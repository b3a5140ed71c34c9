//! Wire messages to our own types, with every limit checked, and back.

use gc_codec::{FilmFormat, FilmMaker, FilmPiece, MAX_FILM_RECTS, Moves, is_film_frame};
use gc_model::geometry::{Display, DisplayLayout, MAX_DISPLAYS, Rect, Size};
use gc_proto::limits::{MAX_FILM_MAKER_BYTES, MAX_RECTS, MAX_TEXT_BYTES};
use gc_proto::v1;

use crate::viewer::Film;

/// A message that breaks a limit or says nothing sensible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ConvertError(pub(crate) &'static str);

/// Free text for people: cut to the limit, control characters replaced.
pub(crate) fn text(text: &str) -> String {
    text_within(text, MAX_TEXT_BYTES)
}

fn text_within(text: &str, max_bytes: usize) -> String {
    let mut out = String::new();
    for character in text.chars() {
        if out.len() + character.len_utf8() > max_bytes {
            break;
        }
        out.push(if character.is_control() {
            ' '
        } else {
            character
        });
    }
    out
}

pub(crate) fn layout_to_wire(generation: u32, layout: &DisplayLayout) -> v1::DisplayLayout {
    v1::DisplayLayout {
        generation,
        width: layout.picture.width(),
        height: layout.picture.height(),
        displays: layout
            .displays
            .iter()
            .take(MAX_DISPLAYS)
            .map(|display| v1::Display {
                id: display.id,
                name: text(&display.name),
                x: display.x,
                y: display.y,
                width: display.size.width(),
                height: display.size.height(),
                primary: display.primary,
            })
            .collect(),
        only: None,
    }
}

pub(crate) fn layout_from_wire(layout: &v1::DisplayLayout) -> Result<DisplayLayout, ConvertError> {
    const BAD_SIZE: ConvertError = ConvertError("the layout has a size that no screen has");
    if layout.displays.len() > MAX_DISPLAYS {
        return Err(ConvertError("the layout has too many displays"));
    }
    let displays = layout.displays.iter().map(|display| {
        Ok(Display {
            id: display.id,
            name: text(&display.name),
            x: display.x,
            y: display.y,
            size: Size::new(display.width, display.height).map_err(|_| BAD_SIZE)?,
            primary: display.primary,
        })
    });
    Ok(DisplayLayout {
        picture: Size::new(layout.width, layout.height).map_err(|_| BAD_SIZE)?,
        displays: displays.collect::<Result<_, _>>()?,
    })
}

pub(crate) fn rects_to_wire(rects: &[Rect]) -> Vec<u32> {
    rects
        .iter()
        .flat_map(|rect| [rect.x, rect.y, rect.width, rect.height])
        .collect()
}

/// What one end announces: everybody has the lossless stream, some have films as well.
pub(crate) fn encodings_to_wire(films: &[FilmFormat]) -> Vec<i32> {
    let films = films.iter().copied().map(format_to_wire);
    std::iter::once(v1::Encoding::ZstdBgrx)
        .chain(films)
        .map(Into::into)
        .collect()
}

pub(crate) fn format_to_wire(format: FilmFormat) -> v1::Encoding {
    match format {
        FilmFormat::Vp9 => v1::Encoding::Vp9,
        FilmFormat::H264 => v1::Encoding::H264,
        FilmFormat::Vp9FullChroma => v1::Encoding::Vp9FullChroma,
    }
}

pub(crate) fn format_from_wire(encoding: i32) -> Option<FilmFormat> {
    match v1::Encoding::try_from(encoding) {
        Ok(v1::Encoding::Vp9) => Some(FilmFormat::Vp9),
        Ok(v1::Encoding::H264) => Some(FilmFormat::H264),
        Ok(v1::Encoding::Vp9FullChroma) => Some(FilmFormat::Vp9FullChroma),
        _ => None,
    }
}

pub(crate) fn film_to_wire(film: FilmPiece) -> v1::FilmFrame {
    v1::FilmFrame {
        stream: film.stream,
        encoding: format_to_wire(film.format).into(),
        key: film.key,
        area: rects_to_wire(&[film.area]),
        coded_width: film.coded_width,
        coded_height: film.coded_height,
        rects: rects_to_wire(&film.rects),
        data: film.data.into(),
        maker: film.maker.as_ref().map(maker_to_wire),
    }
}

fn maker_to_wire(maker: &FilmMaker) -> v1::FilmMaker {
    v1::FilmMaker {
        name: text_within(&maker.name, MAX_FILM_MAKER_BYTES),
        hardware: maker.is_hardware,
    }
}

fn maker_from_wire(maker: &v1::FilmMaker) -> FilmMaker {
    FilmMaker {
        name: text_within(&maker.name, MAX_FILM_MAKER_BYTES).into(),
        is_hardware: maker.hardware,
    }
}

pub(crate) fn moves_to_wire(moves: &Moves) -> v1::Moves {
    v1::Moves {
        from_dx: moves.from_dx,
        from_dy: moves.from_dy,
        rects: rects_to_wire(&moves.rects),
    }
}

pub(crate) fn moves_from_wire(moves: &v1::Moves, size: Size) -> Result<Moves, ConvertError> {
    let moves = Moves {
        from_dx: moves.from_dx,
        from_dy: moves.from_dy,
        rects: rects_from_wire(&moves.rects)?,
    };
    if !moves.fits(size) {
        return Err(ConvertError(
            "what is moved lies outside the picture, or is more than that",
        ));
    }
    Ok(moves)
}

/// A film's frame inside a picture of `size`.
pub(crate) fn film_from_wire(film: &v1::FilmFrame, size: Size) -> Result<Film, ConvertError> {
    let format = format_from_wire(film.encoding).ok_or(ConvertError(
        "the film is in a format that nobody announced",
    ))?;
    let area = match rects_from_wire(&film.area)?[..] {
        [area] if !area.is_empty() && area.fits(size) => area,
        _ => return Err(ConvertError("the film has no place in the picture")),
    };
    let rects = rects_from_wire(&film.rects)?;
    if rects.len() > MAX_FILM_RECTS {
        return Err(ConvertError("the film is painted in too many parts"));
    }
    let sound = rects
        .iter()
        .all(|rect| rect.fits(size) && area.contains(*rect));
    // Only of rectangles inside: their numbers cannot overflow.
    if !sound || rects.iter().map(|rect| rect.area() as u64).sum::<u64>() > area.area() as u64 {
        return Err(ConvertError(
            "the film is to be painted outside of its place",
        ));
    }
    let coded = (1..=area.width).contains(&film.coded_width)
        && (1..=area.height).contains(&film.coded_height);
    let (width, height) = (film.coded_width, film.coded_height);
    let says_so = is_film_frame(format, &film.data, film.key, width, height);
    if !coded || !says_so {
        return Err(ConvertError("the film's frame is none"));
    }
    Ok(Film {
        stream: film.stream,
        format,
        key: film.key,
        area,
        coded_width: film.coded_width,
        coded_height: film.coded_height,
        rects,
        maker: film.maker.as_ref().map(maker_from_wire),
    })
}

pub(crate) fn rects_from_wire(numbers: &[u32]) -> Result<Vec<Rect>, ConvertError> {
    let (rects, rest) = numbers.as_chunks::<4>();
    if !rest.is_empty() || rects.len() > MAX_RECTS {
        return Err(ConvertError("the frame has a wrong number of rectangles"));
    }
    Ok(rects
        .iter()
        .map(|&[x, y, width, height]| Rect {
            x,
            y,
            width,
            height,
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_films_encoder_has_a_short_name_of_one_line_whoever_names_it(
            name in "(?s).{0,200}",
            hardware: bool,
        ) {
            let wire = v1::FilmMaker { name: name.clone(), hardware };

            let read = maker_from_wire(&wire);

            prop_assert!(read.name.len() <= MAX_FILM_MAKER_BYTES);
            prop_assert!(!read.name.contains(char::is_control));
            let cut = name.len() > MAX_FILM_MAKER_BYTES || name.contains(char::is_control);
            prop_assert_eq!(read.name == name, !cut);
            prop_assert_eq!(read.is_hardware, hardware);
            let said = maker_to_wire(&FilmMaker { name: name.into(), is_hardware: hardware });
            prop_assert_eq!(maker_from_wire(&said), read);
        }
    }
}
