//! The kinds of desktop work, and the clockwork that plays one of them.

mod drag;
mod idle;
mod scroll;
mod switch;
mod typing;
mod video;

use std::thread;
use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::ValueEnum;
use serde_json::json;

use crate::marks::{self, BarCode};
use crate::output::{heard_a_line, next_number, now_us, print, wait_for_end_of_input};
use crate::picture::photograph;
use crate::screen::{Area, Screen};
use crate::text::{Chance, Fonts, Paper};

/// One kind of work. `draw` makes frame `n` (from 1) out of frame `n - 1`.
trait Scene {
    fn draw(&mut self, screen: &Screen, frame: u32) -> anyhow::Result<()>;

    /// Where there is nothing but text on the screen, whatever the frame.
    fn text(&self) -> Option<Area> {
        None
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SceneName {
    /// Three windows and a blinking caret.
    Idle,
    /// A person types in an editor.
    Typing,
    /// A long document with photographs scrolls by, 40 pixels a frame.
    Scroll,
    /// A window is dragged over a photograph.
    Drag,
    /// A film of 1280 by 720 pixels plays.
    Video,
    /// A film of 256 by 144 pixels with thin coloured lines.
    Chart,
    /// Whole windows take turns twice a second.
    Switch,
}

impl SceneName {
    /// Frames a second.
    pub(crate) fn usual_rate(self) -> f64 {
        match self {
            Self::Idle | Self::Switch => 2.0,
            Self::Typing => 10.0,
            Self::Scroll | Self::Drag | Self::Video | Self::Chart => 30.0,
        }
    }

    fn paint(self, stage: &Stage) -> anyhow::Result<Box<dyn Scene>> {
        Ok(match self {
            Self::Idle => Box::new(idle::Idle::new(stage)?),
            Self::Typing => Box::new(typing::Typing::new(stage)?),
            Self::Scroll => Box::new(scroll::Scroll::new(stage)?),
            Self::Drag => Box::new(drag::Drag::new(stage)?),
            Self::Video => Box::new(video::Video::camera(stage)?),
            Self::Chart => Box::new(video::Video::chart(stage)?),
            Self::Switch => Box::new(switch::Switch::new(stage)?),
        })
    }
}

/// What every scene is painted with.
struct Stage<'a> {
    screen: &'a Screen,
    fonts: Fonts,
    seed: u32,
}

impl Stage<'_> {
    fn chance(&self) -> Chance {
        Chance::new(self.seed)
    }

    /// A photograph as wallpaper and some windows on it.
    fn desktop(&self, windows: usize) -> anyhow::Result<()> {
        let wallpaper = photograph(self.screen.width, self.screen.height, self.seed);
        self.screen.set_wallpaper(self.screen.store(&wallpaper)?)?;
        let mut chance = self.chance();
        for (place, (x, y)) in [(160, 120), (900, 200), (520, 560)]
            .into_iter()
            .take(windows)
            .enumerate()
        {
            let paper = if place % 2 == 0 {
                Paper::Light
            } else {
                Paper::Dark
            };
            let document = self
                .fonts
                .document(760, 420, "Document - Editor", paper, &mut chance);
            let window = self
                .screen
                .window(Area::new(x, y, 760, 420), crate::canvas::Rgb::WHITE)?;
            self.screen
                .set_background(window, self.screen.store(&document)?)?;
        }
        Ok(())
    }
}

pub(crate) struct Play {
    pub(crate) length: Duration,
    pub(crate) rate: f64,
    pub(crate) hold: bool,
    pub(crate) still: bool,
}

/// Paints the scene, plays it and says how that went.
pub(crate) fn play(screen: &Screen, name: SceneName, seed: u32, play: &Play) -> anyhow::Result<()> {
    ensure!(
        play.rate > 0.0 && play.rate <= 1_000.0,
        "a rate is more than 0 and at most 1000 frames a second"
    );
    let stage = Stage {
        screen,
        fonts: Fonts::load()?,
        seed,
    };
    let mut scene = name.paint(&stage)?;
    let bar_code = BarCode::new(screen)?;
    bar_code.show(screen, 0)?;
    screen.finish()?;
    marks::serve_patch()?;
    let label = format!("{name:?}").to_lowercase();
    print(&json!({
        "ready": label,
        "seed": seed,
        "rate": play.rate,
        "width": screen.width,
        "height": screen.height,
        "text": scene.text().map(|Area { x, y, width, height }| json!([x, y, width, height])),
    }));

    if play.still {
        return show_asked(screen, scene.as_mut(), &bar_code);
    }
    if play.hold && !heard_a_line() {
        return Ok(());
    }
    let frames = (play.length.as_secs_f64() * play.rate).round() as u32;
    let period = Duration::from_secs_f64(1.0 / play.rate);
    let start = Instant::now();
    let (mut drawn, mut late) = (0_u32, 0_u32);
    for frame in 1..=frames {
        let due = start + period * (frame - 1);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let lag = due.elapsed();
        late += u32::from(lag > period);
        if lag > period * 4 {
            continue;
        }
        scene.draw(screen, frame)?;
        bar_code.show(screen, frame)?;
        screen.finish()?;
        drawn += 1;
        print(&json!({ "frame": frame, "us": now_us() }));
    }
    thread::sleep((start + play.length).saturating_duration_since(Instant::now()));
    let seconds = start.elapsed().as_secs_f64();
    print(
        &json!({ "end": label, "drawn": drawn, "scheduled": frames, "late": late, "seconds": seconds }),
    );
    if play.hold {
        wait_for_end_of_input();
    }
    Ok(())
}

/// Draws on to each frame whose number is asked for, as fast as it goes, until standard input
/// closes.
fn show_asked(screen: &Screen, scene: &mut dyn Scene, bar_code: &BarCode) -> anyhow::Result<()> {
    let mut shown = 0;
    while let Some(asked) = next_number()? {
        for frame in shown + 1..=asked {
            scene.draw(screen, frame)?;
        }
        shown = shown.max(asked);
        bar_code.show(screen, shown)?;
        screen.finish()?;
        print(&json!({ "frame": shown, "us": now_us() }));
    }
    Ok(())
}
