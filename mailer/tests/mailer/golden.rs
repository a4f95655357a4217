//! Whole messages, byte for byte, as files that any mail program opens. `ANDON_TEST_UPDATE=1` writes them anew: read the
//! difference before it is committed.

use std::collections::BTreeSet;
use std::path::PathBuf;

use andon_domain::CommandKind::{self, Down, Restored, Withdrawn};
use andon_domain::{Command, LineId, LineStatus, text};
use andon_mailer::{Config, History, Links, Look, Stretch, Today, render};
use andon_store::Subscriber;

use crate::support::{HOUR, MINUTE, START, command, links, read, subscriber};

/// 2026-10-25T00:30:00Z: 02:30 in Madrid, half an hour before its clocks go back from 03:00 to 02:00.
const BEFORE_AUTUMN: i64 = 1_792_888_200_000;

/// 2026-03-29T00:45:00Z: 01:45 in Madrid, a quarter of an hour before its clocks go on from 02:00 to 03:00.
const BEFORE_SPRING: i64 = 1_774_745_100_000;

struct Case {
    name: &'static str,
    command: Command,
    history: History,
    zone: &'static str,
    links: Option<Links>,
}

fn case(name: &'static str, kind: CommandKind, start: i64, minutes: i64) -> Case {
    let end = start + minutes * MINUTE;
    let command = Command {
        line_id: LineId::new("Press 1").unwrap(),
        first_told_start: start,
        started_at: start,
        ended_at: (kind == Restored).then_some(end),
        created_at: end + 1_500,
        reason_code: text(Some("no tool")),
        ..command(1, kind, 1, START)
    };
    let history = if kind == Withdrawn {
        History::default()
    } else {
        let ended_at = command.ended_at;
        History {
            segments: vec![stretch(start, ended_at, LineStatus::Faulted, Some("no tool"))],
            today: Some(Today { stops: 3, down_ms: minutes * MINUTE + 25 * MINUTE }),
            ..History::default()
        }
    };
    let links = Some(links("https://andon.plant.example"));
    Case { name, command, history, zone: "Europe/Madrid", links }
}

fn stretch(started_at: i64, ended_at: Option<i64>, status: LineStatus, reason: Option<&str>) -> Stretch {
    Stretch {
        started_at,
        ended_at,
        status,
        reason: reason.map(str::to_owned),
        source_status: Some("major_outage".to_owned()),
    }
}

fn cases() -> Vec<Case> {
    let mut no_reason = case("no-reason-no-zone", Down, START, 0);
    no_reason.zone = "Mars/Olympus";
    no_reason.command.reason_code = None;
    no_reason.command.source_status = None;
    no_reason.command.status = LineStatus::Blocked;
    no_reason.history = History::default();

    let mut planned = case("planned-without-links", Down, START, 35);
    planned.links = None;
    planned.command.status = LineStatus::Changeover;
    planned.command.reason_code = text(Some("format 0.5 l"));

    let mut over_http = case("restored-to-idle-over-http", Restored, START, 72);
    over_http.links = Some(links("http://127.0.0.1:8080"));
    over_http.command.status = LineStatus::Idle;

    let mut segments = case("many-segments", Restored, START - 10 * HOUR, 600);
    segments.history.segments = (0..12)
        .map(|at| {
            let start = START - 10 * HOUR + at * 25 * MINUTE;
            let status = [LineStatus::Faulted, LineStatus::Stopped, LineStatus::Starved][at as usize % 3];
            stretch(start, Some(start + 25 * MINUTE), status, (at % 2 == 0).then_some("jam at the infeed"))
        })
        .collect();
    segments.history.left_out = 244;

    let mut hostile = case("hostile-texts", Restored, START, 3);
    let name = "<script>alert(1)<b>\u{202e}\"'&amp;=?utf-8?q?=0D=0A?=";
    hostile.command.line_id = LineId::new(name).unwrap();
    hostile.command.reason_code = text(Some("</td></table>\r\nBcc: x@plant.example\u{2066}<img src=x>"));
    hostile.command.source_status = text(Some("🏭".repeat(50).as_str()));
    hostile.history.segments[0].reason = Some("\" onload=\"x' style='--".to_owned());

    let mut right_to_left = case("right-to-left", Down, START, 5);
    right_to_left.command.line_id = LineId::new("מכבש 1").unwrap();
    right_to_left.command.reason_code = text(Some("אין כלי"));
    right_to_left.zone = "Asia/Jerusalem";

    let mut two = case("down-with-course", Down, START - 30 * MINUTE, 30);
    two.history.segments = vec![
        stretch(START - 30 * MINUTE, Some(START - 10 * MINUTE), LineStatus::Stopped, None),
        stretch(START - 10 * MINUTE, None, LineStatus::Faulted, Some("no tool")),
    ];

    vec![
        case("down", Down, START, 0),
        case("restored", Restored, START, 72),
        case("withdrawn", Withdrawn, START, 10),
        case("down-over-autumn", Down, BEFORE_AUTUMN, 45),
        case("restored-over-autumn", Restored, BEFORE_AUTUMN, 72),
        case("down-over-spring", Down, BEFORE_SPRING, 45),
        case("restored-over-spring", Restored, BEFORE_SPRING, 72),
        two,
        no_reason,
        planned,
        over_http,
        segments,
        hostile,
        right_to_left,
    ]
}

