//! The pointer: its shape from `XFixes`, its place by asking when raw motion was seen.

use gc_model::pointer::{MAX_POINTER_SIDE_PX, Pointer, PointerShape};
use gc_platform::PlatformError;
use x11rb::protocol::xfixes::{self, ConnectionExt as _, CursorNotifyMask, GetCursorImageReply};
use x11rb::protocol::xinput::{self, ConnectionExt as _, XIEventMask};
use x11rb::protocol::xproto::ConnectionExt as _;

use crate::display::Connection;
use crate::error::During;

/// `XIAllMasterDevices`: one stream of motion for all mice.
const ALL_MASTER_DEVICES: u16 = 1;

/// What is known of the pointer. Where the server has no `XFixes`, its shape never is.
#[expect(
    clippy::struct_excessive_bools,
    reason = "four things that have nothing to do with each other"
)]
pub(crate) struct Cursor {
    /// Without raw motion events the place is asked for at the caller's pace.
    has_motion: bool,
    shape_changed: bool,
    moved: bool,
    seen: Option<(i32, i32, bool)>,
    /// The shape last read shows nothing at all.
    blank: bool,
}

impl Cursor {
    pub(crate) fn open(connection: &Connection) -> Result<Self, PlatformError> {
        let x = &connection.x;
        let has_shapes = connection.has(xfixes::X11_EXTENSION_NAME)?;
        if has_shapes {
            x.xfixes_query_version(5, 0)
                .during("XFixesQueryVersion")?
                .reply()
                .during("XFixesQueryVersion")?;
            x.xfixes_select_cursor_input(connection.root, CursorNotifyMask::DISPLAY_CURSOR)
                .during("XFixesSelectCursorInput")?;
        }
        Ok(Self {
            has_motion: select_motion(connection)?,
            shape_changed: has_shapes,
            moved: true,
            seen: None,
            blank: false,
        })
    }

    pub(crate) const fn note_shape(&mut self) {
        self.shape_changed = true;
    }

    pub(crate) const fn note_motion(&mut self) {
        self.moved = true;
    }

    pub(crate) const fn may_have_changed(&self) -> bool {
        self.shape_changed || self.moved || !self.has_motion
    }

    /// What differs from the last call.
    pub(crate) fn read(
        &mut self,
        connection: &Connection,
    ) -> Result<Option<Pointer>, PlatformError> {
        if !self.may_have_changed() {
            return Ok(None);
        }
        let shape_changed = std::mem::take(&mut self.shape_changed);
        self.moved = false;
        let place = connection
            .x
            .query_pointer(connection.root)
            .during("QueryPointer")?;
        let image = if shape_changed {
            Some(
                connection
                    .x
                    .xfixes_get_cursor_image()
                    .during("XFixesGetCursorImage")?,
            )
        } else {
            None
        };
        let place = place.reply().during("QueryPointer")?;
        let shape = match image {
            Some(image) => {
                let image = image.reply().during("XFixesGetCursorImage")?;
                let shape = shape_of(&image);
                self.blank = shape
                    .as_ref()
                    .is_none_or(|shape| shape.rgba.chunks_exact(4).all(|pixel| pixel[3] == 0));
                shape.filter(|_| !self.blank)
            }
            None => None,
        };
        let now = (
            i32::from(place.root_x),
            i32::from(place.root_y),
            place.same_screen && !self.blank,
        );
        if self.seen == Some(now) && shape.is_none() {
            return Ok(None);
        }
        self.seen = Some(now);
        let (x, y, visible) = now;
        Ok(Some(Pointer {
            x,
            y,
            visible,
            shape,
        }))
    }
}

/// Asks for raw motion of every mouse (XI 2.2: also while an application grabs
/// the pointer). False when the server cannot tell.
fn select_motion(connection: &Connection) -> Result<bool, PlatformError> {
    if !connection.has(xinput::X11_EXTENSION_NAME)? {
        return Ok(false);
    }
    let x = &connection.x;
    let Ok(version) = x
        .xinput_xi_query_version(2, 2)
        .during("XIQueryVersion")?
        .reply()
    else {
        return Ok(false);
    };
    if (version.major_version, version.minor_version) < (2, 2) {
        return Ok(false);
    }
    let mask = xinput::EventMask {
        deviceid: ALL_MASTER_DEVICES,
        mask: vec![XIEventMask::RAW_MOTION],
    };
    x.xinput_xi_select_events(connection.root, &[mask])
        .during("XISelectEvents")?;
    Ok(true)
}

/// Turns premultiplied ARGB into the seam's RGBA, cut to the largest side that is allowed.
fn shape_of(image: &GetCursorImageReply) -> Option<PointerShape> {
    let (full_width, full_height) = (u32::from(image.width), u32::from(image.height));
    let (width, height) = (
        full_width.min(MAX_POINTER_SIDE_PX),
        full_height.min(MAX_POINTER_SIDE_PX),
    );
    if width == 0 || height == 0 || image.cursor_image.len() < (full_width * full_height) as usize {
        return None;
    }
    let rgba = image
        .cursor_image
        .chunks_exact(full_width as usize)
        .take(height as usize)
        .flat_map(|row| &row[..width as usize])
        .flat_map(|&pixel| straight(pixel))
        .collect();
    let (hot_x, hot_y) = (
        u32::from(image.xhot).min(width - 1),
        u32::from(image.yhot).min(height - 1),
    );
    Some(PointerShape {
        width,
        height,
        hot_x,
        hot_y,
        rgba,
    })
}

/// One pixel without its alpha multiplied in.
fn straight(premultiplied: u32) -> [u8; 4] {
    let [blue, green, red, alpha] = premultiplied.to_le_bytes();
    let divide = |channel: u8| match alpha {
        0 => 0,
        _ => u8::try_from(u32::from(channel) * 255 / u32::from(alpha)).unwrap_or(255),
    };
    [divide(red), divide(green), divide(blue), alpha]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(width: u16, height: u16, pixel: u32) -> GetCursorImageReply {
        GetCursorImageReply {
            width,
            height,
            xhot: width - 1,
            yhot: 0,
            cursor_image: vec![pixel; usize::from(width) * usize::from(height)],
            ..GetCursorImageReply::default()
        }
    }

    #[test]
    fn unpremultiplies_colours() {
        let shape = shape_of(&image(1, 1, 0x8040_2000)).expect("a shape");

        assert_eq!(shape.rgba, [127, 63, 0, 128]);
    }

    #[test]
    fn cuts_a_giant_pointer() {
        let shape = shape_of(&image(300, 2, 0xffff_ffff)).expect("a shape");

        assert_eq!((shape.width, shape.height, shape.hot_x), (256, 2, 255));
        assert_eq!(shape.rgba.len(), 256 * 2 * 4);
    }
}
