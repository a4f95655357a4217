//! The headers of each message, field by field, as another program reads them.

use std::collections::BTreeMap;

use andon_domain::CommandKind::{Down, Restored, Withdrawn};
use andon_domain::{Command, LineId};
use andon_mailer::{Config, History, Links, Look, render};
use andon_store::{Subscriber, UnsubscribeLink};
use mail_parser::{HeaderForm, Message};

use crate::support::{MINUTE, START, command, links, parsed, read, subscriber, subscriber_id};

/// Every field, in the order of the message, folded ones joined.
fn fields(content: &[u8]) -> Vec<(String, String)> {
    let text = std::str::from_utf8(content).unwrap();
    let head = text.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
    head.split("\r\n")
        .map(|field| field.split_once(':').unwrap())
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect()
}

fn rendered(command: &Command, links: Option<Links>) -> Vec<u8> {
    let config = Config {
        from: "Andon <andon@plant.example>".to_owned(),
        domain: "plant.example".to_owned(),
        ..Config::default()
    };
    let look = Look::new(&config).unwrap().with_links(links);
    render(command, &History::default(), &subscriber(1), &look).unwrap().content
}

#[test]
fn every_field_of_every_kind_is_as_it_must_be() {
    let id = "00000000-0000-0000-0000-0000abc00001";
    let root = format!("<incident.{id}@plant.example>");
    let stem = "[press-1] Down since 2026-11-24 06:59";
    let token = "AQAAAAAAAAAAAAAAAAAAAAFwcmVzcy0x";
    let https = || Some(links("https://andon.plant.example"));
    let http = || Some(links("http://127.0.0.1:8080"));
    let rows = [
        (Down, START, https(), "down", "DOWN", "Tue, 24 Nov 2026 06:00:00 +0000"),
        (Restored, START + 5 * MINUTE, https(), "restored", "RESTORED", "Tue, 24 Nov 2026 06:05:00 +0000"),
        (Withdrawn, START + 5 * MINUTE, https(), "withdrawn", "WITHDRAWN", "Tue, 24 Nov 2026 06:05:00 +0000"),
        (Down, START, http(), "down", "DOWN", "Tue, 24 Nov 2026 06:00:00 +0000"),
        (Down, START, None, "down", "DOWN", "Tue, 24 Nov 2026 06:00:00 +0000"),
    ];
    for (kind, created_at, links, word, event, date) in rows {
        let command = command(1, kind, 1, created_at);
        let (is_known, has_one_click) =
            (links.is_some(), links.as_ref().is_some_and(|links| format!("{links:?}").contains("https:")));
        let content = rendered(&command, links);
        let mut found: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in fields(&content) {
            assert!(found.insert(name.clone(), value).is_none(), "{name} comes once");
        }
        let unsubscribe = found.remove("List-Unsubscribe");
        assert_eq!(unsubscribe.is_some(), is_known);
        if let Some(unsubscribe) = unsubscribe {
            let base = if has_one_click { "https://andon.plant.example" } else { "http://127.0.0.1:8080" };
            assert!(unsubscribe.starts_with(&format!("<{base}/unsubscribe/{token}")), "{unsubscribe}");
            assert!(unsubscribe.ends_with('>') && !unsubscribe.contains(' '), "{unsubscribe}");
            // The link of the header is the one in both bodies.
            let url = unsubscribe.trim_matches(['<', '>']);
            let message = read(&content);
            assert!(message.text.contains(url) && message.html.contains(url));
        }
        let boundary = format!("=_{}", command.notification_id.0.simple());
        let mut wanted = vec![
            ("Message-ID", format!("<{word}.1.{id}.1c91636b474c5c40@plant.example>")),
            ("Date", date.to_owned()),
            ("From", "Andon <andon@plant.example>".to_owned()),
            ("To", "worker1@plant.example".to_owned()),
            ("Subject", stem.to_owned()),
            ("In-Reply-To", root.clone()),
            ("References", root.clone()),
            ("Thread-Topic", stem.to_owned()),
            ("Thread-Index", "AQHde9kEAAAAAAAAAAAAAAAAq8AAAQ==".to_owned()),
            ("List-Id", "<press-1.lines.plant.example>".to_owned()),
            ("Auto-Submitted", "auto-generated".to_owned()),
            ("X-Auto-Response-Suppress", "All".to_owned()),
            ("X-Line", "press-1".to_owned()),
            ("X-Incident-Id", id.to_owned()),
            ("X-Event", event.to_owned()),
            ("MIME-Version", "1.0".to_owned()),
            ("Content-Type", format!("multipart/alternative; boundary=\"{boundary}\"")),
        ];
        if has_one_click {
            wanted.push(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
        }
        let wanted: BTreeMap<String, String> =
            wanted.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        assert_eq!(found, wanted, "{kind:?}");
    }
}

#[test]
fn another_program_reads_the_same_subject_and_thread() {
    for name in ["Press 1", "línea de montaje №3", "מכבש 1", "🏭".repeat(50).as_str(), &"a".repeat(200)]
    {
        let of = |kind, created_at| Command {
            line_id: LineId::new(name).unwrap(),
            ..command(1, kind, 1, created_at)
        };
        let [down, restored] =
            [of(Down, START), of(Restored, START + MINUTE)].map(|command| rendered(&command, None));
        let [down, restored] = [&down, &restored].map(|content| parsed(content));
        let subject = format!("[{name}] Down since 2026-11-24 06:59");
        for message in [&down, &restored] {
            assert_eq!(message.subject(), Some(subject.as_str()));
            assert_eq!(unfolded(message, "Thread-Topic").as_deref(), Some(subject.as_str()));
            assert_eq!(unfolded(message, "X-Line").as_deref(), Some(name));
            let root = message.in_reply_to().as_text().unwrap();
            assert_eq!(message.references().as_text(), Some(root));
            assert_eq!(root, "incident.00000000-0000-0000-0000-0000abc00001@plant.example");
        }
        assert_eq!(down.header("Thread-Index"), restored.header("Thread-Index"));
        assert_ne!(down.message_id(), restored.message_id());
        assert_eq!(down.date().unwrap().to_timestamp(), START / 1_000);
    }
}

/// The text of a field that the parser itself does not know.
fn unfolded(message: &Message<'_>, name: &str) -> Option<String> {
    let values = message.header_as(name.to_owned(), HeaderForm::Text);
    values.first().and_then(|value| value.as_text()).map(str::to_owned)
}

#[test]
fn the_link_out_is_one_that_the_key_signed_for_this_reader_and_line() {
    let line_id = LineId::new("a/b".replace('/', "?#").as_str()).unwrap();
    let command = Command { line_id: line_id.clone(), ..command(1, Down, 1, START) };
    let message = read(&rendered(&command, Some(links("https://andon.plant.example/tools"))));
    let token = message.text.lines().find_map(|line| line.split_once("/tools/unsubscribe/")).unwrap().1;
    let link = andon_store::LinkKey::new([7; 32]).verify(token);
    assert_eq!(link, Ok(UnsubscribeLink { subscriber_id: subscriber_id(1), line_id }));
    assert!(
        message.text.contains("\nhttps://andon.plant.example/tools/lines/a%3F%23b\n"),
        "{}",
        message.text
    );
}

#[test]
fn the_recipient_stands_in_the_to_field_alone() {
    let reader = Subscriber { address: "anna.secret@plant.example".to_owned(), ..subscriber(1) };
    let look = Look::new(&Config::default()).unwrap().with_links(Some(links("https://andon.plant.example")));
    let content = render(&command(1, Down, 1, START), &History::default(), &reader, &look).unwrap().content;
    let whole = String::from_utf8(content).unwrap();
    assert_eq!(whole.matches("anna").count(), 1, "{whole}");
}
