//! The mouse pointer's place and picture.

use std::ptr::null_mut;

use gc_model::pointer::{Pointer, PointerShape};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CURSOR_SHOWING, CURSORINFO, GetCursorInfo, GetIconInfo, HCURSOR, ICONINFO, IDC_ARROW,
    LoadCursorW,
};

use super::gdi::OwnedBitmap;
use crate::cursor_image::PointerBitmaps;
use crate::screen::VirtualScreen;

/// What the system says about the pointer, before its picture is read.
#[derive(Clone, Copy, PartialEq, Eq)]
struct State {
    x: i32,
    y: i32,
    visible: bool,
    cursor: HCURSOR,
}

/// Tells what is new about the pointer.
#[derive(Default)]
pub(crate) struct PointerReader {
    told: Option<State>,
    shape: Option<PointerShape>,
}

// SAFETY: a cursor's handle is only compared and read, which any thread may do.
unsafe impl Send for PointerReader {}

impl PointerReader {
    /// True when [`PointerReader::read`] would have news.
    pub(crate) fn has_news(&self) -> bool {
        state().is_some_and(|state| self.told != Some(state))
    }

    /// Whether it shows is news again.
    pub(crate) fn forget_visibility(&mut self) {
        if let Some(told) = &mut self.told {
            told.visible = !told.visible;
        }
    }

    /// The pointer, when something of it differs from the last call's. Nothing
    /// while a desktop shows that this account may not see.
    pub(crate) fn read(&mut self, screen: &VirtualScreen) -> Option<Pointer> {
        let state = state()?;
        if self.told == Some(state) {
            return None;
        }
        let is_other_cursor = self.told.is_none_or(|told| told.cursor != state.cursor);
        let moved = self.told.is_none_or(|told| {
            State {
                cursor: state.cursor,
                ..told
            } != state
        });
        self.told = Some(state);
        // Two handles can stand for one picture: every program has its own arrow.
        let shape = is_other_cursor
            .then(|| shape(state.cursor))
            .flatten()
            .filter(|shape| self.shape.as_ref() != Some(shape));
        if !moved && shape.is_none() {
            return None;
        }
        if shape.is_some() {
            self.shape.clone_from(&shape);
        }
        let (x, y) = screen.to_picture(state.x, state.y);
        Some(Pointer {
            x,
            y,
            visible: state.visible,
            shape,
        })
    }
}

fn state() -> Option<State> {
    let mut info = CURSORINFO {
        cbSize: size_of::<CURSORINFO>() as u32,
        ..Default::default()
    };
    // SAFETY: the structure says its own size.
    let known = unsafe { GetCursorInfo(&raw mut info) };
    (known != 0).then_some(State {
        x: info.ptScreenPos.x,
        y: info.ptScreenPos.y,
        visible: info.flags & CURSOR_SHOWING != 0,
        cursor: info.hCursor,
    })
}

fn shape(cursor: HCURSOR) -> Option<PointerShape> {
    // Over an empty desktop there may be no cursor of any program: the arrow shows.
    // SAFETY: IDC_ARROW is one of Windows' own cursors, which need no freeing.
    let cursor = if cursor.is_null() {
        unsafe { LoadCursorW(null_mut(), IDC_ARROW) }
    } else {
        cursor
    };
    let mut info = ICONINFO::default();
    // SAFETY: a cursor that was freed meanwhile makes the call fail.
    if unsafe { GetIconInfo(cursor, &raw mut info) } == 0 {
        return None;
    }
    // SAFETY: GetIconInfo made both bitmaps for us; the colours may be none.
    let (mask, colours) = unsafe {
        (
            OwnedBitmap::new(info.hbmMask),
            OwnedBitmap::new(info.hbmColor),
        )
    };
    let mask = mask?;
    let mask_size = mask.size()?;
    let height = if colours.is_some() {
        mask_size.height()
    } else {
        mask_size.height() / 2
    };
    let colours = match colours {
        Some(colours) => Some(colours.pixels()?),
        None => None,
    };
    PointerBitmaps {
        width: mask_size.width(),
        height,
        hot_x: info.xHotspot,
        hot_y: info.yHotspot,
        mask: mask.pixels()?,
        colours,
    }
    .compose()
}
