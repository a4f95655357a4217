//! From the report of a line to whoever waits for it: an event of the stream, and a mail that a server has accepted.
//!
//! Reports are sent at fixed times whether or not earlier ones have been answered (an open loop), and each time counts
//! from when its report was to be sent: a stall is seen by everything that falls into it.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::mpsc;

use crate::Failure;
use crate::child::{Andon, LOOK_EVERY, agent};
use crate::histogram::Histogram;
use crate::smtp_sink::{Mail, SmtpSink};
use crate::wire::{self, Connection};

/// Connections that the reports are spread over, so that one that waits for its fsync holds up no other.
const CONNECTIONS: usize = 32;

/// How long what was sent may take to arrive.
const ARRIVAL_MAX: Duration = Duration::from_secs(20);

/// Time to connect and to grow warm, not measured.
const WARM_UP: Duration = Duration::from_secs(2);

pub(crate) struct Options {
    pub(crate) seconds: u64,
    pub(crate) per_second: u64,
    pub(crate) lines: u64,
    pub(crate) followed: u64,
}

/// When each report was to be sent, by line and event time, while it has not been seen.
type Sent = Arc<Mutex<HashMap<(String, i64), Instant>>>;

/// When the reports of each followed line were to be sent: each of them is one mail, in this order.
type Mailed = Arc<Mutex<HashMap<String, VecDeque<(Instant, bool)>>>>;

pub(crate) fn run(program: &Path, options: &Options) -> Result<(), Failure> {
    if options.lines == 0 || options.followed > options.lines {
        return Err("there are more followed lines than lines".into());
    }
    let folder = tempfile::tempdir()?;
    let sent: Sent = Arc::default();
    let mailed: Mailed = Arc::default();
    let mails = Arc::new(Mutex::new(Histogram::new()));
    let sink = SmtpSink::start(on_mail(mailed.clone(), mails.clone()))?;
    let port = sink.address.port().to_string();
    let settings = [
        ("ANDON_MAIL__TRANSPORT", "smtp"),
        ("ANDON_MAIL__SMTP__HOST", "127.0.0.1"),
        ("ANDON_MAIL__SMTP__PORT", port.as_str()),
        ("ANDON_MAIL__SMTP__TLS", "none"),
    ];
    let andon = Andon::start(program, folder.path(), &settings)?;
    subscribe(&andon, options.followed)?;
    let (seen, has_ended) = (Arc::new(Mutex::new(Histogram::new())), Arc::new(AtomicBool::new(false)));
    let reader = read_stream(&andon, sent.clone(), seen.clone(), has_ended.clone())?;

    eprintln!(
        "{} reports/s of {} lines for {} s, {} lines with a subscriber",
        options.per_second, options.lines, options.seconds, options.followed
    );
    let answered = send(andon.address()?, options, &sent, &mailed)?;
    let until = Instant::now() + ARRIVAL_MAX;
    let is_open = || !lock(&sent).is_empty() || lock(&mailed).values().any(|mails| !mails.is_empty());
    while is_open() && Instant::now() < until {
        std::thread::sleep(LOOK_EVERY);
    }
    has_ended.store(true, Ordering::Release);
    let lost = lock(&sent).len();
    let unsent: usize = lock(&mailed).values().map(VecDeque::len).sum();
    println!(
        "{:44} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "ms after it was to be sent", "count", "p50", "p90", "p99", "max"
    );
    for (name, histogram) in [
        ("report answered: durable", &answered),
        ("event of the stream", &lock(&seen)),
        ("mail accepted by the server", &lock(&mails)),
    ] {
        println!(
            "{name:44} {:>8} {:>8.2} {:>8.2} {:>8.2} {:>8.2}",
            histogram.count(),
            histogram.quantile_ms(0.5),
            histogram.quantile_ms(0.9),
            histogram.quantile_ms(0.99),
            histogram.max_ms()
        );
    }
    // The stream ends with andon, and its reader with the stream.
    drop(andon);
    reader.join().map_err(|_| "the reader of the stream panicked")?;
    match (lost, unsent) {
        (0, 0) => Ok(()),
        _ => Err(format!("{lost} reports were never seen on the stream, {unsent} mails never came").into()),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn name(line: u64) -> String {
    format!("line-{line:06}")
}

fn subscribe(andon: &Andon, followed: u64) -> Result<(), Failure> {
    for line in 0..followed {
        let body = serde_json::json!({ "email": format!("user-{line}@plant.example"), "node": name(line) });
        agent()
            .post(format!("{}/v1/subscriptions", andon.api))
            .content_type("application/json")
            .send(body.to_string())?;
    }
    Ok(())
}

/// Sends the reports at their times. Lines take turns, each up and down in turn, so that each report changes its line.
fn send(address: SocketAddr, options: &Options, sent: &Sent, mailed: &Mailed) -> Result<Histogram, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let mut lanes = Vec::new();
        let mut users = Vec::new();
        for _ in 0..CONNECTIONS {
            let mut connection = Connection::open(address).await?;
            let (lane, mut requests) = mpsc::unbounded_channel::<(Option<Instant>, Vec<u8>)>();
            lanes.push(lane);
            users.push(tokio::task::spawn_local(async move {
                let mut answered = Histogram::new();
                while let Some((due, request)) = requests.recv().await {
                    let status = connection.exchange(&request).await.map_err(|error| error.to_string())?;
                    if status != 202 {
                        return Err(format!("a report was answered with {status}"));
                    }
                    if let Some(due) = due {
                        answered.record(due.elapsed());
                    }
                }
                Ok(answered)
            }));
        }
        let began = Instant::now();
        let warm = WARM_UP.as_secs() * options.per_second;
        for number in 0..warm + options.seconds * options.per_second {
            let due = began + Duration::from_secs_f64(number as f64 / options.per_second as f64);
            tokio::time::sleep_until(due.into()).await;
            let (line, round) = (number % options.lines, number / options.lines);
            let is_down = round % 2 == 1;
            let line_id = name(line);
            let at = jiff::Timestamp::now().as_millisecond();
            let status = if is_down { "FAULTED" } else { "RUNNING" };
            let body = serde_json::json!({
                "line_id": line_id, "event_time": jiff::Timestamp::from_millisecond(at)?.to_string(), "status": status,
            });
            let is_measured = number >= warm;
            if is_measured {
                lock(sent).insert((line_id.clone(), at), due);
            }
            // The first report of a line tells nobody; then each stop and each end of one does.
            if line < options.followed && round > 0 {
                lock(mailed).entry(line_id).or_default().push_back((due, is_measured));
            }
            let request = wire::post("/v1/line-status", &body.to_string());
            let lane = &lanes[number as usize % lanes.len()];
            if lane.send((is_measured.then_some(due), request)).is_err() {
                break; // it says why when it is asked
            }
        }
        drop(lanes);
        let mut answered = Histogram::new();
        for user in users {
            answered.add(&user.await??);
        }
        Ok(answered)
    })
}

