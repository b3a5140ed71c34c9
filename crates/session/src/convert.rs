//! Wire messages to our own types, with every limit checked, and back.

use gc_model::geometry::{Display, DisplayLayout, MAX_DISPLAYS, Rect, Size};
use gc_proto::limits::{MAX_RECTS, MAX_TEXT_BYTES};
use gc_proto::v1;

/// A message that breaks a limit or says nothing sensible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ConvertError(pub(crate) &'static str);

/// Free text for people: cut to the limit, control characters replaced.
pub(crate) fn text(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        if out.len() + character.len_utf8() > MAX_TEXT_BYTES {
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
