//! A machine in memory: tests draw on its screen, move its pointer and read
//! which input arrived. Cloning a [`FakeScreen`] gives another handle to the same machine.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use gc_codec::FrameView;
use gc_model::geometry::{Display, DisplayLayout, Rect, Size};
use gc_model::input::{InputEvent, KeyInput};
use gc_model::pointer::{Pointer, PointerShape};

use crate::{Capture, Desktop, Facts, Grab, Host, Input, PlatformError, Preset, Wait, Wake};

/// Bytes of a BGRX pixel.
const PIXEL: usize = 4;

/// The script's side of a fake machine.
#[derive(Clone)]
pub struct FakeScreen {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    layout: DisplayLayout,
    /// Counts layouts: a capture of an older one must be opened anew.
    generation: u64,
    pixels: Vec<u8>,
    /// Everything drawn since the machine was made; captures remember how far they have read.
    drawn: Vec<Rect>,
    pointer: Pointer,
    injected: Vec<InputEvent>,
    refusal: Option<Refusal>,
    gone: bool,
    captures: usize,
    grabs: usize,
}

/// How the fake refuses input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Input cannot be opened.
    Unsupported,
    /// Input opens, and each event is denied.
    Denied,
}

impl FakeScreen {
    /// A black screen with one display and an arrow in the corner.
    pub fn new(size: Size) -> Self {
        let shape = PointerShape {
            width: 1,
            height: 1,
            hot_x: 0,
            hot_y: 0,
            rgba: vec![255; PIXEL],
        };
        let state = State {
            layout: single_display(size),
            generation: 0,
            pixels: vec![0; size.area() * PIXEL],
            drawn: Vec::new(),
            pointer: Pointer {
                x: 0,
                y: 0,
                visible: true,
                shape: Some(shape),
            },
            injected: Vec::new(),
            refusal: None,
            gone: false,
            captures: 0,
            grabs: 0,
        };
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                changed: Condvar::new(),
            }),
        }
    }

    /// Fills a rectangle with one BGRX colour.
    pub fn fill(&self, rect: Rect, colour: [u8; PIXEL]) {
        self.change(|state| {
            let rect = rect.clamped(state.layout.picture);
            let stride = state.layout.picture.width() as usize * PIXEL;
            for y in rect.rows() {
                let start = y as usize * stride + rect.x as usize * PIXEL;
                let row = &mut state.pixels[start..start + rect.width as usize * PIXEL];
                for pixel in row.chunks_exact_mut(PIXEL) {
                    pixel.copy_from_slice(&colour);
                }
            }
            state.drawn.push(rect);
        });
    }

    /// Moves the pointer as a person at the machine would.
    pub fn move_pointer(&self, x: i32, y: i32) {
        self.change(|state| (state.pointer.x, state.pointer.y) = (x, y));
    }

    /// Gives the pointer another picture.
    pub fn set_pointer_shape(&self, shape: PointerShape) {
        self.change(|state| state.pointer.shape = Some(shape));
    }

    /// Changes the resolution; the screen is black afterwards.
    pub fn resize(&self, size: Size) {
        self.change(|state| {
            state.layout = single_display(size);
            state.generation += 1;
            state.pixels = vec![0; size.area() * PIXEL];
            state.drawn.clear();
        });
    }

    /// Puts other displays on the same picture.
    pub fn set_displays(&self, displays: Vec<Display>) {
        self.change(|state| {
            state.layout.displays = displays;
            state.generation += 1;
        });
    }

    /// A screen of displays of these widths, side by side and 100 pixels high. They are
    /// numbered from 1 on.
    pub fn side_by_side(widths: &[u32]) -> Self {
        let size = |width| Size::new(width, 100).expect("a small screen");
        let screen = Self::new(size(widths.iter().sum()));
        let mut displays: Vec<Display> = Vec::new();
        for (id, &width) in (1..).zip(widths) {
            let before = displays.last();
            displays.push(Display {
                id,
                name: format!("Display {id}"),
                x: before.map_or(0, |left| left.x.saturating_add_unsigned(left.size.width())),
                y: 0,
                size: size(width),
                primary: id == 1,
            });
        }
        screen.set_displays(displays);
        screen
    }

    /// Lets input be refused from now on.
    pub fn refuse_input(&self, refusal: Refusal) {
        self.change(|state| state.refusal = Some(refusal));
    }

    /// Takes the desktop away, as when its user signs out.
    pub fn remove_desktop(&self) {
        self.change(|state| state.gone = true);
    }

    /// The input that arrived since the last call.
    pub fn take_injected(&self) -> Vec<InputEvent> {
        std::mem::take(&mut self.lock().injected)
    }

    /// How many captures were opened so far, and how often one was asked for a picture.
    pub fn reads(&self) -> (usize, usize) {
        let state = self.lock();
        (state.captures, state.grabs)
    }

    /// The desktop that captures this screen.
    pub fn desktop(&self) -> FakeDesktop {
        FakeDesktop {
            screen: self.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .expect("no test panics while it holds the fake screen")
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.shared.changed.notify_all();
    }
}

