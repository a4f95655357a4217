//! TLS and passwords: what is not protected as it was set does not leave.

use std::time::Duration;

use andon_mailer::{Encryption, Login, Smtp, SmtpConfig, SmtpMetrics, SmtpOpenError, Timeouts};
use prometheus::Registry;

use super::certificates::Authority;
use super::server::{At, Deed, Security, Server, Setup};
use super::{PATIENT, class, config, sent, smtp, text};

const YEARS: std::ops::Range<i32> = 2020..2120;

fn encrypted(security: Security, authority: &Authority, host: &str, years: std::ops::Range<i32>) -> Setup {
    Setup { security, tls: Some(authority.server(host, years)), ..Setup::default() }
}

/// The way to a server over TLS, with trust in an authority.
fn trusting(server: &Server, authority: &Authority, encryption: Encryption) -> SmtpConfig {
    let host = "localhost".to_owned();
    SmtpConfig { host, encryption, ca_file: Some(authority.file.clone()), ..config(server, PATIENT) }
}

#[test]
fn messages_and_passwords_travel_encrypted() {
    let authority = Authority::new();
    let password_file = authority.write("password", "correct horse\n");
    for (security, encryption) in
        [(Security::StartTls, Encryption::StartTls), (Security::Implicit, Encryption::Implicit)]
    {
        for (offer, wanted) in [
            ("AUTH PLAIN LOGIN", &["AUTH PLAIN AGFuZG9uAGNvcnJlY3QgaG9yc2U="][..]),
            ("AUTH LOGIN", &["AUTH LOGIN", "YW5kb24=", "Y29ycmVjdCBob3JzZQ=="]),
        ] {
            let setup = encrypted(security, &authority, "localhost", YEARS);
            let server = Server::start(Setup { offers: vec![offer], ..setup });
            let login = Some(Login { user: "andon".to_owned(), password_file: password_file.clone() });
            let smtp = smtp(SmtpConfig { login, ..trusting(&server, &authority, encryption) });
            sent(&smtp, 1).unwrap();
            sent(&smtp, 2).unwrap();
            assert!(server.received().iter().all(|received| received.was_encrypted));
            assert_eq!((server.connections(), server.received_count()), (1, 2));
            let lines = server.lines();
            assert!(lines.windows(wanted.len()).any(|lines| lines == wanted), "{lines:?}");
        }
    }
}

#[test]
fn a_server_without_starttls_gets_nothing() {
    let authority = Authority::new();
    let server = Server::start(Setup::default());
    let outcome = sent(&smtp(trusting(&server, &authority, Encryption::StartTls)), 1);
    assert_eq!(class(&outcome), "infrastructure");
    assert!(text(&outcome).contains("does not offer STARTTLS"), "{}", text(&outcome));
    assert_eq!(server.lines().len(), 1, "nothing follows EHLO: {:?}", server.lines());
}

#[test]
fn a_refused_starttls_and_a_failed_handshake_are_faults_of_the_way() {
    let authority = Authority::new();
    for deed in [Deed::Answer("454 4.7.0 not now"), Deed::Answer("220 go on, in plain text"), Deed::HangUp] {
        let server = Server::start(encrypted(Security::StartTls, &authority, "localhost", YEARS));
        let does = deed.clone();
        server.script(move |step| if step.at == At::StartTls { does.clone() } else { Deed::Proceed });
        // Whoever is told to go on in plain text by a server that means it waits for a handshake in vain.
        let timeouts = Timeouts { command: Duration::from_secs(1), ..PATIENT };
        let config = SmtpConfig { timeouts, ..trusting(&server, &authority, Encryption::StartTls) };
        assert_eq!(class(&sent(&smtp(config), 1)), "infrastructure", "{deed:?}");
        assert!(!server.lines().iter().any(|line| line.starts_with("MAIL")), "{deed:?}");
    }
}

#[test]
fn a_certificate_that_is_not_right_is_named_and_nothing_leaves() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let rows = [
        (&authority, "elsewhere.example", YEARS, "it is for another host than the one set"),
        (&stranger, "localhost", YEARS, "nobody we trust has issued it"),
        (&authority, "localhost", 2020..2021, "it has expired"),
        (&authority, "localhost", 2120..2121, "it is not valid yet"),
    ];
    for (issuer, host, years, wanted) in rows {
        for (security, encryption) in
            [(Security::StartTls, Encryption::StartTls), (Security::Implicit, Encryption::Implicit)]
        {
            let server = Server::start(encrypted(security, issuer, host, years.clone()));
            let outcome = sent(&smtp(trusting(&server, &authority, encryption)), 1);
            assert_eq!(class(&outcome), "infrastructure", "{wanted}");
            assert!(text(&outcome).contains(wanted), "{} has not `{wanted}`", text(&outcome));
            assert!(!server.lines().iter().any(|line| line.starts_with("MAIL")), "{wanted}");
        }
    }
}

