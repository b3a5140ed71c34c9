//! Waiting: events that other threads set, and a clock fine enough to wait for a frame.

use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use gc_platform::{PlatformError, Wake};
use windows_sys::Win32::Foundation::{CloseHandle, HANDLE, WAIT_FAILED, WAIT_OBJECT_0};
use windows_sys::Win32::System::Threading::{
    CreateEventW, INFINITE, SetEvent, WaitForMultipleObjects,
};

use super::late::{timeBeginPeriod, timeEndPeriod};
use super::os::last_error;

/// A flag that one thread sets and another waits for; waiting clears it.
pub(crate) struct Event(HANDLE);

// SAFETY: an event's handle belongs to the process, and the calls on it may come from any thread.
unsafe impl Send for Event {}
// SAFETY: as above.
unsafe impl Sync for Event {}

impl Event {
    pub(crate) fn new() -> Result<Self, PlatformError> {
        // SAFETY: no attributes and no name are given.
        let handle = unsafe { CreateEventW(std::ptr::null(), 0, 0, std::ptr::null()) };
        if handle.is_null() {
            Err(last_error("CreateEvent"))
        } else {
            Ok(Self(handle))
        }
    }

    pub(crate) fn set(&self) {
        // SAFETY: the handle is an event's until it is dropped. Setting one cannot fail.
        unsafe { SetEvent(self.0) };
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: nobody else closes the handle.
        unsafe { CloseHandle(self.0) };
    }
}

/// What others tell the thread that waits in one capture.
pub(crate) struct Signals {
    /// Somebody wants the wait to end.
    pub(crate) wake: Event,
    /// Input was made.
    pub(crate) input: Event,
}

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Wake,
    Input,
    Timeout,
}

impl Signals {
    pub(crate) fn new() -> Result<Self, PlatformError> {
        Ok(Self {
            wake: Event::new()?,
            input: Event::new()?,
        })
    }

    /// Waits for a signal, at most `timeout`.
    pub(crate) fn wait(&self, timeout: Duration) -> Result<Signal, PlatformError> {
        let millis = timeout
            .as_micros()
            .div_ceil(1000)
            .min(u128::from(INFINITE - 1)) as u32;
        let handles = [self.wake.0, self.input.0];
        // SAFETY: the handles are open events, and there are as many as said.
        let ended =
            unsafe { WaitForMultipleObjects(handles.len() as u32, handles.as_ptr(), 0, millis) };
        match ended {
            WAIT_FAILED => Err(last_error("WaitForMultipleObjects")),
            WAIT_OBJECT_0 => Ok(Signal::Wake),
            one if one == WAIT_OBJECT_0 + 1 => Ok(Signal::Input),
            _ => Ok(Signal::Timeout),
        }
    }
}

/// The captures of one desktop: all of them look sooner when input is made.
#[derive(Default)]
pub(crate) struct Captures(Mutex<Vec<Weak<Signals>>>);

impl Captures {
    /// Signals for one more capture; forgotten when it is dropped.
    pub(crate) fn add(&self) -> Result<Arc<Signals>, PlatformError> {
        let signals = Arc::new(Signals::new()?);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|one| one.strong_count() > 0);
        all.push(Arc::downgrade(&signals));
        Ok(signals)
    }

    pub(crate) fn tell_input(&self) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for signals in all.iter().filter_map(Weak::upgrade) {
            signals.input.set();
        }
    }
}

/// Ends the waits of one capture.
pub(crate) struct Waker(pub(crate) Arc<Signals>);

impl Wake for Waker {
    fn wake(&self) {
        self.0.wake.set();
    }
}

/// While it lives, waits end within a millisecond instead of 16.
pub(crate) struct FineClock {
    is_set: bool,
}

impl FineClock {
    const PERIOD_MS: u32 = 1;

    pub(crate) fn new() -> Self {
        // SAFETY: takes a number. Given back when dropped.
        Self {
            is_set: unsafe { timeBeginPeriod(Self::PERIOD_MS) } == 0,
        }
    }
}

impl Drop for FineClock {
    fn drop(&mut self) {
        if self.is_set {
            // SAFETY: takes the number that `new` was granted.
            unsafe { timeEndPeriod(Self::PERIOD_MS) };
        }
    }
}

/// The system's answer to a call that gives an error code instead of setting one.
pub(crate) fn code_to_result(code: u32) -> io::Result<()> {
    if code == 0 {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(code.cast_signed()))
    }
}
