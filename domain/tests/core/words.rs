//! Names, vocabularies and identities: what others write down and must find again.

use andon_domain::{
    Cause, CommandKind, Directory, DirectoryChange, DowntimeClass, EventId, IncidentId, Interval, IntervalId,
    Kind, LineClass, LineEntry, LineId, LineIdError, LineSettings, LineStatus, NotificationId, SubscriberId,
    Subscription, SubscriptionId, Vocabulary,
};
use uuid::Uuid;

#[test]
fn every_status_means_what_the_design_says() {
    let words = |status: LineStatus| {
        let kind = |degraded_is_down| status.kind(degraded_is_down).map_or("-", Kind::name);
        let class = status.downtime_class().map_or("-", DowntimeClass::name);
        let line = status.line_class(false).name();
        [status.name(), line, kind(false), kind(true), class, status.cause().name()].join(" ")
    };
    assert_eq!(
        LineStatus::ALL.map(words),
        [
            "UNKNOWN unknown unknown unknown - none",
            "RUNNING up - - - none",
            "DEGRADED up - down unplanned internal",
            "IDLE idle idle idle - none",
            "STOPPED down down down unplanned internal",
            "FAULTED down down down unplanned internal",
            "BLOCKED down down down unplanned external",
            "STARVED down down down unplanned external",
            "PLANNED_STOP down down down planned none",
            "CHANGEOVER down down down planned none",
            "NO_CHANGE unknown unknown unknown - none",
        ]
    );
    assert_eq!(LineStatus::Degraded.line_class(true), LineClass::Down);
    assert_eq!(Cause::External.name(), "external");
}

#[test]
fn every_name_and_number_leads_back() {
    for (index, status) in LineStatus::ALL.into_iter().enumerate() {
        assert_eq!(LineStatus::from_name(status.name()), Some(status));
        assert_eq!(LineStatus::from_index(index), Some(status));
        assert_eq!(status as usize, index);
    }
    for kind in [Kind::Down, Kind::Idle, Kind::Unknown] {
        assert_eq!(Kind::from_name(kind.name()), Some(kind));
        assert_eq!(Kind::from_index(kind as u8), Some(kind));
    }
    for class in [DowntimeClass::Planned, DowntimeClass::Unplanned] {
        assert_eq!(DowntimeClass::from_name(class.name()), Some(class));
    }
    let kinds = [CommandKind::Down, CommandKind::Restored, CommandKind::Withdrawn, CommandKind::Unsubscribed];
    assert_eq!(kinds.map(CommandKind::name), ["DOWN", "RESTORED", "WITHDRAWN", "UNSUBSCRIBED"]);
    for kind in kinds {
        assert_eq!(CommandKind::from_index(kind as u8), Some(kind));
    }
    assert_eq!(LineStatus::from_name("running"), None);
    assert_eq!(LineStatus::from_index(LineStatus::ALL.len()), None);
    assert_eq!((Kind::from_name("up"), Kind::from_index(3)), (None, None));
    assert_eq!((DowntimeClass::from_name("micro"), CommandKind::from_index(4)), (None, None));
    assert_eq!(Kind::Idle.name(), "idle");
}

#[test]
fn a_vocabulary_maps_a_controllers_words() {
    let rows = "
        andon       RUNNING               RUNNING
        andon       planned_stop          PLANNED_STOP
        andon       Planned-Stop          PLANNED_STOP
        andon       no_change             NO_CHANGE
        andon       execute               -
        packml      Execute               RUNNING
        packml      Idle                  IDLE
        packml      Complete              IDLE
        packml      Stopped               STOPPED
        packml      Held                  STOPPED
        packml      Aborted               FAULTED
        packml      Suspended             BLOCKED
        packml      Undefined             UNKNOWN
        packml      Starting              NO_CHANGE
        packml      UnHolding             NO_CHANGE
        packml      Un-Suspending         NO_CHANGE
        packml      Completing            NO_CHANGE
        packml      Holding               NO_CHANGE
        packml      Suspending            NO_CHANGE
        packml      Aborting              NO_CHANGE
        packml      Stopping              NO_CHANGE
        packml      Clearing              NO_CHANGE
        packml      Resetting             NO_CHANGE
        packml      RUNNING               -
        statuspage  operational           RUNNING
        statuspage  degraded_performance  DEGRADED
        statuspage  partial_outage        STOPPED
        statuspage  major_outage          FAULTED
        statuspage  under_maintenance     PLANNED_STOP
        statuspage  Execute               -
    ";
    for row in rows.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let [vocabulary, word, status] = row.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("{row}")
        };
        let vocabulary = Vocabulary::from_name(vocabulary).unwrap();
        assert_eq!(vocabulary.status(word).map_or("-", LineStatus::name), status, "{row}");
    }
    let padded = |spaces: usize| Vocabulary::PackMl.status(&format!("Idle{}", " ".repeat(spaces)));
    assert_eq!((padded(36), padded(37)), (Some(LineStatus::Idle), None), "words have 40 bytes at most");
    assert_eq!(Vocabulary::from_name("opc"), None);
    assert_eq!(Vocabulary::default(), Vocabulary::Andon);
    assert_eq!(Vocabulary::ALL.map(Vocabulary::name), ["andon", "packml", "statuspage"]);
}

