//! The program as its users meet it: exit codes, errors, dead letters by hand, a clean end.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the failure")]

mod support;

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use serde_json::json;
use support::{Andon, PATIENCE, agent, free_port, until};

/// Runs the program to its end, away from any `andon.toml`.
fn andon(arguments: &[&str], settings: &[(&str, &str)], input: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_andon"))
        .args(arguments)
        .envs(settings.iter().copied())
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses its arguments ends before it has read its input.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn bad_usage_exits_64_and_help_exits_0_with_examples() {
    for arguments in [&["fly"][..], &["run", "--wings"], &["ingest"], &["ingest", "-", "--batch", "0"]] {
        assert_eq!(andon(arguments, &[], "").status.code(), Some(64), "{arguments:?}");
    }
    for arguments in [&["--help"][..], &["run", "--help"], &["ingest", "--help"], &["demo", "--help"]] {
        let output = andon(arguments, &[], "");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(text(&output.stdout).contains("Examples:"), "{arguments:?}");
    }
}

#[test]
fn a_wrong_configuration_exits_78_and_tells_every_error_at_once() {
    let settings = [("ANDON_FOLD__ALLOWED_LATENES", "1h"), ("ANDON_HTTP__MAX_ROWS", "many")];
    for arguments in [&["run"][..], &["config", "check"], &["config", "show"]] {
        let output = andon(arguments, &settings, "");
        assert_eq!(output.status.code(), Some(78), "{arguments:?}");
        let error = text(&output.stderr);
        assert!(error.contains("2 errors"), "{error}");
        assert!(error.contains("did you mean `fold.allowed_lateness`?"), "{error}");
        assert!(error.contains("http.max_rows (ANDON_HTTP__MAX_ROWS): `many` is no whole number"), "{error}");
    }
    let output = andon(&["config", "show"], &[("ANDON_NOTIFY__MAX_AGE", "1h")], "");
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("notify.max_age = \"1h\""), "{}", text(&output.stdout));
}

#[test]
fn a_second_process_on_one_folder_is_refused_and_says_who_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let first = Andon::start(folder.path(), 0, &[]);
    let path = folder.path().to_str().unwrap();
    let second =
        andon(&["run", "--data-dir", path, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"], &[], "");
    assert_eq!(second.status.code(), Some(1));
    let error = text(&second.stderr);
    assert!(error.contains("belongs to another running andon (process "), "{error}");
    assert_eq!(first.stop(), Some(0));
}

#[test]
fn a_store_of_another_log_is_refused_before_anything_begins() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let running = Andon::start(one.path(), 0, &[]);
    let change = json!({ "line_id": "a", "event_time": "2026-01-01T00:00:00Z", "status": "STOPPED" });
    assert_eq!(running.post("/v1/line-status", &change).0, 202);
    running.settle();
    assert_eq!(running.stop(), Some(0));
    for entry in std::fs::read_dir(one.path()).unwrap() {
        let name = entry.unwrap().file_name();
        if name.to_string_lossy().starts_with("views.db") {
            std::fs::copy(one.path().join(&name), other.path().join(&name)).unwrap();
        }
    }
    let path = other.path().to_str().unwrap();
    let output =
        andon(&["run", "--data-dir", path, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"], &[], "");
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(error.starts_with("andon: the views (`views.db`) have read "), "{error}");
    assert!(error.contains("they belong to another log; delete them"), "{error}");
}

#[test]
fn a_taken_port_is_told_by_its_setting() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let path = folder.path().to_str().unwrap();
    let output = andon(&["run", "--data-dir", path, "--listen", &address, "--admin", "127.0.0.1:0"], &[], "");
    assert_eq!(output.status.code(), Some(69));
    assert!(text(&output.stderr).contains("(`listen`)"), "{}", text(&output.stderr));
}

#[test]
fn a_drain_ends_soon_although_a_client_keeps_its_connection() {
    let folder = tempfile::tempdir().unwrap();
    let andon = Andon::start(folder.path(), 0, &[]);
    let agent = agent(); // it keeps the connection of the first request
    let url = format!("{}/v1/statuses", andon.url);
    assert_eq!(agent.get(&url).call().unwrap().status().as_u16(), 200);
    let began = Instant::now();
    assert_eq!(andon.stop(), Some(0));
    assert!(began.elapsed() < PATIENCE / 4, "the drain took {:?}", began.elapsed());
}

#[test]
fn what_ingest_refuses_is_told_by_its_row_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let running = Andon::start(folder.path(), 0, &[]);
    let file = "line_id,event_time,status\na,2026-01-01T00:00:00Z,RUNNING\nb,2026-01-01T00:00:00Z,RUNNING\n\
                c,yesterday,RUNNING\n";
    let output = andon(&["ingest", "-", "--batch", "2", "--url", &running.url], &[], file);
    assert_eq!(output.status.code(), Some(65), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("row 3, event_time"), "{}", text(&output.stderr));

    let lines = "{\"line_id\":\"a\",\"event_time\":\"2026-01-01T00:01:00Z\",\"status\":\"IDLE\"}\n\n";
    let output = andon(&["ingest", "-", "--url", &running.url], &[], lines);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).starts_with("1 status changes accepted in 1 requests"));

    let output = andon(&["ingest", "-", "--vocabulary", "klingon", "--url", &running.url], &[], lines);
    assert_eq!(output.status.code(), Some(64));
    assert_eq!(running.stop(), Some(0));

    let nobody = format!("http://127.0.0.1:{}", free_port());
    let output = andon(&["ingest", "-", "--retry-for", "1ms", "--url", &nobody], &[], lines);
    assert_eq!(output.status.code(), Some(69));
    assert!(text(&output.stderr).contains("could not reach andon"), "{}", text(&output.stderr));
}

