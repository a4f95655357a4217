//! The bundled record through a real andon, by other ways than the demo's: in disorder, and with somebody to tell.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the failure")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use andon_domain::{IntervalId, Kind, LineId};
use serde_json::json;
use support::{Andon, Random, expected, free_port, ms, post_rows_until_accepted, record, until};

#[test]
fn the_record_in_random_order_and_three_times_gives_the_same_intervals_and_ids() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [("ANDON_FOLD__ALLOWED_LATENESS", "10y"), ("ANDON_FOLD__DEGRADED_IS_DOWN", "true")];
    let andon = Andon::start(folder.path(), 0, &settings);
    let text = record("events.csv");
    let (header, rows) = text.split_once('\n').unwrap();
    let mut rows: Vec<&str> = rows.lines().flat_map(|row| [row; 3]).collect();
    Random(7).shuffle(&mut rows);
    for batch in rows.chunks(250) {
        let body = format!("{header}\n{}\n", batch.join("\n"));
        post_rows_until_accepted(&andon.url, "text/csv", "statuspage", &body);
    }
    andon.settle();
    let found: BTreeSet<_> = andon
        .all("/v1/downtime")
        .iter()
        .map(|item| {
            let text = |name: &str| item[name].as_str().unwrap().to_owned();
            (text("line_id"), ms(&text("started_at")), ms(&text("ended_at")), text("id"))
        })
        .collect();
    let wanted: BTreeSet<_> = expected()
        .into_iter()
        .map(|(line, started_at, ended_at)| {
            let id = IntervalId::derive(&LineId::new(&line).unwrap(), Kind::Down, started_at);
            (line, started_at, ended_at, id.to_string())
        })
        .collect();
    assert_eq!(found.len(), 582);
    assert_eq!(found, wanted);
    assert_eq!(andon.all("/v1/dead-letters?redundant=true"), Vec::<serde_json::Value>::new());
    assert_eq!(andon.stop(), Some(0));
}

/// Runs `andon ingest` on the bundled record, in many small requests.
fn ingest(url: String) -> std::thread::JoinHandle<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/github-status/events.csv");
    std::thread::spawn(move || {
        let output = Command::new(env!("CARGO_BIN_EXE_andon"))
            .args(["ingest", "--vocabulary", "statuspage", "--batch", "20", "--url", &url])
            .arg(file)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stdout).starts_with("1169 status changes accepted"));
    })
}

/// The mails of an outbox: file name and text.
fn mails(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let Ok(subscribers) = std::fs::read_dir(folder.join("outbox")) else { return found };
    for subscriber in subscribers {
        let subscriber = subscriber.unwrap().path();
        if !subscriber.is_dir() {
            continue;
        }
        for mail in std::fs::read_dir(subscriber).unwrap() {
            let path = mail.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "eml") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path.file_name().unwrap().to_string_lossy().into_owned(), text));
            }
        }
    }
    found
}

/// A header of a mail, unfolded.
fn header(mail: &str, name: &str) -> String {
    let head = mail.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ").replace("\r\n\t", " ");
    let wanted = format!("{}:", name.to_ascii_lowercase());
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(&wanted));
    line.unwrap_or_else(|| panic!("no header {name} in:\n{head}"))[wanted.len()..].trim().to_owned()
}

#[test]
fn each_interval_of_a_followed_line_is_told_once_and_closed_once_although_andon_is_killed_in_between() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [("ANDON_NOTIFY__MAX_AGE", "10y"), ("ANDON_FOLD__DEGRADED_IS_DOWN", "true")];
    let port = free_port();
    let andon = Andon::start(folder.path(), port, &settings);
    let subscription =
        json!({ "email": "anna@plant.example", "node": "actions", "locale": "es", "zone": "Europe/Madrid" });
    assert_eq!(andon.post("/v1/subscriptions", &subscription).0, 201);
    assert_eq!(andon.post("/v1/subscriptions", &subscription).0, 409);

    let sender = ingest(andon.url.clone());
    until("some mails to be written", || mails(folder.path()).len() >= 40);
    andon.kill();
    let andon = Andon::start(folder.path(), port, &settings);
    sender.join().unwrap();
    andon.settle();

    let mut threads: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let mut message_ids = BTreeSet::new();
    for (_, mail) in mails(folder.path()) {
        assert!(message_ids.insert(header(&mail, "Message-ID")), "a message stands twice in the outbox");
        let incident = header(&mail, "X-Incident-Id");
        let root = format!("<incident.{incident}@");
        assert!(header(&mail, "References").starts_with(&root), "{mail}");
        assert_eq!(header(&mail, "In-Reply-To"), header(&mail, "References"));
        threads.entry(incident).or_default().push((header(&mail, "X-Event"), header(&mail, "Thread-Index")));
    }
    let of_line = expected().iter().filter(|(line, _, _)| line == "actions").count();
    assert_eq!(of_line, 128);
    assert_eq!(threads.len(), of_line, "one thread for each interval");
    for (incident, mut mails) in threads {
        mails.sort();
        let [(first, one_index), (second, other_index)] = mails.as_slice() else {
            panic!("incident {incident} has {} mails", mails.len())
        };
        assert_eq!(
            (first.to_ascii_uppercase().as_str(), second.to_ascii_uppercase().as_str()),
            ("DOWN", "RESTORED")
        );
        assert_eq!(one_index, other_index, "Outlook would show two threads");
        let deliveries = andon.all(&format!("/v1/incidents/{incident}/deliveries"));
        let states: Vec<_> = deliveries.iter().map(|d| d["state"].as_str().unwrap()).collect();
        assert_eq!(states, ["sent", "sent"]);
    }
    assert_eq!(andon.stop(), Some(0));
}

#[test]
fn a_backfill_of_old_stops_tells_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let andon = Andon::start(folder.path(), 0, &[("ANDON_FOLD__DEGRADED_IS_DOWN", "true")]);
    let subscription = json!({ "email": "anna@plant.example", "node": "actions" });
    assert_eq!(andon.post("/v1/subscriptions", &subscription).0, 201);
    ingest(andon.url.clone()).join().unwrap();
    andon.settle();
    assert_eq!(andon.all("/v1/lines/actions/downtime").len(), 128);
    assert_eq!(mails(folder.path()), Vec::new());

    // The same file again: nothing changes, and what is too late to be folded again says nothing new.
    let before = andon.all("/v1/downtime");
    ingest(andon.url.clone()).join().unwrap();
    andon.settle();
    assert_eq!(andon.all("/v1/downtime"), before);
    assert_eq!(andon.all("/v1/dead-letters"), Vec::<serde_json::Value>::new());
    assert!(andon.all("/v1/dead-letters?redundant=true").len() > 1000);

    // The views are a projection: without them andon starts from the beginning and makes the same rows.
    assert_eq!(andon.stop(), Some(0));
    for name in ["views.db", "views.db-wal", "views.db-shm"] {
        drop(std::fs::remove_file(folder.path().join(name)));
    }
    let andon = Andon::start(folder.path(), 0, &[("ANDON_FOLD__DEGRADED_IS_DOWN", "true")]);
    andon.settle();
    assert_eq!(andon.all("/v1/downtime"), before);
    assert_eq!(andon.all("/v1/dead-letters"), Vec::<serde_json::Value>::new());
    assert_eq!(andon.stop(), Some(0));
}