#[test]
fn a_line_id_says_what_is_wrong_with_it() {
    let long = "x".repeat(LineId::BYTES_MAX);
    assert_eq!(LineId::new(&long).unwrap().as_str(), long);
    assert_eq!(LineId::new(&format!("{long}x")), Err(LineIdError::TooLong { bytes: 201 }));
    assert_eq!(LineId::new(""), Err(LineIdError::Empty));
    assert_eq!(LineId::new("a/b"), Err(LineIdError::Character { character: '/', at: 1 }));
    assert_eq!(LineId::new("/"), Err(LineIdError::Character { character: '/', at: 0 }));
    assert_eq!(LineId::new("ä\u{7}"), Err(LineIdError::Character { character: '\u{7}', at: 2 }));
    assert_eq!(LineId::new("a\n"), Err(LineIdError::Character { character: '\n', at: 1 }));
    assert_eq!(LineId::new("u\u{308}"), Err(LineIdError::NotNormalised));
    for good in ["press", "Füller 3", "線", "a b", "~!"] {
        let id = LineId::new(good).unwrap();
        assert_eq!((id.to_string(), format!("{id:?}")), (good.to_owned(), format!("{good:?}")));
    }
    let text = LineId::new("a/b").unwrap_err().to_string();
    assert_eq!(text, "line id has the character `/` at byte 1, control characters and `/` are not allowed");
}

// Others keep these ids: a change of any of them is a change of everybody's links and threads.
#[test]
fn derived_ids_never_change() {
    let line = LineId::new("press").unwrap();
    let subscriber = SubscriberId(Uuid::from_u128(7));
    let incident = IncidentId::derive(&line, 5);
    let ids = [
        IntervalId::derive(&line, Kind::Down, 1000).to_string(),
        incident.to_string(),
        SubscriptionId::derive(subscriber, "north/press").to_string(),
        NotificationId::derive(incident, CommandKind::Down, subscriber).to_string(),
        EventId::derive("press", 1000, LineStatus::Stopped, Some("plc"), Some(3)).to_string(),
        EventId::derive("press", 1000, LineStatus::Stopped, None, None).to_string(),
    ];
    assert_eq!(ids, KNOWN_IDS);
    let interval = Interval { kind: Kind::Down, started_at: 1000, ended_at: None, segments: Vec::new() };
    assert_eq!(interval.id(&line).to_string(), KNOWN_IDS[0]);
    assert_eq!(format!("{incident:?}"), KNOWN_IDS[1]);
}

const KNOWN_IDS: [&str; 6] = [
    "4c60452e-4948-59af-b6d9-7087c6de1b6d",
    "52dbd947-8001-5c1e-8461-fa1583774e1f",
    "9c7747e3-6596-593b-9d7a-6179ce1d9cf9",
    "9ca9804b-49ea-5dc2-b218-26990ce92fb6",
    "689fed60-ffd7-5ec2-aee7-365b12c51f15",
    "a383d4f8-f90f-5732-a5c7-fb8cf7ed0417",
];

#[test]
fn a_directory_holds_what_was_said_last() {
    let mut directory = Directory::default();
    let line = LineId::new("press").unwrap();
    let entry =
        LineEntry { path: vec!["press".to_owned()], settings: LineSettings::default(), is_retired: false };
    let subscriber_id = SubscriberId(Uuid::from_u128(7));
    let subscription = |node: &str| Subscription {
        id: SubscriptionId(Uuid::from_u128(1)),
        subscriber_id,
        node: node.to_owned(),
        notify_after_ms: 0,
        class: None,
        created_at: 0,
    };
    directory.apply(DirectoryChange::Line(line.clone(), entry.clone()));
    directory.apply(DirectoryChange::Subscription(subscription("north")));
    assert!(directory.covering(&line).is_empty());
    directory.apply(DirectoryChange::Subscription(subscription("press")));
    assert_eq!(directory.covering(&line), [&subscription("press")]);
    assert_eq!(directory.subscriptions().collect::<Vec<_>>(), [&subscription("press")]);
    assert_eq!(directory.lines().collect::<Vec<_>>(), [(&line, &entry)]);
    directory.apply(DirectoryChange::SubscriptionRemoved(subscription("press").id));
    directory.apply(DirectoryChange::LineRemoved(line.clone()));
    assert!(directory.covering(&line).is_empty() && directory.line(&line).is_none());
    assert_eq!(directory.subscriptions().count() + directory.lines().count(), 0);
}