/// [`Desktop`] over a [`FakeScreen`].
pub struct FakeDesktop {
    screen: FakeScreen,
}

impl Desktop for FakeDesktop {
    fn layout(&mut self) -> Result<DisplayLayout, PlatformError> {
        let state = self.screen.lock();
        if state.gone {
            return Err(PlatformError::Gone("the fake desktop"));
        }
        Ok(state.layout.clone())
    }

    fn open_capture(&mut self) -> Result<Box<dyn Capture>, PlatformError> {
        let mut state = self.screen.lock();
        state.captures += 1;
        let capture = FakeCapture {
            screen: self.screen.clone(),
            size: state.layout.picture,
            generation: state.generation,
            pixels: vec![0; state.pixels.len()],
            read: None,
            reported: None,
            seen: Pointer {
                x: 0,
                y: 0,
                visible: false,
                shape: None,
            },
            woken: Arc::default(),
        };
        Ok(Box::new(capture))
    }

    fn open_input(&mut self) -> Result<Box<dyn Input>, PlatformError> {
        if self.screen.lock().refusal == Some(Refusal::Unsupported) {
            return Err(PlatformError::Unsupported("input"));
        }
        Ok(Box::new(FakeInput {
            screen: self.screen.clone(),
            held: Vec::new(),
        }))
    }

    fn has_secure_attention(&self) -> bool {
        false
    }
}

struct FakeCapture {
    screen: FakeScreen,
    size: Size,
    generation: u64,
    pixels: Vec<u8>,
    /// How much of `State::drawn` is in `pixels`; nothing yet when `None`.
    read: Option<usize>,
    /// How much of `State::drawn` a wait has announced.
    reported: Option<usize>,
    seen: Pointer,
    woken: Arc<Mutex<bool>>,
}

impl FakeCapture {
    fn news(&mut self, state: &State) -> Option<Wait> {
        if std::mem::take(&mut *self.woken.lock().expect("a flag is never poisoned")) {
            return Some(Wait::Woken);
        }
        let drawn = Some(state.drawn.len());
        if state.generation != self.generation || (drawn != self.read && drawn != self.reported) {
            self.reported = drawn;
            return Some(Wait::Activity);
        }
        (state.pointer != self.seen).then_some(Wait::Pointer)
    }
}

impl Capture for FakeCapture {
    fn wait(&mut self, timeout: Duration) -> Result<Wait, PlatformError> {
        let deadline = Instant::now() + timeout;
        let shared = Arc::clone(&self.screen.shared);
        let mut state = shared
            .state
            .lock()
            .expect("no test panics while it holds the fake screen");
        loop {
            if state.gone {
                return Err(PlatformError::Gone("the fake desktop"));
            }
            if let Some(news) = self.news(&state) {
                return Ok(news);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Wait::Timeout);
            }
            state = shared
                .changed
                .wait_timeout(state, left)
                .expect("as above")
                .0;
        }
    }

    fn waker(&self) -> Box<dyn Wake> {
        Box::new(FakeWaker {
            screen: self.screen.clone(),
            woken: Arc::clone(&self.woken),
        })
    }

    fn grab(&mut self) -> Result<Grab, PlatformError> {
        let mut state = self.screen.lock();
        state.grabs += 1;
        if state.gone {
            return Err(PlatformError::Gone("the fake desktop"));
        }
        if state.generation != self.generation {
            return Ok(Grab::Reopen);
        }
        self.pixels.copy_from_slice(&state.pixels);
        let rects = match self.read {
            None => vec![Rect::whole(self.size)],
            Some(read) => state.drawn[read..].to_vec(),
        };
        self.read = Some(state.drawn.len());
        Ok(if rects.is_empty() {
            Grab::Unchanged
        } else {
            Grab::Changed(rects)
        })
    }

    fn frame(&self) -> FrameView<'_> {
        FrameView::new(self.size, self.size.width() as usize * PIXEL, &self.pixels)
            .expect("the fake's pixels have the size of its layout")
    }

    fn pointer(&mut self) -> Result<Option<Pointer>, PlatformError> {
        let now = self.screen.lock().pointer.clone();
        if now == self.seen {
            return Ok(None);
        }
        let shape = if now.shape == self.seen.shape {
            None
        } else {
            now.shape.clone()
        };
        let news = Pointer { shape, ..now };
        self.seen = now;
        Ok(Some(news))
    }
}

