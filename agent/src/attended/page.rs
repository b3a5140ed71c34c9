//! What is on the window, from where the support session stands. No clock, no
//! socket: a function of the state.

use std::time::Duration;

use gc_platform::guest::{Action, Button, ChatRow, Page, Shape};
use gc_session::Rights;
use gc_session::words::TwoWords;

/// Beside the button that lets the technician ask again.
const CLOSED: &str =
    "You said no three times, so your technician cannot ask any more until you allow questions.";

/// Where the support session stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Stage {
    /// On the way to the server, with a sentence when something is in the way.
    #[default]
    Connecting,
    Waiting,
    /// The technician let us in and is about to connect.
    Accepted,
    Question(Question),
    Connected(Connected),
    /// The system asks whether this program gets administrator rights.
    Elevating,
    /// Nothing more will happen; why.
    Over(String),
}

/// See [`Stage::Question`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) connection: u64,
    pub(super) request_id: u32,
    pub(super) technician: String,
    pub(super) rights: Rights,
    pub(super) words: Option<TwoWords>,
    /// The technician sees the screen already and asks for more.
    pub(super) wider: bool,
}

/// See [`Stage::Connected`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Connected {
    pub(super) technician: String,
    pub(super) rights: Rights,
    pub(super) words: Option<TwoWords>,
    pub(super) paused: bool,
}

/// All that a page is made of.
#[derive(Debug, Clone, Default)]
pub(super) struct View {
    /// The server's host name.
    pub(super) server: String,
    pub(super) company: String,
    pub(super) technician: String,
    /// What is in the way, while something is.
    pub(super) problem: Option<String>,
    pub(super) stage: Stage,
    pub(super) chat: Vec<ChatRow>,
    pub(super) chat_open: bool,
    pub(super) unread: usize,
    /// The person said no so often that nobody asks any more.
    pub(super) closed: bool,
    /// This program has administrator rights.
    pub(super) elevated: bool,
    /// How long a question waits.
    pub(super) answer_within: Duration,
    /// The last question was not answered with yes: why nothing is shown.
    pub(super) not_allowed: Option<&'static str>,
}

impl View {
    pub(super) fn page(&self) -> Page {
        let chat = self.chat_open.then(|| self.chat.clone());
        match &self.stage {
            Stage::Connecting => self.dialog(
                "Connecting to your support…",
                &["This takes a moment."],
                vec![button(Action::Close, "Cancel")],
            ),
            Stage::Waiting => Page {
                chat,
                ..self.dialog(
                    &format!("Waiting for {}", self.helper()),
                    &["Your technician sees that you are here and will let you in. Nothing of your screen is shown yet."],
                    self.with_chat(button(Action::Disconnect, "Leave")),
                )
            },
            Stage::Accepted => Page {
                chat,
                ..self.accepted()
            },
            Stage::Question(question) => self.question(question),
            Stage::Connected(connected) => Page {
                chat,
                ..self.bar(connected)
            },
            Stage::Elevating => self.dialog(
                "Your system asks for your confirmation",
                &["Answer its question to give this program administrator rights. Say no there if you have changed your mind: nothing else ends."],
                vec![button(Action::Disconnect, "Disconnect")],
            ),
            Stage::Over(why) => self.dialog(
                "Support has ended",
                &[why],
                vec![Button {
                    strong: true,
                    ..button(Action::Close, "Close")
                }],
            ),
        }
    }

    fn accepted(&self) -> Page {
        let getting_ready = format!("{} is getting ready", self.helper());
        let (title, text) = match self.not_allowed {
            None => (getting_ready.as_str(), ""),
            Some(why) => ("Nothing is shown", why),
        };
        let asked = "You will be asked before anything of your screen is shown.";
        let text: Vec<_> = [text, asked]
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect();
        let buttons = self.with_chat(button(Action::Disconnect, "Leave"));
        self.dialog(title, &text, buttons)
    }

