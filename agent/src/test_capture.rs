//! `--test-capture`: shows that the screen can be read, and how fast.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use gc_codec::{Abilities, Colours, EncodeOrder, Encoder, FrameView, Pending, UpdateError};
use gc_model::geometry::Rect;
use gc_platform::{Desktop, Grab, Host as _};

use crate::clock::Clock;
use crate::platform;

/// Whole pictures that are read and encoded.
const PICTURES: usize = 10;

/// How long changes are watched after that.
const WATCH: Duration = Duration::from_secs(2);

/// 10 s: what a better way of reading the screen needs may have to be loaded first.
const SETTLE_PATIENCE: Duration = Duration::from_secs(10);

/// Every pixel exactly, however many bytes it takes.
const EXACT: EncodeOrder = EncodeOrder {
    restart: false,
    budget_bytes: usize::MAX / 2,
    colours: Colours::All,
    rested: Duration::ZERO,
    hold_films: false,
    viewer: Abilities {
        moves: true,
        photos: true,
    },
    film: None,
    glance_above_bytes: None,
};

/// Reads the screen into a PNG file and prints layout and timings.
///
/// # Errors
/// When there is no screen, it cannot be read, or the file cannot be written.
pub fn test_capture(path: &Path) -> anyhow::Result<()> {
    let host = platform::host();
    let mut desktop = host.open_desktop().context("open the desktop")?;
    let layout = desktop.layout().context("read the layout")?;
    println!(
        "picture  {} x {} pixels",
        layout.picture.width(),
        layout.picture.height()
    );
    for display in &layout.displays {
        let (width, height) = (display.size.width(), display.size.height());
        let primary = if display.primary { ", primary" } else { "" };
        println!(
            "display  {:?}: {width} x {height} at {},{}{primary}",
            display.name, display.x, display.y
        );
    }
    println!(
        "input    {}",
        match desktop.open_input() {
            Ok(_) => "available".to_owned(),
            Err(error) => format!("not available: {error}"),
        }
    );
    settle(&mut desktop)?;
    measure_pictures(&mut desktop, path)?;
    measure_changes(&mut desktop)?;
    println!("written  {}", path.display());
    Ok(())
}

/// Waits until the screen is read in the way that viewers see most of the time, and says how
/// soon they see it at all.
fn settle(desktop: &mut Box<dyn Desktop>) -> anyhow::Result<()> {
    let began = Instant::now();
    let mut capture = desktop.open_capture().context("open the capture")?;
    capture.grab().context("read the screen")?;
    let mut longest = began.elapsed();
    println!(
        "first    picture after {:.0} ms",
        longest.as_secs_f64() * 1e3
    );
    while capture.source().is_some_and(|source| source.for_now) && began.elapsed() < SETTLE_PATIENCE
    {
        capture.wait(WATCH).context("wait for a change")?;
        let started = Instant::now();
        capture.grab().context("read the screen")?;
        longest = longest.max(started.elapsed());
    }
    let settled = [began.elapsed(), longest].map(|time| time.as_secs_f64() * 1e3);
    println!(
        "settled  after {:.0} ms, in which one picture took up to {:.0} ms",
        settled[0], settled[1]
    );
    Ok(())
}

fn measure_pictures(desktop: &mut Box<dyn Desktop>, path: &Path) -> anyhow::Result<()> {
    let clock = Clock::new();
    let (mut captures, mut encodes, mut bytes) = (Vec::new(), Vec::new(), 0);
    for picture in 0..PICTURES {
        let mut capture = desktop.open_capture().context("open the capture")?;
        let started = Instant::now();
        let Grab::Changed(rects) = capture.grab().context("read the screen")? else {
            anyhow::bail!("the screen changes its layout right now; try again");
        };
        captures.push(started.elapsed());
        let frame = capture.frame();
        if picture == 0 {
            if let Some(source) = capture.source() {
                println!("read by  {source}");
            }
            write_png(path, &frame).with_context(|| format!("write {}", path.display()))?;
        }
        let mut encoder = Encoder::new(frame.size()).context("make an encoder")?;
        let order = EncodeOrder {
            restart: true,
            ..EXACT
        };
        let started = Instant::now();
        bytes = encode(&mut encoder, clock, &frame, &rects, order).context("encode the picture")?;
        encodes.push(started.elapsed());
    }
    println!(
        "capture  {} for each of {PICTURES} whole pictures",
        spread(&mut captures)
    );
    println!("encode   {}, {bytes} bytes", spread(&mut encodes));
    Ok(())
}

