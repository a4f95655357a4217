//! Through HTTP: a real `andon run` as a child process, status changes as newline-delimited JSON.

use std::path::Path;
use std::time::Instant;

use crate::Failure;
use crate::child::Andon;
use crate::plant::Event;
use crate::process;
use crate::report::Report;

pub(crate) fn run(
    plant: impl Iterator<Item = Event>,
    batch: usize,
    program: &Path,
    report: &mut Report,
) -> Result<(), Failure> {
    let events: Vec<Event> = plant.collect();
    let bodies = events.chunks(batch).map(body).collect::<Result<Vec<String>, Failure>>()?;
    let folder = tempfile::tempdir()?;
    let andon = Andon::start(program, folder.path(), &[])?;
    let agent = crate::child::agent();
    let url = format!("{}/v1/line-status", andon.api);
    let began = Instant::now();
    for body in &bodies {
        agent.post(&url).content_type("application/x-ndjson").send(body.as_str())?;
    }
    let sent_at = jiff::Timestamp::now().as_millisecond();
    report.took("Andon, through HTTP: durable", began.elapsed());
    while andon.counter(&agent, "processor_events_total")? < events.len() as f64 {
        std::thread::sleep(crate::child::LOOK_EVERY);
    }
    report.took("Andon, through HTTP: folded and committed", began.elapsed());
    while andon.as_of(&agent)? <= sent_at {
        std::thread::sleep(crate::child::LOOK_EVERY);
    }
    let id = andon.id();
    report.cost("Andon, through HTTP", process::cpu(id), process::memory_max(id));
    // An idle worker says once a second how far it is, a second behind the clock: up to 2 s of this are waiting.
    report.took("Andon, through HTTP: `as_of` has passed (up to 2 s late)", began.elapsed());
    Ok(())
}

pub(crate) fn body(events: &[Event]) -> Result<String, Failure> {
    let mut body = String::with_capacity(events.len() * 160);
    for event in events {
        let at = jiff::Timestamp::from_millisecond(event.at)?;
        body.push_str(&format!(
            "{{\"event_id\":\"{}\",\"line_id\":\"{}\",\"event_time\":\"{at}\",\"status\":\"{}\"}}\n",
            event.id,
            event.line,
            event.status.name()
        ));
    }
    Ok(body)
}
