//! A machine with monitors, for tests: it paints, scrolls, fails and refuses as told, and
//! knows what its screen shows.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use gc_codec::{BYTES_PER_PIXEL, FrameView};
use gc_model::geometry::{Rect, Size};
use gc_platform::PlatformError;

use super::{Choice, Fault, News, Output, Pixels, Place, Reader, Reported, Rotation, Ways};
use crate::screen::{Monitor, VirtualScreen};

/// Another handle to the same machine with each clone.
#[derive(Clone)]
pub(super) struct Machine {
    state: Arc<Mutex<State>>,
    screen: VirtualScreen,
    monitors: Vec<Monitor>,
    /// What GDI read last; none after a rest.
    seen: Vec<u8>,
    is_fresh: bool,
}

struct State {
    outputs: Vec<Surface>,
    refusal: Option<Fault>,
    paints: u8,
    is_silent: bool,
    is_prepared: bool,
}

struct Surface {
    place: Place,
    pixels: Vec<u8>,
    news: Vec<Reported>,
    pointer: Option<bool>,
    fault: Option<Fault>,
    is_hidden: bool,
}

fn size(width: u32, height: u32) -> Size {
    Size::new(width, height).expect("a small size")
}

/// One monitor whose surface is turned.
pub(super) fn rotated(rotation: Rotation, width: u32, height: u32) -> Machine {
    let place = Place {
        left: 0,
        top: 0,
        surface: size(width, height),
        rotation,
    };
    Machine::with(vec![place])
}

impl Machine {
    /// Monitors at left, top, with width and height.
    pub(super) fn new(monitors: &[(i32, i32, u32, u32)]) -> Self {
        Self::with(
            monitors
                .iter()
                .map(|&(left, top, width, height)| Place {
                    left,
                    top,
                    surface: size(width, height),
                    rotation: Rotation::None,
                })
                .collect(),
        )
    }

    fn with(places: Vec<Place>) -> Self {
        let monitors: Vec<_> = places
            .iter()
            .enumerate()
            .map(|(index, place)| {
                let turned = place.rotation.turned(place.surface);
                Monitor {
                    device: format!("DISPLAY{index}"),
                    model: String::new(),
                    left: place.left,
                    top: place.top,
                    right: place.left + turned.width().cast_signed(),
                    bottom: place.top + turned.height().cast_signed(),
                    primary: index == 0,
                }
            })
            .collect();
        let screen = VirtualScreen::around(&monitors)
            .expect("a small screen")
            .expect("monitors");
        let outputs = places
            .into_iter()
            .map(|place| Surface {
                place,
                pixels: vec![0; place.surface.area() * BYTES_PER_PIXEL],
                news: Vec::new(),
                pointer: None,
                fault: None,
                is_hidden: false,
            })
            .collect();
        let machine = Self {
            state: Arc::new(Mutex::new(State {
                outputs,
                refusal: None,
                paints: 0,
                is_silent: false,
                is_prepared: true,
            })),
            screen,
            monitors,
            seen: vec![0; screen.size().area() * BYTES_PER_PIXEL],
            is_fresh: true,
        };
        // No two pixels that are near each other look alike.
        for output in &mut machine.lock().outputs {
            for (index, pixel) in output.pixels.chunks_exact_mut(BYTES_PER_PIXEL).enumerate() {
                pixel[..3].copy_from_slice(&(index as u32).to_le_bytes()[..3]);
            }
        }
        machine
    }

    pub(super) fn screen(&self) -> VirtualScreen {
        self.screen
    }

    pub(super) fn reader(&self) -> Reader<Self> {
        let choice = Arc::new(Mutex::new(Choice::default()));
        Reader::new(self.clone(), self.screen, self.monitors.clone(), choice)
    }

    /// Lets the reader see the first surfaces, which it takes as a whole.
    pub(super) fn settle(&self, reader: &mut Reader<Self>, now: Instant) {
        let outputs = self.lock().outputs.len();
        for index in 0..outputs {
            self.paint(index, 0, 0, 1, 1);
        }
        reader.grab(now).expect("a grab");
    }

    /// Paints on an output's surface, and says so with a rectangle that may leave it.
    pub(super) fn paint(&self, index: usize, x: u32, y: u32, width: u32, height: u32) {
        let mut state = self.lock();
        state.paints = state.paints.wrapping_add(1);
        let colour = state.paints;
        let output = &mut state.outputs[index];
        let surface = output.place.surface;
        let reported = Reported {
            left: x.cast_signed(),
            top: y.cast_signed(),
            right: (x + width).cast_signed(),
            bottom: (y + height).cast_signed(),
        };
        let rect = reported.on(surface);
        for y in rect.rows() {
            for x in rect.columns() {
                let at = (y * surface.width() + x) as usize * BYTES_PER_PIXEL;
                output.pixels[at + 2] = colour;
            }
        }
        output.news.push(reported);
    }

    /// Scrolls an output's surface up.
    pub(super) fn scroll(&self, index: usize, by: u32) {
        let mut state = self.lock();
        let output = &mut state.outputs[index];
        let surface = output.place.surface;
        let row = surface.width() as usize * BYTES_PER_PIXEL;
        output.pixels.copy_within(by as usize * row.., 0);
        output.news.push(Reported {
            left: 0,
            top: 0,
            right: surface.width().cast_signed(),
            bottom: (surface.height() - by).cast_signed(),
        });
    }

    pub(super) fn refuse(&self, fault: Option<Fault>) {
        self.lock().refusal = fault;
    }

    pub(super) fn set_prepared(&self, is_prepared: bool) {
        self.lock().is_prepared = is_prepared;
    }

