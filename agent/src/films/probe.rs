//! Whether a machine's video encoder can be trusted with films. Drivers crash and hang, so it is
//! tried by a process of its own, and what that process says, or that it says nothing, is judged
//! here.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use gc_codec::{
    BYTES_PER_PIXEL, FilmCodec, FilmEncoder, FilmFormat, FilmFormats, FilmOrder, FilmQuality,
    FrameView, is_film_frame,
};
use gc_model::geometry::Size;
use gc_platform::{FilmEncoders, Host, MachineFilms};
use serde::{Deserialize, Serialize};

use crate::desktop_thread::sentence;
use crate::platform;

/// 15 s: a driver may take seconds to wake a graphics card up; one that takes longer would not
/// be ready when a film begins.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

/// How often a process that runs is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// 4 KiB: a verdict is one line.
const MAX_SAID_BYTES: usize = 4096;

/// Longest reason, in characters.
const MAX_REASON_CHARS: usize = 300;

/// Neither side is a multiple of 16, as with most films: then the stream has to say what of its
/// last blocks is shown.
const PICTURE: (u32, u32) = (646, 362);

/// Enough to see it go on after its first picture, and after another rate.
const PICTURES: u32 = 12;

/// Bytes of a picture before and after the rate is changed.
const BUDGETS: [usize; 2] = [12_000, 4_000];

/// A packet with more bytes than this many times its budget is no answer to it.
const MAX_OVER_BUDGET: usize = 20;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Verdict {
    /// Films may be packed by it.
    pub(crate) works: bool,
    /// By which encoder, or why not; for people.
    pub(crate) says: String,
}

impl Verdict {
    fn no(why: impl Into<String>) -> Self {
        Self {
            works: false,
            says: why.into(),
        }
    }

    /// Nobody could be asked, which says nothing of the encoder.
    pub(crate) fn not_tried() -> Self {
        Self::no("no process can be started that tries it")
    }

    /// What [`Verdict::line`] wrote, or somebody else: nothing that a log or a terminal would take
    /// for more than text.
    pub(crate) fn read(line: &[u8]) -> Option<Self> {
        let said: Self = serde_json::from_slice(line).ok()?;
        let plain = |one: char| if one.is_control() { ' ' } else { one };
        let says = said.says.chars().take(MAX_REASON_CHARS);
        Some(Self {
            says: says.map(plain).collect(),
            ..said
        })
    }

    /// In one line.
    pub(crate) fn line(&self) -> String {
        serde_json::to_string(self).expect("a truth and a text can always be written as JSON")
    }
}

/// `film-probe`: tries the machine's encoder in this process, and prints the verdict as one line.
pub fn run(is_software: bool) {
    let which = if is_software {
        FilmEncoders::Software
    } else {
        FilmEncoders::Hardware
    };
    let verdict = match platform::host().film_encoders(which) {
        Ok(found) => try_out(&found),
        Err(error) => Verdict::no(sentence(&error)),
    };
    println!("{}", verdict.line());
}

/// Packs a film that moves, and looks at every packet.
fn try_out(found: &MachineFilms) -> Verdict {
    let began = Instant::now();
    let names = found.names.join(", ");
    match pack(&*found.codec) {
        Ok(bytes) => Verdict {
            works: true,
            says: format!(
                "{names}: {PICTURES} pictures of {}x{} in {} ms and {bytes} bytes",
                PICTURE.0,
                PICTURE.1,
                began.elapsed().as_millis()
            ),
        },
        Err(why) => Verdict::no(format!("{names}: {why}")),
    }
}

/// The bytes of a whole film.
fn pack(codec: &dyn FilmCodec) -> Result<usize, String> {
    let (width, height) = PICTURE;
    let size = Size::new(width, height).map_err(|error| error.to_string())?;
    let mut encoder = codec.open(width, height).map_err(|error| error.0)?;
    let mut bytes = 0;
    for number in 0..PICTURES {
        let budget = BUDGETS[usize::from(number >= PICTURES / 2)];
        let packet = pack_one(&mut *encoder, size, number, budget)?;
        let has_size = is_film_frame(codec.format(), &packet, number == 0, width, height);
        if !has_size {
            return Err(format!("picture {number} became no frame of its size"));
        }
        if packet.len() > budget * MAX_OVER_BUDGET {
            return Err(format!("picture {number} became {} bytes", packet.len()));
        }
        bytes += packet.len();
    }
    Ok(bytes)
}

