//! Rectangles of pixels and what is reckoned with them, for everybody.
//!
//! No numbers overflow, wherever they come from: a rectangle ends at the last number at the
//! latest, which no picture reaches.

use std::ops::Range;

use super::Size;

/// A rectangle inside a picture, in pixels from its top left corner.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Rect {
    /// Left edge.
    pub x: u32,
    /// Top edge.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

impl Rect {
    /// The whole of a picture.
    pub const fn whole(size: Size) -> Self {
        Self {
            x: 0,
            y: 0,
            width: size.width,
            height: size.height,
        }
    }

    /// What lies between these edges, `right` and `bottom` exclusive, and not left of or above
    /// the picture's corner; empty when there is none.
    #[must_use]
    pub fn between(left: i32, top: i32, right: i32, bottom: i32) -> Self {
        let inside = |edge: i32| edge.max(0).unsigned_abs();
        Self::of_edges(inside(left), inside(top), inside(right), inside(bottom))
    }

    fn of_edges(left: u32, top: u32, right: u32, bottom: u32) -> Self {
        Self {
            x: left,
            y: top,
            width: right.saturating_sub(left),
            height: bottom.saturating_sub(top),
        }
    }

    /// Right edge: the first column that is not in it.
    pub const fn right(self) -> u32 {
        self.x.saturating_add(self.width)
    }

    /// Bottom edge: the first row that is not in it.
    pub const fn bottom(self) -> u32 {
        self.y.saturating_add(self.height)
    }

    /// Its columns, from the left.
    pub const fn columns(self) -> Range<u32> {
        self.x..self.right()
    }

    /// Its rows, from the top.
    pub const fn rows(self) -> Range<u32> {
        self.y..self.bottom()
    }

    /// Number of pixels.
    pub const fn area(self) -> usize {
        (self.width as usize).saturating_mul(self.height as usize)
    }

    /// True when it covers no pixel.
    pub const fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// True when it lies wholly inside a picture of `size`, however large its numbers are.
    pub const fn fits(self, size: Size) -> bool {
        self.x as u64 + self.width as u64 <= size.width as u64
            && self.y as u64 + self.height as u64 <= size.height as u64
    }

    /// The part of it that lies inside a picture of `size`; empty when there is none.
    #[must_use]
    pub fn clamped(self, size: Size) -> Self {
        let x = self.x.min(size.width);
        let y = self.y.min(size.height);
        Self {
            x,
            y,
            width: self.width.min(size.width - x),
            height: self.height.min(size.height - y),
        }
    }

    /// True when all of `inner` lies between its edges.
    pub const fn contains(self, inner: Self) -> bool {
        inner.x >= self.x
            && inner.y >= self.y
            && inner.right() <= self.right()
            && inner.bottom() <= self.bottom()
    }

    /// True when a pixel is in both.
    pub fn overlaps(self, other: Self) -> bool {
        self.intersection(other).is_some()
    }

    /// The pixels that are in both; `None` when there are none.
    pub fn intersection(self, other: Self) -> Option<Self> {
        let both = Self::of_edges(
            self.x.max(other.x),
            self.y.max(other.y),
            self.right().min(other.right()),
            self.bottom().min(other.bottom()),
        );
        (!both.is_empty()).then_some(both)
    }

