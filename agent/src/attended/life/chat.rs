//! The chat as the customer sees it.

use gc_platform::guest::ChatRow;
use gc_proto::v1;

use super::{Life, MAX_UNHEARD};
use crate::shown::{shown, shown_chat};

/// Lines of the chat that are kept.
const MAX_CHAT_LINES: usize = 500;

const CHAT_FULL: &str = "You, not sent because the chat is full";
const NOT_TAKEN: &str = "You, not sent";

impl Life {
    pub(super) fn handle_line_of_chat(&mut self, line: &v1::ChatLine) {
        let row = ChatRow {
            author: if line.from_guest {
                "You".to_owned()
            } else {
                shown(&line.author)
            },
            text: shown_chat(&line.text),
        };
        self.unheard.retain(|said| said.client_id != line.client_id);
        let known = self.lines.insert(line.id, row).is_some();
        if self.lines.len() > MAX_CHAT_LINES {
            self.lines.pop_first();
        }
        if !known && !line.from_guest && !self.view.chat_open {
            self.view.unread += 1;
        }
    }

    /// The server does not take an own line.
    pub(super) fn handle_refused(&mut self, refused: &v1::RequestRefused) {
        let mut unheard = self.unheard.iter();
        let Some(at) = unheard.position(|line| line.client_id == refused.client_id) else {
            return;
        };
        let line = self.unheard.remove(at);
        let why = match refused.reason() {
            v1::RequestRefusal::ChatFull => CHAT_FULL,
            _ => NOT_TAKEN,
        };
        self.keep_not_taken(why, line.text);
    }

    /// What was written is not lost from sight.
    pub(super) fn keep_not_taken(&mut self, why: &str, text: String) {
        if self.not_taken.len() >= MAX_UNHEARD {
            self.not_taken.pop_front();
        }
        let author = why.to_owned();
        self.not_taken.push_back(ChatRow { author, text });
    }
}
