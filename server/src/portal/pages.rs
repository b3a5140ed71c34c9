//! The portal's pages. Everything that is not a sentence of ours is escaped by
//! the template.

use gc_model::hours::{Hours, HoursPart};
use maud::{DOCTYPE, Markup, html};

use super::visitor::{Browser, Visitor};
use super::words::{Words, with};
use crate::settings::{Colour, SupportSettings};
use crate::support::Program;

/// What every page has around it.
pub(super) struct Frame<'a> {
    pub(super) words: &'static Words,
    pub(super) settings: &'a SupportSettings,
    /// When somebody is there, and by which clock.
    pub(super) hours: Option<(&'a Hours, String)>,
}

/// Why the code was not taken.
pub(super) enum Refusal {
    NotActive,
    Wait(u64),
    Failed,
}

/// What the page of the code form shows.
#[derive(Default)]
pub(super) struct Form<'a> {
    pub(super) typed: &'a str,
    pub(super) refusal: Option<Refusal>,
    /// Challenge and bits.
    pub(super) work: Option<(String, u32)>,
}

/// Why a request for help was not taken.
pub(super) enum RequestRefusal {
    Empty,
    Full,
}

/// What the page for customers without a code shows.
#[derive(Default)]
pub(super) struct Asked<'a> {
    pub(super) name: &'a str,
    pub(super) message: &'a str,
    pub(super) refusal: Option<RequestRefusal>,
    /// Nobody is there, by the operator's hours.
    pub(super) after_hours: bool,
}

/// What the page of a code shows.
pub(super) struct Help<'a> {
    /// They asked without a code, and nobody is there.
    pub(super) after_hours: bool,
    pub(super) code: &'a str,
    pub(super) link_token: &'a str,
    pub(super) ticket: &'a str,
    pub(super) phase: &'static str,
    pub(super) helper: &'a str,
    pub(super) visitor: Visitor,
    /// Programs that are there.
    pub(super) programs: &'a [Program],
}

/// White or black, whichever can be read better on `colour` (WCAG's contrast).
fn readable_on(colour: Colour) -> &'static str {
    let part = |value: u8| {
        let value = f64::from(value) / 255.0;
        if value <= 0.040_45 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    let [red, green, blue] = colour.0;
    let light = 0.2126 * part(red) + 0.7152 * part(green) + 0.0722 * part(blue);
    // Where both contrasts are the same.
    if light > 0.179 { "#000000" } else { "#ffffff" }
}

