//! Whole deliveries: the mailer with its ledger, over SMTP, to a server that fails.

use andon_domain::CommandKind::{Down, Restored};
use andon_domain::{Command, CommandKind};
use andon_mailer::{Mailer, SmtpConfig};
use andon_store::DeliveryState::{GaveUp, Queued, Refused, Sent};

use super::server::{At, Deed, Received, Server, Setup};
use super::{PATIENT, config, smtp};
use crate::support::{DAY, HOUR, MINUTE, Plant, START, captured, command, subscriber, turn};

fn mailer(plant: &Plant, config: SmtpConfig) -> Mailer {
    plant.mailer_with(plant.accounts.clone(), Box::new(smtp(config)))
}

/// An opening to each of some subscribers.
fn openings(subscribers: std::ops::RangeInclusive<u128>) -> Vec<Command> {
    subscribers.map(|subscriber| command(1, Down, subscriber, START)).collect()
}

fn header<'a>(received: &'a Received, name: &str) -> &'a str {
    let text = std::str::from_utf8(&received.content).unwrap();
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap()
}

/// Recipient and kind of what was accepted, in order of arrival.
fn arrived(server: &Server) -> Vec<(String, String)> {
    let row = |received: &Received| (received.recipient.clone(), header(received, "X-Event").to_owned());
    server.received().iter().map(row).collect()
}

fn attempts(plant: &Plant, kind: CommandKind, subscribers: std::ops::RangeInclusive<u128>) -> Vec<u32> {
    subscribers.map(|subscriber| plant.delivery(1, kind, subscriber).attempts).collect()
}

#[test]
fn an_opening_and_its_close_arrive_in_order_and_in_one_thread() {
    let (plant, server) = (Plant::new(), Server::start(Setup::default()));
    let mut mailer = mailer(&plant, config(&server, PATIENT));
    plant.log(&openings(1..=3));
    plant.log(&[1, 2, 3].map(|subscriber| command(1, Restored, subscriber, START + MINUTE)));
    plant.settle_all(&mut mailer);
    let received = server.received();
    assert_eq!(received.len(), 6);
    for number in 1..=3 {
        let address = subscriber(number).address;
        let told: Vec<&Received> = received.iter().filter(|one| one.recipient == address).collect();
        assert_eq!(told.iter().map(|one| header(one, "X-Event")).collect::<Vec<_>>(), ["DOWN", "RESTORED"]);
        assert_eq!(header(told[0], "References"), header(told[1], "References"));
        assert!(told.iter().all(|one| header(one, "To") == address));
    }
}

/// Goes away after it has taken the first message.
fn takes_one_and_hangs_up(server: &Server) {
    let mut dots = 0;
    server.script(move |step| {
        dots += usize::from(step.at == At::Dot);
        if step.at == At::Dot && dots == 1 { Deed::TakeAndHangUp } else { Deed::Proceed }
    });
}

#[test]
fn a_retry_after_an_unknown_outcome_is_the_same_message() {
    let (plant, server) = (Plant::new(), Server::start(Setup::default()));
    takes_one_and_hangs_up(&server);
    let mut mailer = mailer(&plant, config(&server, PATIENT));
    plant.log(&openings(1..=1));
    turn(&mut mailer);
    let opening = plant.delivery(1, Down, 1);
    assert_eq!((opening.state, &*opening.rule, opening.may_have_left), (Queued, "retry_ambiguous", true));
    plant.settle_all(&mut mailer);
    let received = server.received();
    assert_eq!(received.len(), 2, "it was accepted twice");
    assert_eq!(received[0], received[1], "and is the same, byte for byte");
    assert_eq!((plant.delivery(1, Down, 1).state, plant.delivery(1, Down, 1).attempts), (Sent, 2));
}

#[test]
fn what_may_have_arrived_has_its_close_and_is_not_repeated_after_it() {
    let (plant, server) = (Plant::new(), Server::start(Setup::default()));
    takes_one_and_hangs_up(&server);
    let mut mailer = mailer(&plant, config(&server, PATIENT));
    plant.log(&openings(1..=1));
    turn(&mut mailer);
    plant.log(&[command(1, Restored, 1, START + 1_000)]);
    plant.settle_all(&mut mailer);
    let kinds: Vec<String> = arrived(&server).into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(kinds, ["DOWN", "RESTORED"]);
    assert_eq!(plant.delivery(1, Down, 1).rule, "overtaken_by_its_close");
}

