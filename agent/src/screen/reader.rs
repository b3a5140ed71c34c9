//! The thread that reads the screen. It owns the desktop, reads it when a viewer's order needs a
//! newer picture than there is, and waits for the screen in between. It never waits for a viewer.

use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use gc_model::geometry::{DisplayLayout, Rect};
use gc_model::pointer::Pointer;
use gc_model::time::Moment;
use gc_platform::part::{area_of, inside, layout_of};
use gc_platform::{Capture, Desktop, Grab, Host, PlatformError, ScreenSource, Wait, Wake};

use super::damage::Damage;
use super::pictures::Pictures;
use super::{Grabbed, News, Opened, Order, Screens, Shown, Tidings, lock};
use crate::clock::Clock;
use crate::desktop_thread::sentence;

/// A wait without news is ended this often, only to start the next.
const LONG_WAIT: Duration = Duration::from_mins(1);

/// While a resolution changes, reading the new one may fail a few times.
const REOPEN_ATTEMPTS: u32 = 10;

/// 100 ms between those attempts: a mode switch takes up to a second.
const REOPEN_PAUSE: Duration = Duration::from_millis(100);

/// One viewer, as the thread knows it.
pub(super) struct Guest {
    id: u64,
    news: Box<dyn Fn(News) + Send>,
    tidings: Arc<Tidings>,
    watching: bool,
    /// It was given a picture since it watches.
    served: bool,
    /// The display that alone is to be shown, where there is one of that id.
    only: Option<u32>,
    /// What is shown of all displays, and where it differs from what the viewer was given.
    part: Option<(Rect, Damage)>,
    /// How the screen is read, as this viewer was told.
    source: Option<ScreenSource>,
}

impl Guest {
    pub(super) fn new(
        id: u64,
        news: impl Fn(News) + Send + 'static,
        tidings: Arc<Tidings>,
    ) -> Self {
        Self {
            id,
            news: Box::new(news),
            tidings,
            watching: false,
            served: false,
            only: None,
            part: None,
            source: None,
        }
    }

    fn tell(&self, news: News) {
        (self.news)(news);
    }

    /// Shows the part of `layout` that is asked for, as if it were new.
    fn place(&mut self, layout: &DisplayLayout) -> Shown {
        let found = self.only.and_then(|id| Some((id, area_of(layout, id)?)));
        // One that was unplugged is not waited for.
        self.only = found.map(|(id, _)| id);
        let area = found.map_or(Rect::whole(layout.picture), |(_, area)| area);
        let layout = match found {
            Some(_) => layout_of(layout, area),
            None => layout.clone(),
        };
        self.part = Some((area, Damage::everywhere(layout.picture)));
        Shown {
            layout,
            only: self.only,
            corner: (area.x, area.y),
        }
    }

    /// Notes what is new; true when any of it is in this viewer's part.
    fn mark(&mut self, rects: &[Rect]) -> bool {
        let Some((area, damage)) = &mut self.part else {
            return false;
        };
        let mut any = false;
        for rect in rects.iter().filter_map(|&rect| inside(rect, *area)) {
            damage.mark(rect);
            any = true;
        }
        any
    }
}

impl Drop for Guest {
    /// However the thread ends, nobody goes on waiting for it.
    fn drop(&mut self) {
        self.tell(News::Lost("the screen is read no more".to_owned()));
    }
}

/// What the thread does.
pub(super) fn run(
    screens: &Screens,
    orders: &mpsc::Receiver<(u64, Order)>,
    waker: &Mutex<Option<Box<dyn Wake>>>,
) {
    let mut reader = match Reader::open(&*screens.machine, screens.clock, waker) {
        Ok(reader) => reader,
        Err(error) => return turn_away(screens, orders, &sentence(&error)),
    };
    if let Err(Lost(why)) = reader.serve(screens, orders) {
        for guest in &reader.guests {
            guest.tell(News::Lost(why.clone()));
        }
        turn_away(screens, orders, &why);
    }
}

