//! The monitors, in physical pixels.

use std::sync::Once;

use gc_platform::PlatformError;
use windows_sys::Win32::Foundation::{LPARAM, RECT, TRUE};
use windows_sys::Win32::Graphics::Gdi::{
    DISPLAY_DEVICEW, EnumDisplayDevicesW, EnumDisplayMonitors, GetMonitorInfoW, HDC, HMONITOR,
    MONITORINFO, MONITORINFOEXW,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    GetSystemMetrics, MONITORINFOF_PRIMARY, SM_CXVIRTUALSCREEN, SM_CYVIRTUALSCREEN,
    SM_XVIRTUALSCREEN, SM_YVIRTUALSCREEN, SetProcessDPIAware,
};
use windows_sys::core::BOOL;

use super::os::{Function, from_wide, loaded_function, system_function};
use crate::screen::{Monitor, VirtualScreen};

/// Asks Windows for physical pixels, in the newest way that it knows. Without
/// this a scaled monitor would be shown small and blurred.
pub(crate) fn use_physical_pixels() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if !be_aware_per_monitor_v2() && !be_aware_per_monitor() {
            // SAFETY: takes nothing.
            unsafe { SetProcessDPIAware() };
        }
    });
}

/// Windows 10 1703. Fails harmlessly when the program's manifest already says it.
fn be_aware_per_monitor_v2() -> bool {
    const PER_MONITOR_AWARE_V2: isize = -4;
    let Some(function) = loaded_function("user32.dll", c"SetProcessDpiAwarenessContext") else {
        return false;
    };
    // SAFETY: the documented signature of SetProcessDpiAwarenessContext.
    let set = unsafe {
        std::mem::transmute::<Function, unsafe extern "system" fn(isize) -> BOOL>(function)
    };
    // SAFETY: the constant is one of those that the function takes.
    unsafe { set(PER_MONITOR_AWARE_V2) != 0 }
}

/// Windows 8.1.
fn be_aware_per_monitor() -> bool {
    const PER_MONITOR_AWARE: i32 = 2;
    let Some(function) = system_function("shcore.dll", c"SetProcessDpiAwareness") else {
        return false;
    };
    // SAFETY: the documented signature of SetProcessDpiAwareness.
    let set =
        unsafe { std::mem::transmute::<Function, unsafe extern "system" fn(i32) -> i32>(function) };
    // SAFETY: the constant is one of those that the function takes.
    unsafe { set(PER_MONITOR_AWARE) == 0 }
}

/// The box around all monitors. Cheap enough to be asked before every look.
pub(crate) fn virtual_screen() -> Result<VirtualScreen, PlatformError> {
    // SAFETY: takes a number.
    let metric = |index| unsafe { GetSystemMetrics(index) };
    let (width, height) = (metric(SM_CXVIRTUALSCREEN), metric(SM_CYVIRTUALSCREEN));
    if width == 0 || height == 0 {
        return Err(PlatformError::Gone("every monitor of this machine"));
    }
    VirtualScreen::new(
        metric(SM_XVIRTUALSCREEN),
        metric(SM_YVIRTUALSCREEN),
        width,
        height,
    )
    .map_err(|_| PlatformError::Unsupported("a screen of this size"))
}

/// All monitors that show a part of the desktop.
pub(crate) fn monitors() -> Vec<Monitor> {
    let mut found: Vec<HMONITOR> = Vec::new();
    // SAFETY: `collect` gets the vector, which outlives the call, and nobody else touches it meanwhile.
    unsafe {
        EnumDisplayMonitors(
            std::ptr::null_mut(),
            std::ptr::null(),
            Some(collect),
            (&raw mut found) as LPARAM,
        );
    }
    found.into_iter().filter_map(describe).collect()
}

unsafe extern "system" fn collect(monitor: HMONITOR, _: HDC, _: *mut RECT, found: LPARAM) -> BOOL {
    // SAFETY: `monitors` passes a pointer to its vector.
    let found = unsafe { &mut *(found as *mut Vec<HMONITOR>) };
    found.push(monitor);
    TRUE
}

fn describe(monitor: HMONITOR) -> Option<Monitor> {
    let mut info = MONITORINFOEXW::default();
    info.monitorInfo.cbSize = size_of::<MONITORINFOEXW>() as u32;
    // SAFETY: the structure says its own size, which tells Windows that it is the longer one.
    let known = unsafe { GetMonitorInfoW(monitor, (&raw mut info).cast::<MONITORINFO>()) };
    if known == 0 {
        return None;
    }
    let RECT {
        left,
        top,
        right,
        bottom,
    } = info.monitorInfo.rcMonitor;
    Some(Monitor {
        device: from_wide(&info.szDevice),
        model: model(&info.szDevice),
        left,
        top,
        right,
        bottom,
        primary: info.monitorInfo.dwFlags & MONITORINFOF_PRIMARY != 0,
    })
}

/// The monitor that is plugged into `device`, by name.
fn model(device: &[u16; 32]) -> String {
    let mut monitor = DISPLAY_DEVICEW {
        cb: size_of::<DISPLAY_DEVICEW>() as u32,
        ..Default::default()
    };
    // SAFETY: the device's name ends with a zero, and the structure says its own size.
    let known = unsafe { EnumDisplayDevicesW(device.as_ptr(), 0, &raw mut monitor, 0) };
    if known == 0 {
        String::new()
    } else {
        from_wide(&monitor.DeviceString).trim().to_owned()
    }
}
