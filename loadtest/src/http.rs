//! Through HTTP: a real `andon run` as a child process, status changes as newline-delimited JSON.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Failure;
use crate::plant::Event;
use crate::process;
use crate::report::Report;

/// The child, killed when the measurement ends.
struct Andon {
    child: Child,
    api: String,
    admin: String,
}

impl Drop for Andon {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Andon {
    fn start(program: &Path, folder: &Path) -> Result<Self, Failure> {
        let mut child = Command::new(program)
            .args(["run", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data-dir"])
            .arg(folder)
            .env("ANDON_LOGGING__FILTER", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("could not start `{}`: {error}; build it first", program.display()))?;
        let output = child.stdout.take().ok_or("the child has no output")?;
        let (mut api, mut admin) = (None, None);
        for line in BufReader::new(output).lines() {
            let line = line?;
            match line.split_whitespace().collect::<Vec<_>>().as_slice() {
                ["api", url] => api = Some((*url).to_owned()),
                ["admin", url] => admin = Some((*url).to_owned()),
                ["data", ..] => break,
                _ => {}
            }
        }
        match (api, admin) {
            (Some(api), Some(admin)) => Ok(Self { child, api, admin }),
            _ => Err("andon did not say where it listens".into()),
        }
    }

    /// The sum of a counter over its labels.
    fn counter(&self, agent: &ureq::Agent, name: &str) -> Result<f64, Failure> {
        let text = agent.get(format!("{}/metrics", self.admin)).call()?.body_mut().read_to_string()?;
        Ok(text
            .lines()
            .filter(|line| line.starts_with(name))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum())
    }

    /// Up to when the views have everything, in ms.
    fn as_of(&self, agent: &ureq::Agent) -> Result<i64, Failure> {
        let text =
            agent.get(format!("{}/v1/downtime?limit=1", self.api)).call()?.body_mut().read_to_string()?;
        let page: serde_json::Value = serde_json::from_str(&text)?;
        match page["as_of"].as_str() {
            Some(as_of) => Ok(as_of.parse::<jiff::Timestamp>()?.as_millisecond()),
            None => Ok(0),
        }
    }
}

pub(crate) fn run(
    plant: impl Iterator<Item = Event>,
    batch: usize,
    program: &Path,
    report: &mut Report,
) -> Result<(), Failure> {
    let events: Vec<Event> = plant.collect();
    let bodies = events.chunks(batch).map(body).collect::<Result<Vec<String>, Failure>>()?;
    let folder = tempfile::tempdir()?;
    let andon = Andon::start(program, folder.path())?;
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(60)))
        .proxy(None)
        .build()
        .into();
    let url = format!("{}/v1/line-status", andon.api);
    let began = Instant::now();
    for body in &bodies {
        agent.post(&url).content_type("application/x-ndjson").send(body.as_str())?;
    }
    let sent_at = jiff::Timestamp::now().as_millisecond();
    report.took("Andon, through HTTP: durable", began.elapsed());
    while andon.counter(&agent, "processor_events_total")? < events.len() as f64 {
        std::thread::sleep(Duration::from_millis(5));
    }
    report.took("Andon, through HTTP: folded and committed", began.elapsed());
    while andon.as_of(&agent)? <= sent_at {
        std::thread::sleep(Duration::from_millis(5));
    }
    let id = andon.child.id();
    report.cost("Andon, through HTTP", process::cpu(id), process::memory_max(id));
    // An idle worker says once a second how far it is, a second behind the clock: up to 2 s of this are waiting.
    report.took("Andon, through HTTP: `as_of` has passed (up to 2 s late)", began.elapsed());
    Ok(())
}

fn body(events: &[Event]) -> Result<String, Failure> {
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
