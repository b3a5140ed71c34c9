//! Reads the root window. Only what `XDamage` says is fetched, into one frame
//! that lives as long as the capture.

mod cursor;
mod damage;
mod image;

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use gc_codec::FrameView;
use gc_model::geometry::{DisplayLayout, Rect, Size};
use gc_model::pointer::Pointer;
use gc_platform::{Capture, Grab, PlatformError, ScreenSource, Wait, Wake};
use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::randr::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{ChangeWindowAttributesAux, ConnectionExt as _, EventMask};

use crate::display::Connection;
use crate::error::{During, X_SERVER};
use crate::wake::Waker;
use cursor::Cursor;
use damage::Damage;
use image::Image;

/// 33 ms: how often a screen is looked at that does not say what changes, 30 times a second.
const POLL_PICTURE: Duration = Duration::from_millis(33);

/// 16 ms: a pointer is reported at most 60 times a second, however often the mouse speaks.
const POINTER_PACE: Duration = Duration::from_millis(16);

/// [`Capture`] of a root window.
#[expect(
    clippy::struct_excessive_bools,
    reason = "four things that have nothing to do with each other"
)]
pub(crate) struct X11Capture {
    connection: Connection,
    waker: Waker,
    layout: DisplayLayout,
    image: Image,
    damage: Option<Damage>,
    cursor: Cursor,
    /// True until the whole picture was read once.
    fresh: bool,
    /// The screen was drawn on since the last grab.
    damaged: bool,
    /// As `damaged`, and no wait has said so yet.
    unannounced: bool,
    /// Layout or size may have changed since the capture was opened.
    resized: bool,
    last_activity: Instant,
    last_pointer: Option<Instant>,
}

impl X11Capture {
    pub(crate) fn open(connection: Connection) -> Result<Self, PlatformError> {
        let x = &connection.x;
        let root_events = ChangeWindowAttributesAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
        x.change_window_attributes(connection.root, &root_events)
            .during("ChangeWindowAttributes")?;
        if connection.has(randr::X11_EXTENSION_NAME)? {
            let changes = randr::NotifyMask::SCREEN_CHANGE | randr::NotifyMask::CRTC_CHANGE;
            x.randr_select_input(connection.root, changes)
                .during("RRSelectInput")?;
        }
        // Events are on before the layout is read: a change in between is seen.
        let layout = connection.layout()?;
        let damage = Damage::open(&connection)?;
        let cursor = Cursor::open(&connection)?;
        let image = Image::open(&connection, layout.picture)?;
        Ok(Self {
            connection,
            waker: Waker::new()?,
            layout,
            image,
            damage,
            cursor,
            fresh: true,
            damaged: false,
            unannounced: true,
            resized: false,
            last_activity: Instant::now(),
            last_pointer: None,
        })
    }

    fn size(&self) -> Size {
        self.layout.picture
    }

    /// Takes in every event that has arrived, without waiting.
    fn read_events(&mut self) -> Result<(), PlatformError> {
        while let Some(event) = self
            .connection
            .x
            .poll_for_event()
            .during("reading X events")?
        {
            match event {
                Event::DamageNotify(_) => (self.damaged, self.unannounced) = (true, true),
                Event::RandrScreenChangeNotify(_) | Event::RandrNotify(_) => self.note_resize(),
                Event::ConfigureNotify(change) if change.window == self.connection.root => {
                    self.note_resize();
                }
                Event::XfixesCursorNotify(_) => self.cursor.note_shape(),
                Event::XinputRawMotion(_) => self.cursor.note_motion(),
                _ => {}
            }
        }
        Ok(())
    }

    fn note_resize(&mut self) {
        (self.resized, self.unannounced) = (true, true);
    }

    /// What a wait has to say at once, or how long it may sleep.
    fn news(&mut self) -> Result<Wait, Duration> {
        let now = Instant::now();
        if std::mem::take(&mut self.unannounced) {
            self.last_activity = now;
            return Ok(Wait::Activity);
        }
        let mut sleep = Duration::MAX;
        if self.cursor.may_have_changed() {
            let due = self.last_pointer.map_or(now, |last| last + POINTER_PACE);
            if due <= now {
                self.last_pointer = Some(now);
                return Ok(Wait::Pointer);
            }
            sleep = due - now;
        }
        if self.damage.is_none() {
            let due = self.last_activity + POLL_PICTURE;
            if due <= now {
                self.last_activity = now;
                return Ok(Wait::Activity);
            }
            sleep = sleep.min(due - now);
        }
        Err(sleep)
    }

    /// What was drawn on since the last grab.
    fn changed(&mut self) -> Result<Vec<Rect>, PlatformError> {
        if std::mem::take(&mut self.fresh) {
            if let Some(damage) = &self.damage {
                damage.forget(&self.connection)?;
            }
            return Ok(vec![Rect::whole(self.size())]);
        }
        match &self.damage {
            None => Ok(vec![Rect::whole(self.size())]),
            Some(_) if !self.damaged => Ok(Vec::new()),
            Some(damage) => damage.take(&self.connection, self.size()),
        }
    }
}

impl Capture for X11Capture {
    fn wait(&mut self, timeout: Duration) -> Result<Wait, PlatformError> {
        let deadline = Instant::now().checked_add(timeout);
        self.connection.x.flush().during("sending X requests")?;
        loop {
            self.read_events()?;
            let sleep = match self.news() {
                Ok(news) => return Ok(news),
                Err(sleep) => sleep,
            };
            let left = deadline.map_or(sleep, |deadline| {
                deadline.saturating_duration_since(Instant::now())
            });
            let ready = self
                .waker
                .wait(self.connection.x.stream().as_fd(), left.min(sleep))?;
            if ready.woken {
                return Ok(Wait::Woken);
            }
            if left.is_zero() && !ready.connection {
                return Ok(Wait::Timeout);
            }
        }
    }

    fn waker(&self) -> Box<dyn Wake> {
        Box::new(self.waker.clone())
    }

    fn grab(&mut self) -> Result<Grab, PlatformError> {
        self.read_events()?;
        if std::mem::take(&mut self.resized) && self.connection.layout()? != self.layout {
            self.resized = true;
            return Ok(Grab::Reopen);
        }
        let rects = self.changed()?;
        (self.damaged, self.unannounced) = (false, false);
        if rects.is_empty() {
            return Ok(Grab::Unchanged);
        }
        if let Err(error) = self.image.read(&self.connection, &rects) {
            // The screen shrank between the last event and the request.
            let shrunk = !matches!(error, PlatformError::Gone(X_SERVER))
                && self.connection.layout()? != self.layout;
            self.resized = shrunk;
            // What was to be read is read with all the rest the next time.
            self.fresh = true;
            return if shrunk { Ok(Grab::Reopen) } else { Err(error) };
        }
        // Where the pointer was warped to is announced by nobody: look when something was drawn.
        self.cursor.note_motion();
        Ok(Grab::Changed(rects))
    }

    fn frame(&self) -> FrameView<'_> {
        self.image.frame()
    }

    fn pointer(&mut self) -> Result<Option<Pointer>, PlatformError> {
        self.last_pointer = Some(Instant::now());
        self.cursor.read(&self.connection)
    }

    fn source(&self) -> Option<ScreenSource> {
        Some(if self.image.is_shared() {
            ScreenSource::new("X11 in shared memory", String::new())
        } else {
            let reason = "shared memory: not offered by this X server";
            ScreenSource::new("X11", reason.to_owned())
        })
    }
}