#[test]
fn what_was_said_in_plain_text_is_not_taken_for_what_comes_over_tls() {
    let authority = Authority::new();
    let setup = encrypted(Security::StartTls, &authority, "localhost", YEARS);
    let server = Server::start(Setup { injected: "250-relay.example\r\n250 AUTH PLAIN", ..setup });
    let outcome = sent(&smtp(trusting(&server, &authority, Encryption::StartTls)), 1);
    assert_eq!(class(&outcome), "infrastructure");
    assert!(
        text(&outcome).contains("between its answer to STARTTLS and the handshake"),
        "{}",
        text(&outcome)
    );
}

#[test]
fn a_refused_log_in_is_a_fault_of_the_way_and_says_no_secret() {
    let authority = Authority::new();
    let password_file = authority.write("password", "correct horse");
    let login = Some(Login { user: "andon".to_owned(), password_file: password_file.clone() });
    let rows = [
        (vec!["AUTH PLAIN"], Deed::Answer("535 5.7.8 bad credentials of andon"), "535 5.7.8 to AUTH"),
        (vec!["AUTH PLAIN"], Deed::Answer("454 4.7.0 later"), "454 4.7.0 to AUTH"),
        (vec!["AUTH LOGIN"], Deed::Answer("535 no"), "535 to AUTH"),
        (vec!["AUTH GSSAPI"], Deed::Proceed, "does not offer AUTH with PLAIN or LOGIN"),
        (vec![], Deed::Proceed, "does not offer AUTH with PLAIN or LOGIN"),
    ];
    for (offers, deed, wanted) in rows {
        let setup = encrypted(Security::StartTls, &authority, "localhost", YEARS);
        let server = Server::start(Setup { offers, ..setup });
        server.script(move |step| if step.at == At::Auth { deed.clone() } else { Deed::Proceed });
        let config = trusting(&server, &authority, Encryption::StartTls);
        let outcome = sent(&smtp(SmtpConfig { login: login.clone(), ..config }), 1);
        assert_eq!(class(&outcome), "infrastructure", "{wanted}");
        let said = text(&outcome);
        assert!(said.contains(wanted) && !said.contains("credentials"), "{said}");
    }
    // A password that was changed is read with the next connection.
    let setup = encrypted(Security::StartTls, &authority, "localhost", YEARS);
    let server = Server::start(Setup { offers: vec!["AUTH PLAIN"], ..setup });
    server.script(|step| match step.line {
        "AUTH PLAIN AGFuZG9uAHN0YXBsZQ==" => Deed::Proceed,
        _ if step.at == At::Auth => Deed::Answer("535 5.7.8 no"),
        _ => Deed::Proceed,
    });
    let smtp = smtp(SmtpConfig { login, ..trusting(&server, &authority, Encryption::StartTls) });
    assert_eq!(class(&sent(&smtp, 1)), "infrastructure");
    authority.write("password", "staple\r\n");
    sent(&smtp, 1).unwrap();
}

#[test]
fn files_that_are_missing_or_wrong_are_told_at_the_start() {
    let authority = Authority::new();
    let server = Server::start(Setup::default());
    let open = |config: SmtpConfig| Smtp::open(config, SmtpMetrics::new(&Registry::new()));
    let base = || trusting(&server, &authority, Encryption::StartTls);
    for text in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let ca_file = Some(authority.write("wrong.pem", text));
        let opened = open(SmtpConfig { ca_file, ..base() });
        assert!(matches!(opened, Err(SmtpOpenError::CaFile { .. })), "{text:?}");
    }
    for text in ["", "\n", "two\nlines\n"] {
        let login = Some(Login { user: "a".to_owned(), password_file: authority.write("wrong", text) });
        let opened = open(SmtpConfig { login, ..base() });
        assert!(matches!(opened, Err(SmtpOpenError::PasswordFile { .. })), "{text:?}");
    }
    let login = Some(Login { user: "a".to_owned(), password_file: authority.file.with_extension("none") });
    assert!(matches!(open(SmtpConfig { login, ..base() }), Err(SmtpOpenError::PasswordFile { .. })));
}
