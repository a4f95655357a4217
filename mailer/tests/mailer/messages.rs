//! The text of whole messages, as a reader sees it.

use andon_domain::CommandKind::{self, Down, Restored, Withdrawn};
use andon_domain::{Command, LineStatus, text};
use andon_mailer::{Config, Look, render};
use andon_store::Subscriber;

use crate::support::{DAY, HOUR, MINUTE, command, subscriber};

/// 2026-10-25T00:30:00Z: 02:30 in Madrid, half an hour before its clocks go back from 03:00 to 02:00.
const BEFORE_THE_CHANGE: i64 = 1_792_888_200_000;

/// A stop of 1 h 12 min across the end of summer time.
fn stop(kind: CommandKind) -> Command {
    Command {
        first_told_start: BEFORE_THE_CHANGE,
        started_at: BEFORE_THE_CHANGE,
        ended_at: (kind == Restored).then_some(BEFORE_THE_CHANGE + 72 * MINUTE),
        reason_code: text(Some("no tool")),
        ..command(1, kind, 1, BEFORE_THE_CHANGE + 73 * MINUTE)
    }
}

fn message(command: &Command, subscriber: &Subscriber) -> String {
    let config = Config {
        from: "Andon <andon@plant.example>".to_owned(),
        domain: "plant.example".to_owned(),
        ..Config::default()
    };
    let mail = render(command, subscriber, &Look::new(&config).unwrap()).unwrap();
    String::from_utf8(mail.content).unwrap().replace("\r\n", "\n")
}