#[test]
fn a_dead_letter_is_listed_shown_and_sent_again_once_its_line_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let running = Andon::start(folder.path(), 0, &[("ANDON_LINES__STRICT", "true")]);
    for line in ["press-1", "ghost"] {
        let change = json!({ "line_id": line, "event_time": "2026-01-01T00:00:00Z", "status": "STOPPED" });
        assert_eq!(running.post("/v1/line-status", &change).0, 202);
    }
    running.settle();
    let letters = running.all("/v1/dead-letters");
    assert_eq!(letters.len(), 2);
    assert!(letters.iter().all(|letter| letter["reason"] == "UNKNOWN_LINE"), "{letters:?}");
    let id = |line: &str| {
        letters.iter().find(|letter| letter["key"] == line).unwrap()["id"].as_str().unwrap().to_owned()
    };
    let command = |arguments: &[&str]| {
        let arguments = [&["dead-letters"], arguments, &["--url", &running.url]].concat();
        let output = andon(&arguments, &[], "");
        (output.status.code(), text(&output.stdout) + &text(&output.stderr))
    };
    let (code, listed) = command(&["list"]);
    assert_eq!(code, Some(0));
    assert!(listed.contains(&id("ghost")) && listed.contains("UNKNOWN_LINE"), "{listed}");
    let (code, shown) = command(&["show", &id("press-1")]);
    assert_eq!(code, Some(0));
    assert!(shown.contains("x-dlq-reason") && shown.contains("\"line_id\": \"press-1\""), "{shown}");

    let url = format!("{}/v1/lines/press-1", running.url);
    let answer = agent().put(url).content_type("application/json").send("{}").unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(command(&["redrive", &id("press-1")]).0, Some(0));
    assert_eq!(command(&["discard", &id("ghost")]).0, Some(0));
    until("the dead letters to be dealt with", || running.all("/v1/dead-letters").is_empty());
    running.settle();
    assert_eq!(running.all("/v1/lines/press-1/downtime").len(), 1);
    let resolved = running.all("/v1/dead-letters?resolved=true");
    assert_eq!(resolved.len(), 2);
    assert_eq!(command(&["show", "00000000-0000-0000-0000-000000000000"]).0, Some(1));
    assert_eq!(running.stop(), Some(0));
}

#[test]
fn the_demo_finds_every_interval_of_the_bundled_record() {
    let output = andon(&["demo", "--once"], &[], "");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let shown = text(&output.stdout);
    assert!(shown.contains("10 lines, 1169 events, 582 intervals"), "{shown}");
    assert!(shown.contains("all equal to the 582 expected ones"), "{shown}");
}

#[test]
fn a_password_is_shown_nowhere_and_a_missing_one_is_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    let path = file.to_str().unwrap().to_owned();
    let settings = [
        ("ANDON_DATA_DIR", folder.path().to_str().unwrap()),
        ("ANDON_LISTEN", "127.0.0.1:0"),
        ("ANDON_ADMIN__LISTEN", "127.0.0.1:0"),
        ("ANDON_MAIL__TRANSPORT", "smtp"),
        ("ANDON_MAIL__SMTP__HOST", "127.0.0.1"),
        ("ANDON_MAIL__SMTP__TLS", "none"),
        ("ANDON_MAIL__SMTP__USER", "andon"),
        ("ANDON_MAIL__SMTP__PASSWORD_FILE", path.as_str()),
    ];
    let output = andon(&["run"], &settings, "");
    assert_eq!(output.status.code(), Some(78), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("the password file"), "{}", text(&output.stderr));
    std::fs::write(&file, "correct horse\n").unwrap();
    let output = andon(&["config", "show"], &settings, "");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let shown = text(&output.stdout);
    assert!(shown.contains("mail.smtp.password_file = ") && !shown.contains("horse"), "{shown}");
}
