//! A screen with a film, and codecs that note what they are asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gc_codec::{
    EncodeOrder, Encoded, Encoder, FilmCodec, FilmEncoder, FilmError, FilmFormat, FilmOrder,
    FilmPacket, FilmPiece, FrameView, Pending, Update,
};
use gc_model::geometry::{Rect, Size};
use gc_model::time::Moment;

use super::{ORDER, frames};

/// Pixels of the screen.
pub const WIDTH: u32 = 640;
pub const HEIGHT: u32 = 480;
/// Where the film plays.
pub const VIDEO: Rect = Rect {
    x: 128,
    y: 160,
    width: 320,
    height: 240,
};
/// Text above it.
pub const CAPTION: Rect = Rect {
    x: 200,
    y: 40,
    width: 40,
    height: 12,
};

/// How a codec behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Good,
    CannotOpen,
    Fails,
    MakesRubbish,
    MakesNothing,
    MakesTooMuch,
    NeverBegins,
}

/// A codec that notes what it is asked, and behaves as it is told to.
#[derive(Clone)]
pub struct Notes {
    pub format: FilmFormat,
    /// Width, height of each stream that was opened.
    pub opened: Arc<Mutex<Vec<(u32, u32)>>>,
    pub mood: Arc<Mutex<Mood>>,
    /// Shorter sides are not for it.
    pub shortest_side: u32,
}

impl Notes {
    pub fn of(format: FilmFormat) -> Self {
        Self {
            format,
            opened: Arc::default(),
            mood: Arc::new(Mutex::new(Mood::Good)),
            shortest_side: 0,
        }
    }

    pub fn become_(&self, mood: Mood) {
        *self.mood.lock().expect("a lock") = mood;
    }

    fn mood(&self) -> Mood {
        *self.mood.lock().expect("a lock")
    }
}

impl FilmCodec for Notes {
    fn format(&self) -> FilmFormat {
        self.format
    }

    fn coded_size(&self, width: u32, height: u32) -> Option<(u32, u32)> {
        (width.min(height) >= self.shortest_side).then_some((width, height))
    }

    fn open(&self, width: u32, height: u32) -> Result<Box<dyn FilmEncoder>, FilmError> {
        self.opened.lock().expect("a lock").push((width, height));
        if self.mood() == Mood::CannotOpen {
            return Err(FilmError("no such device".to_owned()));
        }
        Ok(Box::new(NotedEncoder {
            notes: self.clone(),
            frames: 0,
            size: (width, height),
        }))
    }
}

struct NotedEncoder {
    notes: Notes,
    frames: u32,
    size: (u32, u32),
}

impl FilmEncoder for NotedEncoder {
    fn encode(
        &mut self,
        _picture: &FrameView<'_>,
        _order: &FilmOrder,
    ) -> Result<FilmPacket, FilmError> {
        self.frames += 1;
        let mood = self.notes.mood();
        let key = self.frames == 1 && mood != Mood::NeverBegins;
        let mut data = frames::head(self.notes.format, key, self.size);
        match mood {
            Mood::Good | Mood::NeverBegins => {}
            Mood::CannotOpen | Mood::Fails => return Err(FilmError("out of luck".to_owned())),
            Mood::MakesRubbish => data = vec![0x5a; 200],
            Mood::MakesNothing => data.clear(),
            Mood::MakesTooMuch => data.resize(16 << 20, 1),
        }
        Ok(FilmPacket {
            data,
            key,
            held_back: false,
            maker: None,
        })
    }
}

/// A screen and its encoder.
pub struct Stage {
    pub screen: Vec<u8>,
    pub encoder: Encoder,
    pub notes: Notes,
    pub now: Moment,
    pub order: EncodeOrder,
}

impl Stage {
    pub fn new() -> Self {
        Self::with(vec![Notes::of(FilmFormat::Vp9)])
    }

    /// With these codecs, the first of which is the one that is looked at.
    pub fn with(codecs: Vec<Notes>) -> Self {
        let size = Size::new(WIDTH, HEIGHT).expect("a small size");
        let notes = codecs[0].clone();
        let codecs = codecs
            .into_iter()
            .map(|codec| Box::new(codec) as Box<dyn FilmCodec>)
            .collect();
        let mut stage = Self {
            screen: vec![0; size.area() * 4],
            encoder: Encoder::with_films(size, codecs).expect("memory"),
            notes,
            now: Moment::ZERO,
            order: ORDER,
        };
        while stage.encode(&[]).pending != Pending::Nothing {}
        stage
    }

    pub fn encode(&mut self, changed: &[Rect]) -> Encoded {
        self.encode_after(Duration::from_millis(33), changed)
    }

    pub fn encode_after(&mut self, time: Duration, changed: &[Rect]) -> Encoded {
        self.now = self.now + time;
        let size = Size::new(WIDTH, HEIGHT).expect("a small size");
        let frame = FrameView::new(size, WIDTH as usize * 4, &self.screen).expect("a whole frame");
        self.encoder
            .encode(self.now, &frame, changed, &self.order)
            .expect("an encoder that works")
    }

    pub fn draw(&mut self, rect: Rect, mut pixel: impl FnMut(u32, u32) -> u32) {
        for y in rect.rows() {
            for x in rect.columns() {
                let at = (y * WIDTH + x) as usize * 4;
                self.screen[at..at + 4].copy_from_slice(&(pixel(x, y) & 0xff_ffff).to_le_bytes());
            }
        }
    }

    /// A frame of something with many colours.
    pub fn draw_film(&mut self, rect: Rect, frame: u32) {
        self.draw(rect, |x, y| {
            (x * 7 + y * 13 + frame * 29).wrapping_mul(2_654_435_761) >> 7
        });
    }

    pub fn play_in(&mut self, rect: Rect, frame: u32) -> Update {
        self.draw_film(rect, frame);
        self.encode(&[rect]).update.expect("a change")
    }

    pub fn play(&mut self, frames: u32) -> Update {
        let updates: Vec<Update> = (0..frames)
            .map(|frame| self.play_in(VIDEO, frame))
            .collect();
        updates.into_iter().last().expect("some frames")
    }
}

/// The film in an update that has one.
pub fn film(update: &Update) -> &FilmPiece {
    update.film.as_ref().expect("a film")
}

/// How films are to be.
pub fn film_order(stage: &mut Stage) -> &mut FilmOrder {
    stage.order.film.as_mut().expect("an order")
}
