//! Which video codecs what plays on the screen may have.

mod guard;
mod memory;
mod probe;
mod waiting;

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::thread;

use gc_codec::{
    FilmCodec, FilmEncoder, FilmError, FilmFormat, FilmOrder, FilmPacket, FrameView, film_codecs,
};
use gc_platform::{FilmEncoders, Host};
use tracing::{debug, info, warn};

use crate::SOFTWARE;
use crate::cli::FilmCodecName;
use crate::desktop_thread::sentence;

use guard::{Guarded, Limits};
use memory::Memory;
use probe::Verdict;

pub(crate) use memory::FILE_NAME as MEMORY_NAME;
pub use probe::run as probe;

pub(crate) use waiting::{Waiting, take_waited};

/// The choice of whoever runs this agent.
#[derive(Debug, Clone)]
pub(crate) struct Films {
    /// Those that this program has, best first.
    known: Vec<Known>,
    /// The machine's own encoder, and before which of the others it is used.
    hardware: Option<(Hardware, usize)>,
}

/// The machine's encoder for H.264, from when it is known to work on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hardware(Arc<OnceLock<Guarded>>);

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
    /// Those of `wanted` that this program has, or all that it has. With `hardware`, what that
    /// makes comes first, or where it is wanted.
    pub(crate) fn new(wanted: Option<&[FilmCodecName]>, hardware: Option<Hardware>) -> Self {
        let is_chosen = wanted.is_some();
        let wanted = wanted.map_or_else(
            || FilmFormat::ALL.to_vec(),
            |names| {
                let formats = names.iter().flat_map(|name| name.formats()).copied();
                let known = film_codecs(&FilmFormat::ALL);
                for missing in formats.clone().filter(|&format| {
                    let by_hardware = format == FilmFormat::H264 && hardware.is_some();
                    !by_hardware && known.iter().all(|codec| codec.format() != format)
                }) {
                    warn!(codec = %missing, "This program was built without a codec that --film-codecs names");
                }
                formats.collect()
            },
        );
        let place = if is_chosen {
            let before = wanted.iter().position(|&one| one == FilmFormat::H264);
            before.map(|before| film_codecs(&wanted[..before]).len())
        } else {
            Some(0)
        };
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
        let hardware = hardware.zip(place);
        Self { known, hardware }
    }

    /// What this agent can make now, best first.
    pub(crate) fn formats(&self) -> Vec<FilmFormat> {
        let mut formats: Vec<FilmFormat> = Vec::new();
        for codec in self.usable() {
            if !formats.contains(&codec.format()) {
                formats.push(codec.format());
            }
        }
        formats
    }

    /// Those that can be used now, best first.
    fn usable(&self) -> Vec<Known> {
        let mut usable = self.known.clone();
        if let Some((hardware, place)) = &self.hardware
            && let Some(guarded) = hardware.0.get()
        {
            usable.insert(*place.min(&usable.len()), Known::Guarded(guarded.clone()));
        }
        usable
    }

    /// The codecs for one session, best first.
    pub(crate) fn codecs(&self) -> Vec<Box<dyn FilmCodec>> {
        let mut codecs: Vec<Box<dyn FilmCodec>> = Vec::new();
        for known in self.usable() {
            match known {
                Known::Here(format) => codecs.extend(film_codecs(&[format])),
                Known::Guarded(guarded) => codecs.push(Box::new(guarded)),
            }
        }
        codecs
            .into_iter()
            .map(|codec| Box::new(Logged(codec)) as Box<dyn FilmCodec>)
            .collect()
    }
}

impl Hardware {
    /// The machine's encoder, if it is known to work. Where that is not known, another process
    /// tries it, and who comes later profits. `None` where there is none on such a system.
    pub(crate) fn find(host: &Arc<dyn Host>, data_dir: &Path) -> Option<Self> {
        let graphics = host.graphics()?;
        let hardware = Self::default();
        let remembered = Memory::new(&**host, data_dir, SOFTWARE, &graphics).verdict();
        if let Some(verdict) = remembered {
            hardware.obey(&**host, &verdict);
            return Some(hardware);
        }
        let (found, host, data_dir) = (hardware.clone(), Arc::clone(host), data_dir.to_owned());
        let try_it = move || {
            let ask = || {
                let program = std::env::current_exe().ok()?;
                probe::ask(&program, &["film-probe"], probe::PATIENCE)
            };
            let memory = Memory::new(&*host, &data_dir, SOFTWARE, &graphics);
            let verdict = memory.verdict_or(ask).unwrap_or_else(Verdict::not_tried);
            found.obey(&*host, &verdict);
        };
        let thread = thread::Builder::new().name("film-probe".to_owned());
        // Without a thread there are only no films by hardware.
        thread.spawn(try_it).ok()?;
        Some(hardware)
    }

