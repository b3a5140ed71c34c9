//! Several outputs as one picture.

use std::time::Duration;

use gc_codec::{BYTES_PER_PIXEL, FrameView};
use gc_model::geometry::Rect;

use super::{Fault, Output, Pixels, Place, Rotation};
use crate::screen::{Monitor, VirtualScreen};

/// 50 ms: a few frames of the slowest monitor.
const FIRST_PATIENCE: Duration = Duration::from_millis(50);

/// Half a second in all: a monitor that sleeps shows nothing for longer.
const FIRST_ATTEMPTS: u32 = 10;

/// More rectangles than this cost more to copy one by one than their box does.
const MOST_RECTS: usize = 64;

/// The first surface of some drivers is black, and the second only says what differs from it.
const UNPROVEN_SURFACES: u8 = 2;

/// The picture and what makes it up.
pub struct Composer<O> {
    screen: VirtualScreen,
    parts: Vec<Part<O>>,
    /// BGRX rows of the whole virtual screen; black where no monitor is.
    picture: Vec<u8>,
}

struct Part<O> {
    output: O,
    place: Place,
    /// Its corner in the picture.
    corner: (u32, u32),
    /// What is new on the surface that is held; none is held without.
    held: Vec<Rect>,
    /// Whether the pointer has to be drawn on it, where that was said.
    pointer: Option<bool>,
    /// How many surfaces are still read as a whole, whatever is said to be new on them.
    unproven: u8,
}

impl<O: Output> Composer<O> {
    /// Waits for the first picture of the outputs that make up all `monitors`.
    ///
    /// # Errors
    /// [`Fault::Incomplete`] for a monitor that is no output, [`Fault::NoPicture`], or the outputs' own.
    pub fn open(
        screen: VirtualScreen,
        monitors: &[Monitor],
        outputs: Vec<O>,
    ) -> Result<Self, Fault> {
        let mut composer = Self {
            screen,
            parts: parts_of(screen, monitors, outputs)?,
            picture: vec![0; screen.size().area() * BYTES_PER_PIXEL],
        };
        for part in &mut composer.parts {
            part.await_first()?;
        }
        composer.grab()?;
        Ok(composer)
    }

    /// True when [`Composer::grab`] would have news.
    ///
    /// # Errors
    /// After one, the composer is of no use.
    pub fn poll(&mut self) -> Result<bool, Fault> {
        let mut is_new = false;
        for part in &mut self.parts {
            if part.held.is_empty() {
                part.acquire(Duration::ZERO)?;
            }
            is_new |= !part.held.is_empty();
        }
        Ok(is_new)
    }

    /// Brings the picture up to date; where it is new.
    ///
    /// # Errors
    /// After one, the composer is of no use.
    pub fn grab(&mut self) -> Result<Vec<Rect>, Fault> {
        let mut changed = Vec::new();
        let stride = self.screen.size().width() as usize * BYTES_PER_PIXEL;
        for part in &mut self.parts {
            // What was held may be old by now, so what came since is asked for too.
            for _ in 0..2 {
                if part.held.is_empty() {
                    part.acquire(Duration::ZERO)?;
                }
                part.paint(&mut self.picture, stride, &mut changed)?;
            }
        }
        Ok(changed)
    }

    /// The picture as of the last grab.
    pub fn view(&self) -> FrameView<'_> {
        self.screen.view(&self.picture)
    }

    /// The picture alone, as rows of the whole screen.
    pub fn into_picture(self) -> Vec<u8> {
        self.picture
    }

    /// False when a pointer that shows is a part of the pixels, so that nobody else may draw it.
    pub fn has_pointer_apart(&self) -> bool {
        let mut said = self.parts.iter().filter_map(|part| part.pointer).peekable();
        said.peek().is_none() || said.any(|drawn| drawn)
    }
}

/// For each monitor the output that shows it.
fn parts_of<O: Output>(
    screen: VirtualScreen,
    monitors: &[Monitor],
    mut outputs: Vec<O>,
) -> Result<Vec<Part<O>>, Fault> {
    let mut parts = Vec::new();
    for monitor in monitors {
        let index = outputs
            .iter()
            .position(|output| shows(&output.place(), monitor))
            .ok_or(Fault::Incomplete)?;
        let output = outputs.swap_remove(index);
        let place = output.place();
        let (x, y) = screen.to_picture(monitor.left, monitor.top);
        let corner = (
            u32::try_from(x).map_err(|_| Fault::Incomplete)?,
            u32::try_from(y).map_err(|_| Fault::Incomplete)?,
        );
        let size = place.rotation.turned(place.surface);
        let area = Rect {
            x: corner.0,
            y: corner.1,
            ..Rect::whole(size)
        };
        if !area.fits(screen.size()) {
            return Err(Fault::Incomplete);
        }
        parts.push(Part {
            output,
            place,
            corner,
            held: Vec::new(),
            pointer: None,
            unproven: UNPROVEN_SURFACES,
        });
    }
    if parts.is_empty() {
        return Err(Fault::Unsupported);
    }
    Ok(parts)
}

