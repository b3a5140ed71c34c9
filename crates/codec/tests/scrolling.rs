//! Text that scrolls was on the screen a moment ago, and the stream remembers it.

mod support;

use std::time::Duration;

use gc_codec::{EncodeOrder, Encoder, FrameView, Pending};
use gc_model::geometry::{Rect, Size};
use gc_model::time::Moment;
use support::hash;

const WIDTH: usize = 960;
const HEIGHT: usize = 600;
const LINE: usize = 18;
const GLYPH: usize = 9;
/// As other products pack: each on its own.
const TILE: usize = 64;

/// A pixel of endless text: glyphs of soft strokes, in words, in lines of different length.
fn text(x: usize, y: usize) -> [u8; 4] {
    let (row, column) = (y / LINE, x / GLYPH);
    let blank = column > 40 + hash(row) % 60 || hash(row * 131 + column).is_multiple_of(6);
    let glyph = hash(row * 1_009 + column) % 70;
    let (u, v) = (x % GLYPH, y % LINE);
    let stroke = hash(glyph * 977 + (u / 2) * 31 + v / 3) % 3;
    let level = match (blank || v > 13, stroke) {
        (true, _) | (_, 0) => 250,
        (_, 1) => 30 + (hash(glyph + u) % 4) as u8 * 25,
        _ => 20,
    };
    [level, level, level, 0]
}

fn screen(scrolled: usize) -> Vec<u8> {
    (0..HEIGHT)
        .flat_map(|y| (0..WIDTH).flat_map(move |x| text(x, y + scrolled)))
        .collect()
}

/// What the changed tiles take, each compressed alone at the same level.
fn packed_alone(before: &[u8], after: &[u8]) -> usize {
    let mut bytes = 0;
    for top in (0..HEIGHT).step_by(TILE) {
        for left in (0..WIDTH).step_by(TILE) {
            let width = TILE.min(WIDTH - left) * 4;
            let rows = |pixels: &[u8]| -> Vec<u8> {
                let rows = top..(top + TILE).min(HEIGHT);
                rows.flat_map(|y| {
                    let start = (y * WIDTH + left) * 4;
                    pixels[start..start + width].to_vec()
                })
                .collect()
            };
            let tile = rows(after);
            if tile != rows(before) {
                let mut packed = vec![0; zstd_safe::compress_bound(tile.len())];
                bytes += zstd_safe::compress(&mut packed[..], &tile, 1).expect("room");
            }
        }
    }
    bytes
}

#[test]
fn ten_seconds_of_scrolling_take_a_quarter_of_tiles_that_are_packed_alone() {
    const ORDER: EncodeOrder = EncodeOrder {
        film: None,
        ..support::ORDER
    };
    let size = Size::new(WIDTH as u32, HEIGHT as u32).expect("a usual size");
    let whole = [Rect::whole(size)];
    // A notch of the wheel is three lines; smooth scrolling goes by a few pixels.
    for step in [3 * LINE, 7] {
        let mut encoder = Encoder::new(size).expect("memory");
        let (mut ours, mut alone) = (0, 0);
        let mut before = screen(0);
        let mut now = Moment::ZERO;
        for frame in 0..100 {
            let after = screen(frame * step);
            let view = FrameView::new(size, WIDTH * 4, &after).expect("a whole frame");
            let mut changed = &whole[..];
            loop {
                now = now + Duration::from_millis(10);
                let encoded = encoder
                    .encode(now, &view, changed, &ORDER)
                    .expect("an encoder that works");
                changed = &[];
                if let Some(update) = encoded.update {
                    assert!(!update.reduced, "text stays exact");
                    // The first picture is not scrolling.
                    ours += if frame == 0 { 0 } else { update.bytes() };
                }
                if encoded.pending != Pending::Now {
                    break;
                }
            }
            alone += packed_alone(&before, &after);
            before = after;
        }
        assert!(ours * 4 <= alone, "by {step} px: {ours} of {alone} bytes");
    }
}
