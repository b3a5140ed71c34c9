//! The thread that packs one viewer's picture: it takes what was read of the screen for
//! everybody, and works when it is told to.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use gc_codec::{EncodeOrder, Encoded, Encoder, FilmCodec, FrameView, UpdateError};
use gc_model::geometry::Rect;
use gc_model::pointer::Pointer;
use gc_model::time::Moment;
use gc_platform::ScreenSource;
use gc_session::{Captured, INPUT_WINDOW};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tracing::warn;

use crate::clock::Clock;
use crate::films::take_waited;
use crate::screen::{Grabbed, News, Opened, Screens, Seat, Shown, Tidings};

/// Events that wait for the session; the thread waits when there are more.
const MAX_EVENTS: usize = 16;

/// What the session hears.
pub(crate) enum DesktopEvent {
    /// First: the desktop, or in words why there is none.
    Opened(Result<Opened, String>),
    /// The screen may have changed.
    Activity,
    /// The pointer changed.
    Pointer(Pointer),
    /// The answer to an order.
    Captured(Captured),
    /// The displays changed, or what is shown of them.
    Layout(Shown),
    /// The screen is read in this way from now on.
    Source(ScreenSource),
    /// The desktop is gone.
    Lost(String),
}

/// The session's handle. The thread ends when it is dropped.
pub(crate) struct DesktopThread {
    seat: Seat,
    work: mpsc::Sender<Work>,
    events: Receiver<DesktopEvent>,
    tidings: Arc<Tidings>,
    clock: Clock,
    /// Where the picture begins on the desktop.
    corner: (u32, u32),
    /// As it was last heard, on the whole desktop and with its shape.
    pointer: Option<Pointer>,
    /// The picture begins elsewhere since the pointer was told.
    is_pointer_due: bool,
    /// What is shown next is from then or later.
    wish: Moment,
    input_at: Option<Moment>,
    orders: u64,
}

/// What the thread is told.
enum Work {
    News(News),
    /// To be done with the picture of this number.
    Encode(u64, EncodeOrder),
    /// The session is over.
    End,
}

impl DesktopThread {
    /// Takes a seat at the screen and starts the thread.
    pub(crate) fn start(screens: &Arc<Screens>, clock: Clock) -> std::io::Result<Self> {
        let (work, queue) = mpsc::channel();
        let (event_queue, events) = channel(MAX_EVENTS);
        let tidings = Arc::<Tidings>::default();
        let news = work.clone();
        let tell = move |told| {
            // One that has left hears nothing.
            let _left = news.send(Work::News(told));
        };
        let seat = screens.join(tell, Arc::clone(&tidings))?;
        let owner = Arc::clone(screens);
        thread::Builder::new()
            .name("picture".to_owned())
            .spawn(move || {
                let screens = Arc::clone(&owner);
                Packer {
                    screens,
                    clock,
                    encoder: Replaced::default(),
                    order: None,
                    unpacked: Vec::new(),
                    events: event_queue,
                }
                .run(&queue);
                // Everything that the session needed is dropped by now.
                drop(queue);
                owner.release_memory();
            })?;
        Ok(Self {
            seat,
            work,
            events,
            tidings,
            clock,
            corner: (0, 0),
            pointer: None,
            is_pointer_due: false,
            wish: Moment::ZERO,
            input_at: None,
            orders: 0,
        })
    }

    /// The next event; `None` when the thread has ended.
    pub(crate) async fn event(&mut self) -> Option<DesktopEvent> {
        loop {
            if let Some(at) = self.tidings.take_activity() {
                self.wish = self.wish.max(at);
                return Some(DesktopEvent::Activity);
            }
            if let Some(pointer) = self.next_pointer() {
                return Some(DesktopEvent::Pointer(pointer));
            }
            tokio::select! {
                biased;
                event = self.events.recv() => {
                    if let Some(DesktopEvent::Layout(shown)) = &event {
                        self.corner = shown.corner;
                        self.is_pointer_due = true;
                    }
                    return event;
                }
                () = self.tidings.changed() => {}
            }
        }
    }

