//! The monitors as one picture. Windows puts the primary monitor at (0, 0), so
//! others may lie at negative coordinates; in the picture everything starts at (0, 0).

use gc_codec::{BYTES_PER_PIXEL, FrameView};
use gc_model::geometry::{Display, DisplayLayout, MAX_DISPLAYS, Size, SizeError};

/// A monitor as Windows describes it, in the coordinates of the virtual screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Monitor {
    /// The device, like `\\.\DISPLAY1`: the same while it stays connected.
    pub device: String,
    /// The model, for people; empty when unknown.
    pub model: String,
    /// Left edge.
    pub left: i32,
    /// Top edge.
    pub top: i32,
    /// Behind the last column.
    pub right: i32,
    /// Behind the last row.
    pub bottom: i32,
    /// The monitor at (0, 0), with the task bar.
    pub primary: bool,
}

/// The bounding box of all monitors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VirtualScreen {
    left: i32,
    top: i32,
    size: Size,
}

impl VirtualScreen {
    /// A virtual screen of `width` x `height` pixels whose top left corner is at (`left`, `top`).
    ///
    /// # Errors
    /// A size that no part of the program accepts: [`Size::new`].
    pub fn new(left: i32, top: i32, width: i32, height: i32) -> Result<Self, SizeError> {
        let side = |length: i32| u32::try_from(length).unwrap_or(0);
        Ok(Self {
            left,
            top,
            size: Size::new(side(width), side(height))?,
        })
    }

    /// The smallest box that holds all `monitors`; `None` without a monitor.
    ///
    /// # Errors
    /// A box that no part of the program accepts: [`Size::new`].
    pub fn around(monitors: &[Monitor]) -> Result<Option<Self>, SizeError> {
        let Some(left) = monitors.iter().map(|monitor| monitor.left).min() else {
            return Ok(None);
        };
        let top = monitors
            .iter()
            .map(|monitor| monitor.top)
            .min()
            .unwrap_or(0);
        let right = monitors
            .iter()
            .map(|monitor| monitor.right)
            .max()
            .unwrap_or(0);
        let bottom = monitors
            .iter()
            .map(|monitor| monitor.bottom)
            .max()
            .unwrap_or(0);
        Self::new(
            left,
            top,
            right.saturating_sub(left),
            bottom.saturating_sub(top),
        )
        .map(Some)
    }

    /// Left edge, in the coordinates of the virtual screen.
    pub const fn left(&self) -> i32 {
        self.left
    }

    /// Top edge, in the coordinates of the virtual screen.
    pub const fn top(&self) -> i32 {
        self.top
    }

    /// Size of the picture.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// A picture of it: BGRX rows without gaps.
    ///
    /// # Panics
    /// When it is not as large as the screen: a bug of the caller.
    pub fn view<'a>(&self, picture: &'a [u8]) -> FrameView<'a> {
        let stride = self.size.width() as usize * BYTES_PER_PIXEL;
        FrameView::new(self.size, stride, picture).expect("as large as the screen")
    }

    /// The displays of `monitors` in picture coordinates: the primary one
    /// first, the others from left to right. Empty monitors are left out. Without
    /// any, as on a server that nothing is plugged into, all that Windows draws is one display.
    pub fn layout(&self, monitors: &[Monitor]) -> DisplayLayout {
        let mut sorted: Vec<&Monitor> = monitors.iter().collect();
        sorted.sort_by_key(|monitor| (!monitor.primary, monitor.left, monitor.top));
        let mut displays: Vec<_> = sorted
            .into_iter()
            .filter_map(|monitor| self.display(monitor))
            .take(MAX_DISPLAYS)
            .collect();
        if displays.is_empty() {
            displays.push(Display {
                id: 1,
                name: "No monitor".to_owned(),
                x: 0,
                y: 0,
                size: self.size,
                primary: true,
            });
        }
        DisplayLayout {
            picture: self.size,
            displays,
        }
    }

    fn display(&self, monitor: &Monitor) -> Option<Display> {
        let width = u32::try_from(monitor.right.checked_sub(monitor.left)?).ok()?;
        let height = u32::try_from(monitor.bottom.checked_sub(monitor.top)?).ok()?;
        let id = display_id(&monitor.device);
        let name = if monitor.model.is_empty() {
            format!("Display {id}")
        } else {
            monitor.model.clone()
        };
        let (x, y) = self.to_picture(monitor.left, monitor.top);
        Some(Display {
            id,
            name,
            x,
            y,
            size: Size::new(width, height).ok()?,
            primary: monitor.primary,
        })
    }

    /// Picture coordinates of a point of the virtual screen.
    pub const fn to_picture(&self, x: i32, y: i32) -> (i32, i32) {
        (x.saturating_sub(self.left), y.saturating_sub(self.top))
    }

    /// A point of the picture as `SendInput` wants it: 0 to 65535 from edge to
    /// edge of the virtual screen. Points outside move to the nearest edge.
    ///
    /// Windows turns the number back into a pixel by cutting off the fraction,
    /// so it has to be rounded up to hit that pixel again.
    pub fn absolute(&self, x: u32, y: u32) -> (i32, i32) {
        (
            absolute(x, self.size.width()),
            absolute(y, self.size.height()),
        )
    }
}

