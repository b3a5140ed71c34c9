//! Chooses how coarse a picture becomes so that its packet has about the bytes it may have.
//!
//! The libraries' own controls think in bits a second and take half a second to find the
//! quality that a line carries. Here every frame has a budget of its own: the last packet
//! says what a quantizer costs, and how much the picture changed says how far that holds.

use crate::coding::FrameOptions;
use crate::picture::Picture;

/// One pixel in 16 is compared: enough to see a film stop, start or cut.
const SAMPLING: usize = 4;

/// The slope is measured where the quantizer moved by this much; less is lost in the film's own changes.
const LEAST_STEPS_TO_MEASURE: f32 = 2.0;

/// Packets this near to the budget (10 %) leave the quantizer alone.
const NEAR: f32 = 0.1;

/// A picture whose mean pixel changed by less, in levels, stands still: its packet says
/// nothing about what movement costs.
const LEAST_CHANGE: f32 = 0.5;

/// A picture that changed this many times as much as the last one is another scene. It
/// begins coarse, since nothing is known of it, and for a frame nobody sees that.
const CUT: f32 = 4.0;

/// How the packets of one codec follow its quantizer. Slopes are natural logarithms a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Law {
    /// The coarsest quantizer; 0 is the finest.
    pub coarsest: u8,
    /// A step makes a packet smaller by this, as measured on text and on films above the
    /// level of their grain.
    pub usual_slope: f32,
    /// The least and the most that is believed when it is measured between two packets.
    pub slopes: (f32, f32),
    /// Towards finer quantizers a film soon begins to code its grain: at least this a step.
    pub least_finer_slope: f32,
    /// A picture becomes finer by at most this many steps at once: what is asked for is
    /// interpolated from one packet, and being wrong to this side makes the viewer wait.
    pub max_finer_steps: f32,
    /// Another scene begins at least as coarse as this.
    pub cut_quantizer: f32,
    /// The quantizer for which a first picture's bytes are guessed.
    pub guess_quantizer: f32,
    /// The guess: bytes for each pixel and each level that neighbours differ by.
    pub guess_bytes: f32,
}

/// What a picture without any edge still has.
const LEAST_EDGES: f32 = 0.3;

/// Differences between neighbours up to this are grain, which such a quantizer drops.
const GRAIN_LEVELS: u8 = 6;

/// What a packet was.
#[derive(Clone, Copy)]
struct Sample {
    quantizer: f32,
    /// Natural logarithm of its bytes.
    bytes: f32,
    /// Levels that the mean pixel changed by; unknown when the packet needs no picture before it.
    change: Option<f32>,
}

impl Sample {
    /// What the same quantizer would cost for a picture that changed by `change`.
    fn expected(&self, change: f32) -> f32 {
        self.bytes + self.change.map_or(0.0, |known| (change / known).ln())
    }
}

/// The decision and what it learnt from.
pub struct RateControl {
    law: Law,
    /// Brightness of the pixels that are compared, of the last picture.
    seen: Vec<u8>,
    /// Levels that the mean pixel changed by.
    change: f32,
    /// The last key frame.
    key: Option<Sample>,
    /// The last frame that moved, or the key frame after it.
    last: Option<Sample>,
    /// What a step of the quantizer is worth in this film.
    slope: f32,
}

impl RateControl {
    /// Nothing is known of the film yet.
    pub const fn new(law: Law) -> Self {
        Self {
            law,
            seen: Vec::new(),
            change: 0.0,
            key: None,
            last: None,
            slope: law.usual_slope,
        }
    }

    /// Looks at the picture that comes next, and says how coarse it should be.
    pub fn choose(&mut self, picture: &Picture, options: &FrameOptions) -> u8 {
        self.look(picture);
        let budget = (options.budget_bytes.max(1) as f32).ln();
        let wanted = match self.last {
            Some(last) if !options.key => self.after(&last, budget),
            _ => {
                let sample = self.key.unwrap_or_else(|| self.guess(picture));
                sample.quantizer + self.steps(sample.bytes - budget, self.law.usual_slope)
            }
        };
        let coarsest = (*options.quantizers.end()).min(self.law.coarsest);
        let finest = (*options.quantizers.start()).min(coarsest);
        (wanted.round().clamp(0.0, f32::from(self.law.coarsest)) as u8).clamp(finest, coarsest)
    }

