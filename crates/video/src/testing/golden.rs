//! Packets that the browser's tests decode too (`tests/e2e/stories/films.spec.ts`): four
//! frames of coloured patches, as an IVF file.

use std::path::Path;

use gc_model::geometry::Size;

use crate::coding::{FrameOptions, PictureDecoder, PictureEncoder};
use crate::picture::{BYTES_PER_PIXEL, Chroma, Picture};

/// Patches in each direction. Frame `n` shows in patch `p` the colour `(n + p)` of the list.
const COLUMNS: usize = 4;
const ROWS: usize = 2;
const FRAMES: usize = 4;

/// Blue, green, red.
const COLOURS: [[u8; 3]; COLUMNS * ROWS] = [
    [0, 0, 0],
    [255, 255, 255],
    [0, 0, 255],
    [0, 255, 0],
    [255, 0, 0],
    [128, 128, 128],
    [40, 120, 200],
    [200, 90, 30],
];

const IVF_HEADER_BYTES: usize = 32;

/// The packets of an IVF file.
///
/// # Panics
/// There is no such file, or it is none.
pub fn ivf_packets(file: &Path) -> Vec<Vec<u8>> {
    let ivf = std::fs::read(file).expect("a golden file");
    let mut rest = &ivf[IVF_HEADER_BYTES..];
    let mut packets = Vec::new();
    while let Some((header, after)) = rest.split_first_chunk::<12>() {
        let length = u32::from_le_bytes([header[0], header[1], header[2], header[3]]) as usize;
        packets.push(after[..length].to_vec());
        rest = &after[length..];
    }
    packets
}

/// The film of patches in one size and codec.
pub struct Patches<'a> {
    /// Where its packets are.
    pub file: &'a Path,
    /// How IVF calls the codec.
    pub four_letters: &'a [u8; 4],
    /// Of the pictures.
    pub size: Size,
    /// Of the pictures.
    pub chroma: Chroma,
    /// Fine enough for exact colours.
    pub quantizer: u8,
}

impl Patches<'_> {
    /// What the file holds is shown as it should be. With `UPDATE_GOLDEN` in the environment the
    /// file is first written anew.
    pub fn check(&self, encoder: &mut impl PictureEncoder, decoder: &mut impl PictureDecoder) {
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            let packed = self.pack(encoder);
            std::fs::write(self.file, packed).expect("a golden file that can be written");
        }
        let packets = ivf_packets(self.file);
        assert_eq!(packets.len(), FRAMES);
        for (frame, packet) in packets.iter().enumerate() {
            let shown = decoder.decode(packet).expect("a good packet");
            assert_eq!(shown.chroma(), self.chroma);
            self.look(&shown.to_bgrx(), frame);
        }
    }

    /// Looks at the middle of each patch.
    fn look(&self, shown: &[u8], frame: usize) {
        let (width, height) = (self.size.width() as usize, self.size.height() as usize);
        for row in 0..ROWS {
            for column in 0..COLUMNS {
                let x = (2 * column + 1) * width / (2 * COLUMNS);
                let y = (2 * row + 1) * height / (2 * ROWS);
                let at = (y * width + x) * BYTES_PER_PIXEL;
                for (shown, wanted) in shown[at..].iter().zip(self.colour(x, y, frame)) {
                    assert!(
                        shown.abs_diff(wanted) <= 2,
                        "frame {frame}, patch {column},{row}"
                    );
                }
            }
        }
    }

    fn pack(&self, encoder: &mut impl PictureEncoder) -> Vec<u8> {
        let mut picture = Picture::new(self.size, self.chroma);
        let mut ivf = Vec::from(*b"DKIF\0\0\x20\0");
        ivf.extend(self.four_letters);
        for side in [self.size.width(), self.size.height()] {
            ivf.extend((side as u16).to_le_bytes());
        }
        for number in [30_u32, 1, FRAMES as u32, 0] {
            ivf.extend(number.to_le_bytes());
        }
        for frame in 0..FRAMES {
            let stride = self.size.width() as usize * BYTES_PER_PIXEL;
            let filled = picture.fill(&self.pixels(frame), stride);
            filled.expect("a whole picture");
            let options = FrameOptions {
                key: frame == 0,
                budget_bytes: 10_000,
                quantizers: self.quantizer..=self.quantizer,
            };
            let packet = encoder.encode(&picture, &options).expect("a packet");
            ivf.extend((packet.data.len() as u32).to_le_bytes());
            ivf.extend((frame as u64).to_le_bytes());
            ivf.extend(packet.data);
        }
        ivf
    }

    fn colour(&self, x: usize, y: usize, frame: usize) -> [u8; 3] {
        let column = x * COLUMNS / self.size.width() as usize;
        let row = y * ROWS / self.size.height() as usize;
        COLOURS[(row * COLUMNS + column + frame) % COLOURS.len()]
    }

    fn pixels(&self, frame: usize) -> Vec<u8> {
        (0..self.size.height() as usize)
            .flat_map(|y| (0..self.size.width() as usize).map(move |x| (x, y)))
            .flat_map(|(x, y)| {
                let [blue, green, red] = self.colour(x, y, frame);
                [blue, green, red, 0]
            })
            .collect()
    }
}
