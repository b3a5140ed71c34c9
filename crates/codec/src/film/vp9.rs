//! Films as VP9, with one sample of colour for four pixels or for each.

use gc_video::Chroma;
use gc_vpx::{Content, Encoder, Settings};

use super::{FilmCodec, FilmEncoder, FilmError, FilmFormat, FilmMaker, FilmQuality, coded};

/// Speed of the encoder: from 5 to 9 films look the same at the same bytes, and 9 takes the
/// least time (`cargo bench -p gc-vpx`).
const SPEED: u8 = 9;

/// More threads gain nothing below this many pixels, and another program wants the core.
const TWO_THREADS_FROM_PX: usize = 640 * 360;

pub(super) struct Vp9(pub(super) Chroma);

impl Vp9 {
    /// Builds by Microsoft's compiler may have none.
    pub(super) const fn is_available() -> bool {
        gc_vpx::is_available()
    }
}

impl FilmCodec for Vp9 {
    fn format(&self) -> FilmFormat {
        match self.0 {
            Chroma::Quarter => FilmFormat::Vp9,
            Chroma::Full => FilmFormat::Vp9FullChroma,
        }
    }

    fn open(&self, width: u32, height: u32) -> Result<Box<dyn FilmEncoder>, FilmError> {
        let chroma = self.0;
        let quantizers = |quality| match quality {
            FilmQuality::Coarse => 44..=60,
            FilmQuality::Fair => 34..=60,
            FilmQuality::Good => 20..=60,
        };
        let maker = FilmMaker::library("libvpx");
        coded::open((width, height), chroma, maker, quantizers, |size| {
            Encoder::new(Settings {
                size,
                chroma,
                threads: if size.area() < TWO_THREADS_FROM_PX {
                    1
                } else {
                    2
                },
                content: Content::Film,
                speed: SPEED,
            })
        })
    }
}
