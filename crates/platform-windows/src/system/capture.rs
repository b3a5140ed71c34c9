//! Reading the screen: by desktop duplication, where Windows says itself what is new, and
//! otherwise through GDI, which works on every Windows and every driver.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gc_codec::{BYTES_PER_PIXEL, FrameView};
use gc_model::geometry::{Rect, Size};
use gc_model::pointer::Pointer;
use gc_platform::{Capture, Grab, PlatformError, ScreenSource, Wait, Wake};

use super::displays::{monitors, virtual_screen};
use super::dxgi::{self, DuplicatedOutput};
use super::events::{FineClock, Signal, Signals, Waker};
use super::gdi::Picture;
use super::input_desktop::{Followed, ThreadDesktop};
use super::pointer::PointerReader;
use crate::cadence::Cadence;
use crate::compare::changed_tiles;
use crate::duplication::{Choice, Fault, Reader, Ways};
use crate::layout_watch::LayoutWatch;
use crate::screen::VirtualScreen;

/// 33 ms: the pointer is looked at this often even when the screen is still.
const POINTER_INTERVAL: Duration = Duration::from_millis(33);

/// 8 ms: half a frame of a 60 Hz screen. Asking costs some microseconds.
const ASK_INTERVAL: Duration = Duration::from_millis(8);

/// For a moment between two desktops the screen cannot be read at all.
const MOST_FAILED_LOOKS: u32 = 50;

/// The whole screen, by desktop duplication or by GDI.
pub(crate) struct ScreenCapture {
    signals: Arc<Signals>,
    reader: Reader<WindowsWays>,
    layout: LayoutWatch,
    /// When the system was last asked what is new.
    asked_at: Instant,
    /// Something is new, and whoever waits was told.
    is_told: bool,
    /// The pointer was last told of as one that is not in the picture.
    is_pointer_apart: bool,
    is_first: bool,
    desktop: ThreadDesktop,
    pointer: PointerReader,
    cadence: Cadence,
    _clock: FineClock,
}

impl ScreenCapture {
    pub(crate) fn new(
        signals: Arc<Signals>,
        choice: Arc<Mutex<Choice>>,
    ) -> Result<Self, PlatformError> {
        let screen = virtual_screen()?;
        let ways = WindowsWays {
            screen,
            pictures: None,
            failed_looks: 0,
        };
        Ok(Self {
            signals,
            reader: Reader::new(ways, screen, monitors(), choice),
            layout: LayoutWatch::new(Instant::now()),
            asked_at: Instant::now(),
            is_told: false,
            is_pointer_apart: true,
            is_first: true,
            desktop: ThreadDesktop::default(),
            pointer: PointerReader::default(),
            cadence: Cadence::new(),
            _clock: FineClock::new(),
        })
    }

    fn is_layout_changed(&mut self, now: Instant) -> bool {
        virtual_screen().ok() != Some(self.reader.screen()) || self.are_monitors_changed(now)
    }

    fn are_monitors_changed(&mut self, now: Instant) -> bool {
        let before = self.reader.monitors();
        self.layout.is_changed(now, || monitors() != before)
    }

    /// What is new, where the system says so by itself; nothing where it has to be looked for.
    fn announced(&mut self, now: Instant) -> Option<Wait> {
        if !self.reader.is_announced() {
            return None;
        }
        self.asked_at = now;
        // A picture is made when the line has room for it, which may be later.
        if self.is_told {
            return None;
        }
        if self.reader.poll(now) || self.are_monitors_changed(now) {
            self.is_told = true;
            return Some(Wait::Activity);
        }
        None
    }

    /// When to look again or to ask what is new.
    fn next_look(&self, now: Instant) -> Instant {
        if self.reader.is_announced() {
            self.asked_at + ASK_INTERVAL
        } else {
            self.cadence.next_look(now)
        }
    }
}

/// Two pictures: what was last looked at, and the one to read into next.
struct Pictures {
    front: Picture,
    back: Picture,
    is_first: bool,
}

/// What Windows offers for reading the screen.
struct WindowsWays {
    screen: VirtualScreen,
    /// Made for the first look.
    pictures: Option<Pictures>,
    failed_looks: u32,
}

impl Ways for WindowsWays {
    type Output = DuplicatedOutput;

    fn is_prepared(&mut self) -> bool {
        dxgi::is_prepared()
    }

    fn duplicate(&mut self) -> Result<Vec<DuplicatedOutput>, Fault> {
        dxgi::duplicate_all()
    }

    fn look(&mut self) -> Result<Vec<Rect>, PlatformError> {
        let size = self.screen.size();
        let pictures = match &mut self.pictures {
            Some(pictures) => pictures,
            none => none.insert(Pictures {
                front: Picture::new(size)?,
                back: Picture::new(size)?,
                is_first: true,
            }),
        };
        if let Err(error) = pictures.back.read_screen(&self.screen) {
            self.failed_looks += 1;
            return if self.failed_looks > MOST_FAILED_LOOKS {
                Err(error)
            } else {
                Ok(Vec::new())
            };
        }
        self.failed_looks = 0;
        let changed = if std::mem::take(&mut pictures.is_first) {
            vec![Rect::whole(size)]
        } else {
            changed_tiles(&pictures.back.view(), &pictures.front.view())
        };
        if !changed.is_empty() {
            std::mem::swap(&mut pictures.front, &mut pictures.back);
        }
        Ok(changed)
    }

    fn view(&self) -> FrameView<'_> {
        match &self.pictures {
            Some(pictures) => pictures.front.view(),
            None => nothing_yet(),
        }
    }

    fn rest(&mut self) {
        self.pictures = None;
    }
}

/// Before anything was read.
fn nothing_yet() -> FrameView<'static> {
    static BLACK: [u8; BYTES_PER_PIXEL] = [0; BYTES_PER_PIXEL];
    let dot = Size::new(1, 1).expect("one pixel is a size");
    FrameView::new(dot, BYTES_PER_PIXEL, &BLACK).expect("one pixel of four bytes")
}

impl Capture for ScreenCapture {
    fn wait(&mut self, timeout: Duration) -> Result<Wait, PlatformError> {
        let deadline = Instant::now() + timeout;
        loop {
            let now = Instant::now();
            let look_at = self.next_look(now);
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
            if let Some(news) = self.announced(now) {
                return Ok(news);
            }
            if !self.reader.is_announced() && now >= look_at {
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
        self.is_told = false;
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
        let changed = self.reader.grab(started)?;
        let now = Instant::now();
        self.cadence
            .handle_found(now, now - started, !changed.is_empty());
        self.is_first &= changed.is_empty();
        Ok(if changed.is_empty() {
            Grab::Unchanged
        } else {
            Grab::Changed(changed)
        })
    }

    fn frame(&self) -> FrameView<'_> {
        self.reader.view()
    }

    fn pointer(&mut self) -> Result<Option<Pointer>, PlatformError> {
        let is_apart = self.reader.has_pointer_apart();
        if is_apart != std::mem::replace(&mut self.is_pointer_apart, is_apart) {
            self.pointer.forget_visibility();
        }
        Ok(self
            .pointer
            .read(&self.reader.screen())
            .map(|pointer| Pointer {
                visible: pointer.visible && is_apart,
                ..pointer
            }))
    }

    fn source(&self) -> Option<ScreenSource> {
        Some(self.reader.source())
    }
}
