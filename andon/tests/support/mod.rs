//! A real `andon run` as a child process, and what a test needs to talk to it.

#![allow(dead_code, reason = "each test binary uses its own part of this")]

pub(crate) mod smtp;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long a state may take to come about before the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A running andon. It is killed when it is dropped.
pub(crate) struct Andon {
    child: Child,
    pub(crate) url: String,
    pub(crate) admin: String,
}

/// A port that nobody listens on just now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Andon {
    /// Starts andon on a folder; `port` 0 picks one.
    pub(crate) fn start(folder: &Path, port: u16, settings: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_andon"));
        // Settings of whoever runs the tests are none of the tests'.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ANDON_"))
        {
            command.env_remove(name);
        }
        let mut child = command
            .args(["run", "--admin", "127.0.0.1:0", "--listen", &format!("127.0.0.1:{port}"), "--data-dir"])
            .arg(folder)
            .env("ANDON_LOGGING__FILTER", "warn")
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut addresses = BTreeMap::new();
        while !addresses.contains_key("data") {
            let line = lines.next().expect("andon says where it listens").unwrap();
            let mut words = line.split_whitespace();
            if let (Some(name), Some(value)) = (words.next(), words.next()) {
                addresses.insert(name.to_owned(), value.to_owned());
            }
        }
        Self { child, url: addresses["api"].clone(), admin: addresses["admin"].clone() }
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it: SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end and waits until it has: SIGTERM. The exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }

    /// GET that answers 200 with JSON.
    pub(crate) fn get(&self, path: &str) -> Value {
        let (status, body) = send(agent().get(format!("{}{path}", self.url)).call());
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// POST of JSON: status and answer.
    pub(crate) fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = agent().post(format!("{}{path}", self.url)).content_type("application/json");
        let (status, body) = send(request.send(body.to_string()));
        (status, serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    /// All items of a list.
    pub(crate) fn all(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let separator = if path.contains('?') { '&' } else { '?' };
            let page = self.get(&format!("{path}{separator}limit=1000{cursor}"));
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }

    /// A gauge or counter of the admin endpoint; none if it is not there.
    pub(crate) fn metric(&self, name: &str) -> Option<f64> {
        let (_, text) = send(agent().get(format!("{}/metrics", self.admin)).call());
        text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }

    /// Waits until everything that the log took before now is in the views, and nothing waits to be mailed.
    pub(crate) fn settle(&self) {
        let now = now_ms();
        until("the views to be up to date", || {
            let page = self.get("/v1/downtime?limit=1");
            page["as_of"].as_str().is_some_and(|as_of| ms(as_of) > now)
        });
        until("the ledger to be settled", || self.metric("mailer_unsettled ") == Some(0.0));
    }
}

impl Drop for Andon {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Waits for a state.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "waited too long for {what}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

/// An HTTP client that takes every status as an answer.
pub(crate) fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(30)))
        .proxy(None)
        .build()
        .into()
}

fn send(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> (u16, String) {
    let mut answer = answer.unwrap();
    let body = answer.body_mut().with_config().limit(64 << 20).read_to_string().unwrap();
    (answer.status().as_u16(), body)
}

/// Sends a body of rows again and again until it is accepted.
pub(crate) fn post_rows_until_accepted(url: &str, content_type: &str, vocabulary: &str, body: &str) {
    let agent = agent();
    let path = format!("{url}/v1/line-status?vocabulary={vocabulary}");
    until("the rows to be accepted", || match agent.post(&path).content_type(content_type).send(body) {
        Ok(answer) => match answer.status().as_u16() {
            202 => true,
            503 => false,
            other => panic!("the rows were refused with {other}"),
        },
        Err(_) => false, // it is dead just now
    });
}

/// A time as the API writes it, in ms.
pub(crate) fn ms(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

pub(crate) fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// The bundled record.
pub(crate) fn record(name: &str) -> String {
    std::fs::read_to_string(
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../data/github-status").join(name),
    )
    .unwrap()
}

/// The expected downtime of the bundled record: line, start, end.
pub(crate) fn expected() -> Vec<(String, i64, i64)> {
    record("expected_intervals.csv")
        .lines()
        .skip(1)
        .map(|row| {
            let fields: Vec<&str> = row.split(',').collect();
            (fields[0].to_owned(), ms(fields[1]), ms(fields[2]))
        })
        .collect()
}

/// A repeatable source of numbers (SplitMix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for index in (1..items.len()).rev() {
            let other = usize::try_from(self.below(index as u64 + 1)).unwrap();
            items.swap(index, other);
        }
    }
}
