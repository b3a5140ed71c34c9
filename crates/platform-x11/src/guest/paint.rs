//! Text and boxes as pixels, so that the window needs no toolkit.

use ab_glyph::{Font as _, FontVec, PxScale, ScaleFont as _, point};
use gc_platform::PlatformError;

/// Where systems keep their fonts.
const FOLDERS: [&str; 3] = [
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/run/host/usr/share/fonts",
];

/// Plain, legible ones, the best first.
const PREFERRED: [&str; 8] = [
    "NotoSans-Regular.ttf",
    "DejaVuSans.ttf",
    "LiberationSans-Regular.ttf",
    "Cantarell-Regular.otf",
    "OpenSans-Regular.ttf",
    "Ubuntu-R.ttf",
    "FreeSans.ttf",
    "Carlito-Regular.ttf",
];

/// Largest font file, in bytes.
const MAX_FONT_BYTES: u64 = 32 * 1024 * 1024;

/// Files that are looked at, at most.
const MAX_FILES: usize = 20_000;

/// A colour, 0xRRGGBB.
pub(super) type Colour = u32;

/// Loads the best font of this system.
pub(super) fn load_font() -> Result<FontVec, PlatformError> {
    let mut files = Vec::new();
    let mut folders: Vec<_> = FOLDERS.iter().map(std::path::PathBuf::from).collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if files.len() < MAX_FILES {
                files.push(path);
            }
        }
    }
    let rank = |path: &std::path::Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let known = PREFERRED.iter().position(|&preferred| preferred == name);
        let ending = name.ends_with(".ttf") || name.ends_with(".otf");
        let plain = name.contains("Regular") || name.contains("Sans.");
        known.or_else(|| ending.then_some(PREFERRED.len() + usize::from(!plain)))
    };
    files.retain(|path| rank(path).is_some());
    files.sort_by_key(|path| rank(path));
    files
        .iter()
        .filter(|path| std::fs::metadata(path).is_ok_and(|found| found.len() <= MAX_FONT_BYTES))
        .filter_map(|path| FontVec::try_from_vec(std::fs::read(path).ok()?).ok())
        .find(|font| font.glyph_id('a').0 != 0)
        .ok_or(PlatformError::Unsupported(
            "a window without any TrueType font (install one, such as fonts-dejavu-core)",
        ))
}

/// A picture that is drawn on.
pub(super) struct Canvas {
    pub(super) width: usize,
    pub(super) height: usize,
    /// BGRX.
    pub(super) pixels: Vec<u8>,
}

impl Canvas {
    pub(super) fn new(width: usize, height: usize, colour: Colour) -> Self {
        let [blue, green, red, _] = colour.to_le_bytes();
        Self {
            width,
            height,
            pixels: [blue, green, red, 0].repeat(width * height),
        }
    }

    pub(super) fn fill(&mut self, x: i32, y: i32, width: i32, height: i32, colour: Colour) {
        for row in y..y + height {
            for column in x..x + width {
                self.blend(column, row, colour, 1.0);
            }
        }
    }

    pub(super) fn frame(&mut self, x: i32, y: i32, width: i32, height: i32, colour: Colour) {
        self.fill(x, y, width, 2, colour);
        self.fill(x, y + height - 2, width, 2, colour);
        self.fill(x, y, 2, height, colour);
        self.fill(x + width - 2, y, 2, height, colour);
    }

    /// Writes one line, its upper left corner at `x`, `y`.
    pub(super) fn text(
        &mut self,
        font: &FontVec,
        size: f32,
        x: i32,
        y: i32,
        text: &str,
        colour: Colour,
    ) {
        let scaled = font.as_scaled(PxScale::from(size));
        let mut pen = x as f32;
        let baseline = y as f32 + scaled.ascent();
        for character in text.chars() {
            let id = font.glyph_id(character);
            let glyph = id.with_scale_and_position(PxScale::from(size), point(pen, baseline));
            pen += scaled.h_advance(id);
            if let Some(outline) = font.outline_glyph(glyph) {
                let bounds = outline.px_bounds();
                outline.draw(|dx, dy, cover| {
                    let (left, top) = (bounds.min.x as i32, bounds.min.y as i32);
                    self.blend(left + dx as i32, top + dy as i32, colour, cover);
                });
            }
        }
    }

    fn blend(&mut self, x: i32, y: i32, colour: Colour, cover: f32) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else {
            return;
        };
        if x >= self.width || y >= self.height {
            return;
        }
        let at = (y * self.width + x) * 4;
        let cover = cover.clamp(0.0, 1.0);
        for (byte, new) in self.pixels[at..at + 3].iter_mut().zip(colour.to_le_bytes()) {
            *byte = (f32::from(*byte) * (1.0 - cover) + f32::from(new) * cover) as u8;
        }
    }
}

/// Width of a line, in pixels.
pub(super) fn width_of(font: &FontVec, size: f32, text: &str) -> i32 {
    let scaled = font.as_scaled(PxScale::from(size));
    let width: f32 = text
        .chars()
        .map(|character| scaled.h_advance(font.glyph_id(character)))
        .sum();
    width.ceil() as i32
}

/// Height of a line, in pixels.
pub(super) const fn line_height(size: f32) -> i32 {
    (size * 1.35) as i32
}

/// Breaks text into lines of at most `width` pixels, inside words only where one alone is too long.
pub(super) fn wrap(font: &FontVec, size: f32, text: &str, width: i32) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("starts with one line");
        let joined = if line.is_empty() {
            word.to_owned()
        } else {
            format!("{line} {word}")
        };
        if width_of(font, size, &joined) <= width {
            *line = joined;
            continue;
        }
        if !line.is_empty() {
            lines.push(String::new());
        }
        for character in word.chars() {
            let line = lines.last_mut().expect("starts with one line");
            line.push(character);
            if width_of(font, size, line) > width && line.chars().count() > 1 {
                line.pop();
                lines.push(character.to_string());
            }
        }
    }
    lines
}

/// Cuts a line to `width` pixels.
pub(super) fn fit(font: &FontVec, size: f32, text: &str, width: i32) -> String {
    if width_of(font, size, text) <= width {
        return text.to_owned();
    }
    let mut cut: Vec<char> = text.chars().collect();
    while cut.pop().is_some() {
        let shown: String = cut.iter().collect::<String>() + "…";
        if width_of(font, size, &shown) <= width {
            return shown;
        }
    }
    String::new()
}
