//! Lines that live: each runs, stops now and then, and runs again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::admin::now_ms;
use crate::client::{Client, encode};

/// The node above the simulated lines.
pub(crate) const AREA: &str = "demo-plant/hall-1";

/// The simulated lines.
pub(crate) const LINES: [&str; 4] = ["press-1", "weld-2", "paint-3", "pack-4"];

/// Statuses of a stop, with a reason where somebody names one.
const STOPS: [(&str, Option<&str>); 6] = [
    ("STOPPED", None),
    ("FAULTED", Some("MOTOR-OVERLOAD")),
    ("BLOCKED", None),
    ("STARVED", Some("NO-MATERIAL")),
    ("CHANGEOVER", Some("ORDER-CHANGE")),
    ("PLANNED_STOP", Some("CLEANING")),
];

/// Reports for the lines until `stop` is set. What andon refuses is told and passed over: it is a demo of andon, not
/// of the lines.
pub(crate) fn live(client: &Client, stop: &AtomicBool) {
    let mut random = Random(now_ms().cast_unsigned() | 1);
    for line in LINES {
        let path: Vec<&str> = AREA.split('/').chain([line]).collect();
        if let Err(error) = client.put(&format!("/v1/lines/{}", encode(line)), &json!({ "path": path })) {
            eprintln!("could not register `{line}`: {error}");
        }
    }
    let mut is_running = [false; LINES.len()];
    let mut next_at = [Instant::now(); LINES.len()];
    while !stop.load(Ordering::Acquire) {
        for (index, line) in LINES.iter().enumerate() {
            if next_at[index] > Instant::now() {
                continue;
            }
            is_running[index] = !is_running[index];
            let (status, reason, lasts_s) = if is_running[index] {
                ("RUNNING", None, 8 + random.below(20))
            } else {
                let (status, reason) = STOPS[random.below(STOPS.len() as u64) as usize];
                (status, reason, 3 + random.below(10))
            };
            next_at[index] = Instant::now() + Duration::from_secs(lasts_s);
            report(client, line, status, reason);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn report(client: &Client, line: &str, status: &str, reason: Option<&str>) {
    let event_time = jiff::Timestamp::from_millisecond(now_ms()).map(|instant| instant.to_string());
    let Ok(event_time) = event_time else { return };
    let change = json!({
        "line_id": line, "event_time": event_time, "status": status, "reason_code": reason, "source": "simulation",
    });
    match client.post("/v1/line-status", "application/json", change.to_string().as_bytes()) {
        Ok(answer) if answer.status == 202 => println!("{event_time}  {line:8} {status}"),
        Ok(answer) => eprintln!("{line}: {}", answer.problem()),
        Err(_) => {} // andon is ending
    }
}

/// A small generator of numbers (xorshift64): nobody relies on their quality.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}
