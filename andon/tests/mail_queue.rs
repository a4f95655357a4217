//! Ten thousand mails that waited for a mail server: each arrives once, and the process does not grow with the queue.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the failure")]

mod support;

use std::collections::BTreeSet;

use serde_json::json;
use support::smtp::MailServer;
use support::{Andon, agent, free_port, until};

const LINES: usize = 100;
const SUBSCRIBERS: usize = 100;
const MAILS: usize = LINES * SUBSCRIBERS;

/// What sending them may add to the memory of the process: 4 MiB; together they have 10.
const GROWTH_KIB_MAX: u64 = 4 << 10;

/// The most memory that a process has had, in KiB; none where the system does not tell.
fn memory_kib_max(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[test]
fn ten_thousand_waiting_mails_arrive_once_each_in_bounded_memory() {
    let folder = tempfile::tempdir().unwrap();
    let smtp_port = free_port();
    let smtp_port_text = smtp_port.to_string();
    let settings = [
        ("ANDON_MAIL__TRANSPORT", "smtp"),
        ("ANDON_MAIL__SMTP__HOST", "127.0.0.1"),
        ("ANDON_MAIL__SMTP__PORT", smtp_port_text.as_str()),
        ("ANDON_MAIL__SMTP__TLS", "none"),
        ("ANDON_LOGGING__FILTER", "error"),
    ];
    let andon = Andon::start(folder.path(), 0, &settings);
    for line in 0..LINES {
        let entry = json!({ "path": ["plant"] }).to_string();
        let request = agent().put(format!("{}/v1/lines/press-{line}", andon.url));
        assert_eq!(request.content_type("application/json").send(entry).unwrap().status().as_u16(), 200);
    }
    for subscriber in 0..SUBSCRIBERS {
        let wanted = json!({ "email": format!("worker{subscriber}@plant.example"), "node": "plant" });
        assert_eq!(andon.post("/v1/subscriptions", &wanted).0, 201);
    }
    for line in 0..LINES {
        let event_time = jiff::Timestamp::now().to_string();
        let change =
            json!({ "line_id": format!("press-{line}"), "event_time": event_time, "status": "FAULTED" });
        assert_eq!(andon.post("/v1/line-status", &change).0, 202);
    }
    until("all mails to wait", || andon.metric("mailer_unsettled ") == Some(MAILS as f64));
    let before = memory_kib_max(andon.id());

    let server = MailServer::start(smtp_port);
    until("all mails to arrive", || server.count() >= MAILS);
    andon.settle();
    let after = memory_kib_max(andon.id());
    let accepted = server.accepted();
    let ids: BTreeSet<&str> = accepted.iter().map(|mail| mail.header("Message-ID")).collect();
    assert_eq!((accepted.len(), ids.len()), (MAILS, MAILS), "some mail arrived twice");
    let bytes: usize = accepted.iter().map(|mail| mail.content.len()).sum();
    println!("{MAILS} mails of {bytes} bytes; memory {before:?} KiB before, {after:?} KiB after");
    if let (Some(before), Some(after)) = (before, after) {
        assert!(after < before + GROWTH_KIB_MAX, "memory grew from {before} to {after} KiB");
    }
    assert_eq!(andon.stop(), Some(0));
}