#[test]
fn a_greylisted_recipient_gets_the_same_message_later() {
    let (plant, server) = (Plant::new(), Server::start(Setup::default()));
    let mut tries = 0;
    server.script(move |step| {
        tries += usize::from(step.at == At::Dot);
        if step.at == At::Dot && tries == 1 { Deed::Answer("451 4.7.1 grey") } else { Deed::Proceed }
    });
    let mut mailer = mailer(&plant, config(&server, PATIENT));
    plant.log(&openings(1..=1));
    turn(&mut mailer);
    let opening = plant.delivery(1, Down, 1);
    assert_eq!((opening.state, opening.smtp_code, opening.may_have_left), (Queued, Some(451), false));
    let wait = opening.due_at - plant.now();
    assert!((MINUTE..MINUTE * 6 / 5).contains(&wait), "{wait}");
    plant.settle_all(&mut mailer);
    assert_eq!((plant.delivery(1, Down, 1).state, server.received_count()), (Sent, 1));
}

#[test]
fn a_refused_recipient_costs_no_other() {
    let (plant, server) = (Plant::new(), Server::start(Setup::default()));
    server.script(|step| match (step.at, step.recipient) {
        (At::Rcpt, "worker2@plant.example") => Deed::Answer("550 5.1.1 <worker2@plant.example> unknown"),
        _ => Deed::Proceed,
    });
    let mut mailer = mailer(&plant, config(&server, PATIENT));
    let logged = captured(|| {
        plant.log(&openings(1..=3));
        plant.log(&[1, 2, 3].map(|subscriber| command(1, Restored, subscriber, START + MINUTE)));
        plant.settle_all(&mut mailer);
    });
    assert_eq!(server.recipients(), [1, 1, 3, 3].map(|number| subscriber(number).address));
    let refused = plant.delivery(1, Down, 2);
    assert_eq!((refused.state, refused.smtp_code), (Refused, Some(550)));
    assert_eq!(plant.delivery(1, Restored, 2).rule, "its_opening_never_left");
    assert!(logged.contains("refuses the recipient with 550 5.1.1"), "{logged}");
    assert!(
        !logged.contains('@') && !logged.contains("unknown"),
        "no address and no word of the server: {logged}"
    );
}

#[test]
fn a_message_that_no_server_survives_holds_up_no_other() {
    let (plant, server) = (Plant::new(), Server::start(Setup::default()));
    server.script(|step| match (step.at, step.recipient) {
        (At::Rcpt, "worker1@plant.example") => Deed::HangUp,
        _ => Deed::Proceed,
    });
    let mut mailer = mailer(&plant, config(&server, PATIENT));
    plant.log(&openings(1..=3));
    turn(&mut mailer);
    assert_eq!(server.recipients(), [2, 3].map(|number| subscriber(number).address));
    plant.settle_all(&mut mailer);
    let poisoned = plant.delivery(1, Down, 1);
    assert_eq!((poisoned.state, poisoned.smtp_code, poisoned.may_have_left), (GaveUp, Some(421), false));
}

#[test]
fn a_server_that_comes_back_finds_every_message_with_its_patience_whole() {
    let plant = Plant::new();
    let server = Server::start(Setup::default());
    let (address, config) = (server.address, config(&server, PATIENT));
    let mut mailer = mailer(&plant, config);
    plant.log(&[command(2, Down, 1, START)]);
    plant.settle_all(&mut mailer);
    server.stop();
    plant.log(&openings(1..=3));
    for _ in 0..600 {
        turn(&mut mailer);
        plant.pass(1_000);
    }
    assert_eq!(attempts(&plant, Down, 1..=3), [0, 0, 0]);
    let server = Server::start_at(address, Setup::default());
    plant.settle_all(&mut mailer);
    assert_eq!(server.recipients(), [1, 2, 3].map(|number| subscriber(number).address));
    assert_eq!(attempts(&plant, Down, 1..=3), [1, 1, 1]);
}

