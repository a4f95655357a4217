//! Measures the SQLite views on this machine: `cargo run --release -p andon-store --example throughput -- [LINES]`.
//! It writes as the projector does, in batches of 10,000 rows, and reads as the API does. Every line changes in turn,
//! which is the hardest for the store: the more lines, the more pages a batch touches. It decides nothing.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use andon_domain::{
    Interval, IntervalChange, IntervalId, Kind, LineClass, LineId, LineRow, LineStatus, Segment,
};
use andon_store::sqlite::{Options, SqliteViews};
use andon_store::{Error, IntervalQuery, IntervalWrite, LineWrite, Position, Scope, ViewBatch, Views};

const BATCHES: i64 = 200;
const CHANGES: i64 = 5_000;
const STOP_EVERY_MS: i64 = 60_000;

fn main() -> Result<(), Error> {
    let lines = std::env::args().nth(1).and_then(|lines| lines.parse().ok()).unwrap_or(1_000);
    let folder = tempfile::tempdir()
        .map_err(|source| Error::Storage { action: "make a folder", source: source.into() })?;
    tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(|source| Error::Storage { action: "start a runtime", source: source.into() })?
        .block_on(measure(folder.path(), lines))
}

async fn measure(folder: &Path, lines_max: i64) -> Result<(), Error> {
    let views = SqliteViews::open(folder, &Options::default())?;
    let lines: Vec<LineId> = (0..lines_max.clamp(100, 5_000))
        .map(|number| LineId::new(&format!("plant-7-line-{number:05}")).expect("the name is plain"))
        .collect();
    let number_of_lines = lines.len() as i64;
    let stops = BATCHES * CHANGES / number_of_lines / 2;
    println!("{number_of_lines} lines, {stops} stops each");
    let mut slowest = 0.0_f64;
    let mut spent = 0.0;
    for number in 0..BATCHES {
        let batch = batch(&lines, number);
        let started = Instant::now();
        views.apply(&batch).await?;
        let took = started.elapsed().as_secs_f64();
        slowest = slowest.max(took);
        spent += took;
    }
    let rows = (BATCHES * CHANGES * 2) as f64;
    println!("upserts: {:.0} rows/s, slowest batch {:.0} ms", rows / spent, slowest * 1_000.0);

    let reads = 50_000;
    let started = Instant::now();
    for number in 0..reads {
        black_box(views.line(&lines[(number * 7_919 % number_of_lines) as usize]).await?);
    }
    println!("line by id: {:.0} reads/s", reads as f64 / started.elapsed().as_secs_f64());

    let started = Instant::now();
    for number in 0..reads {
        let (step, line) = (number * 31 % stops, number * 7_919 % number_of_lines);
        let id = IntervalId::derive(&lines[line as usize], Kind::Down, started_at(step, line));
        black_box(views.interval(id).await?);
    }
    println!("interval by id: {:.0} reads/s", reads as f64 / started.elapsed().as_secs_f64());

    let middle = started_at(stops / 2, 50);
    let one = Scope::Lines(vec![lines[42].clone()]);
    for (what, scope, times) in [
        ("one line", one, 5_000),
        ("100 lines", Scope::Lines(lines[..100].to_vec()), 500),
        ("each line by name", Scope::Lines(lines.clone()), 20),
        ("all lines", Scope::All, 20),
    ] {
        let query = IntervalQuery { scope, kind: None, from: middle, to: i64::MAX, after: None, limit: 100 };
        let started = Instant::now();
        for _ in 0..times {
            black_box(views.intervals(&query).await?);
        }
        let each = started.elapsed().as_secs_f64() / f64::from(times);
        println!("a page of 100 intervals, {what}: {:.2} ms", each * 1_000.0);
    }
    Ok(())
}

fn started_at(step: i64, line: i64) -> i64 {
    1_764_000_000_000 + step * STOP_EVERY_MS + line % 977
}

/// Every line changes in turn: it stops, and at its next turn it runs again. A change is a row and an interval.
fn batch(lines: &[LineId], number: i64) -> ViewBatch {
    let mut batch = ViewBatch::default();
    for change in number * CHANGES..(number + 1) * CHANGES {
        let (turn, line) = (change / lines.len() as i64, change % lines.len() as i64);
        let (step, is_over) = (turn / 2, turn % 2 == 1);
        let line_id = &lines[line as usize];
        let (version, at) = (change, started_at(step, line));
        batch.lines.push(LineWrite {
            line_id: line_id.clone(),
            version,
            row: LineRow {
                status: LineStatus::Running,
                class: LineClass::Up,
                since: at,
                first_event_at: at,
                last_event_at: at,
                last_seen_at: at,
                open_downtime_at: None,
                reason_code: None,
                source_status: Some("operational".into()),
            },
        });
        let segment = Segment {
            started_at: at,
            status: LineStatus::Faulted,
            reason_code: Some("E-1047".into()),
            source_status: Some("major_outage".into()),
        };
        let stop = Interval {
            kind: Kind::Down,
            started_at: at,
            ended_at: is_over.then_some(at + STOP_EVERY_MS / 2),
            segments: vec![segment],
        };
        batch.intervals.push(IntervalWrite {
            line_id: line_id.clone(),
            version,
            change: IntervalChange::Upsert(stop),
        });
    }
    batch.positions.push(Position { stream: "line-changes".to_owned(), partition: 0, offset: number });
    batch
}
