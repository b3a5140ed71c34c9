//! The picture in memory, and how rectangles of the screen get into it.

use gc_codec::FrameView;
use gc_model::geometry::{Rect, Size};
use gc_platform::PlatformError;
use x11rb::connection::Connection as _;
use x11rb::protocol::shm::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat};

use crate::display::Connection;
use crate::error::During;
use crate::memory::Shared;

/// Bytes of a BGRX pixel.
const PIXEL: usize = 4;

/// All planes: every bit of every pixel.
const ALL_PLANES: u32 = !0;

/// The frame.
pub(crate) struct Image {
    size: Size,
    store: Store,
}

enum Store {
    /// Memory shared with a server on the same machine: the frame, and behind
    /// it room of the same size where partial rows land first.
    Shared { memory: Shared, segment: shm::Seg },
    /// A server that is elsewhere or too old: pictures come through the socket.
    Own(Vec<u8>),
}

impl Image {
    pub(crate) fn open(connection: &Connection, size: Size) -> Result<Self, PlatformError> {
        let store = match share(connection, size)? {
            Some((memory, segment)) => Store::Shared { memory, segment },
            None => Store::Own(vec![0; size.area() * PIXEL]),
        };
        Ok(Self { size, store })
    }

    pub(crate) fn frame(&self) -> FrameView<'_> {
        let pixels = match &self.store {
            Store::Shared { memory, .. } => memory.as_slice(),
            Store::Own(pixels) => pixels,
        };
        FrameView::new(self.size, stride(self.size), pixels)
            .expect("the store has room for the frame: made in open")
    }

    /// True when pictures do not go through the socket.
    pub(crate) const fn is_shared(&self) -> bool {
        matches!(self.store, Store::Shared { .. })
    }

    /// Reads these rectangles of the screen. They lie inside the picture.
    pub(crate) fn read(
        &mut self,
        connection: &Connection,
        rects: &[Rect],
    ) -> Result<(), PlatformError> {
        match &mut self.store {
            Store::Shared { memory, segment } => {
                read_shared(connection, self.size, memory, *segment, rects)
            }
            Store::Own(pixels) => read_through_socket(connection, self.size, pixels, rects),
        }
    }
}

/// Maps memory and hands it to the server. Passing the descriptor needs no
/// rights on either side, unlike System V segments, and leaves nothing behind.
/// `None` when the server is not on this machine or too old (before MIT-SHM 1.2).
fn share(connection: &Connection, size: Size) -> Result<Option<(Shared, shm::Seg)>, PlatformError> {
    let x = &connection.x;
    if !connection.has(shm::X11_EXTENSION_NAME)? {
        return Ok(None);
    }
    let version = x
        .shm_query_version()
        .during("ShmQueryVersion")?
        .reply()
        .during("ShmQueryVersion")?;
    if (version.major_version, version.minor_version) < (1, 2) {
        return Ok(None);
    }
    let Ok((memory, descriptor)) = Shared::new(2 * size.area() * PIXEL) else {
        return Ok(None);
    };
    let segment = x.generate_id().during("ShmAttachFd")?;
    // Over TCP descriptors cannot be passed: sending fails without breaking the connection.
    let Ok(cookie) = x.shm_attach_fd(segment, descriptor, false) else {
        return Ok(None);
    };
    Ok(cookie.check().is_ok().then_some((memory, segment)))
}

fn read_shared(
    connection: &Connection,
    size: Size,
    memory: &mut Shared,
    segment: shm::Seg,
    rects: &[Rect],
) -> Result<(), PlatformError> {
    let frame_len = size.area() * PIXEL;
    // Overlapping rectangles could need more room than there is; then all of the picture is the smaller job.
    let whole = [Rect::whole(size)];
    let fits = rects.iter().map(|rect| rect.area()).sum::<usize>() <= size.area();
    let rects = if fits { rects } else { &whole };

    // All requests leave together: one round trip for any number of rectangles.
    let mut scratch = frame_len;
    let mut waiting = Vec::with_capacity(rects.len());
    for &rect in rects {
        let in_place = rect.width == size.width();
        let offset = if in_place {
            rect.y as usize * stride(size)
        } else {
            scratch
        };
        let cookie = connection
            .x
            .shm_get_image(
                connection.root,
                rect.x as i16,
                rect.y as i16,
                rect.width as u16,
                rect.height as u16,
                ALL_PLANES,
                ImageFormat::Z_PIXMAP.into(),
                segment,
                u32::try_from(offset).expect("two frames are below 4 GiB: Size has a limit"),
            )
            .during("ShmGetImage")?;
        waiting.push((rect, in_place, offset, cookie));
        if !in_place {
            scratch += rect.area() * PIXEL;
        }
    }
    let mut landed = Vec::with_capacity(waiting.len());
    for (rect, in_place, offset, cookie) in waiting {
        cookie.reply().during("ShmGetImage")?;
        if !in_place {
            landed.push((rect, offset));
        }
    }
    let (frame, scratch) = memory.as_mut_slice().split_at_mut(frame_len);
    for (rect, offset) in landed {
        copy_rows(frame, size, rect, &scratch[offset - frame_len..]);
    }
    Ok(())
}

fn read_through_socket(
    connection: &Connection,
    size: Size,
    pixels: &mut [u8],
    rects: &[Rect],
) -> Result<(), PlatformError> {
    for &rect in rects {
        let reply = connection
            .x
            .get_image(
                ImageFormat::Z_PIXMAP,
                connection.root,
                rect.x as i16,
                rect.y as i16,
                rect.width as u16,
                rect.height as u16,
                ALL_PLANES,
            )
            .during("GetImage")?
            .reply()
            .during("GetImage")?;
        if reply.data.len() < rect.area() * PIXEL {
            return Err(PlatformError::Unsupported("the X server's image format"));
        }
        copy_rows(pixels, size, rect, &reply.data);
    }
    Ok(())
}

/// Copies a rectangle that stands alone, row after row, to its place in the frame.
fn copy_rows(frame: &mut [u8], size: Size, rect: Rect, source: &[u8]) {
    let row_len = rect.width as usize * PIXEL;
    for (line, row) in source
        .chunks_exact(row_len)
        .take(rect.height as usize)
        .enumerate()
    {
        let start = (rect.y as usize + line) * stride(size) + rect.x as usize * PIXEL;
        frame[start..start + row_len].copy_from_slice(row);
    }
}

const fn stride(size: Size) -> usize {
    size.width() as usize * PIXEL
}