fn shows(place: &Place, monitor: &Monitor) -> bool {
    let size = place.rotation.turned(place.surface);
    let side = |from: i32, to: i32| to.checked_sub(from).and_then(|it| u32::try_from(it).ok());
    (place.left, place.top) == (monitor.left, monitor.top)
        && side(monitor.left, monitor.right) == Some(size.width())
        && side(monitor.top, monitor.bottom) == Some(size.height())
}

impl<O: Output> Part<O> {
    fn await_first(&mut self) -> Result<(), Fault> {
        for _ in 0..FIRST_ATTEMPTS {
            self.acquire(FIRST_PATIENCE)?;
            if !self.held.is_empty() {
                return Ok(());
            }
        }
        Err(Fault::NoPicture)
    }

    fn acquire(&mut self, patience: Duration) -> Result<(), Fault> {
        let news = self.output.acquire(patience)?;
        if news.pointer.is_some() {
            self.pointer = news.pointer;
        }
        let surface = self.place.surface;
        let whole = || vec![Rect::whole(surface)];
        let is_proven = self.unproven == 0;
        self.held = match news.pixels {
            Pixels::None => return Ok(()),
            Pixels::In(_) if !is_proven => whole(),
            Pixels::In(reported) => merged(
                reported
                    .into_iter()
                    .map(|rect| rect.on(surface))
                    .filter(|rect| !rect.is_empty())
                    .collect(),
            ),
            Pixels::Anywhere => whole(),
        };
        if self.held.is_empty() {
            self.output.release();
        }
        Ok(())
    }

    /// Copies what is new into the picture and lets go of the surface.
    fn paint(
        &mut self,
        picture: &mut [u8],
        stride: usize,
        changed: &mut Vec<Rect>,
    ) -> Result<(), Fault> {
        if self.held.is_empty() {
            return Ok(());
        }
        let areas = std::mem::take(&mut self.held);
        let (corner, rotation) = (self.corner, self.place.rotation);
        let read = self.output.read(&areas, &mut |surface| {
            for &area in &areas {
                copy_turned(surface, area, rotation, picture, stride, corner);
            }
        });
        self.output.release();
        read?;
        self.unproven = self.unproven.saturating_sub(1);
        for area in areas {
            let turned = rotation.rect(area, self.place.surface);
            changed.push(Rect {
                x: turned.x + corner.0,
                y: turned.y + corner.1,
                ..turned
            });
        }
        Ok(())
    }
}

/// The same rectangles, or their box when they are too many.
fn merged(rects: Vec<Rect>) -> Vec<Rect> {
    if rects.len() <= MOST_RECTS {
        return rects;
    }
    rects.into_iter().reduce(Rect::union).into_iter().collect()
}

/// Copies one area of a surface to where it stands on the screen.
fn copy_turned(
    surface: &FrameView<'_>,
    area: Rect,
    rotation: Rotation,
    picture: &mut [u8],
    stride: usize,
    corner: (u32, u32),
) {
    let size = surface.size();
    for y in area.rows() {
        let row = surface.row(area.x, y, area.width);
        let to = rotation.rect(
            Rect {
                x: area.x,
                y,
                width: area.width,
                height: 1,
            },
            size,
        );
        let at = |x: u32, y: u32| {
            (y + corner.1) as usize * stride + (x + corner.0) as usize * BYTES_PER_PIXEL
        };
        let pixels = row.chunks_exact(BYTES_PER_PIXEL);
        match rotation {
            Rotation::None => {
                let start = at(to.x, to.y);
                picture[start..start + row.len()].copy_from_slice(row);
            }
            Rotation::Half => {
                let start = at(to.x, to.y);
                let line = &mut picture[start..start + row.len()];
                for (pixel, to) in pixels.zip(line.chunks_exact_mut(BYTES_PER_PIXEL).rev()) {
                    to.copy_from_slice(pixel);
                }
            }
            Rotation::Quarter => {
                for (pixel, y) in pixels.zip(to.y..) {
                    let start = at(to.x, y);
                    picture[start..start + BYTES_PER_PIXEL].copy_from_slice(pixel);
                }
            }
            Rotation::ThreeQuarters => {
                for (pixel, y) in pixels.zip(to.rows().rev()) {
                    let start = at(to.x, y);
                    picture[start..start + BYTES_PER_PIXEL].copy_from_slice(pixel);
                }
            }
        }
    }
}
