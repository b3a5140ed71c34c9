//! Films by an encoder of the machine's hardware. It decides by itself how coarse a picture
//! becomes, and is told a rate; what it makes is H.264 in words of its own, and leaves in ours.

use gc_model::geometry::Size;
use gc_video::{Chroma, Picture};

use super::h264_rewrite::as_we_say_it;
use super::scale::{Planes, Sides};
use super::{
    FilmCodec, FilmEncoder, FilmError, FilmFormat, FilmMaker, FilmOrder, FilmPacket, FilmQuality,
};
use crate::frame::FrameView;

/// Some vendors' encoders take no smaller pictures (NVIDIA's none below 145 pixels, AMD's none
/// below 128), none takes larger ones, nor does level 5.1, which browsers ask for 4K.
const SIDES: Sides = Sides {
    min: 160,
    max_long: 4_096,
    max_short: 2_304,
};

/// The encoder thinks in bits a second, and is told that its pictures come so often. So its rate
/// is a budget for each picture, however often they really come.
const NOMINAL_FRAMES_A_SECOND: u32 = 30;

/// Rates below this are refused by some.
const MIN_BITS_A_SECOND: u32 = 100_000;

/// Nor rates above: level 4.1, which 1920x1080 has, ends at 50 million.
const MAX_BITS_A_SECOND: u32 = 40_000_000;

/// Bytes of a pixel that no film needs more of: what is finer is grain.
const ENOUGH_BYTES_PER_PIXEL: f64 = 0.125;
/// For slow links and slow machines.
const FAIR_BYTES_PER_PIXEL: f64 = 0.06;
const COARSE_BYTES_PER_PIXEL: f64 = 0.03;

/// A rate that differs by less, in percent, is the same: each change costs the encoder its balance.
const SAME_RATE_PERCENT: u32 = 10;

/// What an encoder of pictures made of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HardwarePacket {
    /// One access unit in Annex B format; a key frame begins with its parameters.
    pub data: Vec<u8>,
    /// It can be decoded without anything before it.
    pub key: bool,
}

/// Packs pictures of one size as H.264, one after the other. The first is a key frame.
pub trait HardwareEncoder: Send {
    /// How much it may make from the next picture on, at 30 pictures a second.
    ///
    /// # Errors
    /// It cannot be told while it runs, or broke.
    fn set_rate(&mut self, bits_per_second: u32) -> Result<(), FilmError>;

    /// Packs a picture in 4:2:0.
    ///
    /// # Errors
    /// It broke; it can only be replaced.
    fn encode(&mut self, picture: &Picture) -> Result<HardwarePacket, FilmError>;
}

/// An encoder that was started, and what it is.
pub type StartedEncoder = (Box<dyn HardwareEncoder>, FilmMaker);

/// Starts an encoder for pictures of a size, at a rate in bits a second.
type Start = dyn Fn(Size, u32) -> Result<StartedEncoder, FilmError> + Send + Sync;

/// A codec whose streams are packed by an encoder of the machine.
pub struct HardwareFilms(Box<Start>);

impl HardwareFilms {
    /// For encoders that `start` gives, for a size and a rate in bits a second.
    pub fn new(
        start: impl Fn(Size, u32) -> Result<StartedEncoder, FilmError> + Send + Sync + 'static,
    ) -> Self {
        Self(Box::new(start))
    }
}

impl FilmCodec for HardwareFilms {
    fn format(&self) -> FilmFormat {
        FilmFormat::H264
    }

    /// Even, and neither more nor less than encoders take.
    fn coded_size(&self, width: u32, height: u32) -> Option<(u32, u32)> {
        SIDES.size_for(width, height)
    }

    fn open(&self, width: u32, height: u32) -> Result<Box<dyn FilmEncoder>, FilmError> {
        let size = Size::new(width, height).map_err(|error| FilmError::caused_by(&error))?;
        let rate = most_for(size, FilmQuality::Good);
        let (encoder, maker) = (self.0)(size, rate)?;
        Ok(Box::new(Stream {
            encoder,
            maker,
            rate,
            size,
            planes: Planes::new(size, Chroma::Quarter),
        }))
    }
}