fn pack_one(
    encoder: &mut dyn FilmEncoder,
    size: Size,
    number: u32,
    budget: usize,
) -> Result<Vec<u8>, String> {
    let pixels = picture(size, number);
    let stride = size.width() as usize * BYTES_PER_PIXEL;
    let view = FrameView::new(size, stride, &pixels).ok_or("a picture of another size")?;
    let order = FilmOrder {
        formats: FilmFormats::NONE.with(FilmFormat::H264),
        target_bytes: budget,
        quality: FilmQuality::Good,
    };
    let packet = encoder.encode(&view, &order);
    let packet = packet.map_err(|error| format!("picture {number}: {}", error.0))?;
    if packet.key != (number == 0) {
        return Err(format!("picture {number} begins anew or does not"));
    }
    Ok(packet.data)
}

/// Colours that run into each other, and a bright square that crosses them.
fn picture(size: Size, number: u32) -> Vec<u8> {
    let square = 40 + number * 16..120 + number * 16;
    (0..size.height())
        .flat_map(|y| (0..size.width()).map(move |x| (x, y)))
        .flat_map(|(x, y)| {
            if square.contains(&x) && (100..180).contains(&y) {
                [240, 250, 255, 255]
            } else {
                [
                    (x / 3 + number) as u8,
                    (y / 2) as u8,
                    ((x + y) / 4) as u8,
                    255,
                ]
            }
        })
        .collect()
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ended {
    Well,
    Badly(String),
    /// Not at all: it was ended.
    Hung(Duration),
}

impl From<ExitStatus> for Ended {
    fn from(status: ExitStatus) -> Self {
        if status.success() {
            Self::Well
        } else {
            Self::Badly(status.to_string())
        }
    }
}

/// What a process said that tried the encoder, and how it ended.
fn judge(ended: &Ended, said: &[u8]) -> Verdict {
    match ended {
        Ended::Hung(patience) => Verdict::no(format!("it did not answer within {patience:?}")),
        Ended::Badly(status) => Verdict::no(format!("it ended with {status}")),
        Ended::Well => {
            Verdict::read(said).unwrap_or_else(|| Verdict::no("it said nothing that makes sense"))
        }
    }
}

/// Tries the encoder in a process of `program`; `None` when it cannot be started, which says
/// nothing of the encoder.
pub(crate) fn ask(program: &Path, arguments: &[&str], patience: Duration) -> Option<Verdict> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    platform::without_window(&mut command);
    let mut child = command.spawn().ok()?;
    let output = child.stdout.take()?;
    let until = Instant::now() + patience;
    let ended = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status.into(),
            Ok(None) if Instant::now() < until => thread::sleep(LOOK_EVERY),
            _ => {
                let _gone_already = child.kill();
                let _gone = child.wait();
                break Ended::Hung(patience);
            }
        }
    };
    // What it says fits the pipe. One that says more waits there until it is ended.
    let mut said = Vec::new();
    if ended == Ended::Well {
        let _judged_anyway = output.take(MAX_SAID_BYTES as u64).read_to_end(&mut said);
    }
    Some(judge(&ended, &said))
}

