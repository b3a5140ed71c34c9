//! Copies of the screen for those who pack it. The screen is read into one place, again and
//! again; a copy stays as it is for as long as somebody works on it. So nobody waits for
//! another's work, and where everybody is done there is one copy, brought up to date in place.

use std::sync::Arc;

use gc_codec::{BYTES_PER_PIXEL, FrameView};
use gc_model::geometry::{Rect, Size};

/// More parts that differ than this, and a copy is made anew as a whole.
const MAX_STALE_RECTS: usize = 256;

/// Copies that nobody works on, kept for the next time.
const SPARE_COPIES: usize = 1;

/// The copies of a screen of one size.
pub(super) struct Pictures {
    size: Size,
    copies: Vec<Copy>,
}

struct Copy {
    pixels: Arc<Vec<u8>>,
    /// Where it is not as the screen was last read.
    stale: Vec<Rect>,
}

impl Pictures {
    pub(super) fn new(size: Size) -> Self {
        Self {
            size,
            copies: Vec::new(),
        }
    }

    /// Notes that the screen was read and differs there.
    pub(super) fn note_changed(&mut self, rects: &[Rect]) {
        for copy in &mut self.copies {
            copy.stale.extend_from_slice(rects);
            if copy.stale.len() > MAX_STALE_RECTS {
                copy.stale = vec![Rect::whole(self.size)];
            }
        }
    }

    /// The screen as `frame` shows it, which is how it was last read.
    pub(super) fn current(&mut self, frame: &FrameView<'_>) -> Arc<Vec<u8>> {
        if let Some(copy) = self.copies.iter().find(|copy| copy.stale.is_empty()) {
            return Arc::clone(&copy.pixels);
        }
        let cost = |copy: &Copy| copy.stale.iter().map(|rect| rect.area()).sum::<usize>();
        let idle = self.copies.iter_mut().filter_map(|copy| {
            let cost = cost(copy);
            Some((cost, Arc::get_mut(&mut copy.pixels)?, &mut copy.stale))
        });
        if let Some((_, pixels, stale)) = idle.min_by_key(|&(cost, ..)| cost) {
            for rect in stale.drain(..) {
                copy_rect(frame, pixels, rect);
            }
        } else {
            let mut pixels = vec![0; self.size.area() * BYTES_PER_PIXEL];
            copy_rect(frame, &mut pixels, Rect::whole(self.size));
            self.copies.push(Copy {
                pixels: Arc::new(pixels),
                stale: Vec::new(),
            });
        }
        let current = self.copies.iter().find(|copy| copy.stale.is_empty());
        let pixels = Arc::clone(&current.expect("made so just now").pixels);
        self.drop_spares();
        pixels
    }

    fn drop_spares(&mut self) {
        let mut spare = 0;
        self.copies.retain_mut(|copy| {
            let idle = Arc::get_mut(&mut copy.pixels).is_some();
            spare += usize::from(idle);
            !idle || spare <= SPARE_COPIES
        });
    }
}

fn copy_rect(frame: &FrameView<'_>, pixels: &mut [u8], rect: Rect) {
    let stride = frame.size().width() as usize * BYTES_PER_PIXEL;
    for y in rect.rows() {
        let row = frame.row(rect.x, y, rect.width);
        let start = y as usize * stride + rect.x as usize * BYTES_PER_PIXEL;
        pixels[start..start + row.len()].copy_from_slice(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: u32 = 8;

    struct Screen {
        pixels: Vec<u8>,
        pictures: Pictures,
    }

    impl Screen {
        fn new() -> Self {
            let size = Size::new(WIDTH, WIDTH).expect("a tiny screen");
            Self {
                pixels: vec![0; size.area() * BYTES_PER_PIXEL],
                pictures: Pictures::new(size),
            }
        }

        fn draw(&mut self, x: u32, level: u8) {
            let rect = Rect {
                x,
                y: 1,
                width: 2,
                height: 3,
            };
            for y in rect.rows() {
                let start = ((y * WIDTH + x) * 4) as usize;
                self.pixels[start..start + 8].fill(level);
            }
            self.pictures.note_changed(&[rect]);
        }

        fn current(&mut self) -> Arc<Vec<u8>> {
            let size = self.pictures.size;
            let frame = FrameView::new(size, WIDTH as usize * 4, &self.pixels).expect("whole");
            self.pictures.current(&frame)
        }
    }

    #[test]
    fn one_copy_serves_everybody_who_asks_at_once_and_is_used_again() {
        let mut screen = Screen::new();
        let first = screen.current();
        let second = screen.current();
        assert!(Arc::ptr_eq(&first, &second));
        let place = Arc::as_ptr(&first);
        drop((first, second));

        screen.draw(3, 9);
        let third = screen.current();

        assert_eq!(Arc::as_ptr(&third), place);
        assert_eq!(*third, screen.pixels);
    }

    #[test]
    fn what_somebody_works_on_stays_as_it_was() {
        let mut screen = Screen::new();
        let slow = screen.current();
        let before = screen.pixels.clone();

        for level in 1..10 {
            screen.draw(u32::from(level) % 6, level);
            assert_eq!(*screen.current(), screen.pixels, "after change {level}");
        }

        assert_eq!(*slow, before);
        assert_eq!(screen.pictures.copies.len(), 2);
        drop(slow);
        screen.draw(2, 77);
        assert_eq!(*screen.current(), screen.pixels);
    }

    #[test]
    fn more_changes_than_are_counted_are_all_in() {
        let mut screen = Screen::new();
        drop(screen.current());

        for change in 0..1_000_u32 {
            screen.draw(change % 6, change as u8);
        }

        assert_eq!(*screen.current(), screen.pixels);
    }
}
