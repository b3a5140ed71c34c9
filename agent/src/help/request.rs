//! `request-support`: the user's own program, with a window or without.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use gc_platform::Host;
use gc_platform::guest::{Action, GuestEvent};
use tokio::io::{ReadHalf, WriteHalf, split};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::messages::{MAX_STANDING_BYTES, MAX_WISH_BYTES, Stage, Standing, Wish};
use super::page;
use crate::cli::{Options, RequestSupport};
use crate::connection::Stream;
use crate::framed;
use crate::looking::unix_now;
use crate::platform;
use crate::run::data_dir_of;
use crate::window::Window;

/// How long a line may take to the server before it is said to be on its way.
const ARRIVAL_PATIENCE: Duration = Duration::from_secs(10);

/// How long somebody has been looking is told in minutes.
const TIME_IS_TOLD: Duration = Duration::from_secs(15);

/// Asks for help as the command line says.
///
/// # Errors
/// No agent runs here, no desktop for the window, or the help was refused.
pub fn run(options: &Options, wanted: &RequestSupport) -> anyhow::Result<()> {
    let host: Arc<dyn Host> = Arc::new(platform::host());
    let data_dir = data_dir_of(options, &*host)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start the runtime")?;
    let result = runtime.block_on(async {
        match (&wanted.message, wanted.status) {
            (Some(message), _) => send(&data_dir, message).await,
            (None, true) => status(&data_dir).await,
            (None, false) => show(host, &data_dir, wanted.about).await,
        }
    });
    runtime.shutdown_background();
    result
}

/// This program's end of the door.
struct Desk {
    reader: ReadHalf<Box<dyn Stream>>,
    writer: WriteHalf<Box<dyn Stream>>,
}

impl Desk {
    async fn open(data_dir: &Path) -> io::Result<Self> {
        let (reader, writer) = split(platform::knock(data_dir).await?);
        Ok(Self { reader, writer })
    }

    async fn or_explain(data_dir: &Path) -> anyhow::Result<Self> {
        let opened = Self::open(data_dir).await;
        opened.context("reach the agent of this computer; is it running, and does it run for you?")
    }

    async fn standing(&mut self) -> anyhow::Result<Standing> {
        let standing = framed::read(&mut self.reader, MAX_STANDING_BYTES).await;
        standing.context("hear from the agent of this computer")
    }

    async fn wish(&mut self, wish: &Wish) -> anyhow::Result<()> {
        let told = framed::write(&mut self.writer, wish, MAX_WISH_BYTES).await;
        told.context("tell the agent of this computer")
    }
}

async fn send(data_dir: &Path, message: &str) -> anyhow::Result<()> {
    let Some(wish) = Wish::Ask(message.to_owned()).checked() else {
        bail!("--message has nothing in it: say what you need help with");
    };
    let mut desk = Desk::or_explain(data_dir).await?;
    let before = desk.standing().await?;
    if before.stage == Stage::OfOther {
        bail!("another user of this computer has asked for help; you can when that is over");
    }
    desk.wish(&wish).await?;
    let arrived = async {
        loop {
            let standing = desk.standing().await?;
            let is_through = standing.unsent.is_empty() && standing.stage.is_live();
            if standing.problem.is_some() || is_through || !standing.connected {
                return anyhow::Ok(standing);
            }
        }
    };
    match timeout(ARRIVAL_PATIENCE, arrived).await {
        Ok(standing) => {
            let standing = standing?;
            if let (Some(_), Some(why)) = (standing.problem, page::problem(&standing)) {
                bail!("{why}");
            }
            say(&standing);
        }
        Err(_) => println!("It is on its way: it is sent as soon as the server answers."),
    }
    Ok(())
}

async fn status(data_dir: &Path) -> anyhow::Result<()> {
    let mut desk = Desk::or_explain(data_dir).await?;
    say(&desk.standing().await?);
    Ok(())
}

fn say(standing: &Standing) {
    if standing.stage == Stage::Nothing && standing.unsent.is_empty() {
        println!("No help was asked for.");
    } else {
        println!("{}.", page::title(standing).trim_end_matches('…'));
    }
    if let Some(problem) = page::problem(standing) {
        println!("{problem}");
    }
    for (name, who) in page::looking(standing, Some(unix_now())) {
        println!("{name}: {who}");
    }
    for line in &standing.lines {
        let author = if line.author.is_empty() {
            "You"
        } else {
            &line.author
        };
        println!("{author}: {}", line.text);
    }
    for text in &standing.not_taken {
        println!("You, not sent: {text}");
    }
}

async fn show(host: Arc<dyn Host>, data_dir: &Path, about: bool) -> anyhow::Result<()> {
    let mut window = Window::open(host).await.context("open a window")?;
    if !window.first {
        bail!("another window of GuruConnect is open already");
    }
    let (mut reader, mut writer) = match Desk::open(data_dir).await {
        Ok(Desk { reader, writer }) => (reader, writer),
        Err(error) => {
            window.show(if about {
                page::about_no_agent(error.kind())
            } else {
                page::no_agent(error.kind())
            });
            while !is_closing(&window.event().await) {}
            return Ok(());
        }
    };
    // Reading is not to be dropped half-way, so it has a task of its own.
    let (sender, mut heard) = mpsc::channel(1);
    tokio::spawn(async move {
        while let Ok(standing) = framed::read::<Standing>(&mut reader, MAX_STANDING_BYTES).await {
            if sender.send(standing).await.is_err() {
                return;
            }
        }
    });
    let mut told: Option<Standing> = None;
    loop {
        let is_timed = about && told.as_ref().is_some_and(|told| !told.looking.is_empty());
        tokio::select! {
            standing = heard.recv() => match standing {
                Some(standing) if about => {
                    window.show(page::about(&standing, unix_now()));
                    told = Some(standing);
                }
                Some(standing) => window.show(page::page(&standing)),
                // An agent that is uninstalled leaves no program of ours behind.
                None => return Ok(()),
            },
            () = sleep(TIME_IS_TOLD), if is_timed => {
                if let Some(standing) = &told {
                    window.show(page::about(standing, unix_now()));
                }
            }
            event = window.event() => {
                if is_closing(&event) {
                    return Ok(());
                }
                let wish = match event {
                    GuestEvent::Typed(text) => Wish::Ask(text),
                    GuestEvent::Pressed(Action::Disconnect) => Wish::TakeBack,
                    _ => continue,
                };
                // Whether the agent is still there is heard above.
                let _gone = framed::write(&mut writer, &wish, MAX_WISH_BYTES).await;
            }
        }
    }
}

fn is_closing(event: &GuestEvent) -> bool {
    matches!(
        event,
        GuestEvent::Closed | GuestEvent::Pressed(Action::Close)
    )
}
