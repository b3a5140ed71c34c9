//! One display of several: a part of the picture, shown as if it were all of it.

use gc_model::geometry::{DisplayLayout, Rect};

/// The display `id` as a part of the whole picture; `None` when there is no such
/// display, or nothing of it lies inside the picture.
pub fn area_of(layout: &DisplayLayout, id: u32) -> Option<Rect> {
    let display = layout.displays.iter().find(|display| display.id == id)?;
    let area = Rect {
        x: u32::try_from(display.x).ok()?,
        y: u32::try_from(display.y).ok()?,
        width: display.size.width(),
        height: display.size.height(),
    }
    .clamped(layout.picture);
    (!area.is_empty()).then_some(area)
}

/// The layout as it is seen from a picture of `area` alone: the places of the displays are
/// relative to it, so all but those inside of it lie outside the picture.
///
/// # Panics
/// For an area that is empty: [`area_of`] gives none.
#[must_use]
pub fn layout_of(layout: &DisplayLayout, area: Rect) -> DisplayLayout {
    let mut seen = layout.clone();
    seen.picture = gc_model::geometry::Size::new(area.width, area.height)
        .expect("a part of a picture has a size that a picture may have");
    for display in &mut seen.displays {
        display.x = display.x.saturating_sub_unsigned(area.x);
        display.y = display.y.saturating_sub_unsigned(area.y);
    }
    seen
}

/// What of a rectangle of the whole lies inside `area`, seen from the area's corner.
pub fn inside(rect: Rect, area: Rect) -> Option<Rect> {
    Some(rect.intersection(area)?.seen_from(area))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Desktop as _;
    use crate::fake::FakeScreen;

    #[test]
    fn one_display_is_the_whole_picture_and_the_others_lie_beside_it() {
        let layout = FakeScreen::side_by_side(&[100, 200])
            .desktop()
            .layout()
            .expect("a layout");

        let area = area_of(&layout, 2).expect("it is there");
        let layout = layout_of(&layout, area);

        assert_eq!(
            (layout.picture.width(), layout.picture.height()),
            (200, 100)
        );
        let places: Vec<_> = layout.displays.iter().map(|it| (it.id, it.x)).collect();
        assert_eq!(places, [(1, -100), (2, 0)]);
    }

    #[test]
    fn only_what_lies_on_it_is_seen() {
        let rect = |x, y, width, height| Rect {
            x,
            y,
            width,
            height,
        };
        let area = rect(100, 0, 200, 100);

        assert_eq!(inside(rect(10, 10, 20, 20), area), None);
        assert_eq!(inside(rect(90, 10, 10, 5), area), None);
        assert_eq!(inside(rect(90, 10, 20, 5), area), Some(rect(0, 10, 10, 5)));
        assert_eq!(
            inside(rect(0, 0, 300, 100), area),
            Some(rect(0, 0, 200, 100))
        );
    }

    #[test]
    fn a_display_that_is_not_there_has_no_area() {
        let layout = FakeScreen::side_by_side(&[100, 200])
            .desktop()
            .layout()
            .expect("a layout");

        assert_eq!(area_of(&layout, 3), None);
    }
}
