//! The transport to a mail server, against one that speaks SMTP over TCP and fails where a test says.

mod answers;
mod certificates;
mod connections;
mod delivery;
mod losses;
mod security;
mod server;

use std::num::NonZeroUsize;
use std::time::Duration;

use andon_domain::CommandKind::Down;
use andon_mailer::{
    Config, Encryption, History, Look, Mail, SendError, Smtp, SmtpConfig, SmtpMetrics, Timeouts, Transport,
    render,
};
use prometheus::{Encoder, Registry, TextEncoder};

use crate::support::{START, command, subscriber};
use server::{At, Server};

/// Patient enough for a machine that does much else.
const PATIENT: Timeouts = Timeouts {
    connect: Duration::from_secs(20),
    command: Duration::from_secs(20),
    accept: Duration::from_secs(20),
};

/// The way to a server in plain text.
fn config(server: &Server, timeouts: Timeouts) -> SmtpConfig {
    SmtpConfig {
        host: "127.0.0.1".to_owned(),
        port: server.address.port(),
        encryption: Encryption::None,
        allows_plaintext: false,
        login: None,
        ca_file: None,
        lanes: NonZeroUsize::new(4).unwrap(),
        hello_name: None,
        timeouts,
    }
}

fn smtp(config: SmtpConfig) -> Smtp {
    Smtp::open(config, SmtpMetrics::new(&Registry::new())).unwrap()
}

/// An opening to a subscriber.
fn mail(subscriber_number: u128) -> Mail {
    let look = Look::new(&Config::default()).unwrap();
    render(
        &command(1, Down, subscriber_number, START),
        &History::default(),
        &subscriber(subscriber_number),
        &look,
    )
    .unwrap()
}

/// The class of an outcome, and what the server said.
fn class(outcome: &Result<(), SendError>) -> String {
    match outcome {
        Ok(()) => "ok".to_owned(),
        Err(SendError::Refused { reply }) => format!("refused {reply}"),
        Err(SendError::Transient { reply }) => format!("transient {reply}"),
        Err(SendError::Ambiguous(_)) => "ambiguous".to_owned(),
        Err(SendError::Infrastructure(_)) => "infrastructure".to_owned(),
        Err(SendError::Message { .. }) => "message".to_owned(),
    }
}

/// An error with its causes.
fn text(outcome: &Result<(), SendError>) -> String {
    let mut text = String::new();
    let mut next: Option<&dyn std::error::Error> = outcome.as_ref().err().map(|error| error as _);
    while let Some(error) = next {
        text.push_str(&format!("{error}; "));
        next = error.source();
    }
    text
}

fn exposed(registry: &Registry) -> String {
    let mut text = Vec::new();
    TextEncoder::new().encode(&registry.gather(), &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// Every step of a dialogue in plain text.
const STEPS: [At; 7] = [At::Greeting, At::Ehlo, At::Mail, At::Rcpt, At::Data, At::Content, At::Dot];

/// Sends, whatever comes of it.
fn sent(smtp: &Smtp, number: u128) -> Result<(), SendError> {
    smtp.send(&mail(number))
}
