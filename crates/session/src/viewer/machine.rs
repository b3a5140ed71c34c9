//! The technician's end: displays, logins, and what is kept from the person at the machine.

use gc_model::time::Moment;
use gc_proto::limits::MAX_LIST_LEN;
use gc_proto::v1;
use gc_proto::v1::viewer_message;

use super::{EndCode, Lane, Viewer, ViewerEvent};
use crate::convert::text;
use crate::desktop_sessions::{DesktopSession, DesktopSessionKind};
use crate::guard::Guard;
use crate::screen_source::ScreenSource;

impl Viewer {
    /// Shows one display alone, by its id, or all of them. A [`ViewerEvent::Layout`] answers.
    pub fn handle_select_display(&mut self, now: Moment, display: Option<u32>) {
        self.handle_release_all(now);
        let select = v1::SelectDisplay { display };
        self.send(Lane::Control, viewer_message::Body::SelectDisplay(select));
    }

    /// Shows another login of the machine, to everybody who looks. The connection ends for that.
    pub fn handle_select_desktop_session(&mut self, now: Moment, id: u32) {
        self.handle_release_all(now);
        let select = v1::SelectDesktopSession { id };
        self.send(
            Lane::Control,
            viewer_message::Body::SelectDesktopSession(select),
        );
    }

    /// Keeps the person at the machine from doing or seeing anything, or lets them.
    /// A [`ViewerEvent::Guard`] answers.
    pub fn handle_set_guard(&mut self, _now: Moment, guard: Guard) {
        let wanted = v1::SetGuard {
            block_input: guard.block_input,
            blank_screen: guard.blank_screen,
        };
        self.send(Lane::Control, viewer_message::Body::Guard(wanted));
    }

    pub(super) fn handle_desktop_sessions(&mut self, list: &v1::DesktopSessions) {
        if list.sessions.len() > MAX_LIST_LEN {
            return self.end(
                EndCode::Protocol,
                "The machine announced more than the protocol allows.",
            );
        }
        let sessions = list.sessions.iter().map(|session| DesktopSession {
            id: session.id,
            kind: match v1::DesktopSessionKind::try_from(session.kind) {
                Ok(v1::DesktopSessionKind::Console) => DesktopSessionKind::Console,
                _ => DesktopSessionKind::Remote,
            },
            user: text(&session.user),
            shown: session.shown,
        });
        let sessions = sessions.collect();
        self.emit(ViewerEvent::DesktopSessions(sessions));
    }

    pub(super) fn handle_screen_source(&mut self, source: &v1::ScreenSource) {
        self.emit(ViewerEvent::ScreenSource(ScreenSource {
            method: text(&source.method),
            reason: text(&source.reason),
        }));
    }

    pub(super) fn handle_guard_state(&mut self, state: &v1::GuardState) {
        self.emit(ViewerEvent::Guard {
            guard: Guard {
                block_input: state.block_input,
                blank_screen: state.blank_screen,
            },
            detail: text(&state.detail),
        });
    }
}