    fn dialog(&self, title: &str, text: &[&str], buttons: Vec<Button>) -> Page {
        let closed = self.closed && !matches!(self.stage, Stage::Over(_));
        let closed = closed.then_some(CLOSED);
        let text = text.iter().copied().chain(closed);
        let text = text.chain(self.problem.as_deref());
        Page {
            shape: Shape::Dialog,
            title: title.to_owned(),
            facts: self.facts(&self.technician),
            words: None,
            text: text.map(str::to_owned).collect(),
            chat: None,
            buttons,
        }
    }

    fn facts(&self, technician: &str) -> Vec<(String, String)> {
        [
            ("Server", self.server.as_str()),
            ("Company", self.company.as_str()),
            ("Technician", technician),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
    }

    fn question(&self, question: &Question) -> Page {
        let name = named(&question.technician);
        let (title, what) = match (question.wider, question.rights.control) {
            _ if question.rights.elevation => (
                format!("Give {name} administrator rights?"),
                "They can then use settings and programs of this computer that only administrators may use. Your system asks you to confirm.",
            ),
            (false, true) => (
                format!("Let {name} see and control this computer?"),
                "They will see your whole screen and can use mouse and keyboard. You can pause or end it at any time.",
            ),
            (false, false) => (
                format!("Let {name} see this computer's screen?"),
                "They will see your whole screen and cannot use mouse and keyboard. You can pause or end it at any time.",
            ),
            (true, _) => (
                format!("Let {name} use mouse and keyboard?"),
                "They see your screen already. You can pause or end it at any time.",
            ),
        };
        Page {
            shape: Shape::Dialog,
            title,
            facts: self.facts(&question.technician),
            words: question.words.map(|words| words.join(" ")),
            text: vec![
                "Ask your technician which two words they see. Decline if they are not these."
                    .to_owned(),
                what.to_owned(),
                no_answer(self.answer_within),
            ],
            chat: None,
            buttons: vec![
                button(Action::Disconnect, "Disconnect"),
                button(Action::Decline, "Decline"),
                Button {
                    strong: true,
                    ..button(Action::Allow, "Allow")
                },
            ],
        }
    }

    fn bar(&self, connected: &Connected) -> Page {
        let name = named(&connected.technician);
        let title = match (connected.paused, connected.rights.control) {
            (true, _) => format!("Paused: {name} sees nothing"),
            (false, true) => format!("{name} controls this computer"),
            (false, false) => format!("{name} sees this screen"),
        };
        let pause = if connected.paused {
            button(Action::Resume, "Resume")
        } else {
            button(Action::Pause, "Pause")
        };
        Page {
            shape: Shape::Bar,
            title,
            facts: Vec::new(),
            words: connected.words.map(|words| {
                let rights = if self.elevated {
                    ", with administrator rights"
                } else {
                    ""
                };
                words.join(" ") + rights
            }),
            text: Vec::new(),
            chat: None,
            buttons: self
                .reopen_button()
                // The technician's own mouse would reach it.
                .filter(|_| connected.paused || !connected.rights.control)
                .into_iter()
                .chain([
                    pause,
                    self.chat_button(),
                    Button {
                        strong: true,
                        ..button(Action::Disconnect, "Disconnect")
                    },
                ])
                .collect(),
        }
    }

    fn with_chat(&self, last: Button) -> Vec<Button> {
        let reopen = self.reopen_button().into_iter();
        reopen.chain([self.chat_button(), last]).collect()
    }

    fn reopen_button(&self) -> Option<Button> {
        self.closed
            .then(|| button(Action::Reopen, "Allow questions"))
    }

    fn chat_button(&self) -> Button {
        match (self.chat_open, self.unread) {
            (true, _) => button(Action::Chat, "Hide chat"),
            (false, 0) => button(Action::Chat, "Chat"),
            (false, unread) => button(Action::Chat, &format!("Chat ({unread})")),
        }
    }

    fn helper(&self) -> &str {
        if self.technician.is_empty() {
            "your technician"
        } else {
            &self.technician
        }
    }
}

fn no_answer(within: Duration) -> String {
    match within.as_secs() {
        60 => "No answer within a minute means no.".to_owned(),
        seconds => format!("No answer within {seconds} seconds means no."),
    }
}

fn named(technician: &str) -> &str {
    if technician.is_empty() {
        "your technician"
    } else {
        technician
    }
}

fn button(action: Action, label: &str) -> Button {
    Button {
        action,
        label: label.to_owned(),
        strong: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(rights: Rights, wider: bool) -> Page {
        let view = View {
            server: "support.example.com".to_owned(),
            company: "Example".to_owned(),
            stage: Stage::Question(Question {
                connection: 1,
                request_id: 0,
                technician: "Ada".to_owned(),
                rights,
                words: Some(["maple", "otter"]),
                wider,
            }),
            ..View::default()
        };
        view.page()
    }

    #[test]
    fn the_question_names_server_company_technician_words_and_what_is_allowed() {
        let page = asked(Rights::CONTROL, false);

        let values: Vec<&str> = page.facts.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(values, ["support.example.com", "Example", "Ada"]);
        assert_eq!(page.words.as_deref(), Some("maple otter"));
        assert!(page.title.contains("Ada") && page.title.contains("control"));
        let actions: Vec<Action> = page.buttons.iter().map(|button| button.action).collect();
        let expected = [Action::Disconnect, Action::Decline, Action::Allow];
        assert_eq!(actions, expected);
    }

    #[test]
    fn whoever_said_no_three_times_alone_lets_the_technician_ask_again() {
        for stage in [
            Stage::Waiting,
            Stage::Accepted,
            Stage::Connected(Connected {
                technician: "Ada".to_owned(),
                rights: Rights::VIEW,
                words: None,
                paused: false,
            }),
        ] {
            let open = View {
                stage,
                ..View::default()
            };
            let closed = View {
                closed: true,
                ..open.clone()
            };

            let reopens = |view: View| {
                let mut buttons = view.page().buttons.into_iter();
                buttons.any(|button| button.action == Action::Reopen)
            };
            assert!(reopens(closed) && !reopens(open));
        }
    }

    #[test]
    fn who_controls_the_computer_cannot_open_the_questions_that_were_closed() {
        for (paused, rights, opens) in [
            (false, Rights::CONTROL, false),
            (true, Rights::CONTROL, true),
            (false, Rights::VIEW, true),
        ] {
            let connected = Connected {
                technician: "Ada".to_owned(),
                rights,
                words: None,
                paused,
            };
            let view = View {
                stage: Stage::Connected(connected),
                closed: true,
                ..View::default()
            };
            let mut buttons = view.page().buttons.into_iter();
            assert_eq!(
                buttons.any(|button| button.action == Action::Reopen),
                opens,
                "paused {paused}, {rights:?}"
            );
        }
    }

    #[test]
    fn each_question_says_what_it_is_about() {
        assert!(!asked(Rights::VIEW, false).title.contains("control"));
        assert!(
            asked(Rights::CONTROL, true)
                .title
                .contains("mouse and keyboard")
        );
        let mut buttons = asked(Rights::CONTROL, true).buttons.into_iter();
        assert!(buttons.any(|button| button.action == Action::Disconnect));
    }

    #[test]
    fn administrator_rights_are_a_question_of_their_own_and_stand_in_the_bar() {
        let page = asked(Rights::ELEVATION, true);
        assert!(
            page.title.contains("administrator rights"),
            "{}",
            page.title
        );

        let connected = Connected {
            technician: "Ada".to_owned(),
            rights: Rights::CONTROL,
            words: Some(["maple", "otter"]),
            paused: false,
        };
        let view = View {
            stage: Stage::Connected(connected),
            elevated: true,
            ..View::default()
        };
        let words = view.page().words.expect("words");
        assert_eq!(words, "maple otter, with administrator rights");
    }
}
