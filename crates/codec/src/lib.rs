//! Pixels to bytes and back: change detection, the lossless zstd stream, and the
//! decoder that the browser and the tests use. No screens, no sockets, no clock.

mod cursor;
mod decoder;
mod encoder;
mod film;
mod frame;
mod moves;
mod photo;
mod stream;
mod tiles;

pub use cursor::{CursorError, pack_cursor, unpack_cursor};
pub use decoder::{DecodeError, Decoder, Piece, bgrx_to_rgba};
pub use encoder::{
    Abilities, Colours, EncodeOrder, Encoded, Encoder, Pending, Update, UpdateError,
};
pub use film::{
    FilmCodec, FilmEncoder, FilmError, FilmFormat, FilmFormats, FilmMaker, FilmOrder, FilmPacket,
    FilmPiece, FilmQuality, MAX_FILM_RECTS, SharedFilms, film_codecs, is_film_frame,
};
#[cfg(feature = "hardware")]
pub use film::{HardwareEncoder, HardwareFilms, HardwarePacket, StartedEncoder};
pub use frame::{BYTES_PER_PIXEL, FrameView};
pub use moves::Moves;
pub use stream::StreamError;
pub use tiles::{TILE_HEIGHT_PX, TILE_WIDTH_PX};