/// Packs all that changed, in as many updates as it takes; their bytes.
fn encode(
    encoder: &mut Encoder,
    clock: Clock,
    frame: &FrameView<'_>,
    changed: &[Rect],
    mut order: EncodeOrder,
) -> Result<usize, UpdateError> {
    let mut changed = changed;
    let mut bytes = 0;
    loop {
        let encoded = encoder.encode(clock.now(), frame, changed, &order)?;
        bytes += encoded.update.map_or(0, |update| update.bytes());
        if encoded.pending != Pending::Now {
            return Ok(bytes);
        }
        order.restart = false;
        changed = &[];
    }
}

fn measure_changes(desktop: &mut Box<dyn Desktop>) -> anyhow::Result<()> {
    let clock = Clock::new();
    let mut capture = desktop.open_capture().context("open the capture")?;
    let mut encoder = None;
    let (mut costs, mut bytes) = (Vec::new(), 0);
    let end = Instant::now() + WATCH;
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        capture.wait(left).context("wait for a change")?;
        let started = Instant::now();
        match capture.grab().context("read the screen")? {
            Grab::Unchanged => {}
            Grab::Reopen => {
                (capture, encoder) = (desktop.open_capture().context("open the capture")?, None);
            }
            Grab::Changed(rects) => {
                let frame = capture.frame();
                let restart = encoder.is_none();
                let encoder = match &mut encoder {
                    Some(encoder) => encoder,
                    none => none.insert(Encoder::new(frame.size()).context("make an encoder")?),
                };
                let order = EncodeOrder { restart, ..EXACT };
                let packed =
                    encode(encoder, clock, &frame, &rects, order).context("encode a change")?;
                if !restart && packed > 0 {
                    costs.push(started.elapsed());
                    bytes += packed;
                }
            }
        }
    }
    if costs.is_empty() {
        println!("changes  none in {} s", WATCH.as_secs());
    } else {
        let count = costs.len();
        println!(
            "changes  {count} in {} s, {} to read and encode, {bytes} bytes",
            WATCH.as_secs(),
            spread(&mut costs)
        );
    }
    Ok(())
}

fn write_png(path: &Path, frame: &FrameView<'_>) -> anyhow::Result<()> {
    let (width, height) = (frame.size().width(), frame.size().height());
    let mut png = png::Encoder::new(BufWriter::new(File::create(path)?), width, height);
    png.set_color(png::ColorType::Rgb);
    png.set_depth(png::BitDepth::Eight);
    png.set_compression(png::Compression::Fast);
    let rgb: Vec<u8> = (0..height)
        .flat_map(|y| frame.row(0, y, width).chunks_exact(4))
        .flat_map(|pixel| [pixel[2], pixel[1], pixel[0]])
        .collect();
    let mut writer = png.write_header()?;
    writer.write_image_data(&rgb)?;
    Ok(writer.finish()?)
}

/// Shortest, middle and longest, in milliseconds.
fn spread(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let milliseconds = |time: Option<&Duration>| time.map_or(0.0, Duration::as_secs_f64) * 1e3;
    let (first, middle, last) = (times.first(), times.get(times.len() / 2), times.last());
    format!(
        "{:.2} / {:.2} / {:.2} ms",
        milliseconds(first),
        milliseconds(middle),
        milliseconds(last)
    )
}