impl Frame<'_> {
    fn page(&self, title: &str, content: &Markup) -> Markup {
        let SupportSettings {
            company,
            brand_colour,
            ..
        } = self.settings;
        let colours = format!(
            "--brand:{brand_colour};--on-brand:{}",
            readable_on(*brand_colour)
        );
        html! {
            (DOCTYPE)
            html lang=(self.words.lang) style=(colours) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="robots" content="noindex";
                    title { (title) " – " (company) }
                    link rel="icon" href="data:,";
                    link rel="stylesheet" href="/support/portal.css";
                    script defer src="/support/portal.js" {}
                }
                body {
                    header {
                        @if self.settings.logo.is_some() {
                            img src="/support/logo" alt=(company);
                        } @else {
                            (company)
                        }
                    }
                    main { (content) }
                }
            }
        }
    }

    /// The page where a code is typed.
    pub(super) fn form(&self, form: &Form<'_>) -> Markup {
        let words = self.words;
        let refusal = form.refusal.as_ref().map(|refusal| match refusal {
            Refusal::NotActive => words.not_active.to_owned(),
            Refusal::Wait(seconds) => with(words.wait, &seconds.to_string()),
            Refusal::Failed => words.failed.to_owned(),
        });
        let content = html! {
            h1 { (words.enter) }
            p.dim { (words.enter_lead) }
            @if let Some((challenge, bits)) = &form.work {
                p id="work" role="status" hidden data-challenge=(challenge) data-difficulty=(bits) {
                    (words.working)
                }
                noscript { p.refusal role="alert" { (words.no_script_work) } }
            }
            form.card id="form" method="post" action="/support" {
                @if let Some(refusal) = &refusal {
                    p.refusal id="refusal" role="alert" { (refusal) }
                }
                label for="code" { (words.code) }
                input.code id="code" name="code" value=(form.typed) inputmode="numeric"
                    autocomplete="one-time-code" maxlength="12" required autofocus
                    aria-describedby=[refusal.is_some().then_some("refusal")]
                    aria-invalid=[refusal.is_some().then_some("true")];
                input type="hidden" id="challenge" name="challenge";
                input type="hidden" id="answer" name="answer";
                div { button type="submit" { (words.go_on) } }
            }
            @if self.settings.requests {
                p.others { a href="/support/request" { (words.no_code) } }
            }
        };
        self.page(words.enter, &content)
    }

    /// Nobody is there now, and when somebody is.
    fn after_hours(&self) -> Markup {
        let words = self.words;
        html! {
            div.notice role="note" {
                p { (words.after_hours) }
                @if let Some((hours, clock)) = &self.hours {
                    p { (words.hours) " " (in_words(hours, &words.days)) " (" (clock) ")" }
                }
            }
        }
    }

    /// The page where a customer without a code asks for help.
    pub(super) fn request(&self, asked: &Asked<'_>) -> Markup {
        let words = self.words;
        let content = html! {
            h1 { (words.request) }
            @if asked.after_hours { (self.after_hours()) }
            @else { p.dim { (words.request_lead) } }
            form.card method="post" action="/support/request" {
                @match asked.refusal {
                    Some(RequestRefusal::Empty) => p.refusal role="alert" { (words.request_empty) },
                    Some(RequestRefusal::Full) => p.refusal role="alert" { (words.request_full) },
                    None => {}
                }
                label for="name" { (words.name) }
                input id="name" name="name" value=(asked.name) maxlength="100" autocomplete="name" required;
                label.next for="message" { (words.request_message) }
                textarea id="message" name="message" rows="4" maxlength="2000" required { (asked.message) }
                div { button type="submit" { (words.request_send) } }
            }
            p.others { a href="/support" { (words.have_code) } }
        };
        self.page(words.request, &content)
    }

    /// The page of a code: who helps, the download, what to do, how far it is.
    pub(super) fn help(&self, help: &Help<'_>) -> Markup {
        let words = self.words;
        let content = html! {
            h1 {
                @if help.helper.is_empty() { (words.helper_unknown) }
                @else { (with(words.helper, help.helper)) }
            }
            @if help.after_hours { (self.after_hours()) }
            p.dim { (words.trust) }
            section.card id="progress" hidden data-ticket=(help.ticket) data-phase=(help.phase)
                aria-label=(words.progress) {
                ol.steps {
                    li data-step="downloaded" { (words.step_download) }
                    li data-step="connected" { (words.step_connect) }
                    li data-step="accepted" { (words.step_accept) }
                    li data-step="finished" { (words.step_finish) }
                }
                p id="phase" role="status" data-open=(words.phase_open)
                    data-downloaded=(words.phase_downloaded)
                    data-connected=(words.phase_connected)
                    data-accepted=(words.phase_accepted)
                    data-finished=(words.phase_finished)
                    data-refused=(words.phase_refused)
                    data-cancelled=(words.phase_cancelled)
                    data-offline=(words.offline) {}
            }
            div id="get" { (self.download(help)) }
            section.card id="talk" hidden aria-labelledby="talk-title" {
                h2 id="talk-title" { (words.chat) }
                ul.chat id="lines" aria-live="polite" data-you=(words.you) {}
                form id="say" {
                    label for="text" { (words.message) }
                    div.line {
                        input id="text" name="text" maxlength="2000" autocomplete="off";
                        button type="submit" { (words.send) }
                    }
                    p.refusal id="unsent" role="alert" hidden { (words.not_sent) }
                }
            }
            p.others { a href="/support" { (words.another) } }
        };
        self.page(words.title, &content)
    }

    fn download(&self, help: &Help<'_>) -> Markup {
        let words = self.words;
        let there = |program: &Program| help.programs.contains(program);
        let best = help.visitor.program.filter(there);
        let others: Vec<_> = Program::ALL
            .into_iter()
            .filter(|program| Some(*program) != best && there(program))
            .collect();
        html! {
            section.card {
                @if let Some(program) = best {
                    (self.link(help, program, "button big"))
                } @else if help.visitor.program.is_some() || help.programs.is_empty() {
                    p.refusal role="alert" { (words.no_program) }
                } @else {
                    p { (words.no_system) }
                }
                @if !others.is_empty() {
                    p.others {
                        (words.other_system)
                        @for program in &others { " " (self.link(help, *program, "")) }
                    }
                }
            }
            @if let Some(program) = best {
                section.card {
                    h2 { (words.steps) }
                    ol.todo {
                        @if program == Program::Linux {
                            li { (words.open_linux) " " code { (file_name(help.code, program)) } }
                        } @else {
                            li { (opening(words, help.visitor.browser)) " " code { (file_name(help.code, program)) } }
                            li { (words.run_windows) }
                        }
                        li { (words.allow) }
                    }
                }
            }
        }
    }

    /// In place of a download that is not there.
    pub(super) fn no_program(&self) -> Markup {
        let content = html! {
            h1 { (self.words.title) }
            p.refusal role="alert" { (self.words.no_program) }
        };
        self.page(self.words.title, &content)
    }

    fn link(&self, help: &Help<'_>, program: Program, class: &str) -> Markup {
        let text = match program {
            Program::Windows => self.words.download_windows,
            Program::Linux => self.words.download_linux,
        };
        let href = format!(
            "/support/{}/download/{}?k={}",
            help.code,
            program.as_str(),
            help.link_token
        );
        html! { a class=[Some(class).filter(|class| !class.is_empty())] href=(href) download { (text) } }
    }
}

