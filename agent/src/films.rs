//! Which video codecs what plays on the screen may have.

mod guard;
mod waiting;

use gc_codec::{
    FilmCodec, FilmEncoder, FilmError, FilmFormat, FilmOrder, FilmPacket, FrameView, film_codecs,
};
use tracing::{debug, warn};

use crate::cli::FilmCodecName;

use guard::{Guarded, Limits};

pub(crate) use waiting::{Waiting, take_waited};

/// The choice of whoever runs this agent.
#[derive(Debug, Clone)]
pub(crate) struct Films {
    /// Those that this program has, best first.
    known: Vec<Known>,
}

/// One of them.
#[derive(Debug, Clone)]
enum Known {
    /// In the thread that encodes, which is what VP9 is made for: no picture is copied.
    Here(FilmFormat),
    /// Behind a guard, so that a codec that hangs holds nobody up.
    Guarded(Guarded),
}

impl Known {
    const fn format(&self) -> FilmFormat {
        match self {
            Self::Here(format) => *format,
            Self::Guarded(guarded) => guarded.format(),
        }
    }
}

impl Films {
    /// Those of `wanted` that this program has, or all that it has.
    pub(crate) fn new(wanted: Option<&[FilmCodecName]>) -> Self {
        let wanted = wanted.map_or_else(
            || FilmFormat::ALL.to_vec(),
            |names| {
                let formats = names.iter().flat_map(|name| name.formats()).copied();
                let known = film_codecs(&FilmFormat::ALL);
                for missing in formats.clone().filter(|&format| {
                    known.iter().all(|codec| codec.format() != format)
                }) {
                    warn!(codec = %missing, "This program was built without a codec that --film-codecs names");
                }
                formats.collect()
            },
        );
        let mut known: Vec<Known> = Vec::new();
        for codec in film_codecs(&wanted) {
            let format = codec.format();
            if known.iter().any(|other| other.format() == format) {
                continue;
            }
            known.push(match format {
                FilmFormat::Vp9 | FilmFormat::Vp9FullChroma => Known::Here(format),
                FilmFormat::H264 => Known::Guarded(Guarded::new(codec, Limits::USUAL)),
            });
        }
        Self { known }
    }

    /// What this agent can make, best first.
    pub(crate) fn formats(&self) -> Vec<FilmFormat> {
        self.known.iter().map(Known::format).collect()
    }

    /// The codecs for one session, best first.
    pub(crate) fn codecs(&self) -> Vec<Box<dyn FilmCodec>> {
        let mut codecs: Vec<Box<dyn FilmCodec>> = Vec::new();
        for known in &self.known {
            match known {
                Known::Here(format) => codecs.extend(film_codecs(&[*format])),
                Known::Guarded(guarded) => codecs.push(Box::new(guarded.clone())),
            }
        }
        codecs
            .into_iter()
            .map(|codec| Box::new(Logged(codec)) as Box<dyn FilmCodec>)
            .collect()
    }
}

/// A codec whose failures stand in the log; the session goes on with another one.
struct Logged(Box<dyn FilmCodec>);

struct LoggedEncoder(FilmFormat, Box<dyn FilmEncoder>);

fn log<T>(format: FilmFormat, result: Result<T, FilmError>) -> Result<T, FilmError> {
    if let Err(error) = &result {
        warn!(codec = %format, %error, "A film is packed otherwise");
    }
    result
}

impl FilmCodec for Logged {
    fn format(&self) -> FilmFormat {
        self.0.format()
    }

    fn coded_size(&self, width: u32, height: u32) -> Option<(u32, u32)> {
        self.0.coded_size(width, height)
    }

    fn open(&self, width: u32, height: u32) -> Result<Box<dyn FilmEncoder>, FilmError> {
        let encoder = log(self.format(), self.0.open(width, height))?;
        debug!(codec = %self.format(), width, height, "A film begins");
        Ok(Box::new(LoggedEncoder(self.format(), encoder)))
    }
}

impl FilmEncoder for LoggedEncoder {
    fn encode(
        &mut self,
        picture: &FrameView<'_>,
        order: &FilmOrder,
    ) -> Result<FilmPacket, FilmError> {
        log(self.0, waiting::packing(|| self.1.encode(picture, order)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codecs_are_those_that_were_wanted_in_their_order_each_once() {
        use FilmCodecName::{H264, Vp9};
        let all: Vec<_> = film_codecs(&FilmFormat::ALL)
            .iter()
            .map(|codec| codec.format())
            .collect();

        assert_eq!(Films::new(None).formats(), all);
        let vp9 = [FilmFormat::Vp9, FilmFormat::Vp9FullChroma];
        assert_eq!(Films::new(Some(&[Vp9, Vp9])).formats(), vp9);
        assert_eq!(Films::new(Some(&[])).formats(), []);
        let has_h264 = all.contains(&FilmFormat::H264);
        let h264 = has_h264.then_some(FilmFormat::H264);
        let turned: Vec<_> = h264.into_iter().chain(vp9).collect();
        assert_eq!(Films::new(Some(&[H264, Vp9, H264])).formats(), turned);
        let made: Vec<_> = Films::new(Some(&[H264, Vp9]))
            .codecs()
            .iter()
            .map(|codec| codec.format())
            .collect();
        assert_eq!(made, turned);
    }
}
