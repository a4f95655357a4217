//! kill -9 of a real andon between the acceptance of a mail by the server and the mark in the ledger. What was accepted
//! and not marked is sent again as the same message, and each opening has exactly one close.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the failure")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::json;
use support::smtp::{Accepted, MailServer};
use support::{Andon, free_port, until};

const LINES: usize = 10;
const SUBSCRIBERS: usize = 3;

/// Mails of one kind.
const MAILS: usize = LINES * SUBSCRIBERS;

/// Acceptances from a kill to the next, at least.
const KILL_EVERY: usize = 7;

/// Whom the server kills next, and how many it has killed.
#[derive(Default)]
struct Victim {
    id: Option<u32>,
    /// After how many acceptances.
    not_before: usize,
    kills: usize,
}

fn report(andon: &Andon, status: &str) {
    for line in 0..LINES {
        let event_time = jiff::Timestamp::now().to_string();
        let change =
            json!({ "line_id": format!("press-{line}"), "event_time": event_time, "status": status });
        let (code, answer) = andon.post("/v1/line-status", &change);
        assert_eq!(code, 202, "{answer}");
    }
}

/// How many different mails of a kind there are.
fn told(server: &MailServer, kind: &str) -> usize {
    let accepted = server.accepted();
    let of_kind = accepted.iter().filter(|mail| mail.header("X-Event") == kind);
    of_kind.map(|mail| mail.header("Message-ID")).collect::<BTreeSet<_>>().len()
}

#[test]
fn what_was_accepted_before_a_kill_is_sent_again_as_the_same_message() {
    let (folder, server) = (tempfile::tempdir().unwrap(), MailServer::start(0));
    let smtp_port = server.address.port().to_string();
    let settings = [
        ("ANDON_MAIL__TRANSPORT", "smtp"),
        ("ANDON_MAIL__SMTP__HOST", "127.0.0.1"),
        ("ANDON_MAIL__SMTP__PORT", smtp_port.as_str()),
        ("ANDON_MAIL__SMTP__TLS", "none"),
    ];
    let port = free_port();
    let victim = Arc::new(Mutex::new(Victim { not_before: KILL_EVERY, ..Victim::default() }));
    let of_server = victim.clone();
    server.on_accepted(move |count| {
        let mut victim = of_server.lock().unwrap();
        let is_due = count >= victim.not_before;
        let Some(id) = victim.id.take_if(|_| is_due) else { return true };
        victim.not_before = count + KILL_EVERY;
        assert!(Command::new("kill").args(["-KILL", &id.to_string()]).status().unwrap().success());
        victim.kills += 1;
        // Now and then the answer is on its way to whoever is dead already.
        victim.kills.is_multiple_of(2)
    });

    let andon = Andon::start(folder.path(), port, &settings);
    for subscriber in 0..SUBSCRIBERS {
        for line in 0..LINES {
            let wanted = json!({ "email": format!("worker{subscriber}@plant.example"), "node": format!("press-{line}") });
            assert_eq!(andon.post("/v1/subscriptions", &wanted).0, 201);
        }
    }
    report(&andon, "RUNNING");
    let (mut running, mut seen) = (Some(andon), 0);
    for (status, kind) in [("FAULTED", "DOWN"), ("RUNNING", "RESTORED")] {
        let andon = running.as_ref().expect("one runs");
        report(andon, status);
        victim.lock().unwrap().id = Some(andon.id());
        let mut is_told = false;
        until("everybody to be told", || {
            // From here on no kill can come in between: neither is there one to kill, nor one that is being killed.
            let mut victim = victim.lock().unwrap();
            if is_told {
                victim.id = None;
            }
            if victim.kills > seen {
                seen = victim.kills;
                // The dead one must be gone before its folder is opened again.
                if let Some(dead) = running.take() {
                    dead.kill();
                }
                let next = Andon::start(folder.path(), port, &settings);
                victim.id = Some(next.id()).filter(|_| !is_told);
                running = Some(next);
            }
            std::mem::replace(&mut is_told, told(&server, kind) == MAILS)
        });
    }
    let andon = running.expect("one runs");
    andon.settle();

    let accepted = server.accepted();
    let mut mails: BTreeMap<&str, Vec<&Accepted>> = BTreeMap::new();
    for mail in &accepted {
        mails.entry(mail.header("Message-ID")).or_default().push(mail);
    }
    let repeats = accepted.len() - mails.len();
    println!("{seen} kills, {} mails accepted, {repeats} of them repeats", accepted.len());
    assert!(seen >= 3, "{seen} kills");
    assert!(
        repeats >= seen,
        "what was accepted at a kill is sent again: {repeats} repeats after {seen} kills"
    );
    for (id, same) in &mails {
        assert!(same.iter().all(|mail| mail == &same[0]), "{id} was sent again as another message");
    }
    // Each person, incident and kind is one message, and a close never comes first.
    let mut threads: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for mail in &accepted {
        let kinds = threads.entry((&mail.recipient, mail.header("X-Incident-Id"))).or_default();
        let kind = mail.header("X-Event");
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    assert_eq!(threads.len(), MAILS);
    assert!(threads.values().all(|kinds| kinds == &["DOWN", "RESTORED"]), "{threads:?}");
    assert_eq!(mails.len(), 2 * MAILS);
    let incidents: BTreeSet<&str> = threads.keys().map(|(_, incident)| *incident).collect();
    for incident in incidents {
        let rows = andon.all(&format!("/v1/incidents/{incident}/deliveries"));
        assert_eq!(rows.len(), 2 * SUBSCRIBERS);
        assert!(rows.iter().all(|row| row["state"] == "sent"), "{rows:?}");
    }
    assert_eq!(andon.stop(), Some(0));
}