#[test]
fn a_server_that_will_not_talk_to_us_is_an_outage_too() {
    for (at, answer) in [
        (At::Greeting, "421 4.3.2 closing"),
        (At::Ehlo, "554 5.7.1 not you"),
        (At::Mail, "530 5.7.0 log in first"),
        (At::Rcpt, "553 5.1.8 unknown sender"),
    ] {
        let (plant, server) = (Plant::new(), Server::start(Setup::default()));
        server.script(move |step| if step.at == at { Deed::Answer(answer) } else { Deed::Proceed });
        let mut mailer = mailer(&plant, config(&server, PATIENT));
        plant.log(&openings(1..=3));
        for _ in 0..60 {
            turn(&mut mailer);
            plant.pass(1_000);
        }
        assert_eq!(attempts(&plant, Down, 1..=3), [0, 0, 0], "{answer}");
        server.script(|_| Deed::Proceed);
        plant.settle_all(&mut mailer);
        assert_eq!((server.received_count(), attempts(&plant, Down, 1..=3)), (3, vec![1, 1, 1]), "{answer}");
    }
}

#[test]
fn a_close_survives_an_outage_and_a_restart_in_it() {
    let plant = Plant::new();
    let server = Server::start(Setup::default());
    let (address, config) = (server.address, config(&server, PATIENT));
    let mut first = mailer(&plant, config.clone());
    plant.log(&openings(1..=3));
    plant.settle_all(&mut first);
    assert_eq!(server.received_count(), 3);
    server.stop();
    plant.pass(HOUR);
    plant.log(&[1, 2, 3].map(|subscriber| command(1, Restored, subscriber, START + HOUR)));
    for _ in 0..60 {
        turn(&mut first);
        plant.pass(MINUTE);
    }
    drop(first);
    let mut second = mailer(&plant, config);
    turn(&mut second);
    plant.pass(DAY);
    let server = Server::start_at(address, Setup::default());
    plant.settle_all(&mut second);
    let mut told = arrived(&server);
    told.sort();
    let wanted = [1, 2, 3].map(|number| (subscriber(number).address, "RESTORED".to_owned()));
    assert_eq!(told, wanted);
    assert_eq!(attempts(&plant, Restored, 1..=3), [1, 1, 1]);
}

#[test]
fn after_five_days_it_is_given_up_and_the_ledger_says_what_the_server_said() {
    let (plant, server) = (Plant::new(), Server::start(Setup::default()));
    server.script(|step| if step.at == At::Rcpt { Deed::Answer("450 4.2.2 full") } else { Deed::Proceed });
    let mut mailer = mailer(&plant, config(&server, PATIENT));
    plant.log(&openings(1..=1));
    plant.settle_all(&mut mailer);
    let opening = plant.delivery(1, Down, 1);
    assert_eq!((opening.state, &*opening.rule), (GaveUp, "tried_too_long"));
    assert_eq!((opening.smtp_code, opening.may_have_left), (Some(450), false));
    let days = (plant.now() - START) / DAY;
    assert_eq!(days, 5);
    // After 1, 10 and 60 minutes, then hourly.
    assert!((100..=122).contains(&opening.attempts), "{}", opening.attempts);
}

#[test]
fn a_long_queue_arrives_once_each_over_four_connections() {
    const COUNT: u128 = 1_000;
    let (plant, server) = (Plant::new(), Server::start(Setup::default()));
    let mut mailer = mailer(&plant, config(&server, PATIENT));
    // Everybody is told of their own stop, so that the ledger is long and each message is another.
    plant.log(
        &(1..=COUNT).map(|incident| command(incident, Down, 1 + incident % 3, START)).collect::<Vec<_>>(),
    );
    plant.settle_all(&mut mailer);
    let mut ids: Vec<String> =
        server.received().iter().map(|received| header(received, "Message-ID").to_owned()).collect();
    assert_eq!(ids.len() as u128, COUNT);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len() as u128, COUNT, "some message arrived twice");
    assert!(server.connections() <= 4, "{} connections", server.connections());
}
