//! The C edge. Handles are pointers that the JavaScript side got from
//! [`gc_viewer_new`] and gives back once to [`gc_viewer_free`]; buffers come
//! from [`gc_alloc`]. `now_us` is microseconds of any monotonic clock.
//!
//! SAFETY of the whole module: WebAssembly memory belongs to one caller, our own
//! worker, which keeps these rules; a broken rule can only damage that memory.

use std::cell::RefCell;

use gc_model::time::Moment;
use gc_session::Rights;

use crate::bridge::{Bridge, BridgeError};

thread_local! {
    /// Why the last [`gc_viewer_new`] gave 0.
    static NEW_ERROR: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

fn moment(now_us: f64) -> Moment {
    Moment::from_micros(now_us as u64)
}

/// SAFETY: `pointer` and `length` describe a buffer of [`gc_alloc`] that was filled.
unsafe fn bytes<'a>(pointer: *const u8, length: usize) -> &'a [u8] {
    if length == 0 {
        &[]
    } else {
        unsafe { std::slice::from_raw_parts(pointer, length) }
    }
}

/// SAFETY: `viewer` came from [`gc_viewer_new`] and was not freed.
unsafe fn bridge<'a>(viewer: *mut Bridge) -> &'a mut Bridge {
    unsafe { &mut *viewer }
}

fn accepted(result: &Result<(), BridgeError>) -> i32 {
    i32::from(result.is_ok())
}

/// A buffer of `length` bytes.
#[unsafe(no_mangle)]
pub extern "C" fn gc_alloc(length: usize) -> *mut u8 {
    Box::into_raw(vec![0_u8; length].into_boxed_slice()).cast()
}

/// Gives back a buffer of [`gc_alloc`].
///
/// # Safety
/// `pointer` came from `gc_alloc(length)` and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_free(pointer: *mut u8, length: usize) {
    drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(pointer, length)) });
}

/// A viewer from its JSON settings, or 0 with the reason as output of handle 0.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_viewer_new(
    pointer: *const u8,
    length: usize,
    now_us: f64,
) -> *mut Bridge {
    match Bridge::new(unsafe { bytes(pointer, length) }, moment(now_us)) {
        Ok(bridge) => Box::into_raw(Box::new(bridge)),
        Err(error) => {
            let json = serde_json::json!({ "error": error.to_string() }).to_string();
            NEW_ERROR.with(|slot| *slot.borrow_mut() = json.into_bytes());
            std::ptr::null_mut()
        }
    }
}

/// Gives back a viewer.
///
/// # Safety
/// See the module; the handle is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_viewer_free(viewer: *mut Bridge) {
    drop(unsafe { Box::from_raw(viewer) });
}

/// One binary WebSocket message.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_viewer_message(
    viewer: *mut Bridge,
    pointer: *const u8,
    length: usize,
    now_us: f64,
) {
    unsafe {
        bridge(viewer)
            .viewer()
            .handle_message(moment(now_us), bytes(pointer, length));
    };
}

/// Does what is due.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_viewer_timeout(viewer: *mut Bridge, now_us: f64) {
    unsafe { bridge(viewer).viewer().handle_timeout(moment(now_us)) };
}

/// When to call [`gc_viewer_timeout`], in microseconds; -1 for never.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_viewer_deadline(viewer: *mut Bridge) -> f64 {
    let deadline = unsafe { bridge(viewer).viewer().poll_timeout() };
    deadline.map_or(-1.0, |moment| moment.as_micros() as f64)
}

/// Pointer place and buttons.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_viewer_pointer(
    viewer: *mut Bridge,
    now_us: f64,
    x: i32,
    y: i32,
    buttons: u32,
) {
    unsafe { bridge(viewer).pointer(moment(now_us), x, y, buttons) };
}

/// Scrolling in 1/120 notches.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_viewer_wheel(
    viewer: *mut Bridge,
    now_us: f64,
    x: i32,
    y: i32,
    dx: i32,
    dy: i32,
) {
    unsafe { bridge(viewer).wheel(moment(now_us), x, y, dx, dy) };
}

/// A key as JSON; 1 when it was readable.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_viewer_key(
    viewer: *mut Bridge,
    now_us: f64,
    pointer: *const u8,
    length: usize,
) -> i32 {
    accepted(&unsafe { bridge(viewer).key(moment(now_us), bytes(pointer, length)) })
}

