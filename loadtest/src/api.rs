//! Reads over HTTP, and beside them a route that answers the same bytes from memory, alternating in one run.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue};
use axum::routing::get;

use crate::Failure;
use crate::child::{Andon, agent};
use crate::plant::Plant;
use crate::wire::{self, closed_loop};

/// What is read: a name and a path.
const READS: [(&str, &str); 3] = [
    ("one line", "/v1/lines/line-000007"),
    ("all lines, a page of 200", "/v1/lines?limit=200"),
    (
        "a month of a line's intervals",
        "/v1/lines/line-000007/downtime?from=2026-01-05T00:00:00Z&to=2026-02-05T00:00:00Z&limit=1000",
    ),
];

const LINES: u64 = 200;

/// Minutes between two reports of a line: a month of them.
const EVERY_MIN: i64 = 30;
const ROUNDS: u64 = 30 * 24 * 60 / EVERY_MIN as u64;

/// Connections of each measurement.
const CONNECTIONS: [usize; 2] = [10, 100];

pub(crate) struct Options {
    pub(crate) seconds: f64,
    pub(crate) runs: usize,
    pub(crate) only: Option<String>,
}

pub(crate) fn run(program: &Path, options: &Options) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let andon = Andon::start(program, folder.path(), &[])?;
    eprintln!("filling: {LINES} lines, a month of reports every {EVERY_MIN} minutes");
    let events: Vec<_> = Plant::new(LINES, 1).every_min(EVERY_MIN).take((LINES * ROUNDS) as usize).collect();
    andon.fill(&events)?;
    let reads: Vec<_> = READS
        .into_iter()
        .filter(|(name, _)| options.only.as_ref().is_none_or(|only| name.contains(only.as_str())))
        .collect();
    let (runtime, memory) = from_memory(&andon, &reads)?;
    let time = Duration::from_secs_f64(options.seconds);
    println!(
        "{:32} {:>4} {:>12} {:>9} {:>9} {:>12} {:>7}",
        "", "conn", "requests/s", "p50 ms", "p99 ms", "from memory", "ratio"
    );
    for (name, path) in reads {
        for connections in CONNECTIONS {
            let measure = |address| closed_loop(address, vec![vec![wire::get(path)]; connections], time);
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            for run in 0..options.runs.max(1) {
                for (address, loads) in [(andon.address()?, &mut ours), (memory, &mut theirs)] {
                    let load = measure(address)?;
                    if load.errors > 0 {
                        return Err(format!("{name}: {} answers were no success", load.errors).into());
                    }
                    eprintln!("{name}, {connections} connections, run {run}: {:.0}/s", load.per_second());
                    loads.push(load);
                }
            }
            ours.sort_by(|a, b| a.per_second().total_cmp(&b.per_second()));
            theirs.sort_by(|a, b| a.per_second().total_cmp(&b.per_second()));
            let (our, their) = (&ours[ours.len() / 2], theirs[theirs.len() / 2].per_second());
            println!(
                "{name:32} {connections:>4} {:>12.0} {:>9.2} {:>9.2} {their:>12.0} {:>7.2}",
                our.per_second(),
                our.latency.quantile_ms(0.5),
                our.latency.quantile_ms(0.99),
                our.per_second() / their
            );
        }
    }
    drop(runtime);
    Ok(())
}

/// Serves what andon answers now, with its headers, on a runtime like its own.
fn from_memory(
    andon: &Andon,
    reads: &[(&str, &str)],
) -> Result<(tokio::runtime::Runtime, SocketAddr), Failure> {
    let mut routes = Router::new();
    for (_, path) in reads {
        let mut answer = agent().get(format!("{}{path}", andon.api)).call()?;
        let mut headers = HeaderMap::new();
        for name in ["content-type", "etag"] {
            if let Some(value) = answer.headers().get(name) {
                headers.insert(name, HeaderValue::from_bytes(value.as_bytes())?);
            }
        }
        let body = Bytes::from(answer.body_mut().read_to_vec()?);
        let (route, _) = path.split_once('?').unwrap_or((path, ""));
        routes = routes.route(route, get(move || async move { (headers, body) }));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    runtime.spawn(async move { axum::serve(listener, routes).await });
    Ok((runtime, address))
}
