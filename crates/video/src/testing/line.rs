//! An encoder, and the decoder at the other end; what holds for every codec is tested here.

use std::ops::RangeInclusive;

use gc_model::geometry::Size;

use super::films::{landscape, likeness};
use crate::coding::{FrameOptions, Packet, PictureDecoder, PictureEncoder};
use crate::picture::{BYTES_PER_PIXEL, Chroma, Picture};

/// From a screen's pixels to what the other end shows of them.
pub struct Line<E, D> {
    /// As the encoder takes it.
    pub picture: Picture,
    /// At the machine.
    pub encoder: E,
    /// At the viewer.
    pub decoder: D,
}

impl<E: PictureEncoder, D: PictureDecoder> Line<E, D> {
    /// For pictures of one size.
    pub fn new(size: Size, chroma: Chroma, encoder: E, decoder: D) -> Self {
        Self {
            picture: Picture::new(size, chroma),
            encoder,
            decoder,
        }
    }

    /// Sends one screen; the packet, and what the other end shows.
    pub fn send(&mut self, pixels: &[u8], options: &FrameOptions) -> (Packet, Vec<u8>) {
        let stride = self.picture.size().width() as usize * BYTES_PER_PIXEL;
        self.picture.fill(pixels, stride).expect("enough pixels");
        let packet = self
            .encoder
            .encode(&self.picture, options)
            .expect("an encoder that works");
        let shown = self.decoder.decode(&packet.data).expect("a good packet");
        assert_eq!(shown.size(), self.picture.size());
        assert_eq!(shown.chroma(), self.picture.chroma());
        (packet, shown.to_bgrx())
    }

    /// Sends three frames of a landscape, which look like it.
    pub fn plays(&mut self, options: &FrameOptions) {
        for frame in 0..3 {
            let pixels = landscape(self.picture.size(), frame);
            let (_, shown) = self.send(&pixels, options);
            assert_eq!(shown.len(), pixels.len());
            let likeness = likeness(&shown, &pixels);
            assert!(likeness > 20.0, "frame {frame}: {likeness} dB");
        }
    }

    /// Pictures of another size or chroma are refused with `error`, and the encoder goes on.
    pub fn refuses_other_pictures(&mut self, error: &E::Error, options: &FrameOptions)
    where
        E::Error: PartialEq,
    {
        let size = self.picture.size();
        let lower = Size::new(size.width(), size.height() - 2).expect("a smaller size");
        let chroma = self.picture.chroma();
        let other = match chroma {
            Chroma::Quarter => Chroma::Full,
            Chroma::Full => Chroma::Quarter,
        };
        for picture in [Picture::new(lower, chroma), Picture::new(size, other)] {
            let refused = self.encoder.encode(&picture, options);
            assert_eq!(refused.as_ref(), Err(error));
        }
        self.plays(options);
    }

    /// Values of options outside their range are taken to its ends.
    pub fn takes_any_options(&mut self, options: &FrameOptions) {
        let budget = |budget_bytes| FrameOptions {
            budget_bytes,
            ..options.clone()
        };
        let quantizers = |quantizers| FrameOptions {
            quantizers,
            ..options.clone()
        };
        for options in [
            budget(0),
            budget(usize::MAX),
            quantizers(RangeInclusive::new(255, 0)),
            quantizers(0..=0),
        ] {
            for frame in 0..4 {
                let pixels = landscape(self.picture.size(), frame);
                self.send(&pixels, &options);
            }
        }
    }

    /// One colour over the whole picture comes back within two levels.
    pub fn shows_a_flat_colour(&mut self, colour: [u8; BYTES_PER_PIXEL], options: &FrameOptions) {
        let pixels = colour.repeat(self.picture.size().area());
        let (_, shown) = self.send(&pixels, options);
        for (shown, original) in shown.iter().zip(&pixels) {
            assert!(shown.abs_diff(*original) <= 2, "{colour:?}: {shown}");
        }
    }

    /// An encoder in use may go to another thread.
    pub fn moves_to_another_thread(mut self, options: &FrameOptions)
    where
        Self: Send + 'static,
    {
        let options = options.clone();
        self.plays(&options);
        std::thread::spawn(move || self.plays(&options))
            .join()
            .expect("no panic");
    }
}
