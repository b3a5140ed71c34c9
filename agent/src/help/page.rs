//! What is on the window in which a user asks for help: a function of how things are.

use std::io::ErrorKind;

use gc_platform::guest::{Action, Button, ChatRow, Page};

use super::messages::{Problem, Stage, Standing};
use crate::looking::Looking;

/// Nothing can be asked: there is no agent that would send it, or it cannot be reached.
pub(crate) fn no_agent(error: ErrorKind) -> Page {
    Page {
        title: "Help cannot be asked for now".to_owned(),
        text: vec![why_no_agent(error).to_owned()],
        buttons: vec![close(true)],
        ..Page::default()
    }
}

const fn why_no_agent(error: ErrorKind) -> &'static str {
    match error {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
            "The GuruConnect agent of this computer is not running. Call your support."
        }
        ErrorKind::PermissionDenied => {
            "The agent of this computer does not answer you, or another program has taken its \
             place. Nothing was sent. Call your support and tell them so."
        }
        _ => "The GuruConnect agent of this computer cannot be reached. Call your support.",
    }
}

/// Who looks cannot be said.
pub(crate) fn about_no_agent(error: ErrorKind) -> Page {
    Page {
        title: "GuruConnect".to_owned(),
        text: vec![
            why_no_agent(error).to_owned(),
            "So it cannot be said here who looks at this computer.".to_owned(),
        ],
        buttons: vec![close(true)],
        ..Page::default()
    }
}

/// What this program is, who uses it and who looks now, without a question.
pub(crate) fn about(standing: &Standing, now_unix: u64) -> Page {
    let state = if standing.connected {
        "This computer is looked after from that server. It is connected."
    } else {
        "This computer is looked after from that server, which cannot be reached right now."
    };
    Page {
        title: looking_title(standing),
        facts: facts(standing)
            .into_iter()
            .chain(looking(standing, Some(now_unix)))
            .collect(),
        text: vec![
            state.to_owned(),
            concat!("Version ", env!("CARGO_PKG_VERSION")).to_owned(),
        ],
        buttons: vec![close(true)],
        ..Page::default()
    }
}

/// The window.
pub(crate) fn page(standing: &Standing) -> Page {
    let mut text: Vec<String> = problem(standing).into_iter().collect();
    text.extend(advice(standing));
    let can_write = standing.stage != Stage::OfOther;
    let is_open = standing.stage.is_live() || !standing.unsent.is_empty();
    let take_back = Button {
        action: Action::Disconnect,
        label: if standing.stage == Stage::Taken {
            "I need no more help".to_owned()
        } else {
            "Take back".to_owned()
        },
        strong: false,
    };
    // Without times: a page that changed takes no clicks for a moment.
    let now_looking = looking(standing, None).take(standing.looking.len());
    Page {
        title: title(standing),
        facts: facts(standing).into_iter().chain(now_looking).collect(),
        text,
        chat: can_write.then(|| rows(standing)),
        buttons: is_open
            .then_some(take_back)
            .into_iter()
            .filter(|_| can_write)
            .chain([close(false)])
            .collect(),
        ..Page::default()
    }
}

/// How things are, in one line.
pub(crate) fn title(standing: &Standing) -> String {
    match standing.stage {
        Stage::Taken => format!("{} takes care of it", helper(standing)),
        Stage::Waiting if standing.after_hours => "Your support will call back".to_owned(),
        Stage::Waiting => "Your support has been told".to_owned(),
        Stage::OfOther => "Somebody else here has asked for help".to_owned(),
        _ if !standing.unsent.is_empty() => "On the way to your support…".to_owned(),
        Stage::Done => "Your request is done".to_owned(),
        Stage::Closed => "Your request was closed".to_owned(),
        Stage::Nothing => "Ask for help".to_owned(),
    }
}

fn advice(standing: &Standing) -> Option<String> {
    let text = match standing.stage {
        Stage::Taken => {
            "They may look at this computer while they help. Write here if there is more to say."
        }
        Stage::Waiting if standing.after_hours => {
            "Nobody is there right now. What you wrote is read first thing; you can close this window."
        }
        Stage::Waiting => {
            "Somebody will take care of it. You can add a line, or close this window: nothing is lost."
        }
        Stage::OfOther => {
            "Another user of this computer waits for an answer. You can ask when that is over."
        }
        _ if !standing.unsent.is_empty() => return None,
        Stage::Done | Stage::Closed => "Write again if you need more help, and press Enter.",
        Stage::Nothing => {
            "Write what it is about and press Enter. Your support sees it with your name and this computer's."
        }
    };
    Some(text.to_owned())
}

