//! A codec that may hang on a thread of its own: whoever waits for it waits
//! no longer than a limit, and one that hung once is not asked again while this program runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use gc_codec::{
    BYTES_PER_PIXEL, FilmCodec, FilmEncoder, FilmError, FilmFormat, FilmOrder, FilmPacket,
    FrameView,
};
use gc_model::geometry::Size;

/// How long a codec may take, whatever machine it runs on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Until it can take pictures.
    pub(crate) open: Duration,
    /// For one picture.
    pub(crate) frame: Duration,
}

impl Limits {
    /// A picture that comes later than half a second is none.
    pub(crate) const USUAL: Self = Self {
        open: Duration::from_millis(1_500),
        frame: Duration::from_millis(500),
    };
}

impl std::fmt::Debug for Guarded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guarded")
            .field("format", &self.format)
            .field("hung", &self.hung)
            .finish_non_exhaustive()
    }
}

/// A codec behind a guard. Its clones are for other sessions, and know of each other.
#[derive(Clone)]
pub(crate) struct Guarded {
    codec: Arc<dyn FilmCodec>,
    format: FilmFormat,
    hung: Arc<AtomicBool>,
    limits: Limits,
}

impl Guarded {
    pub(crate) fn new(codec: Box<dyn FilmCodec>, limits: Limits) -> Self {
        Self {
            format: codec.format(),
            codec: Arc::from(codec),
            hung: Arc::default(),
            limits,
        }
    }

    pub(crate) const fn format(&self) -> FilmFormat {
        self.format
    }

    fn gave_up(&self, after: Duration) -> FilmError {
        self.hung.store(true, Ordering::Relaxed);
        FilmError(format!("no answer within {after:?}"))
    }
}

/// A picture on its way to the thread; the pixels come back to be filled again.
struct Job {
    pixels: Vec<u8>,
    size: Size,
    order: FilmOrder,
}

type Answer = (Vec<u8>, Result<FilmPacket, FilmError>);

struct GuardedEncoder {
    guard: Guarded,
    jobs: Sender<Job>,
    answers: Receiver<Answer>,
    spare: Vec<u8>,
}

impl FilmCodec for Guarded {
    fn format(&self) -> FilmFormat {
        self.format
    }

    fn coded_size(&self, width: u32, height: u32) -> Option<(u32, u32)> {
        self.codec.coded_size(width, height)
    }

    fn open(&self, width: u32, height: u32) -> Result<Box<dyn FilmEncoder>, FilmError> {
        if self.hung.load(Ordering::Relaxed) {
            return Err(FilmError("it did not answer before".to_owned()));
        }
        let (opened, is_open) = mpsc::channel();
        let (jobs, queue) = mpsc::channel();
        let (answer, answers) = mpsc::channel();
        let codec = Arc::clone(&self.codec);
        thread::Builder::new()
            .name("film".to_owned())
            .spawn(move || serve(&*codec, (width, height), &opened, &queue, &answer))
            .map_err(|error| FilmError::caused_by(&error))?;
        match is_open.recv_timeout(self.limits.open) {
            Ok(Ok(())) => Ok(Box::new(GuardedEncoder {
                guard: self.clone(),
                jobs,
                answers,
                spare: Vec::new(),
            })),
            Ok(Err(error)) => Err(error),
            Err(RecvTimeoutError::Timeout) => Err(self.gave_up(self.limits.open)),
            Err(RecvTimeoutError::Disconnected) => Err(broke()),
        }
    }
}

fn broke() -> FilmError {
    FilmError("its thread ended".to_owned())
}

/// The thread. It ends when nobody has pictures for it any more.
fn serve(
    codec: &dyn FilmCodec,
    (width, height): (u32, u32),
    opened: &Sender<Result<(), FilmError>>,
    queue: &Receiver<Job>,
    answer: &Sender<Answer>,
) {
    let mut encoder = match codec.open(width, height) {
        Ok(encoder) => encoder,
        Err(error) => {
            let _nobody_waits = opened.send(Err(error));
            return;
        }
    };
    if opened.send(Ok(())).is_err() {
        return;
    }
    for job in queue {
        let stride = job.size.width() as usize * BYTES_PER_PIXEL;
        let packet = FrameView::new(job.size, stride, &job.pixels)
            .ok_or_else(|| FilmError("a picture of another size".to_owned()))
            .and_then(|picture| encoder.encode(&picture, &job.order));
        if answer.send((job.pixels, packet)).is_err() {
            return;
        }
    }
}