struct Stream {
    encoder: Box<dyn HardwareEncoder>,
    maker: FilmMaker,
    /// Bits a second that it was told.
    rate: u32,
    size: Size,
    planes: Planes,
}

impl FilmEncoder for Stream {
    fn encode(
        &mut self,
        picture: &FrameView<'_>,
        order: &FilmOrder,
    ) -> Result<FilmPacket, FilmError> {
        let rate = rate_for(self.size, order);
        if rate.abs_diff(self.rate) > self.rate / 100 * SAME_RATE_PERCENT {
            self.encoder.set_rate(rate)?;
            self.rate = rate;
        }
        let packet = self.encoder.encode(self.planes.fill(picture)?)?;
        let data = as_we_say_it(&packet.data)
            .ok_or_else(|| FilmError("it made parameters of another kind".to_owned()))?;
        // At its limit, and with fewer bytes than the quality could use.
        let is_tight = data.len() * 4 > order.target_bytes * 3;
        Ok(FilmPacket {
            held_back: is_tight && rate < most_for(self.size, order.quality),
            data,
            key: packet.key,
            maker: packet.key.then(|| self.maker.clone()),
        })
    }
}

/// Bits a second of a film that has all that its quality can use.
fn most_for(size: Size, quality: FilmQuality) -> u32 {
    let enough = match quality {
        FilmQuality::Coarse => COARSE_BYTES_PER_PIXEL,
        FilmQuality::Fair => FAIR_BYTES_PER_PIXEL,
        FilmQuality::Good => ENOUGH_BYTES_PER_PIXEL,
    };
    bits_a_second(size.area() as f64 * enough)
}

fn rate_for(size: Size, order: &FilmOrder) -> u32 {
    bits_a_second(order.target_bytes as f64).min(most_for(size, order.quality))
}