    /// The pointer in the picture, when that is news. It overtakes the news that the picture
    /// begins elsewhere, so after that it is told again.
    fn next_pointer(&mut self) -> Option<Pointer> {
        let heard = self.tidings.take_pointer();
        let (x, y) = self.corner;
        let here = |pointer: Pointer| Pointer {
            x: pointer.x.saturating_sub_unsigned(x),
            y: pointer.y.saturating_sub_unsigned(y),
            ..pointer
        };
        if let Some(pointer) = heard {
            let before = self.pointer.take().and_then(|pointer| pointer.shape);
            let shape = pointer.shape.clone().or(before);
            self.pointer = Some(Pointer { shape, ..pointer });
            if !self.is_pointer_due {
                return Some(here(pointer));
            }
        }
        std::mem::take(&mut self.is_pointer_due)
            .then(|| self.pointer.clone())
            .flatten()
            .map(here)
    }

    /// Begins to report activity and the pointer.
    pub(crate) fn watch(&self) {
        self.seat.watch();
    }

    /// Reads and encodes; the answer is [`DesktopEvent::Captured`].
    pub(crate) fn capture(&mut self, order: EncodeOrder) {
        let now = self.clock.now();
        if self.input_at.is_some_and(|at| now.since(at) < INPUT_WINDOW) {
            self.wish = now;
        }
        self.orders += 1;
        // A thread that ended said so with its last event.
        let _ended = self.work.send(Work::Encode(self.orders, order));
        self.seat.grab(self.orders, self.wish);
    }

    /// Shows one display alone, or all; [`DesktopEvent::Layout`] follows.
    pub(crate) fn show(&mut self, only: Option<u32>) {
        self.seat.show(only);
    }

    /// Notes that input was made, which may change the screen.
    pub(crate) fn note_input(&mut self) {
        self.input_at = Some(self.clock.now());
    }
}

impl Drop for DesktopThread {
    fn drop(&mut self) {
        let _ended = self.work.send(Work::End);
    }
}

struct Packer {
    screens: Arc<Screens>,
    clock: Clock,
    encoder: Replaced,
    order: Option<(u64, EncodeOrder)>,
    /// Where the screen changed in pictures that came for no order any more.
    unpacked: Vec<Rect>,
    events: Sender<DesktopEvent>,
}

/// The session is over, or the desktop is gone and the session knows.
struct Over;

impl Packer {
    fn run(mut self, work: &mpsc::Receiver<Work>) {
        let mut opened = false;
        while let Ok(work) = work.recv() {
            let done = match work {
                Work::Encode(number, order) => {
                    self.order = Some((number, order));
                    Ok(())
                }
                Work::News(News::Lost(why)) if !opened => {
                    self.send(DesktopEvent::Opened(Err(why))).and(Err(Over))
                }
                Work::News(news) => {
                    opened = true;
                    self.hear(news)
                }
                Work::End => Err(Over),
            };
            if done.is_err() {
                return;
            }
        }
    }

    fn hear(&mut self, news: News) -> Result<(), Over> {
        match news {
            News::Opened(opened) => self.send(DesktopEvent::Opened(opened)),
            News::Picture(grabbed) => self.pack(grabbed),
            News::Reopen => self.answer(Captured::Reopen),
            News::Failed(why) => self.answer(Captured::Failed(why)),
            News::Layout(shown) => {
                self.answer(Captured::Reopen)?;
                self.encoder = Replaced::default();
                self.unpacked.clear();
                self.send(DesktopEvent::Layout(shown))
            }
            News::Source(source) => self.send(DesktopEvent::Source(source)),
            News::Lost(why) => self.send(DesktopEvent::Lost(why)).and(Err(Over)),
        }
    }

    fn pack(&mut self, mut grabbed: Grabbed) -> Result<(), Over> {
        let mut changed = std::mem::take(&mut self.unpacked);
        changed.append(&mut grabbed.changed);
        let wanted = self.order.take_if(|(number, _)| *number == grabbed.number);
        let Some((_, order)) = wanted else {
            self.unpacked = changed;
            return Ok(());
        };
        let started = Instant::now();
        let frame = grabbed.view();
        let films = || self.screens.film_codecs();
        let encoded = self
            .encoder
            .encode(self.clock.now(), films, &frame, &changed, &order);
        let captured = match encoded {
            Ok(Some(encoded)) => Captured::Encoded {
                encoded: Box::new(encoded),
                captured_at: grabbed.captured_at,
                capture: grabbed.cost,
                encode: started.elapsed(),
                waited: take_waited(),
            },
            Ok(None) => Captured::Reopen,
            Err(error) => Captured::Failed(sentence(&error)),
        };
        // The reader may use it again before anybody is told.
        drop(grabbed);
        self.send(DesktopEvent::Captured(captured))
    }

