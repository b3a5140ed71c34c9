//! Pixels in our own memory: what a scene draws before the X server gets it.

/// A colour, `0xRRGGBB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rgb(pub(crate) u32);

impl Rgb {
    pub(crate) const BLACK: Self = Self(0x00_0000);
    pub(crate) const WHITE: Self = Self(0xff_ffff);

    pub(crate) fn of(red: f32, green: f32, blue: f32) -> Self {
        let channel = |value: f32| value.clamp(0.0, 255.0) as u32;
        Self(channel(red) << 16 | channel(green) << 8 | channel(blue))
    }

    pub(crate) fn channels(self) -> [f32; 3] {
        [16, 8, 0].map(|shift| (self.0 >> shift & 0xff) as f32)
    }

    /// Between `self` (0) and `other` (255).
    pub(crate) fn mixed(self, other: Self, share: u8) -> Self {
        let share = f32::from(share) / 255.0;
        let (from, to) = (self.channels(), other.channels());
        let [red, green, blue] = [0, 1, 2].map(|i| from[i] + (to[i] - from[i]) * share);
        Self::of(red, green, blue)
    }
}

#[derive(Clone)]
pub(crate) struct Canvas {
    pub(crate) width: u16,
    pub(crate) height: u16,
    pixels: Vec<u32>,
}

impl Canvas {
    pub(crate) fn new(width: u16, height: u16, colour: Rgb) -> Self {
        Self {
            width,
            height,
            pixels: vec![colour.0; usize::from(width) * usize::from(height)],
        }
    }

    /// Asks for each pixel in turn, row by row.
    pub(crate) fn painted(width: u16, height: u16, mut pixel: impl FnMut(u32, u32) -> Rgb) -> Self {
        let pixels = (0..u32::from(height))
            .flat_map(|y| (0..u32::from(width)).map(move |x| (x, y)))
            .map(|(x, y)| pixel(x, y).0)
            .collect();
        Self {
            width,
            height,
            pixels,
        }
    }

    pub(crate) fn rows(&self) -> &[u32] {
        &self.pixels
    }

    pub(crate) fn pixel(&self, x: u32, y: u32) -> Rgb {
        Rgb(self.pixels[y as usize * usize::from(self.width) + x as usize])
    }

    /// Places outside are left alone, so that text may run over an edge.
    pub(crate) fn change(&mut self, x: i32, y: i32, change: impl FnOnce(Rgb) -> Rgb) {
        if (0..i32::from(self.width)).contains(&x) && (0..i32::from(self.height)).contains(&y) {
            let pixel = &mut self.pixels[y as usize * usize::from(self.width) + x as usize];
            *pixel = change(Rgb(*pixel)).0;
        }
    }

    pub(crate) fn fill(&mut self, x: i32, y: i32, width: i32, height: i32, colour: Rgb) {
        for row in y..y + height {
            for column in x..x + width {
                self.change(column, row, |_| colour);
            }
        }
    }

    pub(crate) fn place(&mut self, picture: &Canvas, x: i32, y: i32) {
        for row in 0..i32::from(picture.height) {
            for column in 0..i32::from(picture.width) {
                self.change(x + column, y + row, |_| {
                    picture.pixel(column as u32, row as u32)
                });
            }
        }
    }
}
