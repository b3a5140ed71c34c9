//! The formats that a film may have, and sets of them.

use std::fmt;

/// The video codecs that a film may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FilmFormat {
    /// VP9 profile 0: 8 bits, 4:2:0. BT.709, full range.
    Vp9,
    /// H.264 in Annex B format, 8 bits, 4:2:0. BT.709, full range.
    H264,
    /// VP9 profile 1: 8 bits, 4:4:4. BT.709, full range. Takes the place of the other VP9 where
    /// its colours are seen and the line carries them; never alone.
    Vp9FullChroma,
}

impl FilmFormat {
    /// All of them, what this program does best first.
    pub const ALL: [Self; 3] = [Self::Vp9, Self::H264, Self::Vp9FullChroma];

    /// What people call it in settings and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vp9 => "vp9",
            Self::H264 => "h264",
            Self::Vp9FullChroma => "vp9_full_chroma",
        }
    }
}

impl fmt::Display for FilmFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Some of the formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FilmFormats(u8);

impl FilmFormats {
    /// No format at all.
    pub const NONE: Self = Self(0);

    /// Whether `format` is one of them.
    pub const fn contains(self, format: FilmFormat) -> bool {
        self.0 & Self::bit(format) != 0
    }

    /// The same and `format`.
    #[must_use]
    pub const fn with(self, format: FilmFormat) -> Self {
        Self(self.0 | Self::bit(format))
    }

    /// The same but `format`.
    #[must_use]
    pub const fn without(self, format: FilmFormat) -> Self {
        Self(self.0 & !Self::bit(format))
    }

    /// True for none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    const fn bit(format: FilmFormat) -> u8 {
        1 << format as u8
    }
}

impl FromIterator<FilmFormat> for FilmFormats {
    fn from_iter<T: IntoIterator<Item = FilmFormat>>(formats: T) -> Self {
        formats.into_iter().fold(Self::default(), Self::with)
    }
}