/// Tells those who were on their way that there is no desktop, until nobody is.
fn turn_away(screens: &Screens, orders: &mpsc::Receiver<(u64, Order)>, why: &str) {
    while let Some((_, order)) = screens.last_order(orders) {
        if let Order::Join(guest) = order {
            guest.tell(News::Opened(Err(why.to_owned())));
        }
    }
}

/// The desktop is gone; says how.
struct Lost(String);

impl From<PlatformError> for Lost {
    fn from(error: PlatformError) -> Self {
        Self(sentence(&error))
    }
}

struct Reader<'a> {
    clock: Clock,
    waker: &'a Mutex<Option<Box<dyn Wake>>>,
    desktop: Box<dyn Desktop>,
    layout: DisplayLayout,
    capture: Box<dyn Capture>,
    pictures: Pictures,
    /// When the newest picture was begun to be read.
    grabbed_at: Option<Moment>,
    /// When the screen last said that it changed, to those who watched then.
    active_at: Option<Moment>,
    /// As it is now, with its shape.
    pointer: Option<Pointer>,
    guests: Vec<Guest>,
}

impl<'a> Reader<'a> {
    fn open(
        host: &dyn Host,
        clock: Clock,
        waker: &'a Mutex<Option<Box<dyn Wake>>>,
    ) -> Result<Self, PlatformError> {
        let mut desktop = host.open_desktop()?;
        let layout = desktop.layout()?;
        let capture = desktop.open_capture()?;
        *lock(waker) = Some(capture.waker());
        Ok(Self {
            clock,
            waker,
            desktop,
            pictures: Pictures::new(layout.picture),
            layout,
            capture,
            grabbed_at: None,
            active_at: None,
            pointer: None,
            guests: Vec::new(),
        })
    }

    /// Serves until nobody is left.
    fn serve(
        &mut self,
        screens: &Screens,
        orders: &mpsc::Receiver<(u64, Order)>,
    ) -> Result<(), Lost> {
        loop {
            let order = if self.guests.is_empty() {
                match screens.last_order(orders) {
                    Some(order) => Some(order),
                    None => return Ok(()),
                }
            } else if self.guests.iter().any(|guest| guest.watching) {
                orders.try_recv().ok()
            } else {
                // Nothing is watched while nobody may look. Each viewer's seat can order.
                orders.recv().ok()
            };
            match order {
                Some((id, order)) => self.obey(id, order)?,
                None => match self.capture.wait(LONG_WAIT)? {
                    Wait::Activity => {
                        let now = self.clock.now();
                        self.active_at = Some(now);
                        self.announce(now, |_| true);
                    }
                    Wait::Pointer => self.report_pointer()?,
                    Wait::Woken | Wait::Timeout => {}
                },
            }
        }
    }

    fn obey(&mut self, id: u64, order: Order) -> Result<(), Lost> {
        if let Order::Join(guest) = order {
            self.welcome(guest);
            return Ok(());
        }
        let Some(at) = self.guests.iter().position(|guest| guest.id == id) else {
            return Ok(());
        };
        match order {
            Order::Leave => drop(self.guests.remove(at)),
            Order::Watch => {
                if !self.guests.iter().any(|guest| guest.watching) {
                    // Nobody listened: the newest picture may be older than the screen, and
                    // than this viewer's leave to look.
                    self.grabbed_at = None;
                }
                let guest = &mut self.guests[at];
                guest.watching = true;
                if let Some(pointer) = self.pointer.clone() {
                    guest.tidings.announce_pointer(pointer);
                }
            }
            Order::Grab { number, wish } => return self.grab(at, number, wish),
            Order::Show(only) if only != self.guests[at].only => return self.show(at, only),
            Order::Show(_) | Order::Join(_) => {}
        }
        Ok(())
    }

    fn welcome(&mut self, mut guest: Guest) {
        let shown = guest.place(&self.layout);
        guest.tell(News::Opened(Ok(Opened {
            layout: shown.layout,
            input: self.desktop.open_input(),
            has_secure_attention: self.desktop.has_secure_attention(),
        })));
        self.guests.push(guest);
    }