fn bits_a_second(bytes_per_frame: f64) -> u32 {
    let bits = bytes_per_frame * 8.0 * f64::from(NOMINAL_FRAMES_A_SECOND);
    (bits as u32).clamp(MIN_BITS_A_SECOND, MAX_BITS_A_SECOND)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use gc_openh264::Decoder;
    use gc_video::{FrameOptions, PictureDecoder as _, PictureEncoder as _};

    use super::*;
    use crate::film::{FilmFormats, is_film_frame};

    /// Packs as it is told to, and remembers its rates.
    struct Fake {
        encoder: gc_openh264::Encoder,
        rates: Arc<Mutex<Vec<u32>>>,
        refuses_rates: bool,
    }

    impl HardwareEncoder for Fake {
        fn set_rate(&mut self, bits_per_second: u32) -> Result<(), FilmError> {
            if self.refuses_rates {
                return Err(FilmError("not now".to_owned()));
            }
            self.rates.lock().expect("a lock").push(bits_per_second);
            Ok(())
        }

        fn encode(&mut self, picture: &Picture) -> Result<HardwarePacket, FilmError> {
            let options = FrameOptions {
                key: false,
                budget_bytes: 20_000,
                quantizers: 20..=40,
            };
            let packet = self.encoder.encode(picture, &options).expect("a packet");
            Ok(HardwarePacket {
                // A delimiter and what is beside the picture, as hardware makes them.
                data: [
                    &[0, 0, 0, 1, 9, 0x30, 0, 0, 1, 6, 5, 1, 7, 0x80],
                    &packet.data[..],
                ]
                .concat(),
                key: packet.key,
            })
        }
    }

    fn codec(refuses_rates: bool) -> (HardwareFilms, Arc<Mutex<Vec<u32>>>) {
        let rates: Arc<Mutex<Vec<u32>>> = Arc::default();
        let known = Arc::clone(&rates);
        let films = HardwareFilms::new(move |size, rate| {
            known.lock().expect("a lock").push(rate);
            let fake = Fake {
                encoder: gc_openh264::Encoder::new(size).expect("an encoder"),
                rates: Arc::clone(&known),
                refuses_rates,
            };
            Ok((Box::new(fake) as Box<dyn HardwareEncoder>, card()))
        });
        (films, rates)
    }

    fn card() -> FilmMaker {
        FilmMaker {
            name: "A Card".into(),
            is_hardware: true,
        }
    }

    fn order(target_bytes: usize, quality: FilmQuality) -> FilmOrder {
        FilmOrder {
            formats: FilmFormats::NONE.with(FilmFormat::H264),
            target_bytes,
            quality,
        }
    }

    /// A gradient that moves.
    fn pixels(size: Size, frame: u32) -> Vec<u8> {
        (0..size.area() as u32)
            .flat_map(|at| {
                let (x, y) = (at % size.width(), at / size.width());
                [(x + frame * 3) as u8, y as u8, (x + y) as u8, 255]
            })
            .collect()
    }

    #[test]
    fn films_are_frames_that_a_viewer_takes_and_decode_to_what_was_shown() {
        let size = Size::new(320, 180).expect("a size");
        let (codec, _) = codec(false);
        let mut encoder = codec.open(320, 180).expect("an encoder");
        let mut decoder = Decoder::new().expect("a decoder");
        for frame in 0..4 {
            let pixels = pixels(size, frame);
            let view = FrameView::new(size, 320 * 4, &pixels).expect("a picture");

            let packet = encoder
                .encode(&view, &order(20_000, FilmQuality::Good))
                .expect("a packet");

            assert_eq!(packet.key, frame == 0);
            assert_eq!(packet.maker, packet.key.then(card));
            assert!(is_film_frame(
                FilmFormat::H264,
                &packet.data,
                packet.key,
                320,
                180
            ));
            assert!(!packet.data.windows(4).any(|four| four == [0, 0, 1, 6]));
            let shown = decoder.decode(&packet.data).expect("decodes");
            let mut wanted = Picture::new(size, Chroma::Quarter);
            wanted.fill(&pixels, 320 * 4).expect("fills");
            let error: f64 = std::iter::zip(shown.plane(0), wanted.plane(0))
                .map(|(&a, &b)| f64::from(a.abs_diff(b)))
                .sum();
            assert!(error / (size.area() as f64) < 4.0, "{error}");
        }
    }

    #[test]
    fn the_rate_follows_the_budget_and_not_every_little_change_of_it() {
        let size = Size::new(320, 180).expect("a size");
        let (codec, rates) = codec(false);
        let mut encoder = codec.open(320, 180).expect("an encoder");
        let pixels = pixels(size, 0);
        let view = FrameView::new(size, 320 * 4, &pixels).expect("a picture");

        for (bytes, quality) in [
            (1_000_000, FilmQuality::Good),
            (2_000, FilmQuality::Good),
            (2_100, FilmQuality::Good),
            (4_000, FilmQuality::Good),
            (4_000, FilmQuality::Coarse),
            (1, FilmQuality::Coarse),
        ] {
            encoder
                .encode(&view, &order(bytes, quality))
                .expect("a packet");
        }

        let most = 7_200 * 240;
        assert_eq!(
            *rates.lock().expect("a lock"),
            [most, 480_000, 960_000, 1_728 * 240, MIN_BITS_A_SECOND]
        );
    }

    #[test]
    fn no_encoder_is_told_a_rate_that_its_level_does_not_have() {
        let (codec, rates) = codec(false);

        codec.open(3_840, 2_160).expect("an encoder");

        assert_eq!(*rates.lock().expect("a lock"), [MAX_BITS_A_SECOND]);
    }

    #[test]
    fn an_encoder_that_takes_no_other_rate_is_replaced() {
        let size = Size::new(320, 180).expect("a size");
        let (codec, _) = codec(true);
        let mut encoder = codec.open(320, 180).expect("an encoder");
        let pixels = pixels(size, 0);
        let view = FrameView::new(size, 320 * 4, &pixels).expect("a picture");

        assert!(
            encoder
                .encode(&view, &order(2_000, FilmQuality::Good))
                .is_err()
        );
    }

    #[test]
    fn sizes_are_even_and_those_that_hardware_takes() {
        let (codec, _) = codec(false);
        for (area, coded) in [
            ((1_920, 1_080), Some((1_920, 1_080))),
            ((321, 181), Some((320, 180))),
            ((7_680, 4_320), Some((3_840, 2_160))),
            ((5_120, 1_440), Some((2_560, 720))),
            ((159, 900), None),
            ((4_200, 200), None),
        ] {
            assert_eq!(codec.coded_size(area.0, area.1), coded, "{area:?}");
        }
    }
}
