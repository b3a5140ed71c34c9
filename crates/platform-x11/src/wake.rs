//! Waiting on the X connection together with a wake-up from another thread.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use gc_platform::{PlatformError, Wake};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;

/// A file descriptor that becomes readable when somebody wakes it.
#[derive(Clone)]
pub(crate) struct Waker {
    event: Arc<OwnedFd>,
}

/// What became ready.
pub(crate) struct Ready {
    pub(crate) woken: bool,
    pub(crate) connection: bool,
}

impl Waker {
    pub(crate) fn new() -> Result<Self, PlatformError> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(|error| os_error("eventfd", error))?;
        Ok(Self {
            event: Arc::new(event),
        })
    }

    /// Waits until `connection` can be read, until woken, or for `timeout`.
    pub(crate) fn wait(
        &self,
        connection: BorrowedFd<'_>,
        timeout: Duration,
    ) -> Result<Ready, PlatformError> {
        let mut fds = [
            PollFd::from_borrowed_fd(connection, PollFlags::IN),
            PollFd::new(&*self.event, PollFlags::IN),
        ];
        let timeout = Timespec {
            tv_sec: timeout.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: timeout.subsec_nanos().into(),
        };
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(os_error("poll", error)),
        }
        // Errors and hang-ups make the connection "readable": reading it tells what happened.
        let connection = !fds[0].revents().is_empty();
        Ok(Ready {
            woken: self.take(),
            connection,
        })
    }

    /// True once for all wake-ups since the last call.
    fn take(&self) -> bool {
        rustix::io::read(self.event.as_fd(), &mut [0_u8; 8]).is_ok()
    }
}

impl Wake for Waker {
    fn wake(&self) {
        // It fails only when the counter is full, and then the wait ends anyway.
        let _full = rustix::io::write(self.event.as_fd(), &1_u64.to_ne_bytes());
    }
}

fn os_error(call: &'static str, error: Errno) -> PlatformError {
    PlatformError::Os {
        call,
        source: io::Error::from(error),
    }
}