    /// The smallest rectangle around both; an empty one adds nothing.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return self;
        }
        Self::of_edges(
            self.x.min(other.x),
            self.y.min(other.y),
            self.right().max(other.right()),
            self.bottom().max(other.bottom()),
        )
    }

    /// The same further right and down; `None` when its corner would lie outside of any picture.
    pub fn shifted(self, dx: i32, dy: i32) -> Option<Self> {
        Some(Self {
            x: self.x.checked_add_signed(dx)?,
            y: self.y.checked_add_signed(dy)?,
            ..self
        })
    }

    /// A rectangle of the part `area` of a picture, as one of the whole picture.
    #[must_use]
    pub const fn placed_in(self, area: Self) -> Self {
        Self {
            x: area.x.saturating_add(self.x),
            y: area.y.saturating_add(self.y),
            ..self
        }
    }

    /// A rectangle of a whole picture that lies inside its part `area`, as one of that part.
    #[must_use]
    pub const fn seen_from(self, area: Self) -> Self {
        Self {
            x: self.x.saturating_sub(area.x),
            y: self.y.saturating_sub(area.y),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Of a grid that is small enough to look at each of its pixels.
    fn small() -> impl Strategy<Value = Rect> {
        rects(0_u32..12, 0_u32..8)
    }

    /// Any that a hostile message may name, the largest numbers often.
    fn hostile() -> impl Strategy<Value = Rect> {
        let number = || prop_oneof![any::<u32>(), Just(u32::MAX), Just(u32::MAX - 1), 0_u32..3];
        rects(number(), number())
    }

    fn rects(
        place: impl Strategy<Value = u32> + Clone,
        side: impl Strategy<Value = u32> + Clone,
    ) -> impl Strategy<Value = Rect> {
        (place.clone(), place, side.clone(), side).prop_map(|(x, y, width, height)| Rect {
            x,
            y,
            width,
            height,
        })
    }

    fn pixels(rect: Rect) -> impl Iterator<Item = (u32, u32)> {
        rect.rows()
            .flat_map(move |y| rect.columns().map(move |x| (x, y)))
    }

    fn holds(rect: Rect, (x, y): (u32, u32)) -> bool {
        rect.columns().contains(&x) && rect.rows().contains(&y)
    }

    proptest! {
        #[test]
        fn an_intersection_has_the_pixels_of_both_and_no_others(a in small(), b in small()) {
            let both: Vec<_> = pixels(a).filter(|&pixel| holds(b, pixel)).collect();

            let found: Vec<_> = a.intersection(b).into_iter().flat_map(pixels).collect();

            prop_assert_eq!(found, both);
            prop_assert_eq!(a.intersection(b), b.intersection(a));
            prop_assert_eq!(a.overlaps(b), a.intersection(b).is_some());
        }

        #[test]
        fn a_union_is_the_smallest_around_both(a in small(), b in small()) {
            let around = a.union(b);

            prop_assert!([a, b].into_iter().flat_map(pixels).all(|pixel| holds(around, pixel)));
            prop_assert_eq!(around.area(), b.union(a).area());
            let reached = |inside: &dyn Fn((u32, u32)) -> bool| {
                around.is_empty() || [a, b].into_iter().flat_map(pixels).any(inside)
            };
            prop_assert!(reached(&|(x, _)| x == around.x));
            prop_assert!(reached(&|(_, y)| y == around.y));
            prop_assert!(reached(&|(x, _)| x + 1 == around.right()));
            prop_assert!(reached(&|(_, y)| y + 1 == around.bottom()));
        }

        #[test]
        fn one_contains_another_when_it_has_all_of_its_pixels(a in small(), b in small()) {
            prop_assume!(!b.is_empty());

            prop_assert_eq!(a.contains(b), pixels(b).all(|pixel| holds(a, pixel)));
        }

        #[test]
        fn clamping_leaves_the_pixels_inside(rect in hostile(), width in 1_u32..5, height in 1_u32..5) {
            let size = Size::new(width, height).expect("a small size");
            let inside: Vec<_> = pixels(Rect::whole(size)).filter(|&pixel| holds(rect, pixel)).collect();

            let clamped = rect.clamped(size);

            prop_assert!(clamped.fits(size));
            prop_assert_eq!(pixels(clamped).collect::<Vec<_>>(), inside);
            prop_assert_eq!(rect.fits(size) && !rect.is_empty(), clamped == rect && !rect.is_empty());
        }

        #[test]
        fn the_largest_numbers_do_not_overflow(
            a in hostile(), b in hostile(), dx: i32, dy: i32, edges: [i32; 4],
        ) {
            let both = a.intersection(b);

            prop_assert_eq!(both, b.intersection(a));
            prop_assert!(both.is_none_or(|both| a.contains(both) && b.contains(both)));
            let around = a.union(b);
            prop_assert!(a.is_empty() || around.contains(a));
            prop_assert!(b.is_empty() || around.contains(b));
            let [left, top, right, bottom] = edges;
            let between = Rect::between(left, top, right, bottom);
            prop_assert_eq!(between.is_empty(), right <= left.max(0) || bottom <= top.max(0));
            if let Some(shifted) = a.shifted(dx, dy) {
                prop_assert_eq!(i64::from(shifted.x) - i64::from(a.x), i64::from(dx));
                prop_assert_eq!(i64::from(shifted.y) - i64::from(a.y), i64::from(dy));
            }
            prop_assert!(a.seen_from(b).x <= a.x && a.placed_in(b).x >= a.x);
            prop_assert_eq!(a.area() == 0, a.is_empty());
        }

        #[test]
        fn what_a_part_shows_stands_where_it_was(inner in small(), area in small()) {
            prop_assert_eq!(inner.placed_in(area).seen_from(area), inner);
        }
    }

    #[test]
    fn edges_beyond_the_corner_are_cut() {
        let expected = Rect {
            x: 0,
            y: 3,
            width: 5,
            height: 4,
        };

        assert_eq!(Rect::between(-2, 3, 5, 7), expected);
    }
}
