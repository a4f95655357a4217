//! A cluster that is not set up as it must be is refused, with what is wrong.

use andon_log::Topic;
use andon_log::kafka::{Fault, KafkaLog, Options};

use crate::place::{Place, fault_of};

/// Opens the log until it says something else than that a topic which was just made is not there.
fn refusal(place: &Place, made: &[Topic]) -> Fault {
    let deadline = std::time::Instant::now() + crate::place::DEADLINE;
    loop {
        let Err(error) = KafkaLog::open(place.options()) else { panic!("it was opened") };
        let text = fault_of(&error).unwrap().to_string();
        let is_late = made.iter().any(|topic| text.contains(&format!("no topic `{}`", place.name(*topic))));
        if !is_late || std::time::Instant::now() >= deadline {
            let andon_log::Error::Storage { source, .. } = error else { panic!("{text}") };
            return *source.downcast().unwrap();
        }
    }
}

#[test]
fn a_missing_topic_is_named() {
    let place = Place::empty();
    place.create(Topic::LineStatus, 2, "LogAppendTime");
    match refusal(&place, &[Topic::LineStatus]) {
        Fault::NoTopic { topic } => assert_eq!(topic, place.name(Topic::Directory)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_input_stamped_by_its_writers_is_refused() {
    let place = Place::empty();
    for topic in Topic::ALL {
        place.create(topic, 1, "CreateTime");
    }
    match refusal(&place, &Topic::ALL) {
        Fault::Timestamps { topic, found } => {
            assert_eq!((topic, found.as_str()), (place.name(Topic::LineStatus), "CreateTime"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn another_number_of_partitions_is_refused_with_both_numbers() {
    let place = Place::empty();
    for topic in Topic::ALL {
        let partitions = match topic {
            Topic::Directory => 1,
            Topic::LineChanges => 4,
            Topic::LineStatus | Topic::LineState | Topic::NotificationCommands | Topic::DeadLetters => 3,
        };
        place.create(topic, partitions, "LogAppendTime");
    }
    match refusal(&place, &Topic::ALL) {
        Fault::Partitions { topic, found, wanted } => {
            assert_eq!((topic, found, wanted), (place.name(Topic::LineChanges), 4, 3));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_cluster_that_does_not_answer_is_an_error_in_time() {
    // A port that is bound and never listened on: nothing answers there.
    let held = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let bootstrap = held.local_addr().unwrap().to_string();
    let options = Options { bootstrap, answer_ms_max: 1_000, ..Options::default() };
    let Err(error) = KafkaLog::open(options) else { panic!("it was opened") };
    match fault_of(&error) {
        Some(Fault::Unanswered { waited_ms: 1_000, .. }) => {}
        other => panic!("{other:?}"),
    }
}
