//! Tiles as few rectangles.

use gc_model::geometry::Rect;

/// Joins neighbouring tiles' bounds (sorted by tile) into few rectangles: runs
/// along a row of tiles, and equal runs below each other.
pub(super) fn merge(parts: &[(usize, Rect)], columns: usize) -> Vec<Rect> {
    let mut runs: Vec<(usize, Rect)> = Vec::new();
    let mut previous: Option<usize> = None;
    for &(index, bounds) in parts {
        let row = index / columns;
        let follows = previous == index.checked_sub(1) && index % columns != 0;
        previous = Some(index);
        if follows
            && let Some((_, run)) = runs.last_mut()
            && worth_joining(*run, bounds)
        {
            *run = run.union(bounds);
            continue;
        }
        runs.push((row, bounds));
    }

    let mut done: Vec<Rect> = Vec::with_capacity(runs.len());
    // Rectangles that end with the row of tiles above, and may still grow down.
    let mut open: Vec<Rect> = Vec::new();
    for row in runs.chunk_by(|a, b| a.0 == b.0) {
        let mut grown = Vec::with_capacity(row.len());
        for &(_, run) in row {
            let fits = |upper: &Rect| {
                upper.bottom() == run.y && upper.x == run.x && upper.width == run.width
            };
            match open.iter().position(fits) {
                Some(at) => grown.push(open.swap_remove(at).union(run)),
                None => grown.push(run),
            }
        }
        done.append(&mut open);
        open = grown;
    }
    done.append(&mut open);
    done
}

/// Joining may add at most a quarter of pixels that did not change, plus what a rectangle costs.
fn worth_joining(a: Rect, b: Rect) -> bool {
    const RECT_COST_PX: usize = 64;
    let apart = a.area() + b.area();
    a.union(b).area() <= apart + apart / 4 + RECT_COST_PX
}
