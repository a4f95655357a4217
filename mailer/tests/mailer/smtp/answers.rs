//! What the server answers, at each step, and what it means for the message.

use andon_mailer::{SendError, Transport};

use super::server::{At, Deed, Security, Server, Setup};
use super::{PATIENT, class, config, mail, sent, smtp, text};

#[test]
fn a_message_arrives_as_it_was_made() {
    let server = Server::start(Setup::default());
    let smtp = smtp(config(&server, PATIENT));
    let mut mail = mail(1);
    mail.content.extend_from_slice(b".\r\n..two\r\nno line end");
    smtp.send(&mail).unwrap();
    let received = server.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].recipient, "worker1@plant.example");
    assert_eq!(received[0].mail_from, "MAIL FROM:<andon@localhost>");
    assert!(!received[0].was_encrypted);
    let wanted = [&mail.content[..], b"\r\n"].concat();
    assert_eq!(String::from_utf8_lossy(&received[0].content), String::from_utf8_lossy(&wanted));
    assert_eq!(server.lines()[0], "EHLO [127.0.0.1]");
}

#[test]
fn an_answer_means_what_its_step_says() {
    // Step, answer | class
    #[rustfmt::skip]
    let rows = [
        (At::Greeting, "421 4.3.2 closing",                  "infrastructure"),
        (At::Greeting, "554 5.7.1 not you",                  "infrastructure"),
        (At::Ehlo,     "421 4.7.0 too many connections",     "infrastructure"),
        (At::Ehlo,     "550 5.7.1 not you",                  "infrastructure"),
        (At::Mail,     "451 4.3.0 later",                    "infrastructure"),
        (At::Mail,     "421 4.3.2 closing",                  "infrastructure"),
        (At::Mail,     "530 5.7.0 log in first",             "infrastructure"),
        (At::Mail,     "550 5.1.8 unknown sender",           "infrastructure"),
        (At::Mail,     "552 5.3.4 too large",                "refused 552 5.3.4"),
        (At::Rcpt,     "450 4.2.0 grey",                     "transient 450 4.2.0"),
        (At::Rcpt,     "421 4.7.0 too fast",                 "transient 421 4.7.0"),
        (At::Rcpt,     "550 5.1.1 <worker1@plant.example>",  "refused 550 5.1.1"),
        (At::Rcpt,     "554 nobody",                         "refused 554"),
        (At::Rcpt,     "530 5.7.0 log in first",             "infrastructure"),
        (At::Data,     "451 4.3.0 later",                    "transient 451 4.3.0"),
        (At::Data,     "554 5.5.1 nobody to send it to",     "refused 554 5.5.1"),
        (At::Data,     "250 what",                           "infrastructure"),
        (At::Dot,      "452 4.3.1 disk full",                "transient 452 4.3.1"),
        (At::Dot,      "421 4.3.2 closing",                  "transient 421 4.3.2"),
        (At::Dot,      "552 5.2.2 mailbox full",             "refused 552 5.2.2"),
        (At::Dot,      "554 5.7.1 spam",                     "refused 554 5.7.1"),
        (At::Dot,      "354 what",                           "ambiguous"),
        (At::Dot,      "HTTP/1.1 400 what",                  "ambiguous"),
        (At::Rcpt,     "HTTP/1.1 400 what",                  "transient 421 4.4.2"),
        (At::Greeting, "HTTP/1.1 400 what",                  "infrastructure"),
        (At::Data,     "354 go on\r\n250 2.0.0 what",        "transient 421 4.4.2"),
        (At::Rcpt,     "250 2.1.5 ok\r\n354 what",           "transient 421 4.4.2"),
    ];
    for (at, answer, wanted) in rows {
        let server = Server::start(Setup::default());
        server.script(move |step| if step.at == at { Deed::Answer(answer) } else { Deed::Proceed });
        let smtp = smtp(config(&server, PATIENT));
        let outcome = sent(&smtp, 1);
        assert_eq!(class(&outcome), wanted, "{at:?} `{answer}`");
        let said = text(&outcome);
        let words = answer.rsplit(' ').next().unwrap();
        assert!(!said.contains(words) && !said.contains('@'), "{said} has words of the server");
        assert_eq!(server.received_count(), 0, "{at:?} `{answer}`");
        // Whatever it was, the next message is none the worse for it.
        server.script(|_| Deed::Proceed);
        sent(&smtp, 2).unwrap();
        assert_eq!(server.recipients(), ["worker2@plant.example"], "{at:?} `{answer}`");
    }
}

#[test]
fn a_refused_recipient_leaves_the_connection_to_the_next() {
    let server = Server::start(Setup::default());
    server.script(|step| match step.recipient {
        "worker1@plant.example" if step.at == At::Rcpt => Deed::Answer("550 5.1.1 no"),
        "worker2@plant.example" if step.at == At::Dot => Deed::Answer("550 5.7.1 no"),
        _ => Deed::Proceed,
    });
    let smtp = smtp(config(&server, PATIENT));
    let classes: Vec<String> = (1..=3).map(|number| class(&sent(&smtp, number))).collect();
    assert_eq!(classes, ["refused 550 5.1.1", "refused 550 5.7.1", "ok"]);
    assert_eq!(server.connections(), 1);
    let lines = server.lines();
    assert_eq!(lines.iter().filter(|line| *line == "RSET").count(), 2, "{lines:?}");
}

#[test]
fn letters_outside_ascii_travel_where_the_server_takes_them() {
    let with = Server::start(Setup::default());
    let without = Server::start(Setup { offers: vec!["8BITMIME"], ..Setup::default() });
    let mut mail = mail(1);
    mail.envelope =
        lettre::address::Envelope::new(None, vec!["josé@plant.example".parse().unwrap()]).unwrap();
    smtp(config(&with, PATIENT)).send(&mail).unwrap();
    assert_eq!(with.received()[0].mail_from, "MAIL FROM:<> BODY=8BITMIME SMTPUTF8");
    assert_eq!(with.received()[0].recipient, "josé@plant.example");
    let transport = smtp(config(&without, PATIENT));
    assert!(matches!(transport.send(&mail), Err(SendError::Message { .. })));
    sent(&transport, 2).unwrap();
    assert_eq!(without.connections(), 1, "and the connection is none the worse for it");
}

#[test]
fn a_server_that_takes_seven_bits_alone_gets_no_more() {
    let server = Server::start(Setup { offers: Vec::new(), security: Security::Plain, ..Setup::default() });
    let transport = smtp(config(&server, PATIENT));
    let mut mail = mail(1);
    transport.send(&mail).unwrap();
    mail.content.extend_from_slice("español\r\n".as_bytes());
    assert_eq!(class(&transport.send(&mail)), "message");
}