    pub(super) fn fail(&self, fault: Fault) {
        for output in &mut self.lock().outputs {
            output.fault = Some(fault);
        }
    }

    pub(super) fn hide_output(&self, index: usize) {
        self.lock().outputs[index].is_hidden = true;
    }

    pub(super) fn send_nothing(&self) {
        self.lock().is_silent = true;
    }

    pub(super) fn say_pointer(&self, index: usize, drawn: bool) {
        self.lock().outputs[index].pointer = Some(drawn);
    }

    pub(super) fn assert_shown(&self, reader: &Reader<Self>) {
        assert!(
            reader.view().data() == self.shown(),
            "the picture is not what the screen shows"
        );
    }

    pub(super) fn assert_only_changed(
        &self,
        before: &[u8],
        reader: &Reader<Self>,
        changed: &[Rect],
    ) {
        let size = self.screen.size();
        let now = reader.view();
        for y in 0..size.height() {
            for x in 0..size.width() {
                let at = (y * size.width() + x) as usize * BYTES_PER_PIXEL;
                let is_inside = changed
                    .iter()
                    .any(|rect| rect.columns().contains(&x) && rect.rows().contains(&y));
                assert!(
                    is_inside || now.row(x, y, 1) == &before[at..at + BYTES_PER_PIXEL],
                    "({x}, {y}) changed outside of {changed:?}"
                );
            }
        }
    }

    /// The whole screen, put together pixel by pixel.
    fn shown(&self) -> Vec<u8> {
        let size = self.screen.size();
        let mut all = vec![0; size.area() * BYTES_PER_PIXEL];
        for output in &self.lock().outputs {
            let Place {
                left,
                top,
                surface,
                rotation,
            } = output.place;
            let (left, top) = self.screen.to_picture(left, top);
            let (width, height) = (surface.width(), surface.height());
            for (index, pixel) in output.pixels.chunks_exact(BYTES_PER_PIXEL).enumerate() {
                let (x, y) = (index as u32 % width, index as u32 / width);
                let (x, y) = match rotation {
                    Rotation::None => (x, y),
                    Rotation::Quarter => (height - 1 - y, x),
                    Rotation::Half => (width - 1 - x, height - 1 - y),
                    Rotation::ThreeQuarters => (y, width - 1 - x),
                };
                let (x, y) = (x + left.cast_unsigned(), y + top.cast_unsigned());
                let at = (y * size.width() + x) as usize * BYTES_PER_PIXEL;
                all[at..at + BYTES_PER_PIXEL].copy_from_slice(pixel);
            }
        }
        all
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics in here")
    }
}

impl Ways for Machine {
    type Output = Duplicate;

    fn is_prepared(&mut self) -> bool {
        self.lock().is_prepared
    }

    fn duplicate(&mut self) -> Result<Vec<Duplicate>, Fault> {
        let mut state = self.lock();
        assert!(state.is_prepared, "somebody would wait for drivers");
        if let Some(fault) = state.refusal {
            return Err(fault);
        }
        let mut found = Vec::new();
        for (index, output) in state.outputs.iter_mut().enumerate() {
            output.fault = None;
            if !output.is_hidden {
                found.push(Duplicate {
                    machine: self.clone(),
                    place: output.place,
                    index,
                    is_first: true,
                    held: None,
                });
            }
        }
        // The order of outputs is the adapters' affair.
        found.reverse();
        Ok(found)
    }

    fn look(&mut self) -> Result<Vec<Rect>, PlatformError> {
        let shown = self.shown();
        let is_new = std::mem::take(&mut self.is_fresh) || shown != self.seen;
        self.seen = shown;
        Ok(if is_new {
            vec![Rect::whole(self.screen.size())]
        } else {
            Vec::new()
        })
    }

    fn view(&self) -> FrameView<'_> {
        let size = self.screen.size();
        FrameView::new(size, size.width() as usize * BYTES_PER_PIXEL, &self.seen)
            .expect("as large as the screen")
    }

    fn rest(&mut self) {
        self.is_fresh = true;
    }
}

/// One output, duplicated.
pub(super) struct Duplicate {
    machine: Machine,
    place: Place,
    index: usize,
    is_first: bool,
    held: Option<Vec<u8>>,
}

impl Output for Duplicate {
    fn place(&self) -> Place {
        self.place
    }

    fn acquire(&mut self, _patience: Duration) -> Result<News, Fault> {
        assert!(self.held.is_none(), "a surface is held already");
        let mut state = self.machine.lock();
        if state.is_silent {
            return Ok(News::default());
        }
        let output = &mut state.outputs[self.index];
        if let Some(fault) = output.fault {
            return Err(fault);
        }
        let news = std::mem::take(&mut output.news);
        let pixels = if std::mem::take(&mut self.is_first) {
            Pixels::Anywhere
        } else if news.is_empty() {
            Pixels::None
        } else {
            Pixels::In(news)
        };
        if pixels != Pixels::None {
            self.held = Some(output.pixels.clone());
        }
        let pointer = output.pointer.take();
        Ok(News { pixels, pointer })
    }

    fn read(&mut self, areas: &[Rect], paint: &mut dyn FnMut(&FrameView<'_>)) -> Result<(), Fault> {
        let held = self.held.as_ref().expect("a surface is held");
        let surface = self.place.surface;
        assert!(areas.iter().all(|area| area.fits(surface)));
        let stride = surface.width() as usize * BYTES_PER_PIXEL;
        paint(&FrameView::new(surface, stride, held).expect("whole rows"));
        Ok(())
    }

    fn release(&mut self) {
        assert!(self.held.take().is_some(), "no surface is held");
    }
}
