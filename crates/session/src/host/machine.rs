//! The machine's end: displays, logins, and what is kept from the person there.

use gc_model::geometry::DisplayLayout;
use gc_model::time::Moment;
use gc_proto::limits::MAX_LIST_LEN;
use gc_proto::v1;
use gc_proto::v1::agent_message;

use super::{Host, HostOutput, Lane, State};
use crate::convert::{layout_to_wire, text};
use crate::desktop_sessions::{DesktopSession, DesktopSessionKind};
use crate::guard::Guard;
use crate::screen_source::ScreenSource;

impl Host {
    /// The layout changed, or what is shown of it: the picture starts anew.
    /// `only` is the display that alone is in the picture.
    pub fn handle_layout(&mut self, now: Moment, layout: DisplayLayout, only: Option<u32>) {
        self.config.layout = layout;
        self.only_display = only;
        self.layout_generation += 1;
        self.frames.restart = true;
        if matches!(self.state, State::Running(_)) {
            let layout = self.wire_layout();
            self.send(Lane::Control, agent_message::Body::Layout(layout));
        }
        self.order_capture(now);
    }

    /// The logins of the machine that can be shown.
    pub fn handle_desktop_sessions(&mut self, _now: Moment, sessions: &[DesktopSession]) {
        let sessions = sessions
            .iter()
            .take(MAX_LIST_LEN)
            .map(|session| v1::DesktopSession {
                id: session.id,
                kind: match session.kind {
                    DesktopSessionKind::Console => v1::DesktopSessionKind::Console,
                    DesktopSessionKind::Remote => v1::DesktopSessionKind::Remote,
                }
                .into(),
                user: text(&session.user),
                shown: session.shown,
            })
            .collect();
        let list = v1::DesktopSessions { sessions };
        self.send(Lane::Control, agent_message::Body::DesktopSessions(list));
    }

    /// How the screen is read, for the technician.
    pub fn handle_screen_source(&mut self, _now: Moment, source: &ScreenSource) {
        let source = v1::ScreenSource {
            method: text(&source.method),
            reason: text(&source.reason),
        };
        self.send(Lane::Control, agent_message::Body::ScreenSource(source));
    }

    /// What became of [`HostOutput::Guard`]: what is so now, and why not more.
    pub fn handle_guard(&mut self, _now: Moment, guard: Guard, detail: &str) {
        self.guard = guard;
        let state = v1::GuardState {
            block_input: guard.block_input,
            blank_screen: guard.blank_screen,
            detail: text(detail),
        };
        self.send(Lane::Control, agent_message::Body::Guard(state));
    }

    pub(super) fn wire_layout(&self) -> v1::DisplayLayout {
        v1::DisplayLayout {
            only: self.only_display,
            ..layout_to_wire(self.layout_generation, &self.config.layout)
        }
    }

    pub(super) fn machine_features(&self) -> impl Iterator<Item = i32> {
        let guards = self.config.guards;
        [
            (true, v1::Feature::SelectDisplay),
            (guards.block_input, v1::Feature::BlockInput),
            (guards.blank_screen, v1::Feature::BlankScreen),
        ]
        .into_iter()
        .filter_map(|(can, feature)| can.then_some(feature.into()))
    }

    /// True for a click into a picture that is not shown any more.
    pub(super) fn is_of_another_layout(&self, event: &v1::MouseEvent) -> bool {
        event.layout_generation != 0 && event.layout_generation != self.layout_generation
    }

    pub(super) fn handle_select(&mut self, select: v1::SelectDisplay) {
        let known = |id| {
            self.config
                .layout
                .displays
                .iter()
                .any(|display| display.id == id)
        };
        // One that was unplugged meanwhile: the layout that says so is on its way.
        if select.display.is_some_and(|id| !known(id)) || !self.gate.shows() {
            return;
        }
        self.release_all();
        self.outputs.push_back(HostOutput::Show(select.display));
    }

    pub(super) fn handle_select_session(&mut self, select: v1::SelectDesktopSession) {
        if self.admits_input() {
            // While somebody still can: what is held there is nobody's afterwards.
            self.release_all();
            self.outputs
                .push_back(HostOutput::ShowDesktopSession(select.id));
        }
    }

    pub(super) fn handle_set_guard(&mut self, wanted: v1::SetGuard) {
        if !self.admits_input() {
            return;
        }
        // What was not offered is not done, whoever asks.
        let can = self.config.guards;
        self.guard = Guard {
            block_input: wanted.block_input && can.block_input,
            blank_screen: wanted.blank_screen && can.blank_screen,
        };
        self.outputs.push_back(HostOutput::Guard(self.guard));
    }

    /// Whoever may not act any more keeps nothing from anybody.
    pub(super) fn lift_guard(&mut self) {
        if !self.guard.is_none() {
            self.guard = Guard::default();
            self.outputs.push_back(HostOutput::Guard(self.guard));
        }
    }
}
