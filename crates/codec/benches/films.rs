//! What the video codecs make of films, side by side:
//! `cargo bench -p gc-codec --features vp9,openh264 --bench films`. A table: time, bytes and
//! likeness (PSNR of the colours, as the decoder shows them) for the same pictures and budgets.

use std::time::{Duration, Instant};

use gc_codec::{
    BYTES_PER_PIXEL, FilmEncoder, FilmFormat, FilmFormats, FilmOrder, FilmQuality, FrameView,
    film_codecs,
};
use gc_model::geometry::Size;
use gc_video::testing::{animation, camera, likeness};
use gc_video::{Picture, PictureDecoder as _};

/// Played back and forth; the first round is for the encoders to find their quality.
const FRAMES: usize = 12;
const ROUNDS: usize = 3;

/// Bytes of one frame: 1, 2, 8 and 40 Mbit/s at 30 frames a second.
const BUDGETS: [usize; 4] = [4_167, 8_333, 33_333, 166_667];

/// As the agent packs films, and a browser shows them.
struct Contender {
    format: FilmFormat,
    encoder: Box<dyn FilmEncoder>,
    vp9: gc_vpx::Decoder,
    h264: gc_openh264::Decoder,
}

impl Contender {
    fn new(format: FilmFormat, size: Size) -> Self {
        let codecs = film_codecs(&[format]);
        let coded = codecs[0].coded_size(size.width(), size.height());
        let (width, height) = coded.expect("a size that it takes");
        Self {
            format,
            encoder: codecs[0].open(width, height).expect("an encoder"),
            vp9: gc_vpx::Decoder::new().expect("a decoder"),
            h264: gc_openh264::Decoder::new().expect("a decoder"),
        }
    }

    fn pack(&mut self, picture: &FrameView<'_>, target_bytes: usize) -> Vec<u8> {
        let order = FilmOrder {
            formats: FilmFormats::NONE.with(self.format),
            target_bytes,
            quality: FilmQuality::Good,
        };
        let packet = self.encoder.encode(picture, &order);
        packet.expect("a packet").data
    }

    fn show(&mut self, packet: &[u8]) -> Picture {
        match self.format {
            FilmFormat::Vp9 | FilmFormat::Vp9FullChroma => {
                self.vp9.decode(packet).expect("a picture")
            }
            FilmFormat::H264 => self.h264.decode(packet).expect("a picture"),
        }
    }
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e3
}

fn play(contender: &mut Contender, size: Size, film: &[Vec<u8>], target: usize) -> String {
    let stride = size.width() as usize * BYTES_PER_PIXEL;
    let (mut times, mut bytes, mut likenesses) = (Vec::new(), Vec::new(), Vec::new());
    let back_and_forth = (0..FRAMES).chain((1..FRAMES - 1).rev());
    let steps = back_and_forth.cycle().take(FRAMES * 2 * ROUNDS);
    for (step, index) in steps.enumerate() {
        let picture = FrameView::new(size, stride, &film[index]).expect("a whole picture");
        let started = Instant::now();
        let packet = contender.pack(&picture, target);
        let took = started.elapsed();
        let shown = contender.show(&packet);
        if step < FRAMES * 2 {
            continue;
        }
        times.push(took);
        bytes.push(packet.len());
        if step % 4 == 0 {
            likenesses.push(likeness(&shown.to_bgrx(), &film[index]));
        }
    }
    let mean = bytes.iter().sum::<usize>() / bytes.len();
    let likeness = likenesses.iter().sum::<f64>() / likenesses.len() as f64;
    format!("{:>6.2} ms {mean:>7} B {likeness:>5.2} dB", median(times))
}

fn main() {
    type Draw = fn(Size, usize) -> Vec<u8>;
    let films: [(&str, Draw); 2] = [("camera", camera), ("drawn", animation)];
    for (width, height) in [(960, 540), (1_920, 1_080)] {
        let size = Size::new(width, height).expect("a usual size");
        for (name, draw) in films {
            let film: Vec<_> = (0..FRAMES).map(|number| draw(size, number)).collect();
            for target in BUDGETS {
                print!("{width}x{height} {name:<6} {target:>6} B");
                for format in FilmFormat::ALL {
                    let played = play(&mut Contender::new(format, size), size, &film, target);
                    print!(" | {format} {played}");
                }
                println!();
            }
        }
    }
}
