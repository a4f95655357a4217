//! kill -9 of a real andon at random moments, while events come in over HTTP. What is left must be what an undisturbed
//! fold of the same log gives: the same intervals with the same versions, and the same commands, each once.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the failure")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use andon_domain::{Directory, FoldConfig, IntervalChange, LineId, Outcome, Partition};
use andon_log::sqlite::{Options, SqliteLog};
use andon_log::{Read, Reader, Topic};
use andon_schemas::{decode_command, decode_directory, decode_line_status_changed};
use serde_json::{Value, json};
use support::{Andon, Random, free_port, ms, post_rows_until_accepted};

const EVENTS: u64 = 200_000;
const LINES: u64 = 500;
const BATCH: usize = 2_000;
const KILLS: usize = 30;

/// Event times begin here: 2026-01-05T06:00:00Z.
const START: i64 = 1_767_592_800_000;

/// A plant whose lines report in turn, some events late, some twice.
fn batches(random: &mut Random) -> Vec<String> {
    let mut rows = Vec::new();
    for n in 0..EVENTS {
        let line = n % LINES;
        let at =
            START + i64::try_from(n / LINES).unwrap() * 60_000 + i64::try_from(random.below(60_000)).unwrap();
        let status =
            ["RUNNING", "RUNNING", "RUNNING", "STOPPED", "FAULTED", "IDLE", "PLANNED_STOP", "NO_CHANGE"]
                [usize::try_from(random.below(8)).unwrap()];
        let event_time = jiff::Timestamp::from_millisecond(at).unwrap();
        rows.push((
            at + i64::try_from(random.below(300_000)).unwrap(),
            format!("line-{line},{event_time},{status}"),
        ));
        if random.below(20) == 0 {
            let again = rows[usize::try_from(random.below(rows.len() as u64)).unwrap()].1.clone();
            rows.push((at + i64::try_from(random.below(300_000)).unwrap(), again));
        }
    }
    rows.sort_by_key(|(delayed, _)| *delayed);
    rows.chunks(BATCH)
        .map(|rows| {
            let rows: Vec<&str> = rows.iter().map(|(_, row)| row.as_str()).collect();
            format!("line_id,event_time,status\n{}\n", rows.join("\n"))
        })
        .collect()
}