/// What is in the way.
pub(crate) fn problem(standing: &Standing) -> Option<String> {
    let text = match standing.problem {
        Some(Problem::TooOften) => {
            "You asked for help too often. Wait an hour, or call your support."
        }
        Some(Problem::TooOftenHere) => {
            "The users of this computer asked for help too often. Wait an hour, or call your support."
        }
        Some(Problem::ChatFull) => {
            "Not sent: this conversation is as long as it can be. Call your support, or end it and \
             ask anew."
        }
        Some(Problem::TooFast) => "Not sent: too many lines at once. Wait a little.",
        Some(Problem::Failed) => "Your support could not take this now. Try again later, or call.",
        None if !standing.connected && !standing.unsent.is_empty() => {
            "There is no connection right now. What you wrote is sent as soon as there is one."
        }
        None if !standing.connected => "There is no connection to your support right now.",
        None => return None,
    };
    Some(text.to_owned())
}

/// Whether somebody looks, in one line.
pub(crate) fn looking_title(standing: &Standing) -> String {
    match &names(&standing.looking)[..] {
        [] => "Nobody is looking at this computer".to_owned(),
        [name] => format!("{name} is looking at this computer"),
        [name, more @ ..] => format!(
            "{name} and {} more are looking at this computer",
            more.len()
        ),
    }
}

/// Each technician once, in whatever number of windows.
fn names(all: &[Looking]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for one in all {
        if !names.contains(&name(one)) {
            names.push(name(one));
        }
    }
    names
}

fn name(one: &Looking) -> &str {
    if one.technician.is_empty() {
        "Somebody"
    } else {
        &one.technician
    }
}

/// Who looks now, what they may do, and, where the time is told, for how long.
pub(crate) fn looking(
    standing: &Standing,
    now_unix: Option<u64>,
) -> impl Iterator<Item = (String, String)> {
    let all = &standing.looking;
    let told = |technician: &str| {
        let own = || all.iter().filter(|one| name(one) == technician);
        let may = if own().any(|one| one.can_control) {
            "with mouse and keyboard"
        } else {
            "without mouse and keyboard"
        };
        let since = own().map(|one| one.since_unix).min();
        match now_unix.zip(since) {
            Some((now, since)) => format!("{technician}, {may}, {}", lasting(now, since)),
            None => format!("{technician}, {may}"),
        }
    };
    let mut lines: Vec<String> = names(all).into_iter().map(told).collect();
    if lines.is_empty() {
        lines.push("nobody".to_owned());
    }
    lines
        .into_iter()
        .map(|line| ("Looking now".to_owned(), line))
}

fn lasting(now_unix: u64, since_unix: u64) -> String {
    let minutes = now_unix.saturating_sub(since_unix) / 60;
    match (minutes / 60, minutes % 60) {
        (0, 0) => "for less than a minute".to_owned(),
        (0, 1) => "for a minute".to_owned(),
        (0, minutes) => format!("for {minutes} minutes"),
        (hours, minutes) => format!("for {hours} h {minutes} min"),
    }
}

fn helper(standing: &Standing) -> &str {
    if standing.technician.is_empty() {
        "Your support"
    } else {
        &standing.technician
    }
}

fn rows(standing: &Standing) -> Vec<ChatRow> {
    let said = standing.lines.iter().map(|line| ChatRow {
        author: if line.author.is_empty() {
            "You".to_owned()
        } else {
            line.author.clone()
        },
        text: line.text.clone(),
    });
    let unsent = standing.unsent.iter().map(|text| ChatRow {
        author: "You, not sent yet".to_owned(),
        text: text.clone(),
    });
    let not_taken = standing.not_taken.iter().map(|text| ChatRow {
        author: "You, not sent".to_owned(),
        text: text.clone(),
    });
    said.chain(not_taken).chain(unsent).collect()
}

fn facts(standing: &Standing) -> Vec<(String, String)> {
    let fact = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut facts = vec![
        fact("Server", &standing.server),
        fact("This computer", &standing.machine_id),
    ];
    if !standing.company.is_empty() {
        facts.insert(1, fact("Company", &standing.company));
    }
    facts
}

