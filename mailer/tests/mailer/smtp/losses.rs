//! A server that says nothing, trickles, or goes away: before the final dot nothing was accepted, from it on nobody
//! knows.

use std::time::{Duration, Instant};

use andon_mailer::{Mail, Timeouts, Transport};

use super::server::{At, Deed, Server, Setup};
use super::{PATIENT, STEPS, class, config, mail, sent, smtp};

/// What two losses at the same step mean.
fn wanted(at: At) -> &'static str {
    match at {
        At::Rcpt | At::Data | At::Content => "transient 421 4.4.2",
        At::Dot => "ambiguous",
        _ => "infrastructure",
    }
}

/// A message for a loss there. One that is lost in its midst has a midst: it does not fit into what lies between here
/// and the server.
fn large(at: At) -> Mail {
    let mut mail = mail(1);
    if at == At::Content {
        mail.content.extend(b"a line among many\r\n".repeat(800_000));
    }
    mail
}

#[test]
fn a_server_that_hangs_up_has_accepted_nothing_before_the_dot() {
    for at in STEPS {
        let server = Server::start(Setup::default());
        server.script(move |step| if step.at == at { Deed::HangUp } else { Deed::Proceed });
        let smtp = smtp(config(&server, PATIENT));
        assert_eq!(class(&smtp.send(&large(at))), wanted(at), "{at:?}");
        server.script(|_| Deed::Proceed);
        sent(&smtp, 2).unwrap();
        assert_eq!(server.recipients(), ["worker2@plant.example"], "{at:?}");
    }
}

/// Brief where the server is slow, patient where it is not: nobody knows how busy this machine is.
fn brief(at: At) -> Timeouts {
    let second = Duration::from_secs(1);
    if at == At::Dot {
        Timeouts { accept: second, ..PATIENT }
    } else {
        Timeouts { command: second, ..PATIENT }
    }
}

/// What comes of a message to a server that does that at a step, and after how long.
fn slow(at: At, deed: &Deed) -> (String, Duration) {
    let server = Server::start(Setup::default());
    let does = deed.clone();
    server.script(move |step| if step.at == at { does.clone() } else { Deed::Proceed });
    let smtp = smtp(config(&server, brief(at)));
    let began = Instant::now();
    (class(&smtp.send(&large(at))), began.elapsed())
}

#[test]
fn a_server_that_says_nothing_is_waited_for_in_bounds() {
    std::thread::scope(|scope| {
        for at in STEPS {
            scope.spawn(move || {
                let (got, took) = slow(at, &Deed::Stall);
                assert_eq!(got, wanted(at), "{at:?}");
                assert!(took >= Duration::from_secs(1), "{at:?} was given up after {took:?}");
            });
        }
    });
}

#[test]
fn a_trickle_of_bytes_does_not_prolong_the_wait() {
    std::thread::scope(|scope| {
        for at in STEPS.into_iter().filter(|at| *at != At::Content) {
            scope.spawn(move || {
                // The shortest answer has 12 bytes: each is waited for briefly, all together are not.
                assert_eq!(slow(at, &Deed::Drip(200)).0, wanted(at), "{at:?}");
            });
        }
    });
}

#[test]
fn a_trickle_within_the_time_is_an_answer() {
    let server = Server::start(Setup::default());
    server.script(|_| Deed::Drip(1));
    sent(&smtp(config(&server, PATIENT)), 1).unwrap();
    assert_eq!(server.received_count(), 1);
}

#[test]
fn a_message_that_was_taken_before_the_server_went_is_ambiguous() {
    let server = Server::start(Setup::default());
    server.script(|step| if step.at == At::Dot { Deed::TakeAndHangUp } else { Deed::Proceed });
    assert_eq!(class(&sent(&smtp(config(&server, PATIENT)), 1)), "ambiguous");
    assert_eq!(server.received_count(), 1);
}

#[test]
fn a_connection_lost_before_the_dot_is_made_anew_once() {
    for at in [At::Mail, At::Rcpt, At::Data, At::Content] {
        let server = Server::start(Setup::default());
        server.script(
            move |step| {
                if step.at == at && step.connection == 1 { Deed::HangUp } else { Deed::Proceed }
            },
        );
        smtp(config(&server, PATIENT)).send(&large(at)).unwrap();
        assert_eq!((server.connections(), server.received_count()), (2, 1), "{at:?}");
    }
}

#[test]
fn nobody_at_the_address_is_a_fault_of_the_way() {
    let server = Server::start(Setup::default());
    let config = config(&server, PATIENT);
    server.stop();
    assert_eq!(class(&sent(&smtp(config), 1)), "infrastructure");
}