struct FakeWaker {
    screen: FakeScreen,
    woken: Arc<Mutex<bool>>,
}

impl Wake for FakeWaker {
    fn wake(&self) {
        self.screen
            .change(|_| *self.woken.lock().expect("a flag is never poisoned") = true);
    }
}

struct FakeInput {
    screen: FakeScreen,
    /// The releases of everything that is down.
    held: Vec<InputEvent>,
}

impl Input for FakeInput {
    fn inject(&mut self, event: &InputEvent) -> Result<(), PlatformError> {
        if self.screen.lock().refusal.is_some() {
            return Err(PlatformError::Denied("input"));
        }
        if matches!(event, InputEvent::SecureAttention) {
            return Err(PlatformError::Unsupported("Ctrl+Alt+Del"));
        }
        self.screen.change(|state| {
            if let InputEvent::PointerMove { x, y } = event {
                (state.pointer.x, state.pointer.y) = (x.cast_signed(), y.cast_signed());
            }
            state.injected.push(event.clone());
        });
        if let Some((release, down)) = release_of(event) {
            self.held.retain(|held| *held != release);
            self.held.extend(down.then_some(release));
        }
        Ok(())
    }
}

impl Drop for FakeInput {
    fn drop(&mut self) {
        self.screen
            .change(|state| state.injected.append(&mut self.held));
    }
}

/// A [`Host`] whose desktop is a [`FakeScreen`] and whose files live in a directory of the test.
pub struct FakeHost {
    /// The desktop's screen.
    pub screen: FakeScreen,
    /// Stands for the place where the agent keeps its files.
    pub data_dir: PathBuf,
    /// What [`Host::facts`] answers.
    pub facts: Facts,
}

impl Host for FakeHost {
    fn facts(&self) -> Facts {
        self.facts.clone()
    }

    fn open_desktop(&self) -> Result<Box<dyn Desktop>, PlatformError> {
        if self.screen.lock().gone {
            return Err(PlatformError::Gone("the fake desktop"));
        }
        Ok(Box::new(self.screen.desktop()))
    }

    fn default_data_dir(&self) -> Result<PathBuf, PlatformError> {
        Ok(self.data_dir.clone())
    }

    fn default_log_file(&self, data_dir: &Path) -> PathBuf {
        data_dir.join("agent.log")
    }

    fn preset(&self) -> Preset {
        Preset::default()
    }

    fn create_private_dir(&self, path: &Path) -> io::Result<()> {
        std::fs::create_dir_all(path)
    }

    fn replace_private_file(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        std::fs::write(path, content)
    }
}

/// What ends a press, and whether `event` is the press.
fn release_of(event: &InputEvent) -> Option<(InputEvent, bool)> {
    match event {
        InputEvent::Button { button, down } => Some((
            InputEvent::Button {
                button: *button,
                down: false,
            },
            *down,
        )),
        InputEvent::Key(key) => {
            let release = KeyInput {
                usage: key.usage,
                down: false,
                text: None,
            };
            Some((InputEvent::Key(release), key.down))
        }
        InputEvent::PointerMove { .. } | InputEvent::Wheel { .. } | InputEvent::SecureAttention => {
            None
        }
    }
}

fn single_display(picture: Size) -> DisplayLayout {
    let display = Display {
        id: 1,
        name: "Fake".to_owned(),
        x: 0,
        y: 0,
        size: picture,
        primary: true,
    };
    DisplayLayout {
        picture,
        displays: vec![display],
    }
}
