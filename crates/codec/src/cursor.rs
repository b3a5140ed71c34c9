//! Pointer shapes on the wire: RGBA as one small zstd frame each.

/// A pointer shape that cannot be packed or does not unpack to its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the pointer's picture is damaged")]
pub struct CursorError;

/// Compresses the `rgba` bytes of a pointer.
///
/// # Errors
/// Out of memory only.
pub fn pack_cursor(rgba: &[u8]) -> Result<Vec<u8>, CursorError> {
    let mut out = Vec::with_capacity(zstd_safe::compress_bound(rgba.len()));
    zstd_safe::compress(&mut out, rgba, 3).map_err(|_| CursorError)?;
    Ok(out)
}

/// Restores the RGBA bytes of a pointer of `width` x `height` pixels.
///
/// # Errors
/// Anything that does not decompress to exactly `width * height * 4` bytes.
pub fn unpack_cursor(packed: &[u8], width: u32, height: u32) -> Result<Vec<u8>, CursorError> {
    let expected = width as usize * height as usize * 4;
    let mut out = Vec::with_capacity(expected);
    let written = zstd_safe::decompress(&mut out, packed).map_err(|_| CursorError)?;
    if written == expected {
        Ok(out)
    } else {
        Err(CursorError)
    }
}
