//! Reading the screen through GDI, which works on every Windows and every driver.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gc_codec::FrameView;
use gc_model::geometry::Rect;
use gc_model::pointer::Pointer;
use gc_platform::{Capture, Grab, PlatformError, Wait, Wake};

use super::displays::{monitors, virtual_screen};
use super::events::{FineClock, Signal, Signals, Waker};
use super::gdi::Picture;
use super::input_desktop::{Followed, ThreadDesktop};
use super::pointer::PointerReader;
use crate::cadence::Cadence;
use crate::compare::changed_tiles;
use crate::screen::{Monitor, VirtualScreen};

/// 33 ms: the pointer is looked at this often even when the screen is still.
const POINTER_INTERVAL: Duration = Duration::from_millis(33);

/// Monitors can change places without changing the size of the whole.
const MONITORS_INTERVAL: Duration = Duration::from_millis(500);

/// For a moment between two desktops the screen cannot be read at all.
const MOST_FAILED_LOOKS: u32 = 50;

/// Two pictures: what was last grabbed, and the one to read into next.
pub(crate) struct GdiCapture {
    signals: Arc<Signals>,
    screen: VirtualScreen,
    monitors: Vec<Monitor>,
    monitors_at: Instant,
    front: Picture,
    back: Picture,
    is_first: bool,
    failed_looks: u32,
    desktop: ThreadDesktop,
    pointer: PointerReader,
    cadence: Cadence,
    _clock: FineClock,
}

impl GdiCapture {
    pub(crate) fn new(signals: Arc<Signals>) -> Result<Self, PlatformError> {
        let screen = virtual_screen()?;
        Ok(Self {
            signals,
            screen,
            monitors: monitors(),
            monitors_at: Instant::now(),
            front: Picture::new(screen.size())?,
            back: Picture::new(screen.size())?,
            is_first: true,
            failed_looks: 0,
            desktop: ThreadDesktop::default(),
            pointer: PointerReader::default(),
            cadence: Cadence::new(),
            _clock: FineClock::new(),
        })
    }

    fn is_layout_changed(&mut self, now: Instant) -> bool {
        if virtual_screen().ok() != Some(self.screen) {
            return true;
        }
        if now.saturating_duration_since(self.monitors_at) < MONITORS_INTERVAL {
            return false;
        }
        self.monitors_at = now;
        monitors() != self.monitors
    }

    /// Reads the screen and tells what is new.
    fn look(&mut self) -> Result<Grab, PlatformError> {
        if let Err(error) = self.back.read_screen(&self.screen) {
            self.failed_looks += 1;
            return if self.failed_looks > MOST_FAILED_LOOKS {
                Err(error)
            } else {
                Ok(Grab::Unchanged)
            };
        }
        self.failed_looks = 0;
        let changed = if self.is_first {
            vec![Rect::whole(self.screen.size())]
        } else {
            changed_tiles(&self.back.view(), &self.front.view())
        };
        self.is_first = false;
        if changed.is_empty() {
            return Ok(Grab::Unchanged);
        }
        std::mem::swap(&mut self.front, &mut self.back);
        Ok(Grab::Changed(changed))
    }
}

impl Capture for GdiCapture {
    fn wait(&mut self, timeout: Duration) -> Result<Wait, PlatformError> {
        let deadline = Instant::now() + timeout;
        loop {
            let now = Instant::now();
            let look_at = self.cadence.next_look(now);
            let until = look_at.min(deadline).min(now + POINTER_INTERVAL);
            match self.signals.wait(until.saturating_duration_since(now))? {
                Signal::Wake => return Ok(Wait::Woken),
                Signal::Input => {
                    self.cadence.handle_input(Instant::now());
                    continue;
                }
                Signal::Timeout => {}
            }
            let now = Instant::now();
            if now >= look_at {
                self.cadence.handle_look(now);
                return Ok(Wait::Activity);
            }
            if self.pointer.has_news() {
                return Ok(Wait::Pointer);
            }
            if now >= deadline {
                return Ok(Wait::Timeout);
            }
        }
    }

    fn waker(&self) -> Box<dyn Wake> {
        Box::new(Waker(Arc::clone(&self.signals)))
    }

    fn grab(&mut self) -> Result<Grab, PlatformError> {
        let started = Instant::now();
        match self.desktop.follow()? {
            Followed::Already => {}
            Followed::Switched if self.is_first => {}
            Followed::Switched => return Ok(Grab::Reopen),
            // The last picture stands until we may see again.
            Followed::Refused if !self.is_first => return Ok(Grab::Unchanged),
            Followed::Refused => {
                return Err(PlatformError::Denied("reading the screen that shows now"));
            }
        }
        if self.is_layout_changed(started) {
            return Ok(Grab::Reopen);
        }
        let grab = self.look()?;
        let now = Instant::now();
        self.cadence
            .handle_found(now, now - started, grab != Grab::Unchanged);
        Ok(grab)
    }

    fn frame(&self) -> FrameView<'_> {
        self.front.view()
    }

    fn pointer(&mut self) -> Result<Option<Pointer>, PlatformError> {
        Ok(self.pointer.read(&self.screen))
    }
}
