//! Letters and colours of our own windows.

use std::ptr::null_mut;

use gc_platform::PlatformError;
use windows_sys::Win32::Foundation::RECT;
use windows_sys::Win32::Graphics::Gdi::{
    CLEARTYPE_QUALITY, CreateFontW, CreateSolidBrush, DEFAULT_CHARSET, DT_CALCRECT, DT_CENTER,
    DT_EDITCONTROL, DT_NOPREFIX, DT_SINGLELINE, DT_VCENTER, DT_WORDBREAK, DeleteObject, DrawTextW,
    FW_NORMAL, FW_SEMIBOLD, GetDC, HBRUSH, HDC, HFONT, ReleaseDC, SelectObject, SetBkMode,
    SetTextColor, TRANSPARENT,
};

use super::os::{last_error, wide};

/// Of Windows' own dialogs since Windows Vista; another one stands in where it is missing.
const FACE: &str = "Segoe UI";

/// One colour to fill with.
pub(crate) struct Brush(HBRUSH);

impl Brush {
    /// `colour` is 0x00BBGGRR.
    pub(crate) fn new(colour: u32) -> Result<Self, PlatformError> {
        // SAFETY: takes a number.
        let brush = unsafe { CreateSolidBrush(colour) };
        if brush.is_null() {
            Err(last_error("CreateSolidBrush"))
        } else {
            Ok(Self(brush))
        }
    }

    pub(crate) const fn handle(&self) -> HBRUSH {
        self.0
    }
}

impl Drop for Brush {
    fn drop(&mut self) {
        // SAFETY: the brush is ours and selected nowhere.
        unsafe { DeleteObject(self.0) };
    }
}

/// Letters of one size.
pub(crate) struct Font(HFONT);

impl Font {
    /// `height_px` is that of the letters, without what stands between lines.
    pub(crate) fn new(height_px: i32, heavy: bool) -> Result<Self, PlatformError> {
        let face = wide(FACE);
        let weight = if heavy { FW_SEMIBOLD } else { FW_NORMAL };
        // SAFETY: the name ends with a zero and outlives the call.
        let font = unsafe {
            CreateFontW(
                -height_px,
                0,
                0,
                0,
                weight as i32,
                0,
                0,
                0,
                u32::from(DEFAULT_CHARSET),
                0,
                0,
                u32::from(CLEARTYPE_QUALITY),
                0,
                face.as_ptr(),
            )
        };
        if font.is_null() {
            Err(last_error("CreateFont"))
        } else {
            Ok(Self(font))
        }
    }

    pub(crate) const fn handle(&self) -> HFONT {
        self.0
    }
}

impl Drop for Font {
    fn drop(&mut self) {
        // SAFETY: the font is ours; whoever was given it is gone.
        unsafe { DeleteObject(self.0) };
    }
}

/// Height of a text in lines of at most `width_px`, as a control for text breaks it.
pub(crate) fn text_height(font: &Font, text: &str, width_px: i32) -> i32 {
    let rect = measured(font, text, width_px, DT_WORDBREAK | DT_EDITCONTROL);
    rect.bottom.max(0)
}

/// Width of a text on one line.
pub(crate) fn text_width(font: &Font, text: &str) -> i32 {
    measured(font, text, 0, DT_SINGLELINE).right.max(0)
}

fn measured(font: &Font, text: &str, width_px: i32, how: u32) -> RECT {
    // An empty line is as high as any other.
    let text = if text.is_empty() { " " } else { text };
    let text: Vec<u16> = text.encode_utf16().collect();
    let mut rect = RECT {
        right: width_px,
        ..Default::default()
    };
    // SAFETY: the screen's context gets its own font back and is given back; the text is as long as said.
    unsafe {
        let screen = GetDC(null_mut());
        let before = SelectObject(screen, font.handle());
        DrawTextW(
            screen,
            text.as_ptr(),
            text.len() as i32,
            &raw mut rect,
            how | DT_CALCRECT | DT_NOPREFIX,
        );
        SelectObject(screen, before);
        ReleaseDC(null_mut(), screen);
    }
    rect
}

/// Writes one line into the middle of a place. `dc` is a valid context.
pub(crate) fn write_in_the_middle(dc: HDC, font: &Font, text: &str, place: RECT, colour: u32) {
    let text: Vec<u16> = text.encode_utf16().collect();
    let mut place = place;
    // SAFETY: the context gets its own font back; the text is as long as said.
    unsafe {
        let before = SelectObject(dc, font.handle());
        SetBkMode(dc, TRANSPARENT as i32);
        SetTextColor(dc, colour);
        let how = DT_SINGLELINE | DT_CENTER | DT_VCENTER | DT_NOPREFIX;
        DrawTextW(dc, text.as_ptr(), text.len() as i32, &raw mut place, how);
        SelectObject(dc, before);
    }
}
