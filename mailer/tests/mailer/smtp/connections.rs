//! How connections are kept, checked and shared.

use std::num::NonZeroUsize;

use andon_mailer::{Smtp, SmtpConfig, SmtpMetrics};
use prometheus::Registry;

use super::server::{At, Deed, Server, Setup};
use super::{PATIENT, class, config, exposed, sent, smtp};

#[test]
fn one_connection_serves_message_after_message() {
    let server = Server::start(Setup::default());
    let registry = Registry::new();
    let smtp = Smtp::open(config(&server, PATIENT), SmtpMetrics::new(&registry)).unwrap();
    for number in 1..=5 {
        sent(&smtp, number).unwrap();
    }
    assert_eq!((server.connections(), server.received_count()), (1, 5));
    assert_eq!(server.lines().iter().filter(|line| *line == "QUIT").count(), 0);
    server.script(|step| if step.at == At::Rcpt { Deed::Answer("550 5.1.1 no") } else { Deed::Proceed });
    assert_eq!(class(&sent(&smtp, 6)), "refused 550 5.1.1");
    let metrics = exposed(&registry);
    for wanted in [
        "mailer_smtp_connections_total{use=\"opened\"} 1\n",
        "mailer_smtp_connections_total{use=\"reused\"} 5\n",
        "mailer_smtp_failures_total{class=\"refused\"} 1\n",
        "mailer_smtp_failures_total{class=\"infrastructure\"} 0\n",
    ] {
        assert!(metrics.contains(wanted), "{wanted} in {metrics}");
    }
}

#[test]
fn a_server_that_knows_no_reset_gets_a_new_connection() {
    let server = Server::start(Setup::default());
    let smtp = smtp(config(&server, PATIENT));
    let mut recipients = 0;
    server.script(move |step| {
        recipients += usize::from(step.at == At::Rcpt);
        match step.at {
            At::Rcpt if recipients == 1 => Deed::Answer("550 5.1.1 no"),
            At::Rset => Deed::Answer("502 5.5.1 what?"),
            _ => Deed::Proceed,
        }
    });
    assert_eq!(class(&sent(&smtp, 1)), "refused 550 5.1.1");
    sent(&smtp, 2).unwrap();
    assert_eq!((server.connections(), server.received_count()), (2, 1));
}

#[test]
fn who_ends_takes_leave() {
    let server = Server::start(Setup::default());
    let smtp = smtp(config(&server, PATIENT));
    sent(&smtp, 1).unwrap();
    drop(smtp);
    server.wait_for_quit();
}

#[test]
fn a_connection_that_was_closed_while_it_rested_costs_nothing() {
    let server = Server::start(Setup::default());
    let smtp = smtp(config(&server, PATIENT));
    sent(&smtp, 1).unwrap();
    server.hang_up_all();
    sent(&smtp, 2).unwrap();
    assert_eq!((server.connections(), server.received_count()), (2, 2));
}

#[test]
fn a_server_that_has_had_enough_of_a_connection_gets_a_new_one() {
    let server = Server::start(Setup::default());
    let mut mails = 0;
    server.script(move |step| {
        mails += usize::from(step.at == At::Mail);
        if step.at == At::Mail && mails % 3 == 0 { Deed::Answer("421 4.7.0 enough") } else { Deed::Proceed }
    });
    let smtp = smtp(config(&server, PATIENT));
    for number in 1..=6 {
        sent(&smtp, number).unwrap();
    }
    assert_eq!(server.received_count(), 6);
    assert_eq!(server.connections(), 3);
}

#[test]
fn a_server_that_takes_two_connections_serves_eight_lanes() {
    let server = Server::start(Setup::default());
    server.script(|step| {
        if step.at == At::Greeting && step.connection > 2 {
            Deed::Answer("421 4.7.0 too many connections")
        } else {
            Deed::Proceed
        }
    });
    let lanes = NonZeroUsize::new(8).unwrap();
    let smtp = smtp(SmtpConfig { lanes, ..config(&server, PATIENT) });
    std::thread::scope(|scope| {
        for lane in 0..8_u128 {
            let smtp = &smtp;
            scope.spawn(move || {
                for number in 0..10 {
                    sent(smtp, lane * 10 + number).unwrap();
                }
            });
        }
    });
    let mut recipients = server.recipients();
    recipients.dedup();
    assert_eq!(recipients.len(), 80);
}
