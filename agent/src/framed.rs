//! Messages between two programs of this machine: a length (four bytes, little-endian),
//! then one message as JSON. Whoever reads says how long one may be.

use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use zeroize::Zeroizing;

/// Writes one message whole, of at most so many bytes.
pub(crate) async fn write<M: Serialize>(
    pipe: &mut (impl AsyncWrite + Unpin),
    message: &M,
    max_bytes: usize,
) -> io::Result<()> {
    let body = Zeroizing::new(serde_json::to_vec(message)?);
    let length = u32::try_from(body.len())
        .ok()
        .filter(|_| body.len() <= max_bytes)
        .ok_or_else(|| invalid("a message that is too long"))?;
    let mut framed = Zeroizing::new(Vec::with_capacity(4 + body.len()));
    framed.extend_from_slice(&length.to_le_bytes());
    framed.extend_from_slice(&body);
    pipe.write_all(&framed).await?;
    pipe.flush().await
}

/// Reads the next message, of at most so many bytes. Not to be dropped half-way.
pub(crate) async fn read<M: DeserializeOwned>(
    pipe: &mut (impl AsyncRead + Unpin),
    max_bytes: usize,
) -> io::Result<M> {
    let length = pipe.read_u32_le().await? as usize;
    if length > max_bytes {
        return Err(invalid("a message that is too long"));
    }
    let mut body = Zeroizing::new(vec![0; length]);
    pipe.read_exact(&mut body).await?;
    // The error's own text may quote the message, which may be secret.
    serde_json::from_slice(&body).map_err(|_| invalid("a message that makes no sense"))
}

pub(crate) fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
