//! Where two pictures differ. GDI does not say what changed on the screen, so
//! each look is compared with the one before, in the codec's grid of tiles:
//! the encoder then looks at exactly these tiles again and at no other.

use gc_codec::{BYTES_PER_PIXEL, FrameView, TILE_HEIGHT_PX, TILE_WIDTH_PX};
use gc_model::geometry::{Rect, Size};

/// The tiles in which `now` differs from `before`, as few rectangles that do
/// not overlap. Pictures of different sizes differ everywhere.
pub fn changed_tiles(now: &FrameView<'_>, before: &FrameView<'_>) -> Vec<Rect> {
    let size = now.size();
    if before.size() != size {
        return vec![Rect::whole(size)];
    }
    let mut columns = vec![false; size.width().div_ceil(TILE_WIDTH_PX) as usize];
    let mut found: Vec<Rect> = Vec::new();
    // Rectangles that end at the top of the band at hand: only these can grow.
    let mut above = 0..0;
    for top in (0..size.height()).step_by(TILE_HEIGHT_PX as usize) {
        let bottom = (top + TILE_HEIGHT_PX).min(size.height());
        columns.fill(false);
        for y in top..bottom {
            mark_changed_columns(
                now.row(0, y, size.width()),
                before.row(0, y, size.width()),
                &mut columns,
            );
        }
        let first = found.len();
        let mut grown = Vec::new();
        for run in runs(&columns) {
            let rect = band_rect(&run, top, bottom, size);
            let twin = above.clone().find(|&index: &usize| {
                let other: &Rect = &found[index];
                other.x == rect.x && other.width == rect.width
            });
            match twin {
                Some(index) => {
                    found[index].height += rect.height;
                    grown.push(found[index]);
                    found[index] = Rect { width: 0, ..rect };
                }
                None => found.push(rect),
            }
        }
        found.extend(grown);
        above = first..found.len();
    }
    found.retain(|rect| !rect.is_empty());
    found
}

fn mark_changed_columns(now: &[u8], before: &[u8], columns: &mut [bool]) {
    if now == before {
        return;
    }
    let span = TILE_WIDTH_PX as usize * BYTES_PER_PIXEL;
    for ((now, before), changed) in now.chunks(span).zip(before.chunks(span)).zip(columns) {
        *changed = *changed || now != before;
    }
}

/// Ranges of neighbouring columns that changed.
fn runs(columns: &[bool]) -> impl Iterator<Item = std::ops::Range<u32>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + columns[at..].iter().position(|&changed| changed)?;
        let end = columns[start..]
            .iter()
            .position(|&changed| !changed)
            .map_or(columns.len(), |length| start + length);
        at = end;
        Some(start as u32..end as u32)
    })
}

fn band_rect(run: &std::ops::Range<u32>, top: u32, bottom: u32, size: Size) -> Rect {
    let left = run.start * TILE_WIDTH_PX;
    let right = (run.end * TILE_WIDTH_PX).min(size.width());
    Rect {
        x: left,
        y: top,
        width: right - left,
        height: bottom - top,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 200x40 pixels: four columns and three bands, the last ones cut.
    fn picture(dots: &[(u32, u32)]) -> Vec<u8> {
        let mut data = vec![0; 200 * 40 * BYTES_PER_PIXEL];
        for (x, y) in dots {
            data[((y * 200 + x) as usize) * BYTES_PER_PIXEL] = 0xff;
        }
        data
    }

    fn changes(dots: &[(u32, u32)]) -> Vec<Rect> {
        let size = Size::new(200, 40).expect("a small size");
        let (now, before) = (picture(dots), picture(&[]));
        changed_tiles(
            &FrameView::new(size, 800, &now).expect("whole rows"),
            &FrameView::new(size, 800, &before).expect("whole rows"),
        )
    }

    #[test]
    fn equal_pictures_have_no_changes() {
        assert_eq!(changes(&[]), []);
    }

    #[test]
    fn a_dot_changes_its_tile() {
        assert_eq!(
            changes(&[(70, 20)]),
            [Rect {
                x: 64,
                y: 16,
                width: 64,
                height: 16
            }]
        );
    }

    #[test]
    fn the_last_tile_ends_with_the_picture() {
        assert_eq!(
            changes(&[(199, 39)]),
            [Rect {
                x: 192,
                y: 32,
                width: 8,
                height: 8
            }]
        );
    }

    #[test]
    fn neighbours_become_one_rectangle() {
        assert_eq!(
            changes(&[(0, 0), (70, 3), (10, 20), (127, 17)]),
            [Rect {
                x: 0,
                y: 0,
                width: 128,
                height: 32
            }]
        );
    }

    #[test]
    fn far_apart_changes_stay_apart() {
        let expected = [
            Rect {
                x: 0,
                y: 0,
                width: 64,
                height: 16,
            },
            Rect {
                x: 128,
                y: 0,
                width: 64,
                height: 16,
            },
        ];

        assert_eq!(changes(&[(0, 0), (130, 0)]), expected);
    }

    #[test]
    fn every_changed_pixel_is_inside_exactly_one_rectangle() {
        let dots = [
            (0, 0),
            (70, 0),
            (199, 0),
            (5, 18),
            (199, 18),
            (64, 33),
            (128, 39),
        ];

        let found = changes(&dots);

        for (x, y) in dots {
            let holds = |rect: &&Rect| rect.columns().contains(&x) && rect.rows().contains(&y);
            assert_eq!(
                found.iter().filter(holds).count(),
                1,
                "({x}, {y}) in {found:?}"
            );
        }
    }
}
