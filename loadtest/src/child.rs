//! A real `andon run` as a child process.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::Failure;
use crate::plant::Event;

/// How often it is looked whether something has happened.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The child, killed when the measurement ends.
pub(crate) struct Andon {
    child: Child,
    pub(crate) api: String,
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
    /// Starts the program over a folder, with further settings from the environment.
    pub(crate) fn start(program: &Path, folder: &Path, settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let mut command = Command::new(program);
        // Settings of whoever measures are none of what is measured.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ANDON_"))
        {
            command.env_remove(name);
        }
        let mut child = command
            .args(["run", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data-dir"])
            .arg(folder)
            .env("ANDON_LOGGING__FILTER", "warn")
            .envs(settings.iter().copied())
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
    pub(crate) fn counter(&self, agent: &ureq::Agent, name: &str) -> Result<f64, Failure> {
        let text = agent.get(format!("{}/metrics", self.admin)).call()?.body_mut().read_to_string()?;
        Ok(text
            .lines()
            .filter(|line| line.starts_with(name))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum())
    }

    /// Up to when the views have everything, in ms.
    pub(crate) fn as_of(&self, agent: &ureq::Agent) -> Result<i64, Failure> {
        let text =
            agent.get(format!("{}/v1/downtime?limit=1", self.api)).call()?.body_mut().read_to_string()?;
        let page: serde_json::Value = serde_json::from_str(&text)?;
        match page["as_of"].as_str() {
            Some(as_of) => Ok(as_of.parse::<jiff::Timestamp>()?.as_millisecond()),
            None => Ok(0),
        }
    }

    /// Where the API listens.
    pub(crate) fn address(&self) -> Result<SocketAddr, Failure> {
        Ok(self.api.trim_start_matches("http://").parse()?)
    }

    /// The child's process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends events and waits until they can be read.
    pub(crate) fn fill(&self, events: &[Event]) -> Result<(), Failure> {
        let agent = agent();
        let url = format!("{}/v1/line-status", self.api);
        for events in events.chunks(5_000) {
            agent
                .post(&url)
                .content_type("application/x-ndjson")
                .send(crate::http::body(events)?.as_str())?;
        }
        let sent_at = jiff::Timestamp::now().as_millisecond();
        while self.as_of(&agent)? <= sent_at {
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }
}

/// A client for what is not measured.
pub(crate) fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(60))).proxy(None).build().into()
}
