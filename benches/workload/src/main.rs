//! Draws on an X display what a benchmark or an end-to-end test then looks for on the
//! other side, and says on standard output, one JSON object a line, what happened when.
//! Everything drawn is made from a seed: two runs draw the same pixels.
//!
//! - `scene NAME` plays a kind of desktop work. Every frame carries a bar code with its
//!   number, and a patch changes colour on every key or button press, so that a viewer's
//!   canvas tells which frame it shows and when an input arrived.
//! - `picture` shows a picture whose pixels a test can calculate.
//! - `record` is a window that writes down the keys and buttons it receives.
//!
//! Times are microseconds of the monotonic clock, taken when the X server has drawn.

mod canvas;
mod marks;
mod output;
mod picture;
mod record;
mod scenes;
mod screen;
mod text;

use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::scenes::{Play, SceneName};
use crate::screen::Screen;

#[derive(Parser)]
#[command(about = "Draws known pictures and moving scenes on an X display")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Play a scene: prints `ready`, `frame`, `patch` and `end` lines.
    Scene {
        name: SceneName,
        /// How long to play.
        #[arg(long, default_value_t = 10.0)]
        seconds: f64,
        #[arg(long, default_value_t = 1)]
        seed: u32,
        /// Frames a second; each scene has its own default.
        #[arg(long)]
        rate: Option<f64>,
        /// Wait for a line on standard input before the first frame.
        #[arg(long)]
        hold: bool,
        /// Paint the scene and only serve the patch, until standard input closes; a number on it
        /// is a frame to draw on to.
        #[arg(long)]
        still: bool,
    },
    /// Show a picture of known pixels over the whole display until standard input closes.
    Picture {
        #[arg(long, default_value_t = 1)]
        seed: u32,
    },
    /// Write down keys and buttons until standard input closes.
    Record {
        /// Also take part in window management, so that the window can lose the focus.
        #[arg(long)]
        managed: bool,
    },
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Scene {
            name,
            seconds,
            seed,
            rate,
            hold,
            still,
        } => {
            let play = Play {
                length: Duration::try_from_secs_f64(seconds)?,
                rate: rate.unwrap_or(name.usual_rate()),
                hold,
                still,
            };
            scenes::play(&Screen::open()?, name, seed, &play)
        }
        Command::Picture { seed } => picture::show(&Screen::open()?, seed),
        Command::Record { managed } => record::run(&Screen::open()?, managed),
    }
}
