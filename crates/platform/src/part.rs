//! One display of several: a part of the picture, shown as if it were all of it.

use std::time::Duration;

use gc_codec::FrameView;
use gc_model::geometry::{DisplayLayout, Rect};
use gc_model::pointer::Pointer;

use crate::{Capture, Grab, PlatformError, ScreenSource, Wait, Wake};

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

/// Shows a part of what another capture reads.
pub struct PartCapture {
    whole: Box<dyn Capture>,
    area: Rect,
    is_first: bool,
}

impl PartCapture {
    /// Shows `area`, which lies inside the picture.
    pub fn new(whole: Box<dyn Capture>, area: Rect) -> Self {
        Self {
            whole,
            area,
            is_first: true,
        }
    }

    /// The part of a rectangle of the whole that is shown, in the part's coordinates.
    fn inside(&self, rect: Rect) -> Option<Rect> {
        let (left, top) = (rect.x.max(self.area.x), rect.y.max(self.area.y));
        let right = (rect.x + rect.width).min(self.area.x + self.area.width);
        let bottom = (rect.y + rect.height).min(self.area.y + self.area.height);
        (left < right && top < bottom).then(|| Rect {
            x: left - self.area.x,
            y: top - self.area.y,
            width: right - left,
            height: bottom - top,
        })
    }
}

impl Capture for PartCapture {
    fn wait(&mut self, timeout: Duration) -> Result<Wait, PlatformError> {
        self.whole.wait(timeout)
    }

    fn waker(&self) -> Box<dyn Wake> {
        self.whole.waker()
    }

    fn grab(&mut self) -> Result<Grab, PlatformError> {
        let found = self.whole.grab()?;
        let Grab::Changed(rects) = found else {
            return Ok(found);
        };
        if !self.area.fits(self.whole.frame().size()) {
            return Ok(Grab::Reopen);
        }
        let rects: Vec<Rect> = if std::mem::take(&mut self.is_first) {
            vec![Rect {
                x: 0,
                y: 0,
                ..self.area
            }]
        } else {
            rects
                .into_iter()
                .filter_map(|rect| self.inside(rect))
                .collect()
        };
        Ok(if rects.is_empty() {
            Grab::Unchanged
        } else {
            Grab::Changed(rects)
        })
    }

    fn frame(&self) -> FrameView<'_> {
        self.whole.frame().part(self.area)
    }

    fn pointer(&mut self) -> Result<Option<Pointer>, PlatformError> {
        let news = self.whole.pointer()?;
        Ok(news.map(|pointer| Pointer {
            x: pointer.x.saturating_sub_unsigned(self.area.x),
            y: pointer.y.saturating_sub_unsigned(self.area.y),
            ..pointer
        }))
    }

    fn source(&self) -> Option<ScreenSource> {
        self.whole.source()
    }
}

#[cfg(test)]
mod tests {
    use gc_model::geometry::{Display, Size};

    use super::*;
    use crate::Desktop as _;
    use crate::fake::FakeScreen;

    const RED: [u8; 4] = [0, 0, 255, 0];
    const BLUE: [u8; 4] = [255, 0, 0, 0];

    fn display(id: u32, x: i32, width: u32) -> Display {
        Display {
            id,
            name: format!("Display {id}"),
            x,
            y: 0,
            size: Size::new(width, 100).expect("a small display"),
            primary: id == 1,
        }
    }

    fn two_displays() -> FakeScreen {
        let screen = FakeScreen::new(Size::new(300, 100).expect("a small screen"));
        screen.set_displays(vec![display(1, 0, 100), display(2, 100, 200)]);
        screen
    }

    fn second_of(screen: &FakeScreen) -> (DisplayLayout, PartCapture) {
        let mut desktop = screen.desktop();
        let layout = desktop.layout().expect("a layout");
        let area = area_of(&layout, 2).expect("it is there");
        let capture = desktop.open_capture().expect("a capture");
        (layout_of(&layout, area), PartCapture::new(capture, area))
    }

    #[test]
    fn one_display_is_the_whole_picture_and_the_others_lie_beside_it() {
        let (layout, _) = second_of(&two_displays());

        assert_eq!(
            (layout.picture.width(), layout.picture.height()),
            (200, 100)
        );
        let places: Vec<_> = layout.displays.iter().map(|it| (it.id, it.x)).collect();
        assert_eq!(places, [(1, -100), (2, 0)]);
    }

    #[test]
    fn only_what_changes_on_it_is_new() {
        let screen = two_displays();
        let (_, mut capture) = second_of(&screen);
        let whole = Rect {
            x: 0,
            y: 0,
            width: 200,
            height: 100,
        };
        assert_eq!(capture.grab().expect("a grab"), Grab::Changed(vec![whole]));

        screen.fill(
            Rect {
                x: 10,
                y: 10,
                width: 20,
                height: 20,
            },
            RED,
        );
        assert_eq!(capture.grab().expect("a grab"), Grab::Unchanged);
        screen.fill(
            Rect {
                x: 90,
                y: 10,
                width: 20,
                height: 5,
            },
            BLUE,
        );

        let seam = Rect {
            x: 0,
            y: 10,
            width: 10,
            height: 5,
        };
        assert_eq!(capture.grab().expect("a grab"), Grab::Changed(vec![seam]));
        assert_eq!(capture.frame().row(0, 10, 1), BLUE);
        assert_eq!(capture.frame().row(199, 99, 1), [0; 4]);
    }

    #[test]
    fn the_pointer_is_where_it_is_on_that_display() {
        let screen = two_displays();
        let (_, mut capture) = second_of(&screen);

        screen.move_pointer(150, 7);

        let pointer = capture.pointer().expect("asked").expect("it moved");
        assert_eq!((pointer.x, pointer.y), (50, 7));
    }

    #[test]
    fn a_display_that_is_not_there_has_no_area() {
        let layout = two_displays().desktop().layout().expect("a layout");

        assert_eq!(area_of(&layout, 3), None);
    }
}
