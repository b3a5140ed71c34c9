//! Whether a film may have a colour for each pixel. Such a film takes up to twice the bytes and
//! half as much time again, so there has to be room for both, for a while.

use std::time::Duration;

use gc_model::time::Moment;

/// Room is believed in after so long.
const ROOMY_FOR: Duration = Duration::from_secs(3);

/// Trouble is believed in after so long: a cut in the film is none.
const TROUBLE_FOR: Duration = Duration::from_secs(1);

/// One good frame takes its own time back from trouble: films that repeat themselves have both.
/// One that does not fit takes so many times its own from room.
const CONTRARY: u32 = 2;

/// A frame speaks for this long at most; before it, nothing played.
const LONGEST_FRAME: Duration = Duration::from_millis(200);

/// After trouble nothing is tried for so long; twice as long each time, up to the second.
const FIRST_PENANCE: Duration = Duration::from_secs(10);
const LONGEST_PENANCE: Duration = Duration::from_mins(5);

/// What held for so long met trouble of another kind.
const FORGIVEN_AFTER: Duration = Duration::from_mins(1);

/// A frame may cost this much in full chroma: half of the time between two of 30 a second.
const CHEAP: Duration = Duration::from_micros(16_600);

/// Three fifths of it: a mean of more is felt by whoever works at the machine.
const EXPENSIVE: Duration = Duration::from_millis(20);

/// Packing takes up to seven tenths longer then (`cargo bench -p gc-codec --bench films`).
const fn longer(packing: Duration) -> Duration {
    Duration::from_micros(packing.as_micros() as u64 * 7 / 10)
}

/// A film's frame as it was just made.
pub(super) struct FilmFrame {
    pub(super) bytes: usize,
    /// What it might have had.
    pub(super) target_bytes: usize,
    /// It would be better if it might have more.
    pub(super) held_back: bool,
    pub(super) has_full_chroma: bool,
    /// Mean time for reading and packing, and for packing alone.
    pub(super) cost: Duration,
    pub(super) packing: Duration,
}

#[derive(Default)]
pub(super) struct FullChroma {
    allowed: bool,
    /// For how long it is otherwise than `allowed` says.
    otherwise: Duration,
    noted_at: Moment,
    allowed_at: Moment,
    not_before: Moment,
    penance: Duration,
}

impl FullChroma {
    pub(super) const fn is_allowed(&self) -> bool {
        self.allowed
    }

    /// Learns from a film's frame.
    pub(super) fn note(&mut self, now: Moment, frame: &FilmFrame) {
        let time = now.since(self.noted_at).min(LONGEST_FRAME);
        self.noted_at = now;
        let (is_otherwise, contrary, patience) = if self.allowed {
            let trouble = frame.held_back || frame.cost > EXPENSIVE;
            (trouble && frame.has_full_chroma, 1, TROUBLE_FOR)
        } else {
            let fits = frame.bytes.saturating_mul(3) <= frame.target_bytes.saturating_mul(2);
            let cheap = frame.cost + longer(frame.packing) <= CHEAP;
            let roomy = fits && cheap && now >= self.not_before;
            (roomy, CONTRARY, ROOMY_FOR)
        };
        if !is_otherwise {
            self.otherwise = self.otherwise.saturating_sub(time * contrary);
            return;
        }
        self.otherwise += time;
        if self.otherwise < patience {
            return;
        }
        self.otherwise = Duration::ZERO;
        self.allowed = !self.allowed;
        if self.allowed {
            self.allowed_at = now;
            return;
        }
        self.penance = if now.since(self.allowed_at) > FORGIVEN_AFTER {
            FIRST_PENANCE
        } else {
            (self.penance * 2).clamp(FIRST_PENANCE, LONGEST_PENANCE)
        };
        self.not_before = now + self.penance;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROOMY: FilmFrame = FilmFrame {
        bytes: 7_000,
        target_bytes: 14_000,
        held_back: false,
        has_full_chroma: false,
        cost: Duration::from_millis(9),
        packing: Duration::from_millis(7),
    };

    const FULL: FilmFrame = FilmFrame {
        bytes: 13_000,
        has_full_chroma: true,
        ..ROOMY
    };

    struct Story {
        state: FullChroma,
        now: Moment,
    }

    impl Story {
        fn new() -> Self {
            Self {
                state: FullChroma::default(),
                now: Moment::ZERO,
            }
        }

        /// 30 frames a second like `frame`; true when it is allowed then.
        fn play(&mut self, seconds: u64, frame: &FilmFrame) -> bool {
            for _ in 0..seconds * 30 {
                self.now = self.now + Duration::from_micros(33_333);
                self.state.note(self.now, frame);
            }
            self.state.is_allowed()
        }
    }

    #[test]
    fn it_comes_after_three_seconds_of_room_and_stays() {
        let mut story = Story::new();
        assert!(!story.play(2, &ROOMY));
        assert!(story.play(2, &ROOMY));
        assert!(story.play(600, &FULL));
    }

    #[test]
    fn a_frame_in_ten_that_needs_more_changes_nothing() {
        let mut story = Story::new();
        for (frame, other) in [(&ROOMY, 13_000), (&FULL, 30_000)] {
            for number in 0..300 {
                let bytes = if number % 10 == 0 { other } else { frame.bytes };
                story.now = story.now + Duration::from_micros(33_333);
                story.state.note(
                    story.now,
                    &FilmFrame {
                        bytes,
                        held_back: bytes == other,
                        ..*frame
                    },
                );
            }
            assert!(story.state.is_allowed());
        }
    }

    #[test]
    fn without_room_for_bytes_or_time_it_never_comes() {
        for frame in [
            FilmFrame {
                bytes: 10_000,
                ..ROOMY
            },
            FilmFrame {
                cost: Duration::from_millis(13),
                ..ROOMY
            },
        ] {
            assert!(!Story::new().play(60, &frame));
        }
    }

    #[test]
    fn a_cut_changes_nothing_and_a_second_of_trouble_does() {
        let mut story = Story::new();
        story.play(5, &ROOMY);
        let trouble = || FilmFrame {
            held_back: true,
            ..FULL
        };
        for _ in 0..20 {
            story.now = story.now + Duration::from_micros(33_333);
            story.state.note(story.now, &trouble());
        }
        assert!(story.play(1, &FULL));

        assert!(!story.play(2, &trouble()));
        assert!(!story.play(8, &ROOMY), "it waits after trouble");
        assert!(story.play(8, &ROOMY));
    }

    proptest! {
        /// However a line behaves: each change costs a key frame.
        #[test]
        fn it_changes_seldom(frames in prop::collection::vec(
            (0_usize..30_000, any::<bool>(), 0_u64..40, 1_usize..200), 1..60,
        )) {
            let mut story = Story::new();
            let mut came_at: Vec<Moment> = Vec::new();
            for (bytes, held_back, cost_ms, times) in frames {
                for _ in 0..times {
                    let was = story.state.is_allowed();
                    story.now = story.now + Duration::from_micros(33_333);
                    story.state.note(story.now, &FilmFrame {
                        bytes,
                        held_back,
                        cost: Duration::from_millis(cost_ms),
                        has_full_chroma: was,
                        ..ROOMY
                    });
                    if !was && story.state.is_allowed() {
                        came_at.push(story.now);
                    }
                }
            }
            for pair in came_at.windows(2) {
                prop_assert!(pair[1].since(pair[0]) >= FIRST_PENANCE + ROOMY_FOR);
            }
        }
    }
}
