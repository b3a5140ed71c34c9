//! Packets that the browser's tests decode too (`tests/e2e/stories/films.spec.ts`): four
//! frames of coloured patches, as an IVF file. `UPDATE_GOLDEN=1 cargo test -p gc-openh264`
//! writes it anew.

use std::path::{Path, PathBuf};

use gc_model::geometry::Size;
use gc_openh264::{Decoder, Encoder, FrameOptions};
use gc_video::{BYTES_PER_PIXEL, Chroma, Picture};

/// No whole number of macroblocks, so that the decoder has to cut.
const WIDTH: u32 = 202;
const HEIGHT: u32 = 122;

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

fn colour(x: usize, y: usize, frame: usize) -> [u8; 3] {
    let column = x * COLUMNS / WIDTH as usize;
    let row = y * ROWS / HEIGHT as usize;
    COLOURS[(row * COLUMNS + column + frame) % COLOURS.len()]
}

fn patches(frame: usize) -> Vec<u8> {
    (0..HEIGHT as usize)
        .flat_map(|y| (0..WIDTH as usize).map(move |x| (x, y)))
        .flat_map(|(x, y)| {
            let [blue, green, red] = colour(x, y, frame);
            [blue, green, red, 0]
        })
        .collect()
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/patches.ivf")
}

fn write() {
    let size = Size::new(WIDTH, HEIGHT).expect("a small size");
    let mut encoder = Encoder::new(size).expect("an encoder");
    let mut picture = Picture::new(size, Chroma::Quarter);
    let mut ivf = Vec::from(*b"DKIF\0\0\x20\0H264");
    for side in [WIDTH, HEIGHT] {
        ivf.extend((side as u16).to_le_bytes());
    }
    for number in [30_u32, 1, FRAMES as u32, 0] {
        ivf.extend(number.to_le_bytes());
    }
    for frame in 0..FRAMES {
        picture
            .fill(&patches(frame), WIDTH as usize * BYTES_PER_PIXEL)
            .expect("a whole picture");
        let options = FrameOptions {
            key: frame == 0,
            budget_bytes: 10_000,
            quantizers: 10..=10,
        };
        let packet = encoder.encode(&picture, &options).expect("a packet");
        ivf.extend((packet.data.len() as u32).to_le_bytes());
        ivf.extend((frame as u64).to_le_bytes());
        ivf.extend(packet.data);
    }
    std::fs::write(file(), ivf).expect("a golden file that can be written");
}

fn packets() -> Vec<Vec<u8>> {
    let ivf = std::fs::read(file()).expect("a golden file");
    let mut rest = &ivf[32..];
    let mut packets = Vec::new();
    while let Some((header, after)) = rest.split_first_chunk::<12>() {
        let length = u32::from_le_bytes([header[0], header[1], header[2], header[3]]) as usize;
        packets.push(after[..length].to_vec());
        rest = &after[length..];
    }
    packets
}

#[test]
fn what_the_browser_tests_decode_shows_the_patches() {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        write();
    }
    let packets = packets();
    assert_eq!(packets.len(), FRAMES);

    let mut decoder = Decoder::new().expect("a decoder");
    for (frame, packet) in packets.iter().enumerate() {
        let shown = decoder.decode(packet).expect("a good packet").to_bgrx();
        for row in 0..ROWS {
            for column in 0..COLUMNS {
                let x = (2 * column + 1) * WIDTH as usize / (2 * COLUMNS);
                let y = (2 * row + 1) * HEIGHT as usize / (2 * ROWS);
                let at = (y * WIDTH as usize + x) * BYTES_PER_PIXEL;
                for (shown, wanted) in shown[at..].iter().zip(colour(x, y, frame)) {
                    assert!(
                        shown.abs_diff(wanted) <= 2,
                        "frame {frame}, patch {column},{row}"
                    );
                }
            }
        }
    }
}