/// The body, with quoted-printable taken back.
fn body(command: &Command, subscriber: &Subscriber) -> String {
    let message = message(command, subscriber);
    let (headers, body) = message.split_once("\n\n").unwrap();
    assert!(!headers.contains("base64"), "{message}");
    if !headers.contains("quoted-printable") {
        return body.to_owned();
    }
    let joined = body.replace("=\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.as_bytes();
    while let [first, tail @ ..] = rest {
        match (first, tail) {
            (b'=', [high, low, tail @ ..]) => {
                let hex = std::str::from_utf8(&[*high, *low]).unwrap().to_owned();
                bytes.push(u8::from_str_radix(&hex, 16).unwrap());
                rest = tail;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_whole_opening_in_english() {
    let wanted = "\
Message-ID: <down.1.00000000-0000-0000-0000-0000abc00001.1c91636b474c5c40@plant.example>
Date: Sun, 25 Oct 2026 01:43:00 +0000
From: Andon <andon@plant.example>
Subject: [press-1] Down since 2026-10-25 02:30
In-Reply-To: <incident.00000000-0000-0000-0000-0000abc00001@plant.example>
References: <incident.00000000-0000-0000-0000-0000abc00001@plant.example>
Thread-Topic: [press-1] Down since 2026-10-25 02:30
Thread-Index: AQHdZBf4AAAAAAAAAAAAAAAAq8AAAQ==
List-Id: <press-1.lines.plant.example>
Auto-Submitted: auto-generated
X-Auto-Response-Suppress: All
X-Line: press-1
X-Incident-Id: 00000000-0000-0000-0000-0000abc00001
X-Event: DOWN
To: worker1@plant.example
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 7bit

press-1 is down since 2026-10-25 02:30:00 CEST.

Start: 2026-10-25 02:30:00 CEST
Status: faulted (unplanned, cause in the line)
Controller's word: major_outage
Reason: no tool

-- 
Andon
Times are in the zone Europe/Madrid.
You receive this because you asked to be told when this line stops.
Incident 00000000-0000-0000-0000-0000abc00001
";
    assert_eq!(message(&stop(Down), &subscriber(1)), wanted);
}

#[test]
fn a_restored_in_english_across_the_end_of_summer_time() {
    let wanted = "\
press-1 is no longer down.

Start: 2026-10-25 02:30:00 CEST
End: 2026-10-25 02:42:00 CET
Duration: 1 h 12 min
Controller's word: major_outage
Reason: no tool
Status now: running

-- 
Andon
Times are in the zone Europe/Madrid.
You receive this because you asked to be told when this line stops.
Incident 00000000-0000-0000-0000-0000abc00001
";
    assert_eq!(body(&stop(Restored), &subscriber(1)), wanted);
}

#[test]
fn the_same_in_spanish() {
    let reader = Subscriber { locale: "es-ES".to_owned(), ..subscriber(1) };
    let opening = "\
press-1 está parada desde 2026-10-25 02:30:00 CEST.

Inicio: 2026-10-25 02:30:00 CEST
Estado: en fallo (no planificada, causa en la línea)
Palabra del control: major_outage
Motivo: no tool

-- 
Andon
Horas en la zona Europe/Madrid.
Recibe este mensaje porque pidió que se le avise cuando esta línea se pare.
Incidente 00000000-0000-0000-0000-0000abc00001
";
    assert_eq!(body(&stop(Down), &reader), opening);
    let restored = "\
press-1 ya no está parada.

Inicio: 2026-10-25 02:30:00 CEST
Fin: 2026-10-25 02:42:00 CET
Duración: 1 h 12 min
Palabra del control: major_outage
Motivo: no tool
Estado ahora: en marcha

-- 
Andon
Horas en la zona Europe/Madrid.
Recibe este mensaje porque pidió que se le avise cuando esta línea se pare.
Incidente 00000000-0000-0000-0000-0000abc00001
";
    assert_eq!(body(&stop(Restored), &reader), restored);
    assert!(message(&stop(Down), &reader).contains("Subject: [press-1] Parada desde 2026-10-25 02:30\n"));
}

#[test]
fn a_withdrawal_names_the_stop_it_takes_back() {
    let english = body(&stop(Withdrawn), &subscriber(1));
    let headline = "The stop of press-1 is withdrawn: later reports took it back, or the line was retired.\n\n\
                    Start: 2026-10-25 02:30:00 CEST\n";
    assert!(english.starts_with(headline), "{english}");
    assert!(!english.contains("End:") && !english.contains("Duration:"), "{english}");
    let spanish = body(&stop(Withdrawn), &Subscriber { locale: "es".to_owned(), ..subscriber(1) });
    assert!(spanish.starts_with("Se retira la parada de press-1: "), "{spanish}");
}

#[test]
fn an_unknown_reason_and_an_unknown_zone_are_said() {
    let command = Command { reason_code: None, source_status: None, ..stop(Down) };
    let reader = Subscriber { zone: "Mars/Olympus".to_owned(), locale: "tlh".to_owned(), ..subscriber(1) };
    let english = body(&command, &reader);
    assert!(english.contains("\nReason: reason unknown\n"), "{english}");
    assert!(english.contains("\nTimes are in UTC: your time zone is not known.\n"), "{english}");
    assert!(english.contains("since 2026-10-25 00:30:00 UTC."), "{english}");
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
        let restored = Command { ended_at: Some(BEFORE_THE_CHANGE + ms), ..stop(Restored) };
        let text = body(&restored, &subscriber(1));
        assert!(text.contains(&format!("\nDuration: {wanted}\n")), "{text}");
    }
}

#[test]
fn every_status_has_words_in_both_languages() {
    let mut seen = std::collections::BTreeSet::new();
    for locale in ["en", "es"] {
        let reader = Subscriber { locale: locale.to_owned(), ..subscriber(1) };
        for status in LineStatus::ALL.into_iter().filter(|status| *status != LineStatus::NoChange) {
            let text = body(&Command { status, ..stop(Down) }, &reader);
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
        let mail = render(&stop(Down), &reader, &look).unwrap();
        assert_eq!(mail.envelope.to()[0].to_string(), wanted);
        assert_eq!(mail.envelope.from().unwrap().to_string(), "andon@xn--fbrica-pta.example");
        let text = String::from_utf8(mail.content).unwrap();
        assert!(text.contains(&format!("\r\nTo: {wanted}\r\n")), "{text}");
        assert!(text.contains("<andon@xn--fbrica-pta.example>\r\n"), "{text}");
    }
}
