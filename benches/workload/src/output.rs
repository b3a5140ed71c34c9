//! What the program says and hears: JSON lines out, go-ahead and end in.

use std::io::{BufRead, Write, stdin, stdout};

use rustix::time::{ClockId, clock_gettime};
use serde_json::Value;

/// Now, in microseconds of the machine's monotonic clock: the clock that a program in any
/// language on the same machine can compare with.
pub(crate) fn now_us() -> i64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec * 1_000_000 + now.tv_nsec / 1_000
}

pub(crate) fn print(line: &Value) {
    let mut out = stdout().lock();
    // A reader that went away wants nothing more; the end of standard input stops us.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Waits for a line on standard input. `false`: it closed instead.
pub(crate) fn heard_a_line() -> bool {
    let mut line = String::new();
    stdin()
        .lock()
        .read_line(&mut line)
        .is_ok_and(|bytes| bytes > 0)
}

pub(crate) fn wait_for_end_of_input() {
    while heard_a_line() {}
}
