//! The desktop, read once for everybody who looks at it. Each viewer has a [`Seat`];
//! the thread that reads starts with the first and ends with the last.

mod damage;
mod pictures;
mod reader;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use gc_codec::{FilmCodec, FrameView, SharedFilms};
use gc_model::geometry::{DisplayLayout, Rect, Size};
use gc_model::pointer::Pointer;
use gc_model::time::Moment;
use gc_platform::{Host, Input, PlatformError, ScreenSource, Wake};
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::films::{Films, Waiting};
use reader::Guest;

/// What the thread that packs a viewer's picture is told, in this order.
pub(crate) enum News {
    /// First: the desktop, or in words why there is none.
    Opened(Result<Opened, String>),
    /// The answer to [`Seat::grab`].
    Picture(Grabbed),
    /// The answer, when the displays changed: [`News::Layout`] follows.
    Reopen,
    /// The answer, when the screen cannot be read.
    Failed(String),
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

/// The screen as it was once. It stays so for as long as somebody holds it.
pub(crate) struct Grabbed {
    /// As in [`Seat::grab`].
    pub(crate) number: u64,
    pixels: Arc<Vec<u8>>,
    size: Size,
    area: Rect,
    /// Where it may differ from the last one that this viewer was given, seen from its corner.
    pub(crate) changed: Vec<Rect>,
    pub(crate) captured_at: Moment,
    /// How long it took; nothing where somebody else's was new enough.
    pub(crate) cost: Duration,
}

impl Grabbed {
    /// The part that this viewer looks at.
    pub(crate) fn view(&self) -> FrameView<'_> {
        let stride = self.size.width() as usize * gc_codec::BYTES_PER_PIXEL;
        FrameView::new(self.size, stride, &self.pixels)
            .expect("a copy has the size of its screen: made in `Pictures`")
            .taken_at(self.captured_at)
            .part(self.area)
    }
}

/// What a session hears at once, the newest of each kind.
#[derive(Default)]
pub(crate) struct Tidings {
    /// When the screen was last said to change, and the pointer's last news.
    state: Mutex<(Option<Moment>, Option<Pointer>)>,
    news: Notify,
}

impl Tidings {
    /// Waits until there is something to take.
    pub(crate) async fn changed(&self) {
        self.news.notified().await;
    }

    /// The screen may have changed: a picture from `at` or later shows it.
    pub(crate) fn take_activity(&self) -> Option<Moment> {
        lock(&self.state).0.take()
    }

    /// The pointer, in the coordinates of all displays together.
    pub(crate) fn take_pointer(&self) -> Option<Pointer> {
        lock(&self.state).1.take()
    }

    fn announce_activity(&self, at: Moment) {
        lock(&self.state).0 = Some(at);
        self.news.notify_one();
    }

    fn announce_pointer(&self, pointer: Pointer) {
        let mut state = lock(&self.state);
        let unheard = state.1.take().and_then(|pointer| pointer.shape);
        let shape = pointer.shape.or(unheard);
        state.1 = Some(Pointer { shape, ..pointer });
        drop(state);
        self.news.notify_one();
    }
}

/// The machine's screen, whether or not somebody looks.
pub(crate) struct Screens {
    machine: Arc<dyn Host>,
    clock: Clock,
    films: Films,
    shared_films: SharedFilms,
    running: Mutex<Option<Running>>,
    seats: AtomicU64,
}

/// The way to the thread that reads.
#[derive(Clone)]
struct Running {
    orders: mpsc::Sender<(u64, Order)>,
    waker: Arc<Mutex<Option<Box<dyn Wake>>>>,
}

enum Order {
    Join(Guest),
    Leave,
    Watch,
    Show(Option<u32>),
    Grab { number: u64, wish: Moment },
}

