//! A picture as codecs take it: one plane of brightness, two of colour.

use gc_model::geometry::Size;

use crate::convert;

/// Bytes of one pixel of a screen: blue, green, red, and one that means nothing.
pub const BYTES_PER_PIXEL: usize = 4;

/// How many samples of colour a picture has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Chroma {
    /// 4:2:0: one for each square of four pixels, which every decoder knows.
    Quarter,
    /// 4:4:4: one for each pixel, so that coloured text stays sharp.
    Full,
}

impl Chroma {
    /// Width and height of a plane of colour.
    const fn plane(self, size: Size) -> (usize, usize) {
        let (width, height) = (size.width() as usize, size.height() as usize);
        match self {
            Self::Quarter => (width.div_ceil(2), height.div_ceil(2)),
            Self::Full => (width, height),
        }
    }
}

/// Pixels that are fewer than the picture that they should fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// Rows overlap.
    #[error("a row of {width} pixels does not fit a stride of {stride} bytes")]
    Stride {
        /// Pixels.
        width: u32,
        /// Bytes.
        stride: usize,
    },
    /// The last row ends behind the data.
    #[error("{needed} bytes of pixels are needed, and there are {found}")]
    Short {
        /// Bytes.
        needed: usize,
        /// Bytes.
        found: usize,
    },
}

/// A picture in its three planes. Keep it from frame to frame: filling it again costs no memory.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    size: Size,
    chroma: Chroma,
    /// Y, then U and V. Rows stand without gaps.
    pub(crate) planes: [Vec<u8>; 3],
}

impl Picture {
    /// A black picture.
    pub fn new(size: Size, chroma: Chroma) -> Self {
        let (width, height) = chroma.plane(size);
        let colour = vec![convert::NO_COLOUR; width * height];
        Self {
            size,
            chroma,
            planes: [vec![0; size.area()], colour.clone(), colour],
        }
    }

    /// Width and height.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// How many samples of colour it has.
    pub const fn chroma(&self) -> Chroma {
        self.chroma
    }

    /// The samples of brightness (0) or of one colour (1, 2), row by row without gaps.
    pub fn plane(&self, index: usize) -> &[u8] {
        &self.planes[index]
    }

    /// The same, for decoders to write.
    pub fn plane_mut(&mut self, index: usize) -> &mut [u8] {
        &mut self.planes[index]
    }

    /// Bytes from one row of plane `index` to the next.
    pub const fn stride(&self, index: usize) -> usize {
        match index {
            0 => self.size.width() as usize,
            _ => self.chroma.plane(self.size).0,
        }
    }

    /// Takes the pixels of a screen: rows of BGRX, top row first, `stride` bytes apart.
    /// `pixels` begins with the top left pixel, so that a part of a screen needs no copy.
    ///
    /// # Errors
    /// Fewer pixels than the picture has; the picture is as before then.
    pub fn fill(&mut self, pixels: &[u8], stride: usize) -> Result<(), PictureError> {
        let row = self.size.width() as usize * BYTES_PER_PIXEL;
        if stride < row {
            return Err(PictureError::Stride {
                width: self.size.width(),
                stride,
            });
        }
        let needed = stride
            .saturating_mul(self.size.height() as usize - 1)
            .saturating_add(row);
        if pixels.len() < needed {
            return Err(PictureError::Short {
                needed,
                found: pixels.len(),
            });
        }
        let [y, u, v] = &mut self.planes;
        match self.chroma {
            Chroma::Full => convert::to_444(self.size, pixels, stride, [y, u, v]),
            Chroma::Quarter => convert::to_420(self.size, pixels, stride, [y, u, v]),
        }
        Ok(())
    }

    /// The pixels as BGRX without gaps; where there is one colour for four pixels, all have it.
    pub fn to_bgrx(&self) -> Vec<u8> {
        let width = self.size.width() as usize;
        let half = usize::from(self.chroma == Chroma::Quarter);
        let stride = self.stride(1);
        let [luma, u, v] = &self.planes;
        let mut pixels = Vec::with_capacity(self.size.area() * BYTES_PER_PIXEL);
        for (index, &brightness) in luma.iter().enumerate() {
            let (x, y) = (index % width, index / width);
            let colour = (y >> half) * stride + (x >> half);
            pixels.extend_from_slice(&convert::to_bgrx(brightness, u[colour], v[colour]));
        }
        pixels
    }
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Picture")
            .field("size", &self.size)
            .field("chroma", &self.chroma)
            .finish_non_exhaustive()
    }
}
