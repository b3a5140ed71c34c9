//! How long a viewer's thread waited for a film's frame that another viewer's thread packs for
//! both. That is no work of its own: a viewer in company would have fewer frames for it.

use std::cell::Cell;
use std::time::{Duration, Instant};

use gc_codec::{FilmCodec, FilmEncoder, FilmError, FilmFormat, FilmOrder, FilmPacket, FrameView};
use gc_model::geometry::Rect;

thread_local! {
    /// Time that this thread spent for films' frames, and in an encoder for them.
    static SPENT: Cell<(Duration, Duration)> = const { Cell::new((Duration::ZERO, Duration::ZERO)) };
}

/// What this thread waited since it was asked last.
pub(crate) fn take_waited() -> Duration {
    let (in_all, packing) = SPENT.take();
    in_all.saturating_sub(packing)
}

/// Runs `work` of an encoder, which is not waiting.
pub(super) fn packing<T>(work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = work();
    let (in_all, packing) = SPENT.get();
    SPENT.set((in_all, packing + started.elapsed()));
    result
}

/// A codec that may wait for others.
pub(crate) struct Waiting(pub(crate) Box<dyn FilmCodec>);

struct WaitingEncoder(Box<dyn FilmEncoder>);

impl FilmCodec for Waiting {
    fn format(&self) -> FilmFormat {
        self.0.format()
    }

    fn area_for(&self, frame: &FrameView<'_>, area: Rect, order: &FilmOrder) -> Option<Rect> {
        self.0.area_for(frame, area, order)
    }

    fn coded_size(&self, width: u32, height: u32) -> Option<(u32, u32)> {
        self.0.coded_size(width, height)
    }

    fn open(&self, width: u32, height: u32) -> Result<Box<dyn FilmEncoder>, FilmError> {
        Ok(Box::new(WaitingEncoder(self.0.open(width, height)?)))
    }
}

impl FilmEncoder for WaitingEncoder {
    fn encode(
        &mut self,
        picture: &FrameView<'_>,
        order: &FilmOrder,
    ) -> Result<FilmPacket, FilmError> {
        let started = Instant::now();
        let packet = self.0.encode(picture, order);
        let (in_all, packing) = SPENT.get();
        SPENT.set((in_all + started.elapsed(), packing));
        packet
    }

    fn is_behind(&self) -> bool {
        self.0.is_behind()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::sync::{Arc, Barrier};

    use gc_codec::{FilmFormats, FilmQuality, SharedFilms};
    use gc_model::geometry::Size;
    use gc_model::time::Moment;

    use super::super::Logged;
    use super::*;

    /// Packs when it is told to, and says when it was asked.
    struct Slow {
        asked: mpsc::Sender<()>,
        goes_on: Arc<Barrier>,
    }

    impl FilmCodec for Slow {
        fn format(&self) -> FilmFormat {
            FilmFormat::Vp9
        }

        fn open(&self, _: u32, _: u32) -> Result<Box<dyn FilmEncoder>, FilmError> {
            Ok(Box::new(Self {
                asked: self.asked.clone(),
                goes_on: Arc::clone(&self.goes_on),
            }))
        }
    }

    impl FilmEncoder for Slow {
        fn encode(&mut self, _: &FrameView<'_>, _: &FilmOrder) -> Result<FilmPacket, FilmError> {
            self.asked.send(()).expect("the test listens");
            self.goes_on.wait();
            Ok(FilmPacket {
                data: vec![1],
                key: true,
                held_back: false,
                maker: None,
            })
        }
    }

    /// Makes one frame like a viewer's thread does; its film, and the time in all and for packing.
    fn frame(codec: &Waiting) -> (Box<dyn FilmEncoder>, (Duration, Duration)) {
        let size = Size::new(64, 64).expect("a small size");
        let pixels = vec![0; size.area() * 4];
        let picture = FrameView::new(size, 64 * 4, &pixels).expect("a whole frame");
        let order = FilmOrder {
            formats: FilmFormats::NONE.with(FilmFormat::Vp9),
            target_bytes: 1_000,
            quality: FilmQuality::Good,
        };
        let mut encoder = codec.open(64, 64).expect("a film");
        let packet = encoder.encode(&picture.taken_at(Moment::ZERO), &order);
        assert!(packet.is_ok());
        (encoder, SPENT.take())
    }

    #[test]
    fn who_packs_did_not_wait_and_who_is_given_the_packet_did_nothing_else() {
        let films = SharedFilms::default();
        let (asked, is_asked) = mpsc::channel();
        let goes_on = Arc::new(Barrier::new(2));
        let viewer = || {
            let slow: Box<dyn FilmCodec> = Box::new(Slow {
                asked: asked.clone(),
                goes_on: Arc::clone(&goes_on),
            });
            let shared = films.for_viewer(vec![Box::new(Logged(slow))]);
            Waiting(shared.into_iter().next().expect("one codec"))
        };
        let (first, second) = (viewer(), viewer());
        let packs = std::thread::spawn(move || frame(&first));
        is_asked.recv().expect("the first is asked");
        let waits = std::thread::spawn(move || frame(&second));
        goes_on.wait();

        // Its film goes on, so that the second has the packet of it, whichever comes first.
        let (_film, (in_all, packing)) = packs.join().expect("no panic");
        assert!(!packing.is_zero() && in_all >= packing);
        let (_film, (in_all, packing)) = waits.join().expect("no panic");
        assert!(packing.is_zero() && !in_all.is_zero());
    }
}