    fn after(&self, last: &Sample, budget: f32) -> f32 {
        if self.change < LEAST_CHANGE {
            return last.quantizer;
        }
        let over = last.expected(self.change) - budget;
        let follows = last.quantizer + self.steps(over, self.slope).max(-self.law.max_finer_steps);
        match last.change {
            Some(usual) if self.change > usual * CUT => follows.max(self.law.cut_quantizer),
            _ => follows,
        }
    }

    /// Takes notice of the packet that came of it.
    pub fn learn(&mut self, key: bool, quantizer: u8, bytes: usize) {
        let sample = Sample {
            quantizer: f32::from(quantizer),
            bytes: (bytes.max(1) as f32).ln(),
            change: (!key).then_some(self.change),
        };
        if key {
            self.key = Some(sample);
        } else if self.change < LEAST_CHANGE {
            return;
        } else if let Some(last) = self.last.filter(|last| last.change.is_some()) {
            let coarser = sample.quantizer - last.quantizer;
            if coarser.abs() >= LEAST_STEPS_TO_MEASURE {
                let measured = (last.expected(self.change) - sample.bytes) / coarser;
                let believed = measured.clamp(self.law.slopes.0, self.law.slopes.1);
                self.slope = f32::midpoint(self.slope, believed);
            }
        }
        self.last = Some(sample);
    }

    /// Measures how much the picture changed.
    fn look(&mut self, picture: &Picture) {
        let samples = picture.planes[0]
            .chunks_exact(picture.stride(0))
            .step_by(SAMPLING)
            .flat_map(|row| row.iter().step_by(SAMPLING).copied());
        if self.seen.is_empty() {
            self.seen.extend(samples);
            return;
        }
        let mut difference = 0_u64;
        for (seen, now) in self.seen.iter_mut().zip(samples) {
            difference += u64::from(seen.abs_diff(now));
            *seen = now;
        }
        self.change = difference as f32 / self.seen.len() as f32;
    }

    /// Steps of the quantizer that take `over` away, or give it when it is negative.
    fn steps(&self, over: f32, slope: f32) -> f32 {
        if over.abs() < NEAR {
            0.0
        } else if over > 0.0 {
            over / slope
        } else {
            over / slope.max(self.law.least_finer_slope)
        }
    }