impl Screens {
    pub(crate) fn new(machine: Arc<dyn Host>, films: Films, clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            machine,
            clock,
            films,
            shared_films: SharedFilms::default(),
            running: Mutex::default(),
            seats: AtomicU64::new(0),
        })
    }

    /// What one more viewer makes films with.
    pub(crate) fn film_codecs(&self) -> Vec<Box<dyn FilmCodec>> {
        let waits = |codec| Box::new(Waiting(codec)) as Box<dyn FilmCodec>;
        let shared = self.shared_films.for_viewer(self.films.codecs());
        shared.into_iter().map(waits).collect()
    }

    /// Gives unused memory back, after a thread that needed much of it.
    pub(crate) fn release_memory(&self) {
        self.machine.release_memory();
    }

    /// Takes a seat. `news` hears of the desktop first and must not wait; `tidings` once it watches.
    ///
    /// # Errors
    /// No thread can be started.
    pub(crate) fn join(
        self: &Arc<Self>,
        news: impl Fn(News) + Send + 'static,
        tidings: Arc<Tidings>,
    ) -> std::io::Result<Seat> {
        let id = self.seats.fetch_add(1, Ordering::Relaxed);
        let guest = Guest::new(id, news, tidings);
        let mut current = lock(&self.running);
        let running = match &*current {
            Some(running) => running.clone(),
            None => current.insert(self.start()?).clone(),
        };
        // Under the lock: the thread ends only when nobody has sent it an order.
        running.order(id, Order::Join(guest));
        drop(current);
        Ok(Seat { id, running })
    }

    fn start(self: &Arc<Self>) -> std::io::Result<Running> {
        let (orders, queue) = mpsc::channel();
        let running = Running {
            orders,
            waker: Arc::default(),
        };
        let (screens, waker) = (Arc::clone(self), Arc::clone(&running.waker));
        thread::Builder::new()
            .name("screen".to_owned())
            .spawn(move || {
                let ends = EndsWithThread(&screens, &waker);
                reader::run(&screens, &queue, &waker);
                drop(ends);
                *lock(&waker) = None;
                screens.release_memory();
            })?;
        Ok(running)
    }

    /// The next order of those that came while the last viewer left. Without any, whoever comes
    /// later starts a thread of their own.
    fn last_order(&self, queue: &mpsc::Receiver<(u64, Order)>) -> Option<(u64, Order)> {
        let mut running = lock(&self.running);
        let order = queue.try_recv().ok();
        if order.is_none() {
            *running = None;
        }
        order
    }
}

/// Nobody is sent to a thread that ended, however it did.
struct EndsWithThread<'a>(&'a Screens, &'a Arc<Mutex<Option<Box<dyn Wake>>>>);

impl Drop for EndsWithThread<'_> {
    fn drop(&mut self) {
        let mut running = lock(&self.0.running);
        // Another may run already.
        running.take_if(|running| Arc::ptr_eq(&running.waker, self.1));
    }
}

impl Running {
    fn order(&self, id: u64, order: Order) {
        // A thread that ended has said so to everybody.
        let _ended = self.orders.send((id, order));
        if let Some(waker) = &*lock(&self.waker) {
            waker.wake();
        }
    }
}

/// One viewer's place at the screen, given up when it is dropped.
pub(crate) struct Seat {
    id: u64,
    running: Running,
}

impl Seat {
    /// Begins to be told of activity and the pointer.
    pub(crate) fn watch(&self) {
        self.running.order(self.id, Order::Watch);
    }

    /// Asks for the picture as it is at `wish` or later. The answer has this `number`.
    pub(crate) fn grab(&self, number: u64, wish: Moment) {
        self.running.order(self.id, Order::Grab { number, wish });
    }

    /// Shows one display alone, or all; [`News::Layout`] follows when that changes anything.
    pub(crate) fn show(&self, only: Option<u32>) {
        self.running.order(self.id, Order::Show(only));
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.running.order(self.id, Order::Leave);
    }
}

/// Nothing that is kept here is half-done while it is locked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
