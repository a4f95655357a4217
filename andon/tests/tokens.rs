//! Tokens from the command line to a running andon and back.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the failure")]

mod support;

use std::path::Path;
use std::process::{Command, Output};

use support::{Andon, agent, until};

/// Runs the program to its end, away from any `andon.toml`.
fn andon(folder: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_andon"))
        .args(arguments)
        .envs(settings.iter().copied())
        .current_dir(folder)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// `andon token ...` on the folder: exit code, output, errors.
fn token(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = andon(folder, &[&["token", "--data-dir", "data"], arguments].concat(), &[]);
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn status(url: &str, path: &str, token: &str) -> u16 {
    let request = agent().get(format!("{url}{path}"));
    let request = match token {
        "" => request,
        token => request.header("authorization", format!("Bearer {token}")),
    };
    request.call().unwrap().status().as_u16()
}

#[test]
fn a_token_is_made_used_listed_and_revoked_while_andon_runs() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let (code, listed, _) = token(folder, &["list"]);
    assert_eq!(code, Some(0));
    assert!(listed.starts_with("no tokens"), "{listed}");

    let running = Andon::start(&folder.join("data"), 0, &[]);
    std::fs::write(folder.join("events.csv"), "line_id,event_time,status\na,2026-01-01T00:00:00Z,STOPPED\n")
        .unwrap();
    let ingest = |arguments: &[&str], settings: &[(&str, &str)]| {
        let fixed = ["ingest", "events.csv", "--retry-for", "1ms", "--url", &running.url];
        let output = andon(folder, &[&fixed, arguments].concat(), settings);
        (output.status.code(), text(&output.stderr))
    };
    assert_eq!(ingest(&[], &[]).0, Some(0), "nobody needs a token yet");

    let (code, printed, note) = token(folder, &["create", "--name", "gateway", "--scope", "ingest"]);
    assert_eq!(code, Some(0), "{note}");
    let gateway = printed.trim();
    assert!(gateway.starts_with("andon_") && printed.lines().count() == 1, "the token alone: {printed}");
    let (_, lead, _) =
        token(folder, &["create", "--name", "lead", "--scope", "operate,read", "--expires", "90d"]);
    let lead = lead.trim();
    let (code, _, error) = token(folder, &["create", "--name", "lead", "--scope", "read"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("there is a token named `lead` already"), "{error}");

    until("andon to ask for a token", || status(&running.url, "/v1/dead-letters", "") == 401);
    assert_eq!(status(&running.url, "/v1/lines", ""), 200, "reading is free");
    assert_eq!(status(&running.url, "/v1/dead-letters", lead), 200);
    assert_eq!(status(&running.url, "/v1/dead-letters", gateway), 403);

    let (code, error) = ingest(&[], &[]);
    assert_eq!(code, Some(65));
    assert!(error.contains("a token of scope `ingest` is needed"), "{error}");
    assert_eq!(ingest(&[], &[("ANDON_TOKEN", gateway)]).0, Some(0));
    std::fs::write(folder.join("secret"), format!("{gateway}\n")).unwrap();
    assert_eq!(ingest(&["--token-file", "secret"], &[]).0, Some(0));
    assert_eq!(ingest(&["--token-file", "missing"], &[]).0, Some(64));
    assert_eq!(ingest(&[], &[("ANDON_TOKEN", "")]).0, Some(64));
    let letters = |token: &str| {
        let arguments = ["dead-letters", "list", "--url", &running.url];
        let output = andon(folder, &arguments, &[("ANDON_TOKEN", token)]);
        (output.status.code(), text(&output.stderr))
    };
    assert_eq!(letters(lead).0, Some(0));
    let (code, error) = letters(gateway);
    assert_eq!(code, Some(1));
    assert!(error.contains("the token `gateway` lacks the scope `operate`"), "{error}");

    let (code, listed, _) = token(folder, &["list"]);
    assert_eq!(code, Some(0));
    assert!(listed.contains("gateway") && listed.contains("read,operate"), "{listed}");
    assert!(!listed.contains(gateway) && !listed.contains(&gateway[20..]), "no secret is listed");

    let (code, revoked, _) = token(folder, &["revoke", "lead"]);
    assert_eq!(code, Some(0), "{revoked}");
    until("the token to be refused", || status(&running.url, "/v1/dead-letters", lead) == 401);
    assert_eq!(token(folder, &["revoke", "lead"]).0, Some(1), "it is revoked already");
    let id = &gateway[6..18];
    assert_eq!(token(folder, &["revoke", id]).0, Some(0), "by its id too");
    assert_eq!(running.stop(), Some(0));

    // The secret is in no file of the folder.
    for entry in std::fs::read_dir(folder.join("data")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let secret = &gateway.as_bytes()[19..];
            assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{}", path.display());
        }
    }
}

#[test]
fn listening_beyond_loopback_needs_a_token_which_can_be_made_before_the_first_start() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    // The port is taken, so that nothing is ever opened to others.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("0.0.0.0:{}", taken.local_addr().unwrap().port());
    for flags in
        [["--listen", &address, "--admin", "127.0.0.1:0"], ["--listen", "127.0.0.1:0", "--admin", &address]]
    {
        let output = andon(folder, &[&["run", "--data-dir", "data"], &flags[..]].concat(), &[]);
        assert_eq!(output.status.code(), Some(78), "{}", text(&output.stderr));
        let error = text(&output.stderr);
        assert!(error.contains("reachable from other machines"), "{error}");
        assert!(error.contains("andon token create --name NAME --scope"), "{error}");
    }
    let other = tempfile::tempdir().unwrap();
    assert_eq!(token(other.path(), &["create", "--name", "a", "--scope", "read"]).0, Some(0));
    let output = andon(
        other.path(),
        &["run", "--data-dir", "data", "--listen", &address, "--admin", "127.0.0.1:0"],
        &[],
    );
    assert_eq!(output.status.code(), Some(69), "the token is enough: {}", text(&output.stderr));
}

#[test]
fn a_token_that_makes_no_sense_is_refused_before_anything_is_made() {
    let home = tempfile::tempdir().unwrap();
    for arguments in [
        &["create", "--name", "a"][..],
        &["create", "--scope", "read"],
        &["create", "--name", "", "--scope", "read"],
        &["create", "--name", "a\nb", "--scope", "read"],
        &["create", "--name", "a", "--scope", "fly"],
        &["create", "--name", "a", "--scope", ""],
        &["create", "--name", "a", "--scope", "read", "--expires", "soon"],
        &["create", "--name", "a", "--scope", "read", "--expires", "0s"],
        &["revoke"],
    ] {
        let (code, printed, error) = token(home.path(), arguments);
        assert_eq!(code, Some(64), "{arguments:?}: {error}");
        assert_eq!(printed, "");
    }
    assert!(!home.path().join("data").exists());
}