    /// What a key frame may cost, before there was one.
    fn guess(&self, picture: &Picture) -> Sample {
        let edges: u64 = picture.planes[0]
            .chunks_exact(picture.stride(0))
            .step_by(SAMPLING)
            .flat_map(|row| row.array_windows())
            .map(|&[left, right]| u64::from(left.abs_diff(right).saturating_sub(GRAIN_LEVELS)))
            .sum();
        let pixels = picture.size().area() as f32;
        let levels = LEAST_EDGES + edges as f32 * SAMPLING as f32 / pixels;
        Sample {
            quantizer: self.law.guess_quantizer,
            bytes: (pixels * levels * self.law.guess_bytes).max(1.0).ln(),
            change: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ops::RangeInclusive;

    use gc_model::geometry::Size;
    use proptest::prelude::*;

    use super::*;
    use crate::picture::Chroma;

    const LAW: Law = Law {
        coarsest: 63,
        usual_slope: 0.08,
        slopes: (0.05, 0.3),
        least_finer_slope: 0.12,
        max_finer_steps: 8.0,
        cut_quantizer: 50.0,
        guess_quantizer: 40.0,
        guess_bytes: 0.006,
    };

    /// A film whose packets follow a law: so many bytes at quantizer 0, and this much less a step.
    struct Film {
        rate: RateControl,
        picture: Picture,
        finest_bytes: f32,
        slope: f32,
        frame: u8,
    }

    impl Film {
        fn new(finest_bytes: f32, slope: f32) -> Self {
            let size = Size::new(64, 64).expect("a small size");
            Self {
                rate: RateControl::new(LAW),
                picture: Picture::new(size, Chroma::Quarter),
                finest_bytes,
                slope,
                frame: 0,
            }
        }

        /// Bytes of the next packet. `levels`: how much the picture changes.
        fn play(&mut self, levels: u8, budget_bytes: usize) -> usize {
            let key = self.frame == 0;
            self.frame = self.frame.wrapping_add(levels);
            self.picture.planes[0].fill(self.frame);
            let options = FrameOptions {
                key,
                budget_bytes,
                quantizers: 0..=63,
            };
            let quantizer = self.rate.choose(&self.picture, &options);
            let bytes = self.finest_bytes * (-self.slope * f32::from(quantizer)).exp();
            self.rate.learn(key, quantizer, bytes as usize);
            bytes as usize
        }
    }

    proptest! {
        #[test]
        fn packets_come_to_the_budget(
            finest_bytes in 20_000_f32..400_000.0,
            slope in 0.05_f32..0.25,
            wanted in 2.0_f32..60.0,
        ) {
            // A budget that some quantizer meets.
            let budget = (finest_bytes * (-slope * wanted).exp()).max(200.0) as usize;
            let mut film = Film::new(finest_bytes, slope);
            for _ in 0..30 {
                film.play(4, budget);
            }

            let bytes = film.play(4, budget);

            // As near as whole steps allow, or at an end of the quantizers.
            let step = (slope / 2.0 + NEAR).exp() * 1.05;
            let nearest = (budget as f32 / step, budget as f32 * step);
            let ends = (finest_bytes * (-slope * 63.0).exp(), finest_bytes);
            prop_assert!(
                (nearest.0 - 1.0..=nearest.1 + 1.0).contains(&(bytes as f32))
                    || (bytes as f32 <= ends.0 + 1.0 || bytes as f32 >= ends.1 - 1.0),
                "{bytes} for {budget}"
            );
        }

        #[test]
        fn any_history_gives_an_allowed_quantizer(
            steps in prop::collection::vec((any::<u8>(), any::<usize>(), any::<bool>(), 0_usize..10_000_000), 1..40),
            ends in (any::<u8>(), any::<u8>()),
        ) {
            let mut film = Film::new(1.0, 0.1);
            for (level, budget, key, bytes) in steps {
                film.picture.planes[0].fill(level);
                let options = FrameOptions {
                    key,
                    budget_bytes: budget,
                    quantizers: RangeInclusive::new(ends.0, ends.1),
                };
                let quantizer = film.rate.choose(&film.picture, &options);
                prop_assert!(quantizer <= ends.1.min(LAW.coarsest));
                prop_assert!(quantizer >= ends.0.min(ends.1).min(LAW.coarsest));
                film.rate.learn(key, quantizer, bytes);
            }
        }
    }

    #[test]
    fn a_picture_becomes_finer_step_by_step_and_coarser_at_once() {
        let mut film = Film::new(100_000.0, 0.1);
        for _ in 0..20 {
            film.play(4, 500);
        }
        let poor = film.rate.last.expect("some packets").quantizer;

        film.play(4, 50_000);
        let richer = film.rate.last.expect("some packets").quantizer;
        for _ in 0..20 {
            film.play(4, 50_000);
        }
        let bytes = film.play(4, 500);

        assert!(richer < poor && richer >= poor - LAW.max_finer_steps);
        assert!(bytes < 1_000, "{bytes}");
    }

    #[test]
    fn a_pause_changes_nothing() {
        let mut film = Film::new(100_000.0, 0.1);
        for _ in 0..20 {
            film.play(4, 5_000);
        }
        let before = film.rate.last.expect("some packets").quantizer;
        for _ in 0..20 {
            film.play(0, 5_000);
        }

        film.play(4, 5_000);

        let after = film.rate.last.expect("some packets").quantizer;
        assert!((after - before).abs() <= 1.0, "{before} and {after}");
    }
}
