//! The tray program: an icon in the user's login, with the ways to ask for help
//! and to see who looks after the computer. It holds nothing, decides nothing,
//! and ends with the agent.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;

use anyhow::Context as _;
use gc_platform::{Host, TrayFace, TrayTeller};

use super::messages::{MAX_STANDING_BYTES, Stage, Standing};
use super::page;
use crate::cli::Options;
use crate::framed;
use crate::platform;
use crate::run::data_dir_of;

/// The menu.
const ITEMS: [&str; 2] = ["Request support…", "About GuruConnect"];

/// Longest sentence beside the icon, in characters.
const MAX_NEWS_CHARS: usize = 200;

/// Shows the icon until the agent ends.
///
/// # Errors
/// No icons on this system, or no agent.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let host: Arc<dyn Host> = Arc::new(platform::host());
    host.release_memory();
    let data_dir = data_dir_of(options, &*host)?;
    let Some(mut tray) = host.open_tray(&ITEMS).context("show an icon")? else {
        return Ok(());
    };
    let teller = tray.teller();
    let of_agent = data_dir.clone();
    thread::Builder::new()
        .name("agent's news".to_owned())
        .spawn(move || {
            let listened = listen(&of_agent, &*teller);
            teller.end();
            listened
        })
        .context("start a thread")?;
    let program = std::env::current_exe().context("find this program's own file")?;
    while let Some(chosen) = tray.wait() {
        let mut command = Command::new(&program);
        command.args(arguments(chosen, options.data_dir.as_ref()));
        if let Err(error) = command.spawn() {
            eprintln!("guruconnect-agent: cannot open the window: {error}");
        }
    }
    Ok(())
}

/// Of the program that is started for an item of the menu.
fn arguments(chosen: usize, data_dir: Option<&PathBuf>) -> Vec<std::ffi::OsString> {
    let mut arguments = vec!["request-support".into()];
    if chosen == 1 {
        arguments.push("--about".into());
    }
    if let Some(path) = data_dir {
        arguments.extend(["--data-dir".into(), path.into()]);
    }
    arguments
}

fn listen(data_dir: &Path, teller: &dyn TrayTeller) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .context("start the runtime")?;
    runtime.block_on(async {
        let mut agent = platform::knock(data_dir).await?;
        let mut before: Option<Standing> = None;
        loop {
            let now: Standing = framed::read(&mut agent, MAX_STANDING_BYTES).await?;
            let is_watched = !now.looking.is_empty();
            let news = before.as_ref().and_then(|before| news(before, &now));
            teller.show(TrayFace {
                tip: tip(&now),
                is_watched,
                news,
            });
            before = Some(now);
        }
    })
}

/// What the icon says where the pointer rests on it.
fn tip(now: &Standing) -> String {
    if now.looking.is_empty() {
        format!("GuruConnect: nobody is looking. {}", now.server)
    } else {
        format!("GuruConnect: {}", page::looking_title(now))
    }
}

/// What a user has to hear of, though no window is open.
fn news(before: &Standing, now: &Standing) -> Option<(String, String)> {
    let answered = now.lines.last().filter(|line| !line.author.is_empty());
    let is_new = now.lines.len() > before.lines.len() || now.lines.last() != before.lines.last();
    if now.stage != before.stage && matches!(now.stage, Stage::Taken | Stage::Closed | Stage::Done)
    {
        let text = "Choose Request support… to read or write.";
        return Some((page::title(now), text.to_owned()));
    }
    let line = answered.filter(|_| is_new && now.stage.is_live())?;
    let text = line.text.chars().take(MAX_NEWS_CHARS).collect();
    Some((format!("{} wrote", line.author), text))
}

#[cfg(test)]
mod tests {
    use super::super::messages::Line;
    use super::*;
    use crate::looking::Looking;

    fn standing(stage: Stage, lines: &[(&str, &str)]) -> Standing {
        let line = |(author, text): &(&str, &str)| Line {
            author: (*author).to_owned(),
            text: (*text).to_owned(),
        };
        Standing {
            stage,
            technician: "Ada".to_owned(),
            lines: lines.iter().map(line).collect(),
            ..Standing::default()
        }
    }

    #[test]
    fn a_user_hears_who_takes_care_and_what_was_answered_once() {
        let asked = standing(Stage::Waiting, &[("", "Help")]);
        let taken = standing(Stage::Taken, &[("", "Help")]);
        let answered = standing(Stage::Taken, &[("", "Help"), ("Ada", "I look")]);

        let title = |before: &Standing, now: &Standing| news(before, now).map(|news| news.0);
        assert_eq!(
            title(&asked, &taken).as_deref(),
            Some("Ada takes care of it")
        );
        assert_eq!(title(&taken, &answered).as_deref(), Some("Ada wrote"));
        assert_eq!(title(&answered, &answered), None);
        let done = standing(Stage::Done, &[("", "Help"), ("Ada", "I look")]);
        assert_eq!(
            title(&answered, &done).as_deref(),
            Some("Your request is done")
        );
    }

    #[test]
    fn the_icon_says_who_looks_and_that_nobody_does() {
        let alone = Standing {
            server: "support.example.com".to_owned(),
            ..standing(Stage::Nothing, &[])
        };
        let mut watched = alone.clone();
        watched.looking.push(Looking {
            technician: "Ada".to_owned(),
            since_unix: 0,
            can_control: true,
        });

        assert_eq!(
            tip(&alone),
            "GuruConnect: nobody is looking. support.example.com"
        );
        assert_eq!(
            tip(&watched),
            "GuruConnect: Ada is looking at this computer"
        );
    }

    #[test]
    fn what_the_user_does_is_no_news() {
        let nothing = standing(Stage::Nothing, &[]);
        let asked = standing(Stage::Waiting, &[("", "Help")]);
        let more = standing(Stage::Waiting, &[("", "Help"), ("", "Please")]);

        assert_eq!(news(&nothing, &asked), None);
        assert_eq!(news(&asked, &more), None);
    }
}