    /// Answers the order that was not answered yet, if there is one.
    fn answer(&mut self, captured: Captured) -> Result<(), Over> {
        match self.order.take() {
            Some(_) => self.send(DesktopEvent::Captured(captured)),
            None => Ok(()),
        }
    }

    fn send(&self, event: DesktopEvent) -> Result<(), Over> {
        self.events.blocking_send(event).map_err(|_| Over)
    }
}

/// A failure is forgotten after so many good updates.
const FORGIVEN_AFTER_UPDATES: u32 = 300;

/// An encoder in whose place there is another one when it fails.
#[derive(Default)]
struct Replaced {
    encoder: Option<Encoder>,
    /// Good updates since one failed; none while none did.
    good_since: Option<u32>,
}

impl Replaced {
    /// Makes the next update; nothing when the encoder failed: a new one begins with the next
    /// order, which has to ask for the whole picture.
    ///
    /// # Errors
    /// The new one failed too, soon.
    fn encode(
        &mut self,
        now: Moment,
        films: impl FnOnce() -> Vec<Box<dyn FilmCodec>>,
        frame: &FrameView<'_>,
        changed: &[Rect],
        order: &EncodeOrder,
    ) -> Result<Option<Encoded>, UpdateError> {
        let encoder = match &mut self.encoder {
            Some(encoder) => Ok(encoder),
            none => Encoder::with_films(frame.size(), films()).map(|encoder| none.insert(encoder)),
        };
        match encoder.and_then(|encoder| encoder.encode(now, frame, changed, order)) {
            Ok(encoded) => {
                let good = self.good_since.map(|good| good + 1);
                self.good_since = good.filter(|&good| good < FORGIVEN_AFTER_UPDATES);
                Ok(Some(encoded))
            }
            Err(error) if self.good_since.is_some() => Err(error),
            Err(error) => {
                warn!(
                    error = sentence(&error),
                    "the encoder failed: another one takes its place"
                );
                *self = Self {
                    encoder: None,
                    good_since: Some(0),
                };
                Ok(None)
            }
        }
    }
}

/// An error with its causes, for people.
pub(crate) fn sentence(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use gc_codec::{Abilities, BYTES_PER_PIXEL, Colours};
    use gc_model::geometry::Size;

    use super::*;

    #[test]
    fn an_encoder_that_fails_is_replaced_once_in_a_while() {
        let pixels = vec![7; 128 * 96 * BYTES_PER_PIXEL];
        let view = |width, height| {
            let size = Size::new(width, height).expect("a small screen");
            FrameView::new(size, width as usize * BYTES_PER_PIXEL, &pixels).expect("enough pixels")
        };
        let order = EncodeOrder {
            restart: true,
            budget_bytes: 1 << 20,
            colours: Colours::All,
            rested: Duration::ZERO,
            hold_films: false,
            viewer: Abilities::default(),
            film: None,
            glance_above_bytes: None,
        };
        let mut encoder = Replaced::default();
        let mut encode =
            |frame: FrameView<'_>| encoder.encode(Moment::ZERO, Vec::new, &frame, &[], &order);
        assert!(encode(view(64, 48)).expect("a good encoder").is_some());

        // A frame that it was not made for breaks any encoder.
        assert!(encode(view(128, 96)).expect("it is replaced").is_none());
        for _ in 0..FORGIVEN_AFTER_UPDATES {
            assert!(encode(view(128, 96)).expect("a new one").is_some());
        }
        assert!(encode(view(64, 48)).expect("it is replaced").is_none());
        assert!(encode(view(64, 48)).expect("a new one").is_some());
        assert!(encode(view(128, 96)).is_err(), "so soon again");
    }
}
