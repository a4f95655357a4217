//! The role as a whole: its loop, its log, its metrics, and what never reaches them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use andon_domain::CommandKind::{Down, Restored};
use andon_domain::{Command, text};
use andon_log::sqlite::SqliteLog;
use andon_log::{Appender, Error as LogError, Outputs, Read, Reader, Topic};
use andon_mailer::{Config, Error, Mailer, Metrics, Parts, SendError};
use andon_schemas::encode_command;
use andon_store::DeliveryState::{Refused, Sent};
use prometheus::{Encoder, Registry, TextEncoder};

use crate::support::{DAY, Plant, START, captured, command, subscriber, turn};

fn shown(registry: &Registry) -> String {
    let mut text = Vec::new();
    TextEncoder::new().encode(&registry.gather(), &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// Runs the role until a state is reached, then stops it.
fn run_until(mailer: Mailer, is_reached: impl Fn() -> bool) {
    let stop = AtomicBool::new(false);
    let caught_up = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let role = scope.spawn(|| {
            mailer.run(&stop, &|is_caught_up| {
                caught_up.fetch_add(usize::from(is_caught_up), Ordering::SeqCst);
            })
        });
        let deadline = Instant::now() + Duration::from_secs(30);
        while !is_reached() && Instant::now() < deadline && !role.is_finished() {
            std::thread::yield_now();
        }
        stop.store(true, Ordering::SeqCst);
        role.join().unwrap().unwrap();
    });
    assert!(is_reached(), "within 30 s");
    assert!(caught_up.load(Ordering::SeqCst) > 0, "and it told that it had read the log");
}

#[test]
fn the_role_mails_what_a_log_on_disk_says_and_goes_on_where_it_stopped() {
    let plant = Plant::new();
    let log = SqliteLog::open(plant.folder.path(), andon_log::sqlite::Options::default()).unwrap();
    let append = |kind| {
        let mut outputs = Outputs::default();
        for subscriber in 1..=3 {
            outputs.push_written(Topic::NotificationCommands, 0, b"key", |out| {
                encode_command(&command(1, kind, subscriber, START), out);
            });
        }
        log.appender().append(&outputs).unwrap();
    };
    let mailer = |from| {
        let reader = log.reader(&[(Topic::NotificationCommands, 0, from)]).unwrap();
        plant.mailer_over(Box::new(reader), &Registry::new())
    };
    append(Down);
    let count = |wanted: usize| plant.transport.accepted().len() == wanted;
    run_until(mailer(0), || count(3));
    append(Restored);
    let position = plant.run(plant.accounts.positions()).unwrap().pop().unwrap();
    assert_eq!(position.stream, "andon.notification-commands");
    run_until(mailer(position.offset), || count(6));
    assert_eq!(plant.kinds_of_files(), ["down", "restored", "down", "restored", "down", "restored"]);
}

#[test]
fn a_message_that_waits_does_not_keep_the_role_from_stopping() {
    let plant = Plant::new();
    plant.log(&[command(1, Down, 1, START)]);
    let mut mailer = plant.mailer();
    let stop = AtomicBool::new(true);
    assert!(mailer.turn(Duration::ZERO, &stop).unwrap());
    assert!(plant.transport.tried_kinds().is_empty(), "no message begins to leave");
    let opening = plant.delivery(1, Down, 1);
    assert_eq!((opening.attempts, opening.rule.as_str()), (0, "not_begun"));
}

#[test]
fn a_command_that_cannot_be_read_is_counted_and_stops_nothing() {
    let plant = Plant::new();
    plant.source.append(b"nonsense".to_vec(), START);
    plant.source.append(Vec::new(), START);
    plant.log(&[command(1, Down, 1, START)]);
    plant.pass(2_000);
    let registry = Registry::new();
    turn(&mut plant.mailer_over(Box::new(plant.source.reader(0)), &registry));
    assert_eq!(plant.state(1, Down, 1), Sent);
    let metrics = shown(&registry);
    for wanted in [
        "mailer_commands_total{result=\"accepted\"} 1",
        "mailer_commands_total{result=\"undecodable\"} 2",
        "mailer_deliveries_total{result=\"sent\"} 1",
        "mailer_deliveries_total{result=\"refused\"} 0",
        "mailer_event_to_send_seconds_count 1",
        "mailer_event_to_send_seconds_sum 2\n",
        "mailer_unsettled 0",
        "mailer_lag_seconds 0",
    ] {
        assert!(metrics.contains(wanted), "{wanted} is not in\n{metrics}");
    }
    assert!(!metrics.contains("plant.example") && !metrics.contains("press"), "nor anything personal");
}

#[test]
fn a_subscriber_whose_address_is_none_gets_nothing_and_the_ledger_says_so() {
    let plant = Plant::new();
    plant.subscribe(&andon_store::Subscriber { address: "no address".to_owned(), ..subscriber(9) });
    plant.log(&[command(1, Down, 9, START), command(1, Down, 1, START)]);
    plant.settle_all(&mut plant.mailer());
    let refused = plant.delivery(1, Down, 9);
    assert_eq!((refused.state, refused.rule.as_str()), (Refused, "message_unsendable"));
    assert_eq!(plant.state(1, Down, 1), Sent);
}

