//! Several viewers at one agent: what each of them is shown, how soon a late one sees the whole
//! picture, and what the agent takes for it. Real programs on an Xvfb display; the viewers are
//! the headless ones of the tests, so that three browsers do not hide the agent.
//!
//! `benches/run-all watchers` runs it and keeps what it prints, one line of JSON for each cell.

#[cfg(target_os = "linux")]
#[path = "../tests/support/mod.rs"]
mod support;

#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<()> {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
mod linux {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::path::{Path, PathBuf};
    use std::process::{Child, Command, Stdio};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::{Duration, Instant};

    use anyhow::Context as _;
    use gc_codec::FilmFormat;
    use gc_model::geometry::Size;
    use gc_testkit::xvfb::Xvfb;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::mpsc::unbounded_channel;
    use tokio::time::{sleep, sleep_until};

    use super::support::{Agent, Control, Server, TOKEN, Watch};

    const SLOW_BITS_PER_SECOND: f64 = 64_000.0;
    /// One way.
    const SLOW_DELAY: Duration = Duration::from_millis(75);
    /// As a modem of such a line would keep.
    const SLOW_PACKET_BYTES: usize = 512;

    /// What moves in a scene is larger; a pointer or a clock is not.
    const FRAME_PIXELS: usize = 10_000;

    /// Before anything is counted, for films to be found and lines to be learnt.
    const SETTLE: Duration = Duration::from_secs(5);

    struct Options {
        seconds: u64,
        agent: PathBuf,
        scenes: Vec<String>,
    }