fn rendered(case: &Case, locale: &str) -> Vec<u8> {
    let reader = Subscriber { locale: locale.to_owned(), zone: case.zone.to_owned(), ..subscriber(1) };
    let config = Config {
        from: "Andon <andon@plant.example>".to_owned(),
        domain: "plant.example".to_owned(),
        ..Config::default()
    };
    let look = Look::new(&config).unwrap().with_links(case.links.clone());
    render(&case.command, &case.history, &reader, &look).unwrap().content
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/mailer/golden")
}

#[test]
fn messages_are_those_of_the_golden_files_and_there_is_no_other_file() {
    let is_update = std::env::var_os("ANDON_TEST_UPDATE").is_some();
    let mut wanted = BTreeSet::new();
    for case in cases() {
        for locale in ["en", "es"] {
            let name = format!("{}.{locale}.eml", case.name);
            let path = folder().join(&name);
            let content = rendered(&case, locale);
            assert!(content == rendered(&case, locale), "{name} is the same whenever it is made");
            if is_update {
                std::fs::write(&path, &content).unwrap();
            }
            let golden = std::fs::read(&path).unwrap_or_default();
            if golden != content {
                // As text, so that the difference can be read.
                assert_eq!(String::from_utf8_lossy(&content), String::from_utf8_lossy(&golden), "{name}");
            }
            wanted.insert(name);
        }
    }
    let found: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(found, wanted, "each file belongs to a case");
}

#[test]
fn text_and_html_of_each_message_say_the_same() {
    for case in cases() {
        for locale in ["en", "es"] {
            let message = read(&rendered(&case, locale));
            let shown = without_markup(&message.html);
            for line in message.text.lines().filter(|line| !line.is_empty() && *line != "-- ") {
                let line = line.trim_start_matches("- ").trim();
                // The text writes a label, a colon and the value; of links the HTML shows the label alone.
                let parts: Vec<&str> = match line.split_once(": ") {
                    Some((label, value)) => vec![label, value],
                    None if line.starts_with("http") => {
                        assert!(message.html.contains(&format!("href=\"{line}\"")), "{line}");
                        continue;
                    }
                    None => vec![line.trim_end_matches([':', '.'])],
                };
                for part in parts.iter().flat_map(|part| part.split(", ")) {
                    assert!(shown.contains(part), "{}.{locale}: {part:?} is not in:\n{shown}", case.name);
                }
            }
        }
    }
}

#[test]
fn the_html_loads_nothing_and_runs_nothing() {
    for case in cases() {
        let html = read(&rendered(&case, "en")).html.to_ascii_lowercase();
        for banned in
            ["<script", "<img", "src=", "@import", "url(", "<link", "<iframe", "<form", "javascript:"]
        {
            // What came from outside is there, but as text.
            let is_text = |at: usize| html[..at].ends_with("&lt;") || html[at..].starts_with("src=x&gt;");
            let found = html.match_indices(banned).find(|(at, _)| !is_text(*at));
            assert_eq!(found, None, "{}", case.name);
        }
        let handlers = html.match_indices(" onload=").filter(|(at, _)| !html[..*at].ends_with("&quot;"));
        assert_eq!(handlers.count(), 0);
        assert!(html.contains("<meta name=\"color-scheme\" content=\"light dark\">"));
        for opened in ["table", "tr", "td", "th", "h1", "a", "bdi", "span"] {
            let opening =
                html.matches(&format!("<{opened} ")).count() + html.matches(&format!("<{opened}>")).count();
            assert_eq!(opening, html.matches(&format!("</{opened}>")).count(), "{opened} in {}", case.name);
        }
        assert!(html.len() < 20_000, "a mail program cuts what is long");
    }
}

/// What is left of HTML when tags are taken out and entities back.
fn without_markup(html: &str) -> String {
    let body = &html[html.find("<body").unwrap()..];
    let mut shown = String::new();
    let mut is_tag = false;
    for character in body.chars() {
        match character {
            '<' => is_tag = true,
            '>' => is_tag = false,
            _ if !is_tag => shown.push(character),
            _ => {}
        }
    }
    for (entity, character) in
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
    {
        shown = shown.replace(entity, character);
    }
    shown
}
