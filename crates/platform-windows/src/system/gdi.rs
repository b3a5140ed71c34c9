//! GDI: the screen, pictures in memory, and copying from one to the other.

use std::ptr::null_mut;

use gc_codec::{BYTES_PER_PIXEL, FrameView};
use gc_model::geometry::Size;
use gc_platform::PlatformError;
use windows_sys::Win32::Graphics::Gdi::{
    BITMAP, BITMAPINFO, BITMAPINFOHEADER, BitBlt, CAPTUREBLT, CreateCompatibleDC, CreateDIBSection,
    DIB_RGB_COLORS, DeleteDC, DeleteObject, GdiFlush, GetDC, GetDIBits, GetObjectW, HBITMAP, HDC,
    HGDIOBJ, ReleaseDC, SRCCOPY, SelectObject,
};

use super::os::last_error;
use crate::screen::VirtualScreen;

/// The whole screen of the desktop that this thread is on. Has to be given back
/// by the thread that got it, so it never lives longer than one call.
struct ScreenDc(HDC);

impl ScreenDc {
    fn new() -> Result<Self, PlatformError> {
        // SAFETY: no window is given: the screen's own context.
        let dc = unsafe { GetDC(null_mut()) };
        if dc.is_null() {
            Err(last_error("GetDC"))
        } else {
            Ok(Self(dc))
        }
    }
}

impl Drop for ScreenDc {
    fn drop(&mut self) {
        // SAFETY: comes from GetDC on this thread (the type is not Send).
        unsafe { ReleaseDC(null_mut(), self.0) };
    }
}

fn header(size: Size) -> BITMAPINFO {
    BITMAPINFO {
        bmiHeader: BITMAPINFOHEADER {
            biSize: size_of::<BITMAPINFOHEADER>() as u32,
            biWidth: size.width().cast_signed(),
            // Negative: the top row first.
            biHeight: -size.height().cast_signed(),
            biPlanes: 1,
            biBitCount: 32,
            ..Default::default()
        },
        ..Default::default()
    }
}

/// A picture in memory of the process that GDI can draw on.
pub(crate) struct Picture {
    dc: HDC,
    bitmap: HBITMAP,
    previous: HGDIOBJ,
    // INVARIANT: points to `size.area()` pixels that live as long as `bitmap`.
    bits: *const u8,
    size: Size,
}

// SAFETY: the context and the bitmap belong to the process and are used by one thread at a time, through `&mut`.
unsafe impl Send for Picture {}

impl Picture {
    pub(crate) fn new(size: Size) -> Result<Self, PlatformError> {
        let screen = ScreenDc::new()?;
        // SAFETY: the screen's context is valid; the new one belongs to `Picture`, which deletes it.
        let dc = unsafe { CreateCompatibleDC(screen.0) };
        if dc.is_null() {
            return Err(last_error("CreateCompatibleDC"));
        }
        let (header, mut bits) = (header(size), null_mut());
        // SAFETY: the header describes a plain 32-bit picture without a colour table.
        let bitmap = unsafe {
            CreateDIBSection(
                dc,
                &raw const header,
                DIB_RGB_COLORS,
                &raw mut bits,
                null_mut(),
                0,
            )
        };
        if bitmap.is_null() || bits.is_null() {
            let error = last_error("CreateDIBSection");
            // SAFETY: the context is ours and holds nothing of ours yet.
            unsafe { DeleteDC(dc) };
            return Err(error);
        }
        // SAFETY: both are ours; what was selected before is put back on drop.
        let previous = unsafe { SelectObject(dc, bitmap) };
        Ok(Self {
            dc,
            bitmap,
            previous,
            bits: bits.cast_const().cast(),
            size,
        })
    }

    /// Reads the whole virtual screen, windows with transparency included.
    pub(crate) fn read_screen(&mut self, screen: &VirtualScreen) -> Result<(), PlatformError> {
        let source = ScreenDc::new()?;
        let (width, height) = (
            self.size.width().cast_signed(),
            self.size.height().cast_signed(),
        );
        // SAFETY: both contexts are valid; GDI clips to what each has.
        let copied = unsafe {
            BitBlt(
                self.dc,
                0,
                0,
                width,
                height,
                source.0,
                screen.left(),
                screen.top(),
                SRCCOPY | CAPTUREBLT,
            )
        };
        if copied == 0 {
            return Err(last_error("BitBlt"));
        }
        // SAFETY: takes nothing. Until then the copy may still be under way.
        unsafe { GdiFlush() };
        Ok(())
    }

    pub(crate) fn view(&self) -> FrameView<'_> {
        // SAFETY: see the invariant of `bits`. GDI writes there only during `read_screen`, which borrows mutably.
        let data =
            unsafe { std::slice::from_raw_parts(self.bits, self.size.area() * BYTES_PER_PIXEL) };
        FrameView::new(
            self.size,
            self.size.width() as usize * BYTES_PER_PIXEL,
            data,
        )
        .expect("rows of 32-bit pixels have no padding")
    }
}

impl Drop for Picture {
    fn drop(&mut self) {
        // SAFETY: all three are ours, in the order that GDI asks for.
        unsafe {
            SelectObject(self.dc, self.previous);
            DeleteObject(self.bitmap);
            DeleteDC(self.dc);
        }
    }
}

/// A bitmap that somebody gave us to delete.
pub(crate) struct OwnedBitmap(HBITMAP);

impl OwnedBitmap {
    /// Takes over a bitmap; `None` for none.
    ///
    /// # Safety
    /// `bitmap` is null or a bitmap that nobody else deletes.
    pub(crate) unsafe fn new(bitmap: HBITMAP) -> Option<Self> {
        (!bitmap.is_null()).then_some(Self(bitmap))
    }

    /// Width and height; `None` when it is empty or larger than any picture.
    pub(crate) fn size(&self) -> Option<Size> {
        let mut bitmap = BITMAP::default();
        // SAFETY: the buffer is as large as said.
        let written =
            unsafe { GetObjectW(self.0, size_of::<BITMAP>() as i32, (&raw mut bitmap).cast()) };
        if written == 0 {
            return None;
        }
        Size::new(
            u32::try_from(bitmap.bmWidth).ok()?,
            u32::try_from(bitmap.bmHeight).ok()?,
        )
        .ok()
    }

    /// Its pixels as BGRX rows, top row first.
    pub(crate) fn pixels(&self) -> Option<Vec<u8>> {
        let size = self.size()?;
        let screen = ScreenDc::new().ok()?;
        let mut pixels = vec![0; size.area() * BYTES_PER_PIXEL];
        let mut header = header(size);
        // SAFETY: the buffer holds `height` rows of 32-bit pixels, as the header says.
        let rows = unsafe {
            GetDIBits(
                screen.0,
                self.0,
                0,
                size.height(),
                pixels.as_mut_ptr().cast(),
                &raw mut header,
                DIB_RGB_COLORS,
            )
        };
        (u32::try_from(rows) == Ok(size.height())).then_some(pixels)
    }
}

impl Drop for OwnedBitmap {
    fn drop(&mut self) {
        // SAFETY: nobody else deletes it.
        unsafe { DeleteObject(self.0) };
    }
}