/// A chord as JSON; 1 when it was readable.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_viewer_chord(
    viewer: *mut Bridge,
    now_us: f64,
    pointer: *const u8,
    length: usize,
) -> i32 {
    accepted(&unsafe { bridge(viewer).chord(moment(now_us), bytes(pointer, length)) })
}

/// Nothing may stay pressed.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_viewer_release_all(viewer: *mut Bridge, now_us: f64) {
    unsafe { bridge(viewer).release_all(moment(now_us)) };
}

/// Preferences as JSON; 1 when they were readable.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_viewer_preferences(
    viewer: *mut Bridge,
    now_us: f64,
    pointer: *const u8,
    length: usize,
) -> i32 {
    accepted(&unsafe { bridge(viewer).preferences(moment(now_us), bytes(pointer, length)) })
}

/// A wish about displays, logins or the person at the machine as JSON; 1 when it was readable.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_viewer_machine(
    viewer: *mut Bridge,
    now_us: f64,
    pointer: *const u8,
    length: usize,
) -> i32 {
    accepted(&unsafe { bridge(viewer).machine(moment(now_us), bytes(pointer, length)) })
}

/// Asks for the whole picture anew.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_viewer_refresh(viewer: *mut Bridge, now_us: f64) {
    unsafe { bridge(viewer).viewer().handle_refresh(moment(now_us)) };
}

/// Asks the person at the machine for mouse and keyboard; the number that the answer names.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_viewer_request_control(viewer: *mut Bridge, now_us: f64) -> u32 {
    unsafe {
        bridge(viewer)
            .viewer()
            .handle_request(moment(now_us), Rights::CONTROL)
    }
}

/// Asks the person at the machine for administrator rights; the answer's number.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_viewer_request_elevation(viewer: *mut Bridge, now_us: f64) -> u32 {
    unsafe {
        bridge(viewer)
            .viewer()
            .handle_request(moment(now_us), Rights::ELEVATION)
    }
}

/// Films in a format cannot be decoded here. Formats are numbered in the order of
/// `FilmFormat::ALL`; another number says nothing.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_viewer_film_failed(viewer: *mut Bridge, now_us: f64, format: u32) {
    unsafe { bridge(viewer).film_failed(moment(now_us), format) };
}

/// Leaves for good.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_viewer_goodbye(viewer: *mut Bridge, now_us: f64) {
    unsafe { bridge(viewer).viewer().handle_goodbye(moment(now_us)) };
}

/// The frame `sequence` is on the canvas.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_viewer_painted(viewer: *mut Bridge, now_us: f64, sequence: f64) {
    unsafe {
        bridge(viewer)
            .viewer()
            .handle_painted(moment(now_us), sequence as u64);
    };
}

/// Takes the next output: 0 nothing, 1 bytes to send, 2 event, 3 frame.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_viewer_poll(viewer: *mut Bridge) -> i32 {
    unsafe { bridge(viewer).poll() as i32 }
}

/// Where the last output is; handle 0 for the error of [`gc_viewer_new`].
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_output_ptr(viewer: *mut Bridge) -> *const u8 {
    if viewer.is_null() {
        return NEW_ERROR.with(|slot| slot.borrow().as_ptr());
    }
    unsafe { bridge(viewer).output.as_ptr() }
}

/// How long the last output is; handle 0 for the error of [`gc_viewer_new`].
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_output_len(viewer: *mut Bridge) -> usize {
    if viewer.is_null() {
        return NEW_ERROR.with(|slot| slot.borrow().len());
    }
    unsafe { bridge(viewer).output.len() }
}

/// Where the last frame's pixels are.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_pixels_ptr(viewer: *mut Bridge) -> *const u8 {
    unsafe { bridge(viewer).viewer().pixels().as_ptr() }
}

/// How many bytes of pixels the last frame has.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_pixels_len(viewer: *mut Bridge) -> usize {
    unsafe { bridge(viewer).viewer().pixels().len() }
}

/// Where the packet of the last frame's film is.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_film_ptr(viewer: *mut Bridge) -> *const u8 {
    unsafe { bridge(viewer).viewer().film_data().as_ptr() }
}

/// How many bytes the packet of the last frame's film has.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gc_film_len(viewer: *mut Bridge) -> usize {
    unsafe { bridge(viewer).viewer().film_data().len() }
}