    pub fn main() -> anyhow::Result<()> {
        let own = Path::new(env!("CARGO_BIN_EXE_guruconnect-agent"));
        let mut options = Options {
            seconds: 15,
            agent: own.to_owned(),
            scenes: ["video", "scroll"].map(str::to_owned).to_vec(),
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().context("an option without its value");
            match argument.as_str() {
                "--seconds" => options.seconds = value()?.parse()?,
                "--agent" => options.agent = value()?.into(),
                "--scenes" => options.scenes = value()?.split(',').map(str::to_owned).collect(),
                // Cargo's own.
                "--bench" => {}
                other => anyhow::bail!("unknown option {other:?}"),
            }
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        for scene in &options.scenes {
            for company in [false, true] {
                let measured = runtime.block_on(measure(&options, scene, company))?;
                println!("{measured}");
            }
        }
        Ok(())
    }

    /// One scene, watched by one viewer alone, or by three of which the last is far away.
    async fn measure(
        options: &Options,
        scene: &str,
        company: bool,
    ) -> anyhow::Result<serde_json::Value> {
        let place = tempfile::tempdir()?;
        let screen = Xvfb::start(1920, 1080)?;
        let mut server = Server::start().await;
        let line = Line::to(server.port()).await?;
        let address = format!("http://127.0.0.1:{}", line.port);
        let agent = Agent::start_program(
            &options.agent,
            place.path(),
            Some(screen.display()),
            &["--server", &address, "--token", TOKEN],
        );
        let (mut control, _) = server.agent().await;
        let mut workload = Workload::start(screen.display(), scene)?;
        let first = Eye::open(&mut server, &mut control).await;
        let slow = if company {
            line.next_is_slow.store(true, Ordering::SeqCst);
            let slow = Eye::open(&mut server, &mut control).await;
            line.next_is_slow.store(false, Ordering::SeqCst);
            Some(slow)
        } else {
            None
        };
        workload.go()?;
        sleep(SETTLE).await;
        let late = if company {
            Some(Eye::open(&mut server, &mut control).await)
        } else {
            None
        };
        // The second in which the late one came counts by itself.
        let joined_at = Instant::now();
        sleep(Duration::from_secs(2)).await;

        let began = Instant::now();
        let before = (cpu(agent.pid())?, cpu(screen.pid())?);
        let drawn_before = workload.drawn();
        sleep(Duration::from_secs(options.seconds)).await;
        let ended = Instant::now();
        let seconds = (ended - began).as_secs_f64();
        let after = (cpu(agent.pid())?, cpu(screen.pid())?);
        let drawn = workload.drawn() - drawn_before;
        let rate = |eye: &Eye| eye.frames(began, ended) as f64 / seconds;
        let round = |value: f64| (value * 10.0).round() / 10.0;
        Ok(serde_json::json!({
            "scene": scene,
            "watchers": if company { 3 } else { 1 },
            "seconds": round(seconds),
            "drawn_per_s": round(drawn as f64 / seconds),
            "first_shown_per_s": round(rate(&first)),
            "late_shown_per_s": late.as_ref().map(|eye| round(rate(eye))),
            "slow_updates_per_s": slow.as_ref().map(|eye| {
                round(eye.updates(began, ended) as f64 / seconds)
            }),
            "late_whole_picture_ms": late.as_ref().and_then(Eye::whole_after_ms).map(round),
            "first_longest_gap_while_joining_ms": late.as_ref().map(|_| round(first.longest_gap_ms(
                joined_at.checked_sub(Duration::from_secs(1)).unwrap_or(joined_at),
                joined_at + Duration::from_secs(1),
            ))),
            "first_longest_gap_ms": round(first.longest_gap_ms(began, ended)),
            "agent_cpu_ms_per_s": round((after.0 - before.0) * 1e3 / seconds),
            "x_server_cpu_ms_per_s": round((after.1 - before.1) * 1e3 / seconds),
        }))
    }

    /// A viewer that looks all the time.
    struct Eye {
        asked_at: Instant,
        seen: Arc<std::sync::Mutex<Seen>>,
        task: tokio::task::JoinHandle<()>,
    }

    #[derive(Default)]
    struct Seen {
        frames: Vec<(Instant, usize)>,
        whole_at: Option<Instant>,
    }

    impl Eye {
        async fn open(server: &mut Server, control: &mut Control) -> Self {
            let asked_at = Instant::now();
            let mut watch = server.view_with(control, vec![FilmFormat::Vp9]).await;
            let seen = Arc::<std::sync::Mutex<Seen>>::default();
            let notes = Arc::clone(&seen);
            let task = tokio::spawn(async move {
                let mut pixels = 0;
                loop {
                    let shown = |watch: &Watch| !watch.shown.is_empty();
                    watch.talk_until("more is shown", shown).await;
                    let mut seen = notes.lock().expect("nobody panics here");
                    pixels += watch.shown.iter().map(|(_, pixels)| pixels).sum::<usize>();
                    let size = watch.picture.size.map_or(usize::MAX, Size::area);
                    if pixels >= size && seen.whole_at.is_none() {
                        seen.whole_at = Some(Instant::now());
                    }
                    seen.frames.append(&mut watch.shown);
                }
            });
            Self {
                asked_at,
                seen,
                task,
            }
        }

        fn with_frames<T>(&self, from: Instant, to: Instant, f: impl Fn(Vec<Instant>) -> T) -> T {
            let seen = self.seen.lock().expect("nobody panics here");
            let frames = seen.frames.iter();
            let large =
                frames.filter(|(at, pixels)| *pixels >= FRAME_PIXELS && (from..to).contains(at));
            f(large.map(|(at, _)| *at).collect())
        }

        /// Frames of the scene, told from the rest by their size.
        fn frames(&self, from: Instant, to: Instant) -> usize {
            self.with_frames(from, to, |frames| frames.len())
        }

        /// All that was shown, however small.
        fn updates(&self, from: Instant, to: Instant) -> usize {
            let seen = self.seen.lock().expect("nobody panics here");
            let frames = seen.frames.iter();
            frames.filter(|(at, _)| (from..to).contains(at)).count()
        }

        fn longest_gap_ms(&self, from: Instant, to: Instant) -> f64 {
            self.with_frames(from, to, |frames| {
                let gaps = frames.windows(2).map(|pair| pair[1] - pair[0]);
                gaps.max().unwrap_or(to - from).as_secs_f64() * 1e3
            })
        }

        /// From the server's offer until as many pixels as the screen has were shown.
        fn whole_after_ms(&self) -> Option<f64> {
            let seen = self.seen.lock().expect("nobody panics here");
            Some((seen.whole_at? - self.asked_at).as_secs_f64() * 1e3)
        }
    }

    impl Drop for Eye {
        fn drop(&mut self) {
            self.task.abort();
        }
    }

    /// The program that draws.
    struct Workload {
        process: Child,
        drawn: Arc<std::sync::atomic::AtomicUsize>,
    }

    impl Workload {
        fn start(display: &str, scene: &str) -> anyhow::Result<Self> {
            let own = Path::new(env!("CARGO_BIN_EXE_guruconnect-agent"));
            let program = own.with_file_name("gc-workload");
            let mut process = Command::new(&program)
                .args(["scene", scene, "--seconds", "120", "--hold"])
                .env("DISPLAY", display)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .with_context(|| format!("start {}", program.display()))?;
            let output = process.stdout.take().context("its output")?;
            let mut lines = BufReader::new(output).lines();
            // The first line says that everything is painted.
            lines.next().context("the workload draws")??;
            let drawn = Arc::<std::sync::atomic::AtomicUsize>::default();
            let count = Arc::clone(&drawn);
            std::thread::spawn(move || {
                for line in lines.map_while(Result::ok) {
                    let is_frame = line.contains("\"frame\"");
                    count.fetch_add(usize::from(is_frame), Ordering::SeqCst);
                }
            });
            Ok(Self { process, drawn })
        }

        fn go(&mut self) -> std::io::Result<()> {
            let mut input = self.process.stdin.as_ref().expect("piped above");
            input.write_all(b"go\n")
        }

        fn drawn(&self) -> usize {
            self.drawn.load(Ordering::SeqCst)
        }
    }

    impl Drop for Workload {
        fn drop(&mut self) {
            // It may have ended already.
            let _gone = self.process.kill();
            let _gone = self.process.wait();
        }
    }

    /// The way from the agent to its server; some connections are slow.
    struct Line {
        port: u16,
        next_is_slow: Arc<AtomicBool>,
    }

    impl Line {
        async fn to(server: u16) -> std::io::Result<Self> {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            let port = listener.local_addr()?.port();
            let next_is_slow = Arc::<AtomicBool>::default();
            let slow = Arc::clone(&next_is_slow);
            tokio::spawn(async move {
                while let Ok((near, _)) = listener.accept().await {
                    let Ok(far) = TcpStream::connect(("127.0.0.1", server)).await else {
                        return;
                    };
                    let slow = slow.load(Ordering::SeqCst);
                    drop((near.set_nodelay(true), far.set_nodelay(true)));
                    let (near_in, near_out) = near.into_split();
                    let (far_in, far_out) = far.into_split();
                    tokio::spawn(carry(near_in, far_out, slow));
                    tokio::spawn(carry(far_in, near_out, slow));
                }
            });
            Ok(Self { port, next_is_slow })
        }
    }

    async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, slow: bool) {
        if !slow {
            drop(tokio::io::copy(&mut from, &mut to).await);
            return;
        }
        let (sender, mut arriving) = unbounded_channel::<(tokio::time::Instant, Vec<u8>)>();
        tokio::spawn(async move {
            while let Some((at, bytes)) = arriving.recv().await {
                sleep_until(at).await;
                if to.write_all(&bytes).await.is_err() {
                    return;
                }
            }
        });
        let mut free_at = tokio::time::Instant::now();
        let mut packet = [0; SLOW_PACKET_BYTES];
        while let Ok(count @ 1..) = from.read(&mut packet).await {
            let own = Duration::from_secs_f64(count as f64 * 8.0 / SLOW_BITS_PER_SECOND);
            free_at = free_at.max(tokio::time::Instant::now()) + own;
            if sender
                .send((free_at + SLOW_DELAY, packet[..count].to_vec()))
                .is_err()
            {
                return;
            }
            sleep_until(free_at).await;
        }
    }

    /// Seconds of processor time that a process took.
    fn cpu(pid: u32) -> anyhow::Result<f64> {
        const TICKS_PER_SECOND: f64 = 100.0;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let fields = stat.rsplit(')').next().context("fields")?;
        let mut times = fields.split_whitespace().skip(11).take(2);
        let mut next = || {
            times
                .next()
                .context("a time")?
                .parse::<f64>()
                .context("ticks")
        };
        Ok((next()? + next()?) / TICKS_PER_SECOND)
    }
}