impl FilmEncoder for GuardedEncoder {
    fn encode(
        &mut self,
        picture: &FrameView<'_>,
        order: &FilmOrder,
    ) -> Result<FilmPacket, FilmError> {
        let size = picture.size();
        let mut pixels = std::mem::take(&mut self.spare);
        pixels.clear();
        for y in 0..size.height() {
            pixels.extend_from_slice(picture.row(0, y, size.width()));
        }
        let job = Job {
            pixels,
            size,
            order: *order,
        };
        self.jobs.send(job).map_err(|_| broke())?;
        match self.answers.recv_timeout(self.guard.limits.frame) {
            Ok((pixels, packet)) => {
                self.spare = pixels;
                packet
            }
            Err(RecvTimeoutError::Timeout) => Err(self.guard.gave_up(self.guard.limits.frame)),
            Err(RecvTimeoutError::Disconnected) => Err(broke()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use gc_codec::{
        Abilities, Colours, EncodeOrder, Encoder, FilmFormats, FilmQuality, Update, film_codecs,
    };
    use gc_model::geometry::Rect;
    use gc_model::time::Moment;

    use super::*;

    const ORDER: FilmOrder = FilmOrder {
        formats: FilmFormats::NONE,
        target_bytes: 1_000,
        quality: FilmQuality::Good,
    };

    /// What answers may do so on the busiest machine.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// What never answers is waited for in vain.
    const SHORT: Duration = Duration::from_millis(300);

    /// For what answers at first and hangs then.
    const NOT_SO_SHORT: Duration = Duration::from_secs(3);

    #[derive(Clone, Copy, PartialEq)]
    enum Mood {
        Good,
        HangsAtStart,
        HangsAtThe(u32),
        Panics,
        Refuses,
    }

    impl Mood {
        fn limits(self) -> Limits {
            let mut limits = Limits {
                open: PATIENCE,
                frame: PATIENCE,
            };
            match self {
                Self::HangsAtStart => limits.open = SHORT,
                Self::HangsAtThe(1) => limits.frame = SHORT,
                Self::HangsAtThe(_) => limits.frame = NOT_SO_SHORT,
                Self::Good | Self::Panics | Self::Refuses => {}
            }
            limits
        }
    }

    /// A codec that behaves as it is told to. What hangs does so until the test lets go of it.
    struct Fake {
        mood: Mood,
        lets_go: Arc<Mutex<Receiver<()>>>,
    }

    struct FakeEncoder {
        mood: Mood,
        frames: u32,
        lets_go: Arc<Mutex<Receiver<()>>>,
    }

    fn hang(until: &Mutex<Receiver<()>>) {
        let _gone = until.lock().expect("a lock").recv();
    }

    impl FilmCodec for Fake {
        fn format(&self) -> FilmFormat {
            FilmFormat::H264
        }

        fn coded_size(&self, width: u32, height: u32) -> Option<(u32, u32)> {
            Some((width & !1, height & !1))
        }

        fn open(&self, _width: u32, _height: u32) -> Result<Box<dyn FilmEncoder>, FilmError> {
            match self.mood {
                Mood::HangsAtStart => hang(&self.lets_go),
                Mood::Refuses => return Err(FilmError("no device".to_owned())),
                _ => {}
            }
            Ok(Box::new(FakeEncoder {
                mood: self.mood,
                frames: 0,
                lets_go: Arc::clone(&self.lets_go),
            }))
        }
    }

    impl FilmEncoder for FakeEncoder {
        fn encode(
            &mut self,
            picture: &FrameView<'_>,
            _order: &FilmOrder,
        ) -> Result<FilmPacket, FilmError> {
            self.frames += 1;
            assert!(self.mood != Mood::Panics, "a driver that breaks");
            if self.mood == Mood::HangsAtThe(self.frames) {
                hang(&self.lets_go);
            }
            Ok(FilmPacket {
                data: picture.row(0, 0, 1).to_vec(),
                key: self.frames == 1,
                held_back: false,
                maker: None,
            })
        }
    }

    /// The codec, and what holds it while it lives.
    fn guarded(mood: Mood) -> (Guarded, mpsc::Sender<()>) {
        let (hold, lets_go) = mpsc::channel();
        let lets_go = Arc::new(Mutex::new(lets_go));
        let fake = Box::new(Fake { mood, lets_go });
        (Guarded::new(fake, mood.limits()), hold)
    }

    fn encode(encoder: &mut dyn FilmEncoder, level: u8) -> Result<FilmPacket, FilmError> {
        let size = Size::new(4, 2).expect("a small size");
        let pixels = vec![level; 6 * 4 * 2];
        let picture = FrameView::new(size, 6 * 4, &pixels).expect("a whole picture");
        encoder.encode(&picture, &ORDER)
    }

    #[test]
    fn a_codec_that_works_is_only_on_another_thread() {
        let (codec, _hold) = guarded(Mood::Good);
        assert_eq!(codec.coded_size(33, 17), Some((32, 16)));
        let mut encoder = codec.open(4, 2).expect("an encoder");

        for level in 1..5 {
            let packet = encode(&mut *encoder, level).expect("a packet");
            assert_eq!(packet.data, [level; 4]);
            assert_eq!(packet.key, level == 1);
        }
    }

    #[test]
    fn a_codec_that_hangs_while_it_opens_is_given_up_for_good() {
        let (codec, hold) = guarded(Mood::HangsAtStart);

        assert!(codec.open(4, 2).is_err());
        let other_session = codec.clone();
        let refused = other_session.open(4, 2).err().expect("an error");

        assert_eq!(refused.0, "it did not answer before");
        drop(hold);
    }

    #[test]
    fn a_codec_that_hangs_over_a_picture_is_given_up_for_good() {
        let (codec, hold) = guarded(Mood::HangsAtThe(3));
        let mut encoder = codec.open(4, 2).expect("an encoder");
        assert!(encode(&mut *encoder, 1).is_ok() && encode(&mut *encoder, 2).is_ok());

        assert!(encode(&mut *encoder, 3).is_err());
        assert!(codec.open(4, 2).is_err());

        drop((encoder, hold));
    }

    /// Plays something photo-like, no part of which only moves, for a second, and answers with what is sent of it.
    fn play(encoder: &mut Encoder, size: Size) -> Vec<Update> {
        let order = EncodeOrder {
            restart: false,
            budget_bytes: 1 << 20,
            colours: Colours::All,
            rested: Duration::ZERO,
            hold_films: false,
            viewer: Abilities {
                moves: true,
                photos: true,
            },
            film: Some(FilmOrder {
                formats: FilmFormat::ALL.into_iter().collect(),
                ..ORDER
            }),
            glance_above_bytes: None,
        };
        let whole = [Rect::whole(size)];
        (0..30_u32)
            .filter_map(|frame| {
                let pixels: Vec<u8> = (0..size.area() as u32)
                    .flat_map(|at| {
                        (at.wrapping_mul(2_654_435_761) ^ (frame * 0xa5_3c17)).to_le_bytes()
                    })
                    .collect();
                let picture = FrameView::new(size, size.width() as usize * 4, &pixels)?;
                let now = Moment::ZERO + Duration::from_millis(u64::from(frame) * 33);
                let encoded = encoder.encode(now, &picture, &whole, &order);
                encoded.expect("an encoder that works").update
            })
            .collect()
    }

    #[test]
    fn pictures_go_on_in_another_codec_when_one_hangs() {
        let size = Size::new(256, 192).expect("a small size");
        for mood in [Mood::HangsAtStart, Mood::HangsAtThe(1)] {
            let (codec, hold) = guarded(mood);
            let mut codecs: Vec<Box<dyn FilmCodec>> = vec![Box::new(codec)];
            codecs.extend(film_codecs(&[FilmFormat::Vp9]));
            let mut encoder = Encoder::with_films(size, codecs).expect("memory");

            let updates = play(&mut encoder, size);

            let films: Vec<_> = updates.iter().filter_map(|one| one.film.as_ref()).collect();
            assert!(films.len() > 10, "{} films", films.len());
            assert!(films.iter().all(|film| film.format == FilmFormat::Vp9));
            drop((encoder, hold));
        }
    }

    #[test]
    fn a_codec_that_breaks_its_thread_breaks_nothing_else() {
        let (codec, _hold) = guarded(Mood::Panics);
        let mut encoder = codec.open(4, 2).expect("an encoder");

        assert!(encode(&mut *encoder, 1).is_err());
        assert!(encode(&mut *encoder, 2).is_err());
        assert!(codec.open(4, 2).is_ok(), "it did not hang");
    }

    #[test]
    fn a_codec_that_refuses_says_why() {
        let (codec, _hold) = guarded(Mood::Refuses);

        let error = codec.open(4, 2).err().expect("an error");

        assert_eq!(error.0, "no device");
    }
}
