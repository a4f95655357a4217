//! What makes messages a thread, and what hostile texts cannot do to it.

use std::collections::BTreeMap;

use andon_domain::CommandKind::{Down, Restored, Withdrawn};
use andon_domain::{Command, LineId, text};
use andon_mailer::{Config, History, Look, RenderError, render};
use andon_store::Subscriber;

use crate::support::{HOUR, Plant, START, command, links, subscriber};

/// The headers of a message, unfolded; no name may come twice.
fn headers(content: &[u8]) -> BTreeMap<String, String> {
    let content = std::str::from_utf8(content).unwrap();
    let (head, _) = content.split_once("\r\n\r\n").unwrap();
    let mut headers = BTreeMap::new();
    for line in head.replace("\r\n ", " ").split("\r\n") {
        assert!(!line.contains(['\r', '\n']), "{line:?}");
        let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("{line:?} is no header"));
        assert!(headers.insert(name.to_owned(), value.to_owned()).is_none(), "{name} is there twice");
    }
    headers
}

fn rendered(command: &Command, subscriber: &Subscriber) -> Vec<u8> {
    let look = Look::new(&Config::default()).unwrap().with_links(Some(links("https://andon.plant.example")));
    render(command, &History::default(), subscriber, &look).unwrap().content
}

const NAMES: [&str; 18] = [
    "Auto-Submitted",
    "Content-Type",
    "Date",
    "From",
    "In-Reply-To",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "MIME-Version",
    "Message-ID",
    "References",
    "Subject",
    "Thread-Index",
    "Thread-Topic",
    "To",
    "X-Auto-Response-Suppress",
    "X-Event",
    "X-Incident-Id",
];

#[test]
fn the_files_of_an_incident_agree_in_every_header_that_makes_a_thread() {
    let plant = Plant::new();
    plant.log(&[command(1, Down, 1, START)]);
    // Meanwhile an earlier start became known: the thread goes by the one told first.
    plant.log(&[Command { started_at: START - HOUR, ..command(1, Restored, 1, START + 60_000) }]);
    plant.settle_all(&mut plant.mailer());
    let files = plant.files();
    let [down, restored] = [0, 1].map(|at: usize| headers(&std::fs::read(&files[at]).unwrap()));
    for name in [
        "Subject",
        "References",
        "In-Reply-To",
        "Thread-Topic",
        "Thread-Index",
        "List-Id",
        "X-Line",
        "X-Incident-Id",
        "From",
        "To",
    ] {
        assert_eq!(down[name], restored[name], "{name}");
    }
    for name in ["Message-ID", "Date", "X-Event"] {
        assert_ne!(down[name], restored[name], "{name}");
    }
    assert_eq!(down["Subject"], down["Thread-Topic"]);
    assert_eq!(down["References"], down["In-Reply-To"]);
    assert_ne!(down["Message-ID"], down["References"], "the root is a message that was never sent");
}

#[test]
fn messages_of_other_incidents_or_subscribers_are_no_part_of_it() {
    let one = headers(&rendered(&command(1, Down, 1, START), &subscriber(1)));
    let other_incident = headers(&rendered(&command(2, Down, 1, START), &subscriber(1)));
    let other_reader = headers(&rendered(&command(1, Down, 2, START), &subscriber(2)));
    for name in ["Message-ID", "References", "Thread-Index", "X-Incident-Id"] {
        assert_ne!(one[name], other_incident[name], "{name}");
    }
    assert_ne!(one["Message-ID"], other_reader["Message-ID"]);
}

#[test]
fn the_same_command_is_the_same_message_whenever_it_is_made() {
    for kind in [Down, Restored, Withdrawn] {
        let command = command(1, kind, 1, START);
        assert_eq!(rendered(&command, &subscriber(1)), rendered(&command, &subscriber(1)));
    }
}

#[test]
fn no_message_id_and_no_header_but_the_recipient_tells_an_address() {
    let content = rendered(&command(1, Down, 1, START), &subscriber(1));
    let text = String::from_utf8(content).unwrap();
    assert_eq!(text.matches("worker1").count(), 1, "{text}");
}

/// What a line, a reason and a controller's word may be at their worst.
fn hostile_texts() -> Vec<String> {
    vec![
        "a\r\nBcc: victim@plant.example".to_owned(),
        "a\nb\rc\u{0}d\u{1b}[31m".to_owned(),
        "=?utf-8?q?=0D=0ABcc:_x?=".to_owned(),
        "\u{202e}live era sihT\u{202c}\u{2066}\u{200f}".to_owned(),
        "קו ייצור 3".to_owned(),
        "é".repeat(100),
        "🏭".repeat(50),
        "a".repeat(200),
        format!("{} b", " ".repeat(150)),
        "x".repeat(60_000),
        "\r\n\r\n<html>".to_owned(),
        "<>\"'%00;,@:".to_owned(),
        ".".to_owned(),
    ]
}