#[cfg(test)]
mod tests {
    use gc_codec::{FilmError, FilmPacket};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_a_process_that_ends_well_and_says_yes_is_believed() {
        let yes = br#"{"works":true,"says":"Some Encoder: fine"}"#;
        let no = br#"{"works":false,"says":"there is none"}"#;

        assert!(judge(&Ended::Well, yes).works);
        assert_eq!(judge(&Ended::Well, no), Verdict::no("there is none"));
        for (ended, said) in [
            (Ended::Well, &b""[..]),
            (Ended::Well, b"true"),
            (Ended::Well, b"{\"works\":true}"),
            (Ended::Well, &yes[1..]),
            (Ended::Badly("exit code: 3".to_owned()), yes),
            (Ended::Hung(PATIENCE), yes),
        ] {
            let verdict = judge(&ended, said);
            assert!(!verdict.works && !verdict.says.is_empty(), "{verdict:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_process_is_waited_for_and_no_longer_than_it_may_take() {
        let shell = |script: &str, patience| ask(Path::new("sh"), &["-c", script], patience);
        let long = Duration::from_mins(1);

        let yes = shell(r#"echo '{"works":true,"says":"fine"}'"#, long);
        let crashed = shell(
            r#"echo '{"works":true,"says":"fine"}'; kill -SEGV $$"#,
            long,
        );
        let chatty = shell("yes", Duration::from_millis(500));
        let hung = shell("exec sleep 600", Duration::from_millis(100));
        let missing = ask(Path::new("/nowhere/agent"), &[], long);

        assert!(yes.expect("starts").works);
        for no in [crashed, chatty, hung] {
            assert!(!no.expect("starts").works);
        }
        assert_eq!(missing, None);
    }

    proptest! {
        #[test]
        fn what_it_says_is_one_short_line(says: String) {
            let said = serde_json::to_vec(&Verdict { works: true, says }).expect("JSON");

            let verdict = judge(&Ended::Well, &said);

            prop_assert!(verdict.says.chars().count() <= MAX_REASON_CHARS);
            prop_assert!(!verdict.says.chars().any(char::is_control));
        }
    }

    /// Answers with what it is told to, whatever it is given.
    #[derive(Clone, Copy)]
    struct Fake {
        opens: bool,
        makes: fn(u32, &FilmOrder) -> FilmPacket,
    }

    struct FakeStream(Fake, u32);

    impl FilmCodec for Fake {
        fn format(&self) -> FilmFormat {
            FilmFormat::H264
        }

        fn open(&self, width: u32, height: u32) -> Result<Box<dyn FilmEncoder>, FilmError> {
            assert_eq!((width, height), PICTURE);
            if self.opens {
                Ok(Box::new(FakeStream(*self, 0)))
            } else {
                Err(FilmError("no device".to_owned()))
            }
        }
    }

    impl FilmEncoder for FakeStream {
        fn encode(
            &mut self,
            _picture: &FrameView<'_>,
            order: &FilmOrder,
        ) -> Result<FilmPacket, FilmError> {
            self.1 += 1;
            Ok((self.0.makes)(self.1 - 1, order))
        }
    }

    /// What a good encoder makes.
    fn frame(number: u32, _order: &FilmOrder) -> FilmPacket {
        let key = number == 0;
        FilmPacket {
            data: if key {
                key_frame(PICTURE)
            } else {
                vec![0, 0, 0, 1, 0x41, 0x88]
            },
            key,
            held_back: false,
            maker: None,
        }
    }

    fn verdict(opens: bool, makes: fn(u32, &FilmOrder) -> FilmPacket) -> Verdict {
        try_out(&MachineFilms {
            names: vec!["A Card".to_owned(), "Another".to_owned()],
            codec: Box::new(Fake { opens, makes }),
        })
    }

    #[test]
    fn an_encoder_that_packs_a_film_works() {
        let verdict = verdict(true, frame);

        assert!(verdict.works, "{verdict:?}");
        assert!(verdict.says.starts_with("A Card, Another: 12 pictures"));
    }

    /// Parameters of that size and a slice, written bit by bit.
    fn key_frame((width, height): (u32, u32)) -> Vec<u8> {
        let mut bits = String::from("010000101100000000011111");
        let mut number = |value: u32| {
            let text = format!("{:b}", value + 1);
            bits.push_str(&"0".repeat(text.len() - 1));
            bits.push_str(&text);
        };
        let (columns, rows) = (width.div_ceil(16), height.div_ceil(16));
        for value in [0, 0, 2, 1] {
            number(value);
        }
        // 0 is the one bit that says yes: to gaps, then to whole frames, direct vectors and a cut.
        for value in [0, columns - 1, rows - 1, 0, 0, 0] {
            number(value);
        }
        for value in [0, (columns * 16 - width) / 2, 0, (rows * 16 - height) / 2] {
            number(value);
        }
        bits.push_str("01");
        bits.push_str(&"0".repeat((8 - bits.len() % 8) % 8));
        let bytes = bits
            .as_bytes()
            .chunks(8)
            .map(|eight| eight.iter().fold(0, |byte, bit| byte << 1 | (bit - b'0')));
        let unit: Vec<u8> = [0, 0, 0, 1, 0x67].into_iter().chain(bytes).collect();
        [&unit[..], &[0, 0, 1, 0x65, 0x88]].concat()
    }

    #[test]
    fn an_encoder_that_makes_something_else_does_not() {
        type Makes = fn(u32, &FilmOrder) -> FilmPacket;
        let cases: [(bool, Makes, &str); 5] = [
            (false, frame, "no device"),
            (true, |_, order| frame(1, order), "begins anew or does not"),
            (
                true,
                |number, order| FilmPacket {
                    data: key_frame((640, 360)),
                    ..frame(number, order)
                },
                "no frame of its size",
            ),
            (
                true,
                |number, order| FilmPacket {
                    data: vec![],
                    ..frame(number, order)
                },
                "no frame of its size",
            ),
            (
                true,
                |number, order| {
                    let mut data = key_frame(PICTURE);
                    data.resize(BUDGETS[0] * MAX_OVER_BUDGET + 1, 1);
                    FilmPacket {
                        data,
                        ..frame(number, order)
                    }
                },
                "bytes",
            ),
        ];
        for (opens, makes, why) in cases {
            let verdict = verdict(opens, makes);

            assert!(!verdict.works && verdict.says.contains(why), "{verdict:?}");
        }
    }

    #[test]
    fn the_picture_moves() {
        let size = Size::new(PICTURE.0, PICTURE.1).expect("a size");

        assert_eq!(picture(size, 0).len(), size.area() * BYTES_PER_PIXEL);
        assert_ne!(picture(size, 0), picture(size, 1));
    }
}