/// Reads the stream on a thread of its own until it ends.
fn read_stream(
    andon: &Andon,
    sent: Sent,
    seen: Arc<Mutex<Histogram>>,
    has_ended: Arc<AtomicBool>,
) -> Result<std::thread::JoinHandle<()>, Failure> {
    let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
    let answer = agent.get(format!("{}/v1/events", andon.api)).call()?;
    let reader = BufReader::new(answer.into_body().into_reader());
    Ok(std::thread::spawn(move || {
        for text in reader.lines() {
            let Ok(text) = text else { return };
            if has_ended.load(Ordering::Acquire) {
                return;
            }
            let Some(data) = text.strip_prefix("data: ") else { continue };
            let Ok(data) = serde_json::from_str::<Value>(data) else { continue };
            let at = data["last_event_at"].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok());
            let (Some(line), Some(at)) = (data["line_id"].as_str(), at) else { continue };
            if let Some(due) = lock(&sent).remove(&(line.to_owned(), at.as_millisecond())) {
                lock(&seen).record(due.elapsed());
            }
        }
    }))
}

/// The n-th mail about a line is about the n-th change of it that tells somebody.
fn on_mail(mailed: Mailed, mails: Arc<Mutex<Histogram>>) -> impl Fn(&Mail) + Send + Sync + 'static {
    move |mail| {
        let Some(line) = mail.recipient.strip_prefix("user-").and_then(|rest| rest.split('@').next()) else {
            return;
        };
        let Ok(line) = line.parse::<u64>() else { return };
        let due = lock(&mailed).get_mut(&name(line)).and_then(VecDeque::pop_front);
        if let Some((due, true)) = due {
            lock(&mails).record(due.elapsed());
        }
    }
}
