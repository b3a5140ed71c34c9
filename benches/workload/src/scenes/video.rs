//! Films: a panning texture under a moving light, a disc that flies about, and grain; and a small
//! one over which thin coloured lines run, as in a chart that is drawn all the time.

use std::thread;

use x11rb::protocol::xproto::Window;

use super::{Scene, Stage};
use crate::canvas::{Canvas, Rgb};
use crate::picture::{hash, photograph};
use crate::screen::{Area, Screen, Stored};

/// Pixels from one coloured line to the next.
const LINES_PX: u32 = 12;

#[derive(Clone, Copy)]
struct Film {
    width: u16,
    height: u16,
    has_lines: bool,
}

const CAMERA: Film = Film {
    width: 1_280,
    height: 720,
    has_lines: false,
};

const CHART: Film = Film {
    width: 256,
    height: 144,
    has_lines: true,
};

/// Played back and forth: 6.6 seconds at 30 frames a second until it repeats.
const FRAMES: u16 = 100;

pub(super) struct Video {
    window: Window,
    film: Vec<Stored>,
}

impl Video {
    pub(super) fn camera(stage: &Stage) -> anyhow::Result<Self> {
        Self::new(stage, CAMERA)
    }

    pub(super) fn chart(stage: &Stage) -> anyhow::Result<Self> {
        Self::new(stage, CHART)
    }

    fn new(stage: &Stage, kind: Film) -> anyhow::Result<Self> {
        stage.desktop(0)?;
        let texture = photograph(
            kind.width + FRAMES * 4 + 8,
            kind.height + FRAMES * 2 + 8,
            stage.seed + 77,
        );
        let film = shoot(kind, &texture)
            .iter()
            .map(|frame| stage.screen.store(frame))
            .collect::<Result<Vec<_>, _>>()?;
        let area = Area::new(320, 180, kind.width, kind.height);
        let window = stage.screen.window(area, Rgb::BLACK)?;
        stage.screen.show(film[0], window)?;
        Ok(Self { window, film })
    }
}

impl Scene for Video {
    fn draw(&mut self, screen: &Screen, frame: u32) -> anyhow::Result<()> {
        let turn = self.film.len() - 1;
        let place = frame as usize % (2 * turn);
        let place = if place > turn {
            2 * turn - place
        } else {
            place
        };
        screen.show(self.film[place], self.window)
    }
}

/// All frames, made on two threads.
fn shoot(kind: Film, texture: &Canvas) -> Vec<Canvas> {
    let half = FRAMES / 2;
    thread::scope(|scope| {
        let second = scope.spawn(|| {
            (half..FRAMES)
                .map(|number| film_frame(kind, texture, number))
                .collect::<Vec<_>>()
        });
        let mut frames: Vec<_> = (0..half)
            .map(|number| film_frame(kind, texture, number))
            .collect();
        frames.extend(second.join().expect("drawing does not panic"));
        frames
    })
}

fn film_frame(kind: Film, texture: &Canvas, number: u16) -> Canvas {
    let time = f32::from(number);
    let (width, height) = (f32::from(kind.width), f32::from(kind.height));
    let light = (
        width * (0.5 + 0.4 * (time * 0.06).sin()),
        height * (0.5 + 0.3 * (time * 0.045).cos()),
    );
    let disc = (
        width * (0.5 + 0.35 * (time * 0.09).cos()),
        height * (0.5 + 0.35 * (time * 0.11).sin()),
    );
    let pan = (u32::from(number) * 4, u32::from(number) * 2);
    Canvas::painted(kind.width, kind.height, |x, y| {
        if kind.has_lines && (x + pan.0).is_multiple_of(LINES_PX) {
            let is_red = (y / LINES_PX).is_multiple_of(2);
            return if is_red {
                Rgb::of(255.0, 0.0, 0.0)
            } else {
                Rgb::of(0.0, 0.0, 255.0)
            };
        }
        let grain = (hash(x, y, u32::from(number) + 1_000) & 7) as f32 - 3.0;
        let (dx, dy) = (x as f32 - disc.0, y as f32 - disc.1);
        if dx * dx + dy * dy < 90.0 * 90.0 {
            return Rgb::of(240.0 - 0.4 * dx.abs(), 180.0 - 0.5 * dy.abs(), 60.0 + grain);
        }
        let (dx, dy) = (x as f32 - light.0, y as f32 - light.1);
        let brightness = 1.25 - (dx * dx + dy * dy) * 1.1e-6;
        let [red, green, blue] = texture.pixel(x + pan.0, y + pan.1).channels();
        Rgb::of(
            red * brightness + grain,
            green * brightness + grain,
            blue * brightness + grain,
        )
    })
}
