//! What a process has used so far, from `/proc`: processor time and memory. None where there is no such thing.

use std::time::Duration;

/// Ticks of a second in `/proc`: 100 on every Linux that people run.
const TICKS_PER_SECOND: u64 = 100;

/// User and system time of a process since it began.
pub(crate) fn cpu(id: u32) -> Option<Duration> {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // Behind the name, which may contain anything: state, and then numbers; user and system time are the 12th and 13th.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    let total = ticks()? + ticks()?;
    Some(Duration::from_millis(total * 1_000 / TICKS_PER_SECOND))
}

/// The most memory a process has had, in bytes.
pub(crate) fn memory_max(id: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1_024)
}
