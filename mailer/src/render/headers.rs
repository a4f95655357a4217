//! The headers of a message. What makes a thread, in any client, is the same in all messages of an incident to one
//! subscriber; what makes a message the same message is the same in each of its retries.

use std::time::{Duration, UNIX_EPOCH};

use andon_domain::{Command, Millis, NAMESPACE, SubscriberId};
use base64::prelude::{BASE64_STANDARD, Engine};
use lettre::Message;
use lettre::message::MessageBuilder;
use lettre::message::header::{HeaderName, HeaderValue};
use uuid::Uuid;

use super::Look;
use super::content::Content;
use super::thread_index::thread_index;
use crate::links::Links;

/// Number of the message among those of its kind in the incident. Only reminders will count further.
const SEQUENCE: u32 = 1;

/// The last instant that a `Date` can name, in 9999.
const DATE_MAX: Millis = 253_402_300_799_000;

/// A message with every header but `To`.
pub(super) fn builder(
    command: &Command,
    subscriber: SubscriberId,
    content: &Content,
    look: &Look,
) -> MessageBuilder {
    let Content { stem, line, unsubscribe, .. } = content;
    let domain = &look.domain;
    let kind = command.kind.name();
    let incident = command.incident_id;
    let root = format!("<incident.{incident}@{domain}>");
    let message_id = format!(
        "<{}.{SEQUENCE}.{incident}.{}@{domain}>",
        kind.to_ascii_lowercase(),
        hash(&format!("subscriber/{subscriber}"))
    );
    let index = BASE64_STANDARD.encode(thread_index(incident, command.first_told_start));
    let mut others = vec![
        ("Thread-Topic", stem.clone()),
        ("Thread-Index", index),
        ("List-Id", list_id(command.line_id.as_str(), domain)),
        ("Auto-Submitted", "auto-generated".to_owned()),
        ("X-Auto-Response-Suppress", "All".to_owned()),
        ("X-Line", line.clone()),
        ("X-Incident-Id", incident.to_string()),
        ("X-Event", kind.to_owned()),
    ];
    if let Some((_, url)) = unsubscribe {
        others.push(("List-Unsubscribe", format!("<{url}>")));
    }
    if look.links.as_ref().is_some_and(Links::has_one_click) {
        others.push(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
    }
    let builder = Message::builder()
        .message_id(Some(message_id))
        .date(UNIX_EPOCH + Duration::from_millis(command.created_at.clamp(0, DATE_MAX).unsigned_abs()))
        .from(look.from.clone())
        .subject(stem.as_str())
        .in_reply_to(root.clone())
        .references(root);
    others.into_iter().fold(builder, |builder, (name, value)| {
        builder.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str(name), value))
    })
}

/// `<line.lines.domain>`, by which readers filter. A line id that is no plain word is named by its hash.
fn list_id(line: &str, domain: &str) -> String {
    let is_plain = line.len() <= 60
        && line.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if is_plain { format!("<{line}.lines.{domain}>") } else { format!("<x-{}.lines.{domain}>", hash(line)) }
}

/// 16 characters that stand for a text and tell nothing of it.
fn hash(text: &str) -> String {
    let mut hash = Uuid::new_v5(&NAMESPACE, text.as_bytes()).simple().to_string();
    hash.truncate(16);
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_id_is_readable_where_the_line_is_a_plain_word() {
        assert_eq!(list_id("press-3", "a.example"), "<press-3.lines.a.example>");
        for line in ["Press 3", "línea", "a>b", "A", "a.b", &"a".repeat(61)] {
            let id = list_id(line, "a.example");
            assert!(id.starts_with("<x-") && id.len() == "<x-.lines.a.example>".len() + 16, "{id}");
        }
        assert_ne!(list_id("A", "d"), list_id("B", "d"));
    }
}