/// All records of a topic.
fn read_all(log: &SqliteLog, topic: Topic, mut visit: impl FnMut(&andon_log::Record<'_>)) {
    let mut reader = log.reader(&[(topic, 0, 0)]).unwrap();
    while let Read::Records(_, batch) = reader.poll(Duration::ZERO).unwrap() {
        batch.iter().for_each(|record| visit(&record));
    }
}

type Rows = BTreeMap<(LineId, i64, &'static str), (i64, Option<i64>)>;

/// What an undisturbed fold of the log gives: the intervals that are not retracted, the commands, and how many records
/// it refuses.
fn reference(log: &SqliteLog, config: FoldConfig) -> (Rows, Vec<andon_domain::Command>, usize) {
    let mut directory = Directory::default();
    read_all(log, Topic::Directory, |record| {
        directory.apply(decode_directory(record.key, record.value).unwrap());
    });
    let mut partition = Partition::new(config);
    let mut refused = 0;
    read_all(log, Topic::LineStatus, |record| {
        let change = decode_line_status_changed(record.value.unwrap()).unwrap();
        let outcome = partition.fold(record.offset, record.appended_at, &change, &directory);
        refused += usize::from(matches!(outcome, Outcome::Refused(_)));
    });
    let drained = partition.drain();
    let mut rows = Rows::new();
    for changed in drained.published {
        for (version, change) in changed.intervals {
            let (started_at, kind) = change.key();
            if let IntervalChange::Upsert(interval) = change {
                rows.insert((changed.line_id.clone(), started_at, kind.name()), (version, interval.ended_at));
            }
        }
    }
    (rows, drained.commands, refused)
}

fn rows_of(items: &[Value]) -> Rows {
    items
        .iter()
        .map(|item| {
            let line = LineId::new(item["line_id"].as_str().unwrap()).unwrap();
            let kind = ["down", "idle", "unknown"].into_iter().find(|kind| item["kind"] == *kind).unwrap();
            let key = (line, ms(item["started_at"].as_str().unwrap()), kind);
            (key, (item["version"].as_i64().unwrap(), item["ended_at"].as_str().map(ms)))
        })
        .collect()
}

fn settings() -> [(&'static str, &'static str); 1] {
    [("ANDON_NOTIFY__MAX_AGE", "10y")]
}

fn subscribe(andon: &Andon) {
    let hall: Vec<String> = (0..20).map(|n| format!("line-{n}")).collect();
    for line in &hall {
        let entry = json!({ "path": ["plant", "hall-1"] });
        let url = format!("{}/v1/lines/{line}", andon.url);
        let answer =
            support::agent().put(url).content_type("application/json").send(entry.to_string()).unwrap();
        assert_eq!(answer.status().as_u16(), 200);
    }
    for (address, node) in [
        ("anna@plant.example", "plant/hall-1"),
        ("ben@plant.example", "plant"),
        ("ben@plant.example", "line-3"),
        ("carla@plant.example", "line-77"),
    ] {
        assert_eq!(andon.post("/v1/subscriptions", &json!({ "email": address, "node": node })).0, 201);
    }
}

fn run(folder: &Path, random: &mut Random) -> Rows {
    let batches = batches(random);
    let port = free_port();
    let first = Andon::start(folder, port, &settings());
    subscribe(&first);
    let url = first.url.clone();
    let mut running = Some(first);
    let sent = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for batch in &batches {
                post_rows_until_accepted(&url, "text/csv", "andon", batch);
                sent.fetch_add(1, Ordering::Release);
            }
        });
        for kill in 0..KILLS {
            // Spread over the whole input, and within it anywhere: before, in and behind a batch.
            let enough = kill * batches.len() / KILLS;
            support::until("the next batch to be accepted", || sent.load(Ordering::Acquire) >= enough);
            std::thread::sleep(Duration::from_micros(random.below(120_000)));
            if let Some(andon) = running.take() {
                andon.kill();
            }
            running = Some(Andon::start(folder, port, &settings()));
        }
    });
    let andon = running.expect("the last one was not killed");
    andon.settle();
    let rows = rows_of(&andon.all("/v1/downtime?kind=all"));
    assert_eq!(andon.stop(), Some(0));
    rows
}

#[test]
fn what_is_left_after_thirty_kills_is_what_an_undisturbed_fold_gives() {
    let folder = tempfile::tempdir().unwrap();
    let seed = std::env::var("ANDON_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    println!("ANDON_TEST_SEED={seed}");
    let found = run(folder.path(), &mut Random(seed));

    let log = SqliteLog::open(folder.path(), Options::default()).unwrap();
    let config = FoldConfig { notify_age_ms_max: 10 * 365 * 86_400_000, ..FoldConfig::default() };
    let (wanted, commands, refused) = reference(&log, config);
    assert!(wanted.len() > 10_000, "the plant stops often: {}", wanted.len());
    assert_eq!(found, wanted);

    let mut told = Vec::new();
    read_all(&log, Topic::NotificationCommands, |record| {
        told.push(decode_command(record.value.unwrap()).unwrap())
    });
    assert!(told.len() > 1_000, "the followed lines stop often: {}", told.len());
    let differs = told.iter().zip(&commands).position(|(one, other)| one != other);
    if let Some(at) = differs.or((told.len() != commands.len()).then(|| told.len().min(commands.len()))) {
        panic!(
            "{} commands, {} wanted; the first to differ is number {at}:\n{:?}\n{:?}",
            told.len(),
            commands.len(),
            told.get(at),
            commands.get(at)
        );
    }

    let mut dead = 0;
    read_all(&log, Topic::DeadLetters, |_| dead += 1);
    assert_eq!(dead, refused, "each refused record is one dead letter");
}
