//! Runs the suite that every platform passes against this desktop, with a window of its own as the application.
//!
//! `windows-conformance [displays]` ends with 0 when everything holds, and says what does not.
//! With a number it also checks that there are that many displays.

#[cfg(windows)]
mod resolution;
#[cfg(windows)]
mod stage;

#[cfg(windows)]
fn main() {
    use gc_platform::Host;

    let mut desktop = gc_platform_windows::WindowsHost
        .open_desktop()
        .expect("a desktop");
    let displays = desktop.layout().expect("the layout").displays;
    if let Some(wanted) = std::env::args().nth(1) {
        assert_eq!(displays.len().to_string(), wanted, "number of displays");
    }
    for display in displays {
        println!(
            "{}: {}x{} at ({}, {})",
            display.name,
            display.size.width(),
            display.size.height(),
            display.x,
            display.y
        );
    }
    let mut stage = stage::Window::open();
    gc_platform::conformance::check_all(&mut *desktop, &mut stage);
    if !resolution::capture_follows_a_new_resolution(&mut *desktop) {
        println!("not checked: this display has one resolution");
    }
    println!("the platform conforms");
}

#[cfg(not(windows))]
fn main() {
    eprintln!("this runs on Windows only: build it with scripts/build-windows");
    std::process::exit(2);
}
