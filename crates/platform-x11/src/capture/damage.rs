//! Where the root window was drawn on.

use gc_model::geometry::{Rect, Size};
use gc_platform::PlatformError;
use x11rb::connection::Connection as _;
use x11rb::protocol::damage::{self, ConnectionExt as _};
use x11rb::protocol::xfixes::{self, ConnectionExt as _};
use x11rb::protocol::xproto::Rectangle;

use crate::display::Connection;
use crate::error::During;

/// Most rectangles of one grab: beyond it fetching one by one costs more than fetching what lies between them.
const MAX_RECTS: usize = 64;

/// 4,096 pixels: two rectangles become one when that adds less than a 64 x 64
/// tile, which costs less than another request.
const WASTE_PX: usize = 64 * 64;

/// The server's collection of damaged rectangles.
///
/// Reported as "no longer empty", once per grab: a busy screen sends one event
/// of 32 bytes instead of one for each line of text.
pub(crate) struct Damage {
    damage: damage::Damage,
    region: xfixes::Region,
}

impl Damage {
    /// `None` when the server cannot tell what changes.
    pub(crate) fn open(connection: &Connection) -> Result<Option<Self>, PlatformError> {
        if !connection.has(damage::X11_EXTENSION_NAME)?
            || !connection.has(xfixes::X11_EXTENSION_NAME)?
        {
            return Ok(None);
        }
        let x = &connection.x;
        // Both extensions refuse everything before they were asked for their version.
        x.xfixes_query_version(5, 0)
            .during("XFixesQueryVersion")?
            .reply()
            .during("XFixesQueryVersion")?;
        x.damage_query_version(1, 1)
            .during("DamageQueryVersion")?
            .reply()
            .during("DamageQueryVersion")?;
        let damage = x.generate_id().during("DamageCreate")?;
        x.damage_create(damage, connection.root, damage::ReportLevel::NON_EMPTY)
            .during("DamageCreate")?;
        let region = x.generate_id().during("CreateRegion")?;
        x.xfixes_create_region(region, &[]).during("CreateRegion")?;
        Ok(Some(Self { damage, region }))
    }

    /// Starts anew: everything is about to be read.
    pub(crate) fn forget(&self, connection: &Connection) -> Result<(), PlatformError> {
        connection
            .x
            .damage_subtract(self.damage, x11rb::NONE, x11rb::NONE)
            .during("DamageSubtract")?;
        Ok(())
    }

    /// What was damaged since the last call, merged, inside the picture.
    pub(crate) fn take(
        &self,
        connection: &Connection,
        picture: Size,
    ) -> Result<Vec<Rect>, PlatformError> {
        let x = &connection.x;
        x.damage_subtract(self.damage, x11rb::NONE, self.region)
            .during("DamageSubtract")?;
        let region = x
            .xfixes_fetch_region(self.region)
            .during("FetchRegion")?
            .reply()
            .during("FetchRegion")?;
        Ok(merge(
            region
                .rectangles
                .iter()
                .map(|rect| inside(*rect, picture))
                .collect(),
        ))
    }
}

fn inside(rect: Rectangle, picture: Size) -> Rect {
    let (left, top) = (i32::from(rect.x), i32::from(rect.y));
    let (right, bottom) = (left + i32::from(rect.width), top + i32::from(rect.height));
    Rect::between(left, top, right, bottom).clamped(picture)
}

/// Joins rectangles while that wastes little, and further while there are too
/// many. Regions come sorted in bands, so neighbours in the list are neighbours on the screen.
fn merge(rects: Vec<Rect>) -> Vec<Rect> {
    let mut waste = WASTE_PX;
    let mut merged = join_neighbours(rects, waste);
    while merged.len() > MAX_RECTS {
        waste = waste.saturating_mul(4);
        merged = join_neighbours(merged, waste);
    }
    merged
}

fn join_neighbours(rects: Vec<Rect>, waste: usize) -> Vec<Rect> {
    /// How far back a neighbour is looked for: the rectangles of the band above.
    const REACH: usize = 8;
    let mut joined: Vec<Rect> = Vec::with_capacity(rects.len());
    for rect in rects.into_iter().filter(|rect| !rect.is_empty()) {
        let partner = joined
            .iter_mut()
            .rev()
            .take(REACH)
            .find(|other| other.union(rect).area() <= other.area() + rect.area() + waste);
        match partner {
            Some(other) => *other = other.union(rect),
            None => joined.push(rect),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn rect(x: u32, y: u32, width: u32, height: u32) -> Rect {
        Rect {
            x,
            y,
            width,
            height,
        }
    }

    #[test]
    fn joins_the_bands_of_one_window() {
        let bands = vec![
            rect(10, 0, 100, 5),
            rect(10, 5, 100, 40),
            rect(8, 45, 102, 1),
        ];

        assert_eq!(merge(bands), [rect(8, 0, 102, 46)]);
    }

    #[test]
    fn keeps_far_corners_apart() {
        let corners = vec![rect(0, 0, 50, 50), rect(1000, 800, 50, 50)];

        assert_eq!(merge(corners.clone()), corners);
    }

    #[test]
    fn bounds_the_number_of_rectangles() {
        let scattered = (0..4_000)
            .map(|n| rect(n % 63 * 80, n / 63 * 80, 1, 1))
            .collect();

        let merged = merge(scattered);

        assert!(merged.len() <= MAX_RECTS, "{} rectangles", merged.len());
    }

    #[test]
    fn cuts_what_lies_outside_the_picture() {
        let picture = Size::new(100, 100).expect("a small size");
        let over = Rectangle {
            x: -10,
            y: 90,
            width: 50,
            height: 50,
        };

        assert_eq!(inside(over, picture), rect(0, 90, 40, 10));
    }
}
