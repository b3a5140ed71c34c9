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

use std::io;

use gc_codec::{FilmError, FilmMaker, HardwareFilms, StartedEncoder};
use gc_model::geometry::Size;
use gc_platform::{FilmEncoders, MachineFilms, PlatformError};
use windows_sys::core::{GUID, HRESULT};

use self::attributes::Attributes;
use self::encoder::{Activated, Encoder};
use self::library::Library;
use crate::transform::{Machine, TransformError};

/// `MFT_ENUM_FLAG_SORTANDFILTER`: best first, and none that an administrator has forbidden.
const BEST_FIRST: u32 = 0x40;
/// `MFT_FRIENDLY_NAME_Attribute`
const NAME: GUID = GUID::from_u128(0x314f_fbae_5b41_4c95_9c19_4e7d_586f_ace3);

/// `MFT_ENUM_FLAG_HARDWARE`, `MFT_ENUM_FLAG_SYNCMFT`
const fn flags(which: FilmEncoders) -> u32 {
    BEST_FIRST
        | match which {
            FilmEncoders::Hardware => 4,
            FilmEncoders::Software => 1,
        }
}

const fn missing(which: FilmEncoders) -> TransformError {
    TransformError::Missing(match which {
        FilmEncoders::Hardware => "hardware encoder for H.264",
        FilmEncoders::Software => "software encoder for H.264",
    })
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

/// This machine's encoders, and films as H.264 by the first of them that takes a film's size.
///
/// # Errors
/// There are none, or there is no Media Foundation.
pub(crate) fn film_encoders(which: FilmEncoders) -> Result<MachineFilms, PlatformError> {
    let names = names(which).map_err(|source| PlatformError::Os {
        call: "finding an encoder",
        source: io::Error::other(source),
    })?;
    let films = HardwareFilms::new(move |size, rate| {
        start(which, size, rate).map_err(|error| FilmError::caused_by(&error))
    });
    Ok(MachineFilms {
        names,
        codec: Box::new(films),
    })
}

/// What the encoders call themselves, best first.
fn names(which: FilmEncoders) -> Result<Vec<String>, TransformError> {
    let library = Library::open()?;
    let found = library.encoders(flags(which))?;
    if found.is_empty() {
        return Err(missing(which));
    }
    Ok(found.iter().map(name).collect())
}

fn name(encoder: &Attributes) -> String {
    let unnamed = || "an encoder without a name".to_owned();
    encoder.text(&NAME).unwrap_or_else(unnamed)
}

fn start(which: FilmEncoders, size: Size, rate: u32) -> Result<StartedEncoder, TransformError> {
    let library = Library::open()?;
    let found = library.encoders(flags(which))?;
    let mut error = missing(which);
    for activate in found {
        let maker = FilmMaker {
            name: name(&activate).into(),
            is_hardware: which == FilmEncoders::Hardware,
        };
        let begun = Activated::new(activate)
            .and_then(|activated| Encoder::begin(activated, Library::open()?, size, rate));
        match begun {
            Ok(encoder) => return Ok((Box::new(Machine::new(encoder)), maker)),
            Err(why) => error = why,
        }
    }
    Err(error)
}