fn close(strong: bool) -> Button {
    Button {
        action: Action::Close,
        label: "Close".to_owned(),
        strong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(stage: Stage) -> Standing {
        Standing {
            server: "support.example.com".to_owned(),
            machine_id: "m1".to_owned(),
            connected: true,
            stage,
            ..Standing::default()
        }
    }

    fn onlooker(technician: &str, since_unix: u64, can_control: bool) -> Looking {
        Looking {
            technician: technician.to_owned(),
            since_unix,
            can_control,
        }
    }

    #[test]
    fn about_says_who_looks_for_how_long_and_with_what() {
        let nobody = standing(Stage::Nothing);
        let some = Standing {
            looking: vec![
                onlooker("Ada", 1_000, false),
                onlooker("Ben", 4_500, false),
                onlooker("Ada", 4_590, true),
            ],
            ..standing(Stage::Nothing)
        };

        let page = about(&nobody, 4_600);
        assert_eq!(page.title, "Nobody is looking at this computer");
        assert_eq!(page.facts.last().expect("facts").1, "nobody");
        let page = about(&some, 4_600);
        assert_eq!(page.title, "Ada and 1 more are looking at this computer");
        let told = page.facts[2..].iter().map(|(_, value)| value.as_str());
        assert!(told.eq([
            "Ada, with mouse and keyboard, for 1 h 0 min",
            "Ben, without mouse and keyboard, for a minute",
        ]));
    }

    #[test]
    fn a_clock_that_was_set_back_makes_no_nonsense() {
        assert_eq!(lasting(5, 1_000), "for less than a minute");
        assert_eq!(lasting(1_200, 1_000), "for 3 minutes");
    }

    #[test]
    fn the_window_for_help_names_who_looks_and_nobody_otherwise() {
        let watched = Standing {
            looking: vec![onlooker("Ada", 1_000, true)],
            ..standing(Stage::Taken)
        };

        let facts = |standing: &Standing| page(standing).facts;
        assert_eq!(facts(&standing(Stage::Taken)).len(), 2);
        let told = facts(&watched).pop().expect("facts");
        assert_eq!(
            (told.0.as_str(), told.1.as_str()),
            ("Looking now", "Ada, with mouse and keyboard")
        );
    }

    fn labels(page: &Page) -> Vec<&str> {
        page.buttons.iter().map(|one| one.label.as_str()).collect()
    }

    #[test]
    fn who_finds_no_agent_is_told_what_is_in_the_way() {
        let text = |error| no_agent(error).text.concat();
        assert!(text(ErrorKind::NotFound).contains("not running"));
        assert!(text(ErrorKind::PermissionDenied).contains("another program"));
        assert!(text(ErrorKind::TimedOut).contains("cannot be reached"));
    }

    #[test]
    fn each_step_says_what_happens_next_and_offers_what_can_be_done() {
        let table = [
            (Stage::Nothing, "Ask for help", vec!["Close"], true),
            (
                Stage::Waiting,
                "Your support has been told",
                vec!["Take back", "Close"],
                true,
            ),
            (
                Stage::Taken,
                "Your support takes care of it",
                vec!["I need no more help", "Close"],
                true,
            ),
            (Stage::Done, "Your request is done", vec!["Close"], true),
            (
                Stage::Closed,
                "Your request was closed",
                vec!["Close"],
                true,
            ),
            (
                Stage::OfOther,
                "Somebody else here has asked for help",
                vec!["Close"],
                false,
            ),
        ];
        for (stage, title, buttons, can_write) in table {
            let page = page(&standing(stage));
            assert_eq!(page.title, title);
            assert_eq!(labels(&page), buttons, "{stage:?}");
            assert_eq!(page.chat.is_some(), can_write, "{stage:?}");
        }
    }

    #[test]
    fn after_hours_nobody_is_promised_at_once() {
        let late = Standing {
            after_hours: true,
            ..standing(Stage::Waiting)
        };

        let page = page(&late);

        assert_eq!(page.title, "Your support will call back");
        assert!(page.text[0].contains("Nobody is there right now"));
    }

    #[test]
    fn what_a_full_chat_did_not_take_is_said_at_once_and_kept_to_be_read() {
        let full = Standing {
            problem: Some(Problem::ChatFull),
            not_taken: vec!["One more thing".to_owned()],
            ..standing(Stage::Taken)
        };

        let page = page(&full);

        assert!(page.text[0].starts_with("Not sent:"), "{:?}", page.text);
        let row = &page.chat.expect("a chat")[0];
        assert_eq!(row.author, "You, not sent");
        assert_eq!(row.text, "One more thing");
    }

    #[test]
    fn without_a_connection_nothing_is_said_to_have_arrived() {
        let cut = Standing {
            connected: false,
            unsent: vec!["Help".to_owned()],
            ..standing(Stage::Nothing)
        };

        let page = page(&cut);

        assert_eq!(page.title, "On the way to your support…");
        assert!(page.text[0].contains("as soon as there is one"));
        assert_eq!(page.chat.expect("a chat")[0].author, "You, not sent yet");
    }
}
