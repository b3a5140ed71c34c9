//! The technician's end: pointer and keys, and how long they took to be seen.

use std::time::Duration;

use gc_model::key::Usage;
use gc_model::time::Moment;
use gc_proto::limits::{MAX_CHORD_KEYS, MAX_WHEEL};
use gc_proto::v1;
use gc_proto::v1::viewer_message;

use super::{Lane, State, Viewer};

/// Inputs whose answer is awaited for the latency figure.
const MAX_AWAITED_INPUTS: usize = 256;

impl Viewer {
    /// Moves the pointer or changes its buttons (bit 0 left, 1 right, 2 middle, 3 back, 4 forward).
    pub fn handle_pointer(&mut self, now: Moment, x: i32, y: i32, buttons: u32) {
        self.mouse(now, x, y, buttons, 0, 0);
    }

    /// Scrolls by 1/120 notches, positive right and down, with `buttons` held.
    pub fn handle_wheel(
        &mut self,
        now: Moment,
        x: i32,
        y: i32,
        buttons: u32,
        wheel_x: i32,
        wheel_y: i32,
    ) {
        let limit = |distance: i32| distance.clamp(-MAX_WHEEL, MAX_WHEEL);
        self.mouse(now, x, y, buttons, limit(wheel_x), limit(wheel_y));
    }

    fn mouse(&mut self, now: Moment, x: i32, y: i32, buttons: u32, wheel_x: i32, wheel_y: i32) {
        if let Some(sequence) = self.next_input(now) {
            let event = v1::MouseEvent {
                sequence,
                x,
                y,
                buttons: buttons & 0b1_1111,
                wheel_x,
                wheel_y,
                layout_generation: self.layout.as_ref().map_or(0, |(number, _)| *number),
            };
            self.send(Lane::Input, viewer_message::Body::Mouse(event));
        }
    }

    /// Presses or releases a key. `code` is the browser's name of the physical key, empty for text from an input method.
    pub fn handle_key(
        &mut self,
        now: Moment,
        code: &str,
        down: bool,
        typed: Option<&str>,
        modifiers: u32,
        repeat: bool,
    ) {
        let usage = Usage::from_code(code).unwrap_or(Usage::UNKNOWN);
        if usage == Usage::UNKNOWN && typed.is_none_or(str::is_empty) {
            return;
        }
        if let Some(sequence) = self.next_input(now) {
            let event = v1::KeyEvent {
                sequence,
                usage: usage.number().into(),
                down,
                text: typed.unwrap_or_default().to_owned(),
                modifiers,
                repeat,
            };
            self.send(Lane::Input, viewer_message::Body::Key(event));
        }
    }

    /// Sends Ctrl+Alt+Del.
    pub fn handle_secure_attention(&mut self, now: Moment) {
        self.chord(now, v1::key_chord::Kind::SecureAttention, Vec::new());
    }

    /// Presses keys together, by the browser's names. Unknown names and more than six are not sent; false then.
    pub fn handle_chord(&mut self, now: Moment, codes: &[&str]) -> bool {
        let usages: Option<Vec<u32>> = codes
            .iter()
            .map(|code| Usage::from_code(code).map(|usage| usage.number().into()))
            .collect();
        match usages {
            Some(usages) if !usages.is_empty() && usages.len() <= MAX_CHORD_KEYS => {
                self.chord(now, v1::key_chord::Kind::Usages, usages);
                true
            }
            _ => false,
        }
    }

    fn chord(&mut self, now: Moment, kind: v1::key_chord::Kind, usages: Vec<u32>) {
        if let Some(sequence) = self.next_input(now) {
            let chord = v1::KeyChord {
                sequence,
                kind: kind.into(),
                usages,
            };
            self.send(Lane::Input, viewer_message::Body::Chord(chord));
        }
    }

    /// Nothing may stay pressed: the window lost the focus.
    pub fn handle_release_all(&mut self, _now: Moment) {
        if self.rights.control {
            self.input_sequence += 1;
            let release = v1::ReleaseAll {
                sequence: self.input_sequence,
            };
            self.send(Lane::Input, viewer_message::Body::ReleaseAll(release));
        }
    }

    fn next_input(&mut self, now: Moment) -> Option<u64> {
        let running = matches!(self.state, State::Running(_));
        if !running || !self.rights.control || self.config.preferences.view_only {
            return None;
        }
        self.input_sequence += 1;
        if self.awaited_inputs.len() == MAX_AWAITED_INPUTS {
            self.awaited_inputs.pop_front();
        }
        self.awaited_inputs.push_back((self.input_sequence, now));
        Some(self.input_sequence)
    }

    pub(super) fn input_latency(&mut self, now: Moment, sequence: u64) -> Option<Duration> {
        let mut newest = None;
        while let Some(&(awaited, sent_at)) = self.awaited_inputs.front() {
            if awaited > sequence {
                break;
            }
            newest = Some(now.since(sent_at));
            self.awaited_inputs.pop_front();
        }
        newest
    }
}
