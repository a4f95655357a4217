//! What single lines of a message say. Whole messages are in `golden/`.

use andon_domain::CommandKind::{self, Down, Restored, Withdrawn};
use andon_domain::{Command, LineStatus, text};
use andon_mailer::{Config, History, Look, render};
use andon_store::Subscriber;

use crate::support::{DAY, HOUR, MINUTE, START, command, read, subscriber};

fn stop(kind: CommandKind, lasted_ms: i64) -> Command {
    let end = START + lasted_ms;
    Command {
        first_told_start: START,
        started_at: START,
        ended_at: (kind == Restored).then_some(end),
        ..command(1, kind, 1, end)
    }
}

fn body(command: &Command, subscriber: &Subscriber) -> String {
    let look = Look::new(&Config::default()).unwrap();
    read(&render(command, &History::default(), subscriber, &look).unwrap().content).text
}

#[test]
fn a_headline_has_the_date_only_if_it_is_another_one() {
    for (lasted, wanted) in [
        (0, "press-1 is down since 07:00.\n"),
        (16 * HOUR, "press-1 is down since 07:00.\n"),
        (17 * HOUR, "press-1 is down since 2026-11-24 07:00.\n"),
    ] {
        let text = body(&stop(Down, lasted), &subscriber(1));
        assert!(text.starts_with(wanted), "{text}");
    }
}

#[test]
fn an_unknown_reason_and_an_unknown_zone_are_said() {
    let command = Command { reason_code: None, source_status: None, ..stop(Down, 0) };
    let reader = Subscriber { zone: "Mars/Olympus".to_owned(), locale: "tlh".to_owned(), ..subscriber(1) };
    let english = body(&command, &reader);
    assert!(english.contains("\nReason: reason unknown\n"), "{english}");
    assert!(english.contains("\nTimes are in UTC: your time zone is not known.\n"), "{english}");
    assert!(english.contains("\nStart: 2026-11-24 06:00:00 UTC\n"), "{english}");
    assert!(!english.contains("Controller's word"), "{english}");
    let spanish = body(&command, &Subscriber { locale: "es".to_owned(), ..reader });
    assert!(spanish.contains("\nMotivo: motivo desconocido\n"), "{spanish}");
    assert!(spanish.contains("\nHoras en UTC: no se conoce su zona horaria.\n"), "{spanish}");
    let blank = Command { reason_code: text(Some(" \r\n ")), ..command };
    assert!(body(&blank, &subscriber(1)).contains("\nReason: reason unknown\n"), "a blank one is none");
}

#[test]
fn a_short_or_long_stop_has_its_duration() {
    let rows = [
        (0, "less than 1 s"),
        (1_000, "1 s"),
        (45_000, "45 s"),
        (3 * HOUR, "3 h"),
        (2 * DAY + HOUR, "2 d 1 h"),
    ];
    for (ms, wanted) in rows {
        let text = body(&stop(Restored, ms), &subscriber(1));
        assert!(text.starts_with(&format!("press-1 is no longer down, after {wanted}.\n")), "{text}");
        assert!(text.contains(&format!("\nDuration: {wanted}\n")), "{text}");
    }
}

#[test]
fn a_stop_that_was_told_late_says_how_long_it_has_lasted() {
    for (ms, wanted) in [(59_999, None), (MINUTE, Some("\nSo far: 1 min\n")), (HOUR, Some("\nSo far: 1 h\n"))]
    {
        let text = body(&stop(Down, ms), &subscriber(1));
        assert_eq!(text.contains("So far"), wanted.is_some(), "{text}");
        assert!(wanted.is_none_or(|wanted| text.contains(wanted)), "{text}");
    }
}

#[test]
fn a_withdrawal_names_the_stop_it_takes_back() {
    let english = body(&stop(Withdrawn, HOUR), &subscriber(1));
    let wanted = "The stop of press-1 is withdrawn.\nLater reports took it back, or the line was retired.\n\n\
                  Start: 2026-11-24 07:00:00 CET\n";
    assert!(english.starts_with(wanted), "{english}");
    assert!(!english.contains("End:") && !english.contains("Duration:"), "{english}");
    let spanish = body(&stop(Withdrawn, HOUR), &Subscriber { locale: "es".to_owned(), ..subscriber(1) });
    assert!(spanish.starts_with("Se retira la parada de press-1.\n"), "{spanish}");
}

#[test]
fn every_status_has_words_in_both_languages() {
    let mut seen = std::collections::BTreeSet::new();
    for locale in ["en", "es"] {
        let reader = Subscriber { locale: locale.to_owned(), ..subscriber(1) };
        for status in LineStatus::ALL.into_iter().filter(|status| *status != LineStatus::NoChange) {
            let text = body(&Command { status, ..stop(Down, 0) }, &reader);
            let label = if locale == "en" { "Status: " } else { "Estado: " };
            let words = text.lines().find_map(|line| line.strip_prefix(label)).unwrap().to_owned();
            assert!(seen.insert((locale, words)), "{status:?} has words of its own in `{locale}`");
        }
    }
}

#[test]
fn a_domain_in_other_letters_is_written_in_ascii_in_header_and_envelope_alike() {
    let config = Config { from: "Señal <andon@fábrica.example>".to_owned(), ..Config::default() };
    let look = Look::new(&config).unwrap();
    for (address, wanted) in [
        ("ana@fábrica.example", "ana@xn--fbrica-pta.example"),
        ("josé@fábrica.example", "josé@xn--fbrica-pta.example"),
    ] {
        let reader = Subscriber { address: address.to_owned(), ..subscriber(1) };
        let mail = render(&stop(Down, 0), &History::default(), &reader, &look).unwrap();
        assert_eq!(mail.envelope.to()[0].to_string(), wanted);
        assert_eq!(mail.envelope.from().unwrap().to_string(), "andon@xn--fbrica-pta.example");
        let text = String::from_utf8(mail.content).unwrap();
        assert!(text.contains(&format!("\r\nTo: {wanted}\r\n")), "{text}");
        assert!(text.contains("<andon@xn--fbrica-pta.example>\r\n"), "{text}");
    }
}