#[test]
fn settled_deliveries_are_forgotten_after_90_days_and_unsettled_ones_never() {
    let mut plant = Plant::new();
    plant.config.sweep_limit = 2;
    plant.config.give_up_after_ms = 40 * DAY;
    let mut mailer = plant.mailer();
    plant.log(&[1, 2, 3].map(|subscriber| command(1, Down, subscriber, START)));
    turn(&mut mailer);
    plant.pass(90 * DAY);
    plant.log(&[command(2, Down, 1, plant.now())]);
    turn(&mut mailer);
    assert_eq!(plant.ledger_of(&[1, 2]).len(), 4, "not a moment too early");
    plant.pass(3_600_000);
    turn(&mut mailer);
    assert_eq!(plant.ledger_of(&[1, 2]).len(), 2, "at most two at once");
    turn(&mut mailer);
    let left = plant.ledger_of(&[1, 2]);
    assert_eq!(left.len(), 1, "{left:?}");
}

/// A reader that always fails.
struct Failing(fn() -> LogError);

impl Reader for Failing {
    fn poll(&mut self, _: Duration) -> Result<Read<'_>, LogError> {
        Err((self.0)())
    }
}

#[test]
fn a_log_that_does_not_answer_holds_up_no_mail_that_waits() {
    let plant = Plant::new();
    plant.transport.answer(|_| Err(SendError::Infrastructure("down".into())));
    plant.log(&[command(1, Down, 1, START)]);
    turn(&mut plant.mailer());
    plant.transport.answer(|_| Ok(()));
    plant.pass(1_000);
    let failing = Failing(|| LogError::Storage { action: "read the next records", source: "a fault".into() });
    let mut mailer = plant.mailer_over(Box::new(failing), &Registry::new());
    let error = mailer.turn(Duration::ZERO, &AtomicBool::new(false)).unwrap_err();
    assert!(error.is_transient());
    assert_eq!(plant.state(1, Down, 1), Sent);
}

#[test]
fn a_log_of_a_newer_program_ends_the_role() {
    let plant = Plant::new();
    let mailer =
        plant.mailer_over(Box::new(Failing(|| LogError::Version { found: 9, known: 1 })), &Registry::new());
    let error = mailer.run(&AtomicBool::new(false), &|_| ()).unwrap_err();
    assert!(matches!(error, Error::Read(LogError::Version { found: 9, known: 1 })), "{error}");
}

#[test]
fn a_wrong_configuration_makes_no_mailer() {
    let plant = Plant::new();
    let config = Config { domain: "a b".to_owned(), ..Config::default() };
    assert!(config.check().is_err());
    let made = Mailer::new(Parts {
        reader: Box::new(plant.source.reader(0)),
        accounts: plant.accounts.clone(),
        views: plant.views.clone(),
        transport: Box::new(plant.transport.clone()),
        config,
        links: None,
        metrics: Metrics::new(&Registry::new()),
        clock: Arc::new(|| START),
        runtime: tokio::runtime::Builder::new_current_thread().build().unwrap().handle().clone(),
    });
    assert!(made.is_err());
}

#[test]
fn no_log_line_tells_an_address_a_line_or_a_reason() {
    let logged = captured(|| {
        let plant = Plant::new();
        let mut outcomes = vec![
            Err(SendError::Message { why: "the server knows no such address" }),
            Err(SendError::Infrastructure("no connection".into())),
            Err(SendError::Ambiguous("it broke".into())),
            Err(SendError::Transient { reply: 421.into() }),
            Err(SendError::Refused { reply: 550.into() }),
        ];
        plant.transport.answer(move |_| outcomes.pop().unwrap_or(Ok(())));
        plant.subscribe(&andon_store::Subscriber { address: "worker\u{1}@".to_owned(), ..subscriber(9) });
        plant.source.append(b"worker1@plant.example".to_vec(), START);
        for incident in 1..=3 {
            for subscriber in [1, 2, 3, 9] {
                let reason_code = text(Some("secret reason"));
                let down = command(incident, Down, subscriber, START);
                plant.log(&[Command { reason_code, ..down }, command(incident, Restored, subscriber, START)]);
            }
        }
        plant.erase(3);
        plant.settle_all(&mut plant.mailer());
    });
    for wanted in ["unreadable", "cannot be made", "not accepted", "no message can leave", "ends unsent"] {
        assert!(logged.contains(wanted), "{wanted:?} was not logged:\n{logged}");
    }
    for secret in ["worker", "@plant", "press", "secret"] {
        assert!(!logged.contains(secret), "{secret:?} was logged:\n{logged}");
    }
}

#[test]
fn the_position_is_that_of_the_next_record() {
    let plant = Plant::new();
    plant.log(&[1, 2, 3].map(|subscriber| command(1, Down, subscriber, START)));
    turn(&mut plant.mailer());
    let positions = plant.run(plant.accounts.positions()).unwrap();
    // The offsets of this log are twice the index.
    assert_eq!(positions.iter().map(|position| position.offset).collect::<Vec<_>>(), [5]);
}
