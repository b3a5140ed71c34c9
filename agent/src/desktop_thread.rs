//! The thread that reads one viewer's picture: it owns the desktop, the capture
//! and the encoder, works when it is told to, and waits for the screen in between.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use gc_codec::{EncodeOrder, Encoder, film_codecs};
use gc_model::geometry::DisplayLayout;
use gc_model::pointer::Pointer;
use gc_platform::part::{PartCapture, area_of, layout_of};
use gc_platform::{Capture, Desktop, Grab, Host, Input, PlatformError, ScreenSource, Wait, Wake};
use gc_session::Captured;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::clock::Clock;

/// Events that wait for the session; the thread waits when there are more.
const MAX_EVENTS: usize = 16;

/// A wait without news is ended this often, only to start the next.
const LONG_WAIT: Duration = Duration::from_mins(1);

/// While a resolution changes, reading the new one may fail a few times.
const REOPEN_ATTEMPTS: u32 = 10;

/// 100 ms between those attempts: a mode switch takes up to a second.
const REOPEN_PAUSE: Duration = Duration::from_millis(100);

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

/// A desktop that can be shown.
pub(crate) struct Opened {
    pub(crate) layout: DisplayLayout,
    /// Without input the session is view only; the error says why.
    pub(crate) input: Result<Box<dyn Input>, PlatformError>,
    pub(crate) has_secure_attention: bool,
}

/// What the picture shows.
pub(crate) struct Shown {
    /// As it is seen from the picture.
    pub(crate) layout: DisplayLayout,
    /// The display that alone is in it.
    pub(crate) only: Option<u32>,
    /// The picture's corner, in the coordinates of all displays together.
    pub(crate) corner: (u32, u32),
}

/// The session's handle. The thread ends when it is dropped.
pub(crate) struct DesktopThread {
    orders: mpsc::Sender<Order>,
    events: Receiver<DesktopEvent>,
    waker: Option<Box<dyn Wake>>,
    wakers: mpsc::Receiver<Box<dyn Wake>>,
}

enum Order {
    Watch,
    Capture(EncodeOrder),
    Show(Option<u32>),
}

impl DesktopThread {
    /// Starts the thread; it opens the desktop first.
    pub(crate) fn start(host: Arc<dyn Host>, clock: Clock) -> std::io::Result<Self> {
        let (orders, order_queue) = mpsc::channel();
        let (event_queue, events) = channel(MAX_EVENTS);
        let (waker_queue, wakers) = mpsc::channel();
        thread::Builder::new()
            .name("desktop".to_owned())
            .spawn(move || {
                show(&*host, clock, &order_queue, event_queue, waker_queue);
                // Everything that the session needed is dropped by now.
                host.release_memory();
            })?;
        Ok(Self {
            orders,
            events,
            waker: None,
            wakers,
        })
    }

    /// The next event; `None` when the thread has ended.
    pub(crate) async fn event(&mut self) -> Option<DesktopEvent> {
        self.events.recv().await
    }

    /// Begins to report activity and the pointer.
    pub(crate) fn watch(&mut self) {
        self.order(Order::Watch);
    }

    /// Reads and encodes; the answer is [`DesktopEvent::Captured`].
    pub(crate) fn capture(&mut self, order: EncodeOrder) {
        self.order(Order::Capture(order));
    }

    /// Shows one display alone, or all; [`DesktopEvent::Layout`] follows.
    pub(crate) fn show(&mut self, only: Option<u32>) {
        self.order(Order::Show(only));
    }

    fn order(&mut self, order: Order) {
        // A thread that ended said so with its last event.
        let _ended = self.orders.send(order);
        self.wake();
    }

    fn wake(&mut self) {
        // A new capture brought a new waker; the last one counts.
        self.waker = self.wakers.try_iter().last().or(self.waker.take());
        if let Some(waker) = &self.waker {
            waker.wake();
        }
    }
}

impl Drop for DesktopThread {
    fn drop(&mut self) {
        // The thread ends when it finds nobody to take orders from.
        (self.orders, _) = mpsc::channel();
        self.wake();
    }
}

struct Thread {
    desktop: Box<dyn Desktop>,
    capture: Box<dyn Capture>,
    encoder: Option<Encoder>,
    /// The display that alone is to be shown, where there is one of that id.
    only: Option<u32>,
    /// How the screen is read, as the session knows it.
    source: Option<ScreenSource>,
    clock: Clock,
    events: Sender<DesktopEvent>,
    wakers: mpsc::Sender<Box<dyn Wake>>,
}

/// Why the thread ends.
enum Stop {
    /// The session is over.
    SessionOver,
    /// The desktop is; says how.
    Lost(String),
}

impl Thread {
    fn run(&mut self, orders: &mpsc::Receiver<Order>) -> Result<(), Stop> {
        let mut watching = false;
        // Whoever holds a waker must find it before the first wait.
        self.announce_waker()?;
        loop {
            let order = if watching {
                match orders.try_recv() {
                    Ok(order) => Some(order),
                    Err(mpsc::TryRecvError::Empty) => None,
                    Err(mpsc::TryRecvError::Disconnected) => return Err(Stop::SessionOver),
                }
            } else {
                Some(orders.recv().map_err(|_| Stop::SessionOver)?)
            };
            match order {
                Some(Order::Watch) => watching = true,
                Some(Order::Capture(order)) => self.take_picture(&order)?,
                Some(Order::Show(only)) if only != self.only => {
                    self.only = only;
                    self.reopen()?;
                }
                Some(Order::Show(_)) => {}
                None => match self
                    .capture
                    .wait(LONG_WAIT)
                    .map_err(|error| Stop::Lost(sentence(&error)))?
                {
                    Wait::Activity => self.send(DesktopEvent::Activity)?,
                    Wait::Pointer => self.report_pointer()?,
                    Wait::Woken | Wait::Timeout => {}
                },
            }
        }
    }

