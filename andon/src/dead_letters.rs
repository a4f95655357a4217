//! `andon dead-letters`: what could not be folded, asked of a running andon.

use serde_json::Value;

use crate::cli::{DeadLetters, TokenSource};
use crate::client::{Client, encode};
use crate::exit::Failure;

/// Runs the command.
pub(crate) fn run(command: &DeadLetters, url: &str, token: &TokenSource) -> Result<(), Failure> {
    let client = Client::new(url).with_token(token)?;
    match command {
        DeadLetters::List { reason, all } => list(&client, reason.as_deref(), *all),
        DeadLetters::Show { id } => {
            let letter = client.get_json(&format!("/v1/dead-letters/{}", encode(id)))?;
            println!("{}", serde_json::to_string_pretty(&letter).expect("a JSON value prints"));
            Ok(())
        }
        DeadLetters::Redrive { ids } => each(&client, ids, "redrive", "sent again"),
        DeadLetters::Discard { ids } => each(&client, ids, "discard", "set aside"),
    }
}

fn list(client: &Client, reason: Option<&str>, all: bool) -> Result<(), Failure> {
    let mut filter = String::from("?limit=500");
    if let Some(reason) = reason {
        filter.push_str(&format!("&reason={}", encode(reason)));
    }
    if all {
        filter.push_str("&redundant=true&resolved=true");
    }
    let (mut cursor, mut count) = (String::new(), 0_u64);
    loop {
        let page = client.get_json(&format!("/v1/dead-letters{filter}{cursor}"))?;
        for letter in page["items"].as_array().into_iter().flatten() {
            if count == 0 {
                println!("{:36}  {:16}  {:24}  {:>5}  error", "id", "reason", "last at", "count");
            }
            count += 1;
            let text = |key: &str| letter[key].as_str().unwrap_or_default().to_owned();
            let seen = letter["count"].as_u64().unwrap_or(1);
            let state = if letter["redundant"] == Value::Bool(true) { " (redundant)" } else { "" };
            println!(
                "{:36}  {:16}  {:24}  {seen:>5}  {}{state}",
                text("id"),
                text("reason"),
                text("last_at"),
                text("error")
            );
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={}", encode(next)),
            None => break,
        }
    }
    if count == 0 {
        println!("no dead letters");
    }
    Ok(())
}

/// Does one thing to each; goes on past those that are refused, and fails at the end if any was.
fn each(client: &Client, ids: &[String], action: &str, done: &str) -> Result<(), Failure> {
    let mut refused = 0;
    for id in ids {
        let path = format!("/v1/dead-letters/{}/{action}", encode(id));
        let answer =
            client.post(&path, "application/json", b"").map_err(|error| client.unreachable(&error))?;
        if (200..300).contains(&answer.status) {
            println!("{id} {done}");
        } else {
            refused += 1;
            eprintln!("{id}: {}", answer.problem());
        }
    }
    match refused {
        0 => Ok(()),
        _ => Err(Failure::Other(format!("{refused} of {} could not be {done}", ids.len()))),
    }
}
