//! What only a system with resolutions has: the capture follows a new one.
#![allow(unsafe_code)]

use std::ptr::null;
use std::time::{Duration, Instant};

use gc_model::geometry::Size;
use gc_platform::{Capture, Desktop, Grab};
use windows_sys::Win32::Graphics::Gdi::{
    CDS_TYPE, ChangeDisplaySettingsW, DEVMODEW, DISP_CHANGE_SUCCESSFUL, DM_PELSHEIGHT, DM_PELSWIDTH,
};

const PATIENCE: Duration = Duration::from_secs(10);

/// How long a display takes to change.
const SETTLING: Duration = Duration::from_secs(3);

/// A capture says that it has to be opened again, and the new one has the new size.
/// False where this display cannot change its resolution.
pub(crate) fn capture_follows_a_new_resolution(desktop: &mut dyn Desktop) -> bool {
    let before = desktop.layout().expect("layout").picture;
    let mut capture = desktop.open_capture().expect("capture");
    capture.grab().expect("the first grab");
    let wanted = Size::new(800, 600).expect("a size that fits");
    if before == wanted || !set(Some(wanted)) || !is_in_effect(desktop, before) {
        return false;
    }

    await_reopen(&mut *capture);
    let mut again = desktop.open_capture().expect("another capture");

    assert_eq!(desktop.layout().expect("layout").picture, wanted);
    assert!(matches!(again.grab().expect("grab"), Grab::Changed(_)));
    assert_eq!(again.frame().size(), wanted);
    assert!(set(None), "the old resolution comes back");
    await_reopen(&mut *again);
    assert_eq!(desktop.layout().expect("layout").picture, before);
    true
}

/// Some displays agree to a new resolution and stay as they are.
fn is_in_effect(desktop: &mut dyn Desktop, before: Size) -> bool {
    let deadline = Instant::now() + SETTLING;
    while desktop.layout().expect("layout").picture == before {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

fn await_reopen(capture: &mut dyn Capture) {
    let deadline = Instant::now() + PATIENCE;
    while capture.grab().expect("grab") != Grab::Reopen {
        assert!(
            Instant::now() < deadline,
            "the capture notices the new resolution"
        );
        capture.wait(Duration::from_millis(100)).expect("wait");
    }
}

/// Sets a resolution until the process ends, or goes back to the user's.
fn set(size: Option<Size>) -> bool {
    let mode = size.map(|size| DEVMODEW {
        dmSize: size_of::<DEVMODEW>() as u16,
        dmFields: DM_PELSWIDTH | DM_PELSHEIGHT,
        dmPelsWidth: size.width(),
        dmPelsHeight: size.height(),
        ..Default::default()
    });
    // SAFETY: the structure says its own size and outlives the call.
    let changed = unsafe {
        ChangeDisplaySettingsW(
            mode.as_ref().map_or(null(), std::ptr::from_ref),
            CDS_TYPE::default(),
        )
    };
    changed == DISP_CHANGE_SUCCESSFUL
}