fn absolute(at: u32, length: u32) -> i32 {
    let at = u64::from(at.min(length - 1));
    (at * 65_536).div_ceil(u64::from(length)) as i32
}

/// The number at the end of the device's name, which Windows keeps unique.
fn display_id(device: &str) -> u32 {
    let digits = device.len()
        - device
            .trim_end_matches(|letter: char| letter.is_ascii_digit())
            .len();
    device[device.len() - digits..].parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn monitor(number: u32, left: i32, top: i32, width: i32, height: i32) -> Monitor {
        Monitor {
            device: format!(r"\\.\DISPLAY{number}"),
            model: String::new(),
            left,
            top,
            right: left + width,
            bottom: top + height,
            primary: left == 0 && top == 0,
        }
    }

    fn screen(monitors: &[Monitor]) -> VirtualScreen {
        VirtualScreen::around(monitors)
            .expect("a size that fits")
            .expect("at least one monitor")
    }

    #[test]
    fn a_monitor_left_of_the_primary_one_starts_the_picture() {
        let monitors = [
            monitor(2, -1280, 56, 1280, 1024),
            monitor(1, 0, 0, 1920, 1080),
        ];

        let layout = screen(&monitors).layout(&monitors);

        assert_eq!(
            layout.picture,
            Size::new(3200, 1080).expect("a size that fits")
        );
        let places: Vec<_> = layout
            .displays
            .iter()
            .map(|d| (d.id, d.x, d.y, d.primary))
            .collect();
        assert_eq!(places, [(1, 1280, 0, true), (2, 0, 56, false)]);
    }

    #[test]
    fn a_display_is_named_by_its_model_or_its_number() {
        let monitors = [
            Monitor {
                model: "DELL U2415".into(),
                ..monitor(1, 0, 0, 800, 600)
            },
            monitor(2, 800, 0, 800, 600),
        ];

        let layout = screen(&monitors).layout(&monitors);

        let names: Vec<_> = layout
            .displays
            .iter()
            .map(|display| display.name.as_str())
            .collect();
        assert_eq!(names, ["DELL U2415", "Display 2"]);
    }

    #[test]
    fn no_monitor_is_no_screen() {
        assert_eq!(VirtualScreen::around(&[]), Ok(None));
    }

    #[test]
    fn what_windows_draws_without_a_monitor_is_shown_as_one_display() {
        let screen = VirtualScreen::new(0, 0, 1024, 768).expect("a size that fits");

        let layout = screen.layout(&[]);

        assert_eq!(layout.displays.len(), 1);
        assert_eq!(layout.displays[0].size, layout.picture);
        assert!(layout.displays[0].primary);
    }

    #[test]
    fn a_screen_larger_than_any_picture_is_refused() {
        assert!(VirtualScreen::around(&[monitor(1, 0, 0, 40_000, 1080)]).is_err());
        assert!(VirtualScreen::new(0, 0, 0, 0).is_err());
        assert!(VirtualScreen::new(0, 0, -5, 10).is_err());
    }

    #[test]
    fn every_pixel_is_hit_again_after_windows_cut_the_fraction() {
        for length in [
            1, 2, 3, 1023, 1024, 1280, 1366, 1920, 2304, 3440, 7680, 16_384,
        ] {
            for at in 0..length {
                let pixel = i64::from(absolute(at, length)) * i64::from(length) / 65_536;
                assert_eq!(pixel, i64::from(at), "pixel {at} of {length}");
            }
        }
    }

    #[test]
    fn a_point_outside_moves_to_the_edge() {
        let screen = VirtualScreen::new(-100, 0, 1000, 500).expect("a size that fits");

        assert_eq!(screen.absolute(5000, u32::MAX), screen.absolute(999, 499));
        assert_eq!(screen.to_picture(-100, 7), (0, 7));
    }
}
