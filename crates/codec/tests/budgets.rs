//! An update keeps to its bytes, whatever is beside each other on the screen: on a slow line the
//! answer to a key waits for what is too much.

mod support;

use std::time::Duration;

use gc_codec::{EncodeOrder, Encoder, FrameView, Pending};
use gc_model::geometry::{Rect, Size};
use gc_model::time::Moment;
use support::{ORDER, hash};

const WIDTH: usize = 960;
const HEIGHT: usize = 480;
const BAND: usize = 96;

/// A tile is sent whole, and a photograph of one takes about so many bytes.
const TILE_BYTES: usize = 2_000;

fn picture(pixel: impl Fn(usize, usize) -> [u8; 4]) -> Vec<u8> {
    let rows = (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (x, y)));
    rows.flat_map(|(x, y)| pixel(x, y)).collect()
}

/// The same few words in all lines.
fn text(x: usize, y: usize) -> [u8; 4] {
    let stroke = hash((x / 3) % 40 * 977 + y % 16);
    let level = if stroke.is_multiple_of(3) { 30 } else { 250 };
    [level, level, level, 0]
}

/// A shade with grain, of which every pixel is new.
fn photograph(x: usize, y: usize, seed: usize) -> [u8; 4] {
    let grain = |channel| (hash(x * 7 + y * 13_003 + seed * 31 + channel) % 9) as u8;
    let shade = (x / 6 + y / 5) as u8;
    let [blue, green, red] = [0, 1, 2].map(|channel| shade.wrapping_add(grain(channel)));
    [blue, green, red, 0]
}

/// Bytes of each update that shows the last of `pictures`, after the others were shown whole.
fn updates(pictures: &[Vec<u8>], budget_bytes: usize) -> Vec<usize> {
    let size = Size::new(WIDTH as u32, HEIGHT as u32).expect("a size");
    let mut encoder = Encoder::new(size).expect("memory");
    let mut order = EncodeOrder {
        restart: true,
        film: None,
        ..ORDER
    };
    let mut now = Moment::ZERO;
    let mut sizes = Vec::new();
    for (number, pixels) in pictures.iter().enumerate() {
        if number + 1 == pictures.len() {
            order.budget_bytes = budget_bytes;
        }
        sizes.clear();
        let frame = FrameView::new(size, WIDTH * 4, pixels).expect("a frame");
        let mut changed = vec![Rect::whole(size)];
        while sizes.len() < 5_000 {
            now = now + Duration::from_millis(400);
            let encoded = encoder
                .encode(now, &frame, &std::mem::take(&mut changed), &order)
                .expect("an update");
            order.restart = false;
            sizes.extend(encoded.update.map(|update| update.bytes()));
            if encoded.pending == Pending::Nothing {
                break;
            }
        }
    }
    sizes
}

#[test]
fn updates_of_text_beside_photographs_keep_to_their_budget() {
    let page = |number: usize| {
        picture(|x, y| {
            if (y / BAND + x / 320 + number).is_multiple_of(2) {
                text(x, y)
            } else {
                photograph(x, y, number)
            }
        })
    };
    let pages = [page(0), page(1)];
    let whole: usize = updates(&pages, 1 << 20).iter().sum();
    for budget_bytes in [1_500, 3_000, 12_000] {
        let sizes = updates(&pages, budget_bytes);

        let most = *sizes.iter().max().expect("updates");
        let mean = sizes.iter().sum::<usize>() / sizes.len();
        assert!(
            most < budget_bytes + TILE_BYTES,
            "{budget_bytes}: up to {most} bytes"
        );
        assert!(
            (budget_bytes * 3 / 4..budget_bytes * 5 / 4).contains(&mean),
            "{budget_bytes}: {mean} bytes on average"
        );
        // Small parts cost little more than large ones.
        let all: usize = sizes.iter().sum();
        assert!(
            all < whole * 11 / 10,
            "{budget_bytes}: {all} of {whole} bytes"
        );
    }
}

/// A photograph that comes back takes next to nothing, and tells nothing of the one below it.
#[test]
fn what_comes_after_a_photograph_that_was_there_before_keeps_to_the_budget() {
    let album =
        |below: usize| picture(|x, y| photograph(x, y, if y < 3 * BAND { 1 } else { below }));
    let pages = [album(2), picture(text), album(3)];
    for budget_bytes in [3_000, 12_000] {
        let sizes = updates(&pages, budget_bytes);

        let most = *sizes.iter().max().expect("updates");
        assert!(
            most < budget_bytes * 2 + TILE_BYTES,
            "{budget_bytes}: up to {most} bytes"
        );
    }
}