#[test]
fn hostile_reasons_and_words_change_no_header_and_break_no_line() {
    for hostile in hostile_texts() {
        for locale in ["en", "es"] {
            let reader = Subscriber { locale: locale.to_owned(), ..subscriber(1) };
            let plain = headers(&rendered(&command(1, Restored, 1, START), &reader));
            let hostile = Command {
                reason_code: text(Some(&hostile)),
                source_status: text(Some(&hostile)),
                ..command(1, Restored, 1, START)
            };
            let content = rendered(&hostile, &reader);
            assert_eq!(headers(&content), plain);
            assert_is_safe_to_send(&content);
        }
    }
}

#[test]
fn hostile_lines_stay_inside_their_headers() {
    for hostile in hostile_texts() {
        // What no line id can be is refused long before; what is left is as bad as it gets.
        let Ok(line_id) = LineId::new(&hostile) else { continue };
        let content = rendered(&Command { line_id, ..command(1, Down, 1, START) }, &subscriber(1));
        let found = headers(&content);
        let mut names: Vec<&str> =
            found.keys().map(String::as_str).filter(|name| *name != "X-Line").collect();
        names.sort_unstable();
        assert_eq!(names, NAMES, "for {hostile:?}");
        assert_eq!(found["To"], "worker1@plant.example");
        assert!(found["List-Id"].is_ascii() && found["List-Id"].len() < 100);
        assert_is_safe_to_send(&content);
    }
    let taken = hostile_texts().iter().filter(|text| LineId::new(text).is_ok()).count();
    assert!(taken >= 6, "only {taken} of the texts are line ids");
}

/// As SMTP takes it: lines of at most 998 bytes that end in CR LF, ASCII headers, no bare CR or LF, no controls.
fn assert_is_safe_to_send(content: &[u8]) {
    let text = std::str::from_utf8(content).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.is_ascii(), "{head}");
    for line in text.split("\r\n") {
        assert!(line.len() <= 998, "a line of {} bytes", line.len());
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
    assert!(body.is_ascii());
}

#[test]
fn an_address_that_is_none_is_an_error_and_never_a_panic() {
    let look = Look::new(&Config::default()).unwrap();
    for address in [
        "",
        "nobody",
        "a@b\r\nBcc: c@d.example",
        "a\r\n@b.example",
        "a@b.example, c@d.example",
        "Anna <a@b.example>",
        "a\u{0}@b.example",
        "@",
        "a@",
        &format!("{}@b.example", "a".repeat(10_000)),
    ] {
        let reader = Subscriber { address: address.to_owned(), ..subscriber(1) };
        let refused = render(&command(1, Down, 1, START), &History::default(), &reader, &look);
        let error = refused.expect_err(address);
        assert!(matches!(error, RenderError::Address));
        assert!(!error.to_string().contains('@'), "an error tells no address: {error}");
    }
}

#[test]
fn every_address_that_is_one_ends_in_one_header() {
    for (address, header) in [
        ("a+b@plant.example", "a+b@plant.example"),
        ("\"a b\"@plant.example", "\"a b\"@plant.example"),
        ("a@[192.0.2.1]", "a@[192.0.2.1]"),
        ("anna@fábrica.example", "anna@xn--fbrica-pta.example"),
    ] {
        let reader = Subscriber { address: address.to_owned(), ..subscriber(1) };
        let found = headers(&rendered(&command(1, Down, 1, START), &reader));
        assert_eq!(found["To"], header, "{found:?}");
        assert_eq!(found.len(), NAMES.len() + 1);
    }
}

#[test]
fn no_instant_and_no_missing_end_panics() {
    for at in [i64::MIN, -1, 0, 253_402_300_799_999, i64::MAX] {
        for kind in [Down, Restored, Withdrawn] {
            let command = Command {
                created_at: at,
                first_told_start: at,
                started_at: at,
                ended_at: Some(-1 - at),
                version: 0,
                ..command(1, kind, 1, START)
            };
            headers(&rendered(&command, &subscriber(1)));
            headers(&rendered(&Command { ended_at: None, ..command }, &subscriber(1)));
        }
    }
}
