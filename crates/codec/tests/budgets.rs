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
/// Text and photographs take turns.
const BAND: usize = 96;

/// Lines of the same few words, which are found again, and photographs with grain, which are not.
fn page(number: usize) -> Vec<u8> {
    let pixel = |x: usize, y: usize| {
        if (y / BAND + x / 320 + number).is_multiple_of(2) {
            let stroke = hash((x / 3) % 40 * 977 + y % 16);
            let level = if stroke.is_multiple_of(3) { 30 } else { 250 };
            [level, level, level, 0]
        } else {
            let grain = |channel| (hash(x * 7 + y * 13_003 + number * 31 + channel) % 9) as u8;
            let shade = (x / 6 + y / 5) as u8;
            let [blue, green, red] = [0, 1, 2].map(|channel| shade.wrapping_add(grain(channel)));
            [blue, green, red, 0]
        }
    };
    (0..HEIGHT)
        .flat_map(|y| (0..WIDTH).flat_map(move |x| pixel(x, y)))
        .collect()
}

#[test]
fn updates_of_text_beside_photographs_keep_to_their_budget() {
    let size = Size::new(WIDTH as u32, HEIGHT as u32).expect("a size");
    for budget_bytes in [1_500, 3_000, 12_000] {
        let mut encoder = Encoder::new(size).expect("memory");
        let whole = Rect::between(0, 0, WIDTH as i32, HEIGHT as i32);
        let mut order = EncodeOrder {
            restart: true,
            film: None,
            ..ORDER
        };
        let mut sizes = Vec::new();
        let mut now = Moment::ZERO;
        for number in 0..3 {
            let pixels = page(number);
            let frame = FrameView::new(size, WIDTH * 4, &pixels).expect("a frame");
            let mut changed = vec![whole];
            loop {
                now = now + Duration::from_millis(400);
                let encoded = encoder
                    .encode(now, &frame, &std::mem::take(&mut changed), &order)
                    .expect("an update");
                order.restart = false;
                let Some(update) = encoded.update else { break };
                if number > 0 {
                    sizes.push(update.bytes());
                }
                if encoded.pending == Pending::Nothing {
                    break;
                }
            }
            order.budget_bytes = budget_bytes;
        }
        let most = *sizes.iter().max().expect("updates");
        let mean = sizes.iter().sum::<usize>() / sizes.len();
        // A tile is sent whole, and a photograph of one takes about 2,000 bytes.
        assert!(
            most < budget_bytes + 2_000,
            "{budget_bytes}: up to {most} bytes"
        );
        assert!(
            mean < budget_bytes * 5 / 4,
            "{budget_bytes}: {mean} bytes on average"
        );
    }
}
