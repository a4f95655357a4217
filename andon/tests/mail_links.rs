//! The links of a mail, in a real process: they lead where they say, outlive a restart, and end the mails of their reader.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the failure")]

mod support;

use std::path::{Path, PathBuf};

use serde_json::json;
use support::{Andon, agent, free_port, now_ms, until};

/// The mails to one subscriber, oldest first.
fn mails(folder: &Path, subscriber: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder.join("outbox").join(subscriber)) else { return Vec::new() };
    let is_mail = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "eml");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(is_mail).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read_to_string(path).unwrap().replace("\r\n ", " ")).collect()
}

fn unsubscribe_of(mail: &str) -> String {
    let field = mail.lines().find_map(|line| line.strip_prefix("List-Unsubscribe: ")).unwrap();
    field.trim().trim_matches(['<', '>']).to_owned()
}

fn subscribe(andon: &Andon, name: &str) -> String {
    let body = json!({ "email": format!("{name}@plant.example"), "node": "Press 1" });
    let (status, answer) = andon.post("/v1/subscriptions", &body);
    assert_eq!(status, 201);
    answer["subscriber_id"].as_str().unwrap().to_owned()
}

fn report(andon: &Andon, status: &str) {
    let at = jiff::Timestamp::from_millisecond(now_ms()).unwrap();
    let body = json!({ "line_id": "Press 1", "event_time": at.to_string(), "status": status });
    assert_eq!(andon.post("/v1/line-status", &body).0, 202);
}

#[test]
fn the_links_of_a_mail_lead_to_the_line_and_out() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let andon = Andon::start(folder.path(), port, &[]);
    let (anna, bert) = (subscribe(&andon, "anna"), subscribe(&andon, "bert"));
    let of = |subscriber: &str| mails(folder.path(), subscriber);
    report(&andon, "FAULTED");
    until("both to be told", || of(&anna).len() == 1 && of(&bert).len() == 1);
    let mail = &of(&anna)[0];
    let page = format!("{}/lines/Press%201", andon.url);
    assert!(mail.contains(&format!("\r\n{page}\r\n")), "{mail}");
    assert!(!mail.contains("List-Unsubscribe-Post"), "one click is for https alone");
    let link = unsubscribe_of(mail);
    assert!(link.starts_with(&format!("{}/unsubscribe/", andon.url)), "{link}");
    for url in [&page, &link] {
        let answer = agent().get(url.as_str()).call().unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
    }
    assert_eq!(andon.stop(), Some(0));

    // The key of the links is in the accounts: a mail is older than the process that is asked.
    let andon =
        Andon::start(folder.path(), port, &[("ANDON_HTTP__PUBLIC_URL", "https://andon.plant.example")]);
    let form = "application/x-www-form-urlencoded";
    let answer = agent().post(&link).content_type(form).send("List-Unsubscribe=One-Click").unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    report(&andon, "RUNNING");
    report(&andon, "FAULTED");
    until("bert to be told of both stops", || of(&bert).len() == 3);
    andon.settle();
    assert_eq!(of(&anna).len(), 1, "she left, and gets no close either");
    let last = &of(&bert)[2];
    assert!(last.contains("\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"), "{last}");
    assert!(unsubscribe_of(last).starts_with("https://andon.plant.example/unsubscribe/"), "{last}");
    assert!(last.contains("\r\nToday: 2nd stop, "), "{last}");
    assert_eq!(andon.stop(), Some(0));
}

#[test]
fn an_address_with_a_user_or_a_query_is_no_public_url() {
    for url in
        ["https://user@plant.example", "https://plant.example/?x=1", "ftp://plant.example", "plant.example"]
    {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_andon"))
            .args(["config", "check"])
            .env("ANDON_HTTP__PUBLIC_URL", url)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(78), "{url}");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.contains("http.public_url") && error.contains("no URL of a host"), "{error}");
    }
}