    fn take_picture(&mut self, order: &EncodeOrder) -> Result<(), Stop> {
        let captured_at = self.clock.now();
        let started = Instant::now();
        let rects = match self.capture.grab() {
            Ok(Grab::Changed(rects)) => rects,
            Ok(Grab::Unchanged) => Vec::new(),
            Ok(Grab::Reopen) => {
                self.send(DesktopEvent::Captured(Captured::Reopen))?;
                return self.reopen();
            }
            Err(error) => {
                return self.send(DesktopEvent::Captured(Captured::Failed(sentence(&error))));
            }
        };
        let capture = started.elapsed();
        self.report_source()?;
        self.report_pointer()?;
        let started = Instant::now();
        let frame = self.capture.frame();
        let encoder = match &mut self.encoder {
            Some(encoder) => Ok(encoder),
            none => {
                Encoder::with_films(frame.size(), film_codecs()).map(|encoder| none.insert(encoder))
            }
        };
        let encoded =
            encoder.and_then(|encoder| encoder.encode(self.clock.now(), &frame, &rects, order));
        let captured = match encoded {
            Ok(encoded) => Captured::Encoded {
                encoded,
                captured_at,
                capture,
                encode: started.elapsed(),
            },
            Err(error) => Captured::Failed(error.to_string()),
        };
        self.send(DesktopEvent::Captured(captured))
    }

    /// The displays changed, or what is to be shown of them: everything is opened anew.
    fn reopen(&mut self) -> Result<(), Stop> {
        let mut attempt = 0;
        let (shown, capture) = loop {
            match open_part(&mut *self.desktop, self.only) {
                Ok(opened) => break opened,
                Err(error) if attempt == REOPEN_ATTEMPTS => {
                    return Err(Stop::Lost(sentence(&error)));
                }
                Err(_) => attempt += 1,
            }
            thread::sleep(REOPEN_PAUSE);
        };
        self.capture = capture;
        self.encoder = None;
        // One that was unplugged is not waited for.
        self.only = shown.only;
        self.announce_waker()?;
        self.send(DesktopEvent::Layout(shown))
    }

    fn announce_waker(&self) -> Result<(), Stop> {
        self.wakers
            .send(self.capture.waker())
            .map_err(|_| Stop::SessionOver)
    }

    fn report_source(&mut self) -> Result<(), Stop> {
        match self.capture.source() {
            Some(source) if self.source.as_ref() != Some(&source) => {
                self.source = Some(source.clone());
                self.send(DesktopEvent::Source(source))
            }
            _ => Ok(()),
        }
    }

    fn report_pointer(&mut self) -> Result<(), Stop> {
        match self.capture.pointer() {
            Ok(Some(pointer)) => self.send(DesktopEvent::Pointer(pointer)),
            Ok(None) => Ok(()),
            Err(error) => Err(Stop::Lost(sentence(&error))),
        }
    }

    fn send(&self, event: DesktopEvent) -> Result<(), Stop> {
        self.events
            .blocking_send(event)
            .map_err(|_| Stop::SessionOver)
    }
}

/// What the thread does.
fn show(
    host: &dyn Host,
    clock: Clock,
    orders: &mpsc::Receiver<Order>,
    events: Sender<DesktopEvent>,
    wakers: mpsc::Sender<Box<dyn Wake>>,
) {
    let (opened, screen) = match open(host) {
        Ok((opened, desktop, capture)) => (Ok(opened), Some((desktop, capture))),
        Err(error) => (Err(sentence(&error)), None),
    };
    if events.blocking_send(DesktopEvent::Opened(opened)).is_err() {
        return;
    }
    let Some((desktop, capture)) = screen else {
        return;
    };
    let mut thread = Thread {
        desktop,
        capture,
        encoder: None,
        only: None,
        source: None,
        clock,
        events,
        wakers,
    };
    if let Err(Stop::Lost(detail)) = thread.run(orders) {
        let _session_over = thread.events.blocking_send(DesktopEvent::Lost(detail));
    }
}

/// Begins to read one display alone, or all when there is none of that id.
fn open_part(
    desktop: &mut dyn Desktop,
    only: Option<u32>,
) -> Result<(Shown, Box<dyn Capture>), PlatformError> {
    let layout = desktop.layout()?;
    let capture = desktop.open_capture()?;
    let found = only.and_then(|id| Some((id, area_of(&layout, id)?)));
    let Some((id, area)) = found else {
        let shown = Shown {
            layout,
            only: None,
            corner: (0, 0),
        };
        return Ok((shown, capture));
    };
    let shown = Shown {
        layout: layout_of(&layout, area),
        only: Some(id),
        corner: (area.x, area.y),
    };
    Ok((shown, Box::new(PartCapture::new(capture, area))))
}

type Parts = (Opened, Box<dyn Desktop>, Box<dyn Capture>);

fn open(host: &dyn Host) -> Result<Parts, PlatformError> {
    let mut desktop = host.open_desktop()?;
    let layout = desktop.layout()?;
    let capture = desktop.open_capture()?;
    let input = desktop.open_input();
    let has_secure_attention = desktop.has_secure_attention();
    Ok((
        Opened {
            layout,
            input,
            has_secure_attention,
        },
        desktop,
        capture,
    ))
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
