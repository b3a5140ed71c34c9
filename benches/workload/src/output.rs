//! What the program says and hears: JSON lines out, go-ahead and end in.

use std::io::{BufRead, Write, stdin, stdout};

use anyhow::Context;
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

/// The next number on standard input, a line each; `None` when it closed.
///
/// # Errors
/// Anything other than a number.
pub(crate) fn next_number() -> anyhow::Result<Option<u32>> {
    let mut line = String::new();
    if stdin().lock().read_line(&mut line).unwrap_or(0) == 0 {
        return Ok(None);
    }
    let number = line.trim();
    let number = number
        .parse()
        .with_context(|| format!("read '{number}' as a frame's number"))?;
    Ok(Some(number))
}

pub(crate) fn wait_for_end_of_input() {
    while heard_a_line() {}
}