    /// Gives one viewer the picture as it was at `wish` or later.
    fn grab(&mut self, at: usize, number: u64, wish: Moment) -> Result<(), Lost> {
        let started = Instant::now();
        // What the screen said before this viewer watched is not said again.
        let unheard = self.active_at.filter(|_| !self.guests[at].served);
        let wish = unheard.map_or(wish, |active| wish.max(active));
        if self.grabbed_at.is_none_or(|grabbed| grabbed < wish) {
            let now = self.clock.now();
            let found = match self.capture.grab() {
                Ok(found) => found,
                Err(error) => {
                    self.guests[at].tell(News::Failed(sentence(&error)));
                    return Ok(());
                }
            };
            let resized = self.capture.frame().size() != self.layout.picture;
            if found == Grab::Reopen || resized {
                self.guests[at].tell(News::Reopen);
                return self.reopen();
            }
            self.grabbed_at = Some(now);
            if let Grab::Changed(rects) = found {
                self.pictures.note_changed(&rects);
                // The screen tells its news once, and here they went to one viewer.
                let id = self.guests[at].id;
                self.announce(now, |guest| guest.mark(&rects) && guest.id != id);
            }
            self.report_pointer()?;
        }
        let pixels = self.pictures.current(&self.capture.frame());
        let guest = &mut self.guests[at];
        if let Some(source) = self.capture.source()
            && guest.source.as_ref() != Some(&source)
        {
            guest.source = Some(source.clone());
            guest.tell(News::Source(source));
        }
        let (area, damage) = guest.part.as_mut().expect("placed when it was welcomed");
        let grabbed = Grabbed {
            number,
            pixels,
            size: self.layout.picture,
            area: *area,
            changed: damage.take(),
            captured_at: self.grabbed_at.expect("grabbed above, or before"),
            cost: started.elapsed(),
        };
        guest.served = true;
        guest.tell(News::Picture(grabbed));
        Ok(())
    }

    /// Tells those whom it concerns that a picture from `at` or later is another.
    fn announce(&mut self, at: Moment, mut concerns: impl FnMut(&mut Guest) -> bool) {
        for guest in &mut self.guests {
            if concerns(guest) && guest.watching {
                guest.tidings.announce_activity(at);
            }
        }
    }

    fn show(&mut self, at: usize, only: Option<u32>) -> Result<(), Lost> {
        self.guests[at].only = only;
        // A system does not tell everybody of every change.
        if !self.desktop.layout().is_ok_and(|now| now == self.layout) {
            return self.reopen();
        }
        let guest = &mut self.guests[at];
        let shown = guest.place(&self.layout);
        guest.tell(News::Layout(shown));
        Ok(())
    }

    /// The displays changed: everything is opened anew, for everybody.
    fn reopen(&mut self) -> Result<(), Lost> {
        let mut attempt = 0;
        let (layout, capture) = loop {
            match open_capture(&mut *self.desktop) {
                Ok(opened) => break opened,
                Err(error) if attempt == REOPEN_ATTEMPTS => return Err(error.into()),
                Err(_) => attempt += 1,
            }
            thread::sleep(REOPEN_PAUSE);
        };
        (self.layout, self.capture) = (layout, capture);
        *lock(self.waker) = Some(self.capture.waker());
        self.pictures = Pictures::new(self.layout.picture);
        self.grabbed_at = None;
        for guest in &mut self.guests {
            let shown = guest.place(&self.layout);
            guest.tell(News::Layout(shown));
        }
        Ok(())
    }

    fn report_pointer(&mut self) -> Result<(), Lost> {
        let Some(pointer) = self.capture.pointer()? else {
            return Ok(());
        };
        for guest in self.guests.iter().filter(|guest| guest.watching) {
            guest.tidings.announce_pointer(pointer.clone());
        }
        let known = self.pointer.take().and_then(|pointer| pointer.shape);
        let shape = pointer.shape.or(known);
        self.pointer = Some(Pointer { shape, ..pointer });
        Ok(())
    }
}

fn open_capture(
    desktop: &mut dyn Desktop,
) -> Result<(DisplayLayout, Box<dyn Capture>), PlatformError> {
    Ok((desktop.layout()?, desktop.open_capture()?))
}
