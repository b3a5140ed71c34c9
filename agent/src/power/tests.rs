use std::sync::Mutex;

use gc_model::geometry::Size;
use gc_platform::fake::{FakeHost, FakeScreen};
use gc_platform::{Facts, PlatformError};

use super::*;

/// Notes what it is told, and refuses to restart when asked to.
#[derive(Default)]
struct FakePower {
    done: Arc<Mutex<Vec<String>>>,
    refuses_to_restart: bool,
    /// Starts in safe mode whatever it is told.
    sticks_to_safe_mode: bool,
}

impl Power for FakePower {
    fn can(&self, action: PowerAction) -> bool {
        action != PowerAction::EmergencyRestart
    }

    fn act(&self, action: PowerAction, desktop_session: Option<u32>) -> Result<(), PlatformError> {
        if self.refuses_to_restart {
            return Err(PlatformError::Denied("restarting"));
        }
        let place = desktop_session.map_or_else(String::new, |session| format!(" in {session}"));
        self.done
            .lock()
            .expect("no panic")
            .push(format!("{}{place}", action.as_str()));
        Ok(())
    }

    fn login(&self, desktop_session: Option<u32>) -> String {
        match desktop_session {
            Some(session) => format!("login {session}"),
            None => "ada".to_owned(),
        }
    }

    fn set_safe_mode(&self, kind: Option<PowerAction>) -> Result<(), PlatformError> {
        if kind.is_none() && self.sticks_to_safe_mode {
            return Err(PlatformError::Denied("bcdedit"));
        }
        let kind = kind.map_or("ordinary", PowerAction::as_str);
        self.done
            .lock()
            .expect("no panic")
            .push(format!("starts: {kind}"));
        Ok(())
    }

    fn is_in_safe_mode(&self) -> bool {
        true
    }
}

struct Story {
    place: tempfile::TempDir,
    done: Arc<Mutex<Vec<String>>>,
    room: PowerRoom,
}

impl Story {
    fn begin(power: FakePower) -> Self {
        let place = tempfile::tempdir().expect("a directory");
        let host = FakeHost {
            screen: FakeScreen::new(Size::new(64, 64).expect("a small screen")),
            data_dir: place.path().to_owned(),
            facts: Facts::default(),
        };
        let done = Arc::clone(&power.done);
        let room = PowerRoom {
            host: Arc::new(host),
            power: Some(Box::new(power)),
            note: place.path().join(NOTE_NAME),
            is_dry_run: false,
        };
        Self { place, done, room }
    }

    fn done(&self) -> Vec<String> {
        self.done.lock().expect("no panic").clone()
    }

    fn has_note(&self) -> bool {
        self.place.path().join(NOTE_NAME).exists()
    }
}

fn order(action: &str) -> v1::PowerOrder {
    v1::PowerOrder {
        request_id: 1,
        action: action.to_owned(),
        return_after_seconds: 600,
        technician: "Ada".to_owned(),
    }
}

#[test]
fn does_what_the_system_can_and_nothing_else() {
    let story = Story::begin(FakePower::default());

    assert_eq!(story.room.obey(&order("restart"), None), Ok(String::new()));
    assert!(story.room.obey(&order("emergency_restart"), None).is_err());
    assert!(story.room.obey(&order("explode"), None).is_err());

    assert_eq!(story.done(), ["restart"]);
}

#[test]
fn the_person_is_signed_out_whose_login_the_technician_looks_at() {
    let story = Story::begin(FakePower::default());

    for (action, chosen, login) in [
        ("log_off", Some(2), "login 2"),
        ("lock", Some(2), "login 2"),
        ("log_off", None, "ada"),
    ] {
        let answer = story.room.obey(&order(action), chosen);
        assert_eq!(answer.as_deref(), Ok(login), "for the audit log");
    }

    assert_eq!(story.done(), ["log_off in 2", "lock in 2", "log_off"]);
}

#[test]
fn a_restart_into_safe_mode_notes_the_way_back() {
    let story = Story::begin(FakePower::default());

    story
        .room
        .obey(&order("safe_mode_network"), None)
        .expect("done");

    assert_eq!(story.done(), ["starts: safe_mode_network", "restart"]);
    assert_eq!(story.room.pending(), Some(Duration::from_mins(10)));
}

#[test]
fn a_restart_that_fails_leaves_no_safe_mode_behind() {
    let story = Story::begin(FakePower {
        refuses_to_restart: true,
        ..FakePower::default()
    });

    let said = story
        .room
        .obey(&order("safe_mode"), None)
        .expect_err("refused");

    assert!(said.contains("denied"), "{said}");
    assert_eq!(story.done(), ["starts: safe_mode", "starts: ordinary"]);
    assert!(!story.has_note());
}

#[test]
fn a_machine_that_cannot_leave_safe_mode_keeps_its_note_and_says_so() {
    let story = Story::begin(FakePower {
        refuses_to_restart: true,
        sticks_to_safe_mode: true,
        ..FakePower::default()
    });

    let said = story
        .room
        .obey(&order("safe_mode"), None)
        .expect_err("refused");

    assert!(said.contains("may be one into safe mode"), "{said}");
    assert!(!story.room.handle_output(Output::StartOrdinarilyNextTime));
    assert!(story.has_note());
}

#[test]
fn a_dry_run_offers_everything_and_does_nothing() {
    let mut story = Story::begin(FakePower::default());
    story.room.is_dry_run = true;

    for action in PowerAction::ALL {
        assert!(story.room.obey(&order(action.as_str()), None).is_ok());
    }

    assert_eq!(story.room.actions(), PowerAction::ALL);
    assert!(story.done().is_empty());
}

#[test]
fn a_damaged_note_is_one_all_the_same() {
    let story = Story::begin(FakePower::default());
    fs::write(story.place.path().join(NOTE_NAME), "{").expect("writes");

    assert_eq!(story.room.pending(), Some(Duration::from_mins(15)));
}

#[test]
fn the_way_back_is_an_ordinary_start_and_no_note() {
    let story = Story::begin(FakePower::default());
    story.room.obey(&order("safe_mode"), None).expect("done");
    story.done.lock().expect("no panic").clear();

    for output in [
        Output::StartOrdinarilyNextTime,
        Output::ForgetNote,
        Output::Restart,
    ] {
        story.room.handle_output(output);
    }

    assert_eq!(story.done(), ["starts: ordinary", "restart"]);
    assert!(!story.has_note());
}
