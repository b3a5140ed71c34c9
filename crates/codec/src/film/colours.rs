//! Whether a film has colours that one sample for four pixels cannot show: thin coloured text,
//! coloured lines, pixel art. What a camera took has none to speak of.

use std::time::Duration;

use gc_model::geometry::Rect;
use gc_model::time::Moment;

use crate::frame::{BYTES_PER_PIXEL, FrameView};

/// One square of four pixels in 16 is looked at: in these steps across and down.
const STEP_PX: u32 = 8;

/// Squared levels that the colours alone may be off by in the mean: 38 dB, as much as a camera's
/// film is off by at its finest quantizer. More of it is seen, and less than half is not.
const SEEN: f32 = 10.0;
const UNSEEN: f32 = 5.0;

/// Frames that the mean is taken over.
const FRAMES: f32 = 8.0;

/// Each change of codec costs a key frame.
const CHANGES_EVERY: Duration = Duration::from_secs(5);

/// What was seen of a film's colours so far.
#[derive(Default)]
pub(super) struct Colours {
    /// What four pixels with one colour lose: squared levels, the mean of the last frames.
    loss: Option<f32>,
    fine: bool,
    changed_at: Option<Moment>,
}

impl Colours {
    /// Looks at what plays in `frame`; true where each pixel should have its own colour.
    pub(super) fn are_fine(&mut self, now: Moment, frame: &FrameView<'_>, rects: &[Rect]) -> bool {
        let Some(newest) = loss(frame, rects) else {
            return self.fine;
        };
        let known = self.loss.unwrap_or(newest);
        let loss = known + (newest - known) / FRAMES;
        self.loss = Some(loss);
        let fine = loss > if self.fine { UNSEEN } else { SEEN };
        let may_change = |at| now.since(at) >= CHANGES_EVERY;
        if fine != self.fine && self.changed_at.is_none_or(may_change) {
            self.fine = fine;
            self.changed_at = Some(now);
        }
        self.fine
    }
}

/// Squared levels by which blue and red differ in the mean from those of four pixels together.
fn loss(frame: &FrameView<'_>, rects: &[Rect]) -> Option<f32> {
    let (mut sum, mut squares) = (0_u64, 0_u64);
    for rect in rects {
        for y in (rect.y..rect.bottom().saturating_sub(1)).step_by(STEP_PX as usize) {
            let rows = [y, y + 1].map(|y| frame.row(rect.x, y, rect.width));
            for x in (0..rect.width.saturating_sub(1)).step_by(STEP_PX as usize) {
                sum += u64::from(square_loss(rows, x as usize));
                squares += 1;
            }
        }
    }
    (squares > 0).then(|| sum as f32 / squares as f32)
}

/// Of the four pixels from column `x` of two rows on: the mean square over the three colours.
fn square_loss(rows: [&[u8]; 2], x: usize) -> u32 {
    let colour = |row: &[u8], x: usize| {
        let pixel = &row[x * BYTES_PER_PIXEL..][..3];
        let [blue, green, red] = [pixel[0], pixel[1], pixel[2]].map(i32::from);
        // BT.709's weights, in 256ths.
        let luma = (18 * blue + 183 * green + 55 * red) >> 8;
        [blue - luma, red - luma]
    };
    let four = rows.map(|row| [colour(row, x), colour(row, x + 1)]);
    let four = [four[0][0], four[0][1], four[1][0], four[1][1]];
    let off = |channel: usize| {
        let sum: i32 = four.iter().map(|colour| colour[channel]).sum();
        let squares = four.map(|colour| (colour[channel] * 4 - sum).pow(2));
        // Four times too large each, so 16 times squared; and four pixels.
        squares.iter().sum::<i32>() / 64
    };
    (off(0) + off(1)).unsigned_abs() / 3
}

#[cfg(test)]
mod tests {
    use gc_model::geometry::Size;

    use super::*;

    const SIDE: u32 = 64;

    fn look(colours: &mut Colours, at: Duration, pixel: impl Fn(u32, u32) -> [u8; 3]) -> bool {
        let pixels: Vec<u8> = (0..SIDE * SIDE)
            .flat_map(|index| {
                let [blue, green, red] = pixel(index % SIDE, index / SIDE);
                [blue, green, red, 0]
            })
            .collect();
        let size = Size::new(SIDE, SIDE).expect("a small size");
        let frame = FrameView::new(size, SIDE as usize * 4, &pixels).expect("a whole frame");
        colours.are_fine(Moment::ZERO + at, &frame, &[Rect::whole(size)])
    }

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn striped(x: u32, _: u32) -> [u8; 3] {
        if x.is_multiple_of(2) {
            [255, 0, 0]
        } else {
            [0, 0, 255]
        }
    }

    /// Waves in all colours, with grain.
    fn photo(x: u32, y: u32) -> [u8; 3] {
        let grain = (x * 7 + y * 13) % 5;
        [x * 3 + grain, y * 2 + grain, 120 + x + grain].map(|level| level as u8)
    }

    #[test]
    fn coloured_lines_are_fine_and_a_photo_or_grey_text_is_not() {
        assert!(look(&mut Colours::default(), seconds(0), striped));
        assert!(!look(&mut Colours::default(), seconds(0), photo));
        let text = |x: u32, y: u32| [if (x + y).is_multiple_of(2) { 0 } else { 255 }; 3];
        assert!(!look(&mut Colours::default(), seconds(0), text));
    }

    #[test]
    fn a_change_is_followed_once_in_five_seconds_at_most() {
        let mut colours = Colours::default();
        assert!(look(&mut colours, seconds(10), striped));

        for _ in 0..100 {
            assert!(look(&mut colours, seconds(14), photo));
        }
        assert!(!look(&mut colours, seconds(15), photo));
        for _ in 0..100 {
            assert!(!look(&mut colours, seconds(19), striped));
        }
        assert!(look(&mut colours, seconds(20), striped));
    }

    #[test]
    fn pictures_without_a_square_of_four_say_nothing() {
        let size = Size::new(1, 1).expect("a small size");
        let frame = FrameView::new(size, 4, &[0; 4]).expect("a whole frame");
        assert_eq!(loss(&frame, &[Rect::whole(size)]), None);
        assert_eq!(loss(&frame, &[]), None);
    }
}