    fn obey(&self, host: &dyn Host, verdict: &Verdict) {
        let found = if verdict.works {
            host.film_encoders(FilmEncoders::Hardware)
                .map_err(|error| sentence(&error))
        } else {
            Err(verdict.says.clone())
        };
        match found {
            Ok(found) => {
                info!(
                    encoder = verdict.says,
                    "Films are packed by this machine's hardware"
                );
                self.works(found.codec);
            }
            Err(why) => info!(why, "Films are not packed by this machine's hardware"),
        }
    }

    fn works(&self, codec: Box<dyn FilmCodec>) {
        let _known_already = self.0.set(Guarded::new(codec, Limits::USUAL));
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

        assert_eq!(Films::new(None, None).formats(), all);
        let vp9 = [FilmFormat::Vp9, FilmFormat::Vp9FullChroma];
        assert_eq!(Films::new(Some(&[Vp9, Vp9]), None).formats(), vp9);
        assert_eq!(Films::new(Some(&[]), None).formats(), []);
        let has_h264 = all.contains(&FilmFormat::H264);
        let h264 = has_h264.then_some(FilmFormat::H264);
        let turned: Vec<_> = h264.into_iter().chain(vp9).collect();
        assert_eq!(Films::new(Some(&[H264, Vp9, H264]), None).formats(), turned);
        let made: Vec<_> = Films::new(Some(&[H264, Vp9]), None)
            .codecs()
            .iter()
            .map(|codec| codec.format())
            .collect();
        assert_eq!(made, turned);
    }

    /// Nothing is ever asked of it here.
    struct Card;

    impl FilmCodec for Card {
        fn format(&self) -> FilmFormat {
            FilmFormat::H264
        }

        fn coded_size(&self, width: u32, _height: u32) -> Option<(u32, u32)> {
            (width == 1_234).then_some((1, 1))
        }

        fn open(&self, _width: u32, _height: u32) -> Result<Box<dyn FilmEncoder>, FilmError> {
            Err(FilmError("no device".to_owned()))
        }
    }

    /// Where the card stands among the codecs.
    fn place_of_the_card(films: &Films) -> Option<usize> {
        let codecs = films.codecs();
        codecs
            .iter()
            .position(|codec| codec.coded_size(1_234, 1_234) == Some((1, 1)))
    }

    #[test]
    fn hardware_comes_first_once_it_works_or_where_it_is_wanted() {
        use FilmCodecName::{H264, Vp9};
        let hardware = Hardware::default();
        let films = |wanted: Option<&[FilmCodecName]>| Films::new(wanted, Some(hardware.clone()));
        let all = [
            films(None),
            films(Some(&[H264, Vp9])),
            films(Some(&[Vp9, H264])),
            films(Some(&[Vp9])),
        ];
        assert!(all.iter().all(|films| place_of_the_card(films).is_none()));

        hardware.works(Box::new(Card));

        let vp9 = Vp9.formats();
        let h264 = H264.formats();
        let places = all.each_ref().map(place_of_the_card);
        assert_eq!(places, [Some(0), Some(0), Some(vp9.len()), None]);
        assert_eq!(all[0].formats(), [h264, vp9].concat());
        assert_eq!(all[2].formats(), [vp9, h264].concat());
        assert_eq!(all[3].formats(), vp9);
    }

    #[cfg(unix)]
    #[test]
    fn a_system_without_such_encoders_is_not_asked() {
        let place = tempfile::tempdir().expect("a directory");
        let host: Arc<dyn Host> = Arc::new(crate::platform::host());

        assert!(Hardware::find(&host, place.path()).is_none());
    }
}
