//! Encoders of Media Foundation: those of the machine's hardware, and for checks Microsoft's own.
//! <https://learn.microsoft.com/windows/win32/medfound/h-264-video-encoder>

mod attributes;
mod encoder;
#[cfg(test)]
mod fake;
mod library;
mod samples;
mod settings;
#[cfg(test)]
mod tests;

use gc_codec::{FilmCodec, FilmError, HardwareFilms, PictureEncoder};
use gc_model::geometry::Size;
use windows_sys::core::{GUID, HRESULT};

use self::encoder::{Activated, Encoder};
use self::library::Library;
use crate::transform::{Machine, TransformError};

/// `MFT_ENUM_FLAG_SORTANDFILTER`: best first, and none that an administrator has forbidden.
const BEST_FIRST: u32 = 0x40;
/// `MFT_FRIENDLY_NAME_Attribute`
const NAME: GUID = GUID::from_u128(0x314f_fbae_5b41_4c95_9c19_4e7d_586f_ace3);

/// Which of the encoders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilmEncoders {
    /// Those of graphics cards and processors.
    Hardware,
    /// Those that are programs. They cost more than ours; only to check that encoders can be talked to.
    Software,
}

impl FilmEncoders {
    /// `MFT_ENUM_FLAG_HARDWARE`, `MFT_ENUM_FLAG_SYNCMFT`
    const fn flags(self) -> u32 {
        BEST_FIRST
            | match self {
                Self::Hardware => 4,
                Self::Software => 1,
            }
    }

    const fn missing(self) -> TransformError {
        TransformError::Missing(match self {
            Self::Hardware => "hardware encoder for H.264",
            Self::Software => "software encoder for H.264",
        })
    }
}

/// The error of a call that gives an object.
fn failed(call: &'static str) -> impl Fn(HRESULT) -> TransformError {
    move |code| {
        let nothing_came = TransformError::Rules("gives nothing");
        TransformError::check(call, code)
            .err()
            .unwrap_or(nothing_came)
    }
}

/// What this machine's encoders call themselves, best first.
///
/// # Errors
/// There are none, or there is no Media Foundation.
pub fn film_encoders(which: FilmEncoders) -> Result<Vec<String>, TransformError> {
    let library = Library::open()?;
    let found = library.encoders(which.flags())?;
    if found.is_empty() {
        return Err(which.missing());
    }
    let name = |activate: &attributes::Attributes| activate.text(&NAME);
    let unnamed = || "an encoder without a name".to_owned();
    Ok(found
        .iter()
        .map(|one| name(one).unwrap_or_else(unnamed))
        .collect())
}

/// Films as H.264, by the first of these encoders that takes a film's size. Whether there is one is
/// seen when the first film begins.
pub fn films_by(which: FilmEncoders) -> Box<dyn FilmCodec> {
    Box::new(HardwareFilms::new(move |size, rate| {
        start(which, size, rate).map_err(|error| FilmError::caused_by(&error))
    }))
}

fn start(
    which: FilmEncoders,
    size: Size,
    rate: u32,
) -> Result<Box<dyn PictureEncoder>, TransformError> {
    let found = Library::open()?.encoders(which.flags())?;
    let mut error = which.missing();
    for activate in found {
        let begun = Activated::new(activate)
            .and_then(|activated| Encoder::begin(activated, Library::open()?, size, rate));
        match begun {
            Ok(encoder) => return Ok(Box::new(Machine::new(encoder))),
            Err(why) => error = why,
        }
    }
    Err(error)
}