fn opening(words: &Words, browser: Browser) -> &'static str {
    match browser {
        Browser::Chrome => words.open_chrome,
        Browser::Edge => words.open_edge,
        Browser::Firefox => words.open_firefox,
        Browser::Other => words.open_other,
    }
}

/// What the download is called: the program reads its code from there.
pub(super) fn file_name(code: &str, program: Program) -> String {
    match program {
        Program::Windows => format!("GuruConnect-{code}.exe"),
        Program::Linux => format!("GuruConnect-{code}"),
    }
}

/// Hours with the days of a language: `Mon–Fri 08:00–18:00, Sat 09:00–12:00`.
fn in_words(hours: &Hours, days: &[&str; 7]) -> String {
    let time = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    let part = |part: &HoursPart| {
        let (first, last) = part.days;
        let mut text = days[usize::from(first)].to_owned();
        if last != first {
            text = format!("{text}–{}", days[usize::from(last)]);
        }
        let (from, to) = part.minutes;
        format!("{text} {}–{}", time(from), time(to))
    };
    let parts: Vec<_> = hours.parts().iter().map(part).collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_on_the_companys_colour_can_be_read() {
        let table = [
            ([0x0e, 0x68, 0x62], "#ffffff"),
            ([0xff, 0xff, 0x00], "#000000"),
            ([0x00, 0x00, 0x00], "#ffffff"),
            ([0xff, 0xff, 0xff], "#000000"),
            ([0xe0, 0x5a, 0x00], "#000000"),
        ];
        for (colour, expected) in table {
            assert_eq!(readable_on(Colour(colour)), expected, "{colour:?}");
        }
    }
}
