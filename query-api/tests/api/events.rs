//! The stream of events, over the real log, worker and projector.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use andon_query_api::{ApiConfig, EventsConfig};
use serde_json::{Value, json};

use crate::support::{Event, Fixture, Stream};

fn names(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.name.as_str()).filter(|name| *name != "progress").collect()
}

fn is_line(line: &str, status: &str) -> impl Fn(&Event) -> bool {
    move |event| event.name == "line" && event.data["line_id"] == line && event.data["status"] == status
}

#[test]
fn an_event_is_what_a_read_answers() {
    let plant = Fixture::new();
    plant.register(&["press-1"], &["site", "hall-1"]);
    let mut stream = plant.stream("/v1/events", &[]);
    let hello = stream.next().unwrap();
    assert_eq!((hello.name.as_str(), hello.id), ("hello", None));
    assert!(hello.data["build"].is_string() && hello.data["now"].is_string());

    plant.report(&[("press-1", 0, "RUNNING"), ("press-1", 10, "FAULTED")]);
    let events = stream.collect(is_line("press-1", "FAULTED"));
    let of = |name: &str| events.iter().rev().find(|event| event.name == name).unwrap().data.clone();
    assert_eq!(of("line"), plant.get("/v1/lines/press-1").json());
    assert_eq!(of("line")["path"], json!(["site", "hall-1", "press-1"]));
    let id = of("interval")["id"].as_str().unwrap().to_owned();
    assert_eq!(of("interval"), plant.get(&format!("/v1/downtime/{id}")).json());

    // It never stopped at minute 10, it was at minute 5.
    plant.report(&[("press-1", 5, "FAULTED")]);
    let retracted = stream.until("retracted");
    assert_eq!(retracted.data["id"], *id);
    assert_eq!(retracted.data["line_id"], "press-1");
    assert_eq!(plant.get(&format!("/v1/downtime/{id}")).status, 410);
}

#[test]
fn idle_and_unknown_runs_are_no_downtime() {
    let plant = Fixture::new();
    plant.register(&["press-1"], &[]);
    let mut stream = plant.stream("/v1/events", &[]);
    plant.report(&[("press-1", 0, "IDLE"), ("press-1", 10, "UNKNOWN"), ("press-1", 20, "RUNNING")]);
    let events = stream.collect(is_line("press-1", "RUNNING"));
    assert!(!names(&events).contains(&"interval"), "{events:?}");
}

#[test]
fn progress_is_told_and_passes_what_was_reported() {
    let plant = Fixture::new();
    plant.register(&["press-1"], &[]);
    let mut stream = plant.stream("/v1/events?line=press-1", &[]);
    let sent_at = jiff::Timestamp::now();
    plant.report(&[("press-1", 0, "RUNNING")]);
    let has_passed = |event: &Event| {
        event.name == "progress"
            && event.data["as_of"].as_str().is_some_and(|at| at.parse::<jiff::Timestamp>().unwrap() > sent_at)
    };
    let events = stream.collect(has_passed);
    assert!(events.iter().any(is_line("press-1", "RUNNING")), "what is before `as_of` came before it");
    assert!(events.last().unwrap().id.is_some());
}

#[test]
fn a_change_of_the_directory_can_be_read_when_it_is_told() {
    let plant = Fixture::new();
    plant.register(&["press-1"], &["site"]);
    let mut stream = plant.stream("/v1/events", &[]);
    for number in 0..20 {
        let area = format!("hall-{number}");
        let path = json!({ "path": [area] });
        assert_eq!(plant.send("PUT", "/v1/lines/press-1", &path).status, 200);
        let told = stream.until("directory");
        assert_eq!(told.data, json!({ "line_id": "press-1" }));
        assert_eq!(plant.get("/v1/lines/press-1").json()["path"], json!([area, "press-1"]));
    }
    assert_eq!(plant.call("DELETE", "/v1/lines/press-1", "", "").status, 204);
    stream.until("directory");
    assert_eq!(plant.get("/v1/lines/press-1").status, 404);
}

#[test]
fn a_filter_lets_through_what_it_names() {
    let plant = Fixture::new();
    plant.register(&["press-1", "weld-2"], &["site", "hall-1"]);
    plant.register(&["paint-3"], &["site", "hall-12"]);
    let mut streams: Vec<(&str, Stream)> =
        ["", "?line=weld-2", "?area=site%2Fhall-1", "?area=paint-3", "?area=site"]
            .map(|query| (query, plant.stream(&format!("/v1/events{query}"), &[])))
            .into();
    plant.report(&[("press-1", 0, "STOPPED"), ("weld-2", 0, "STOPPED"), ("paint-3", 0, "STOPPED")]);
    plant.report(&[("press-1", 1, "RUNNING"), ("weld-2", 1, "RUNNING"), ("paint-3", 1, "RUNNING")]);
    for ((query, stream), lines) in streams.iter_mut().zip([
        vec!["paint-3", "press-1", "weld-2"],
        vec!["weld-2"],
        vec!["press-1", "weld-2"],
        vec!["paint-3"],
        vec!["paint-3", "press-1", "weld-2"],
    ]) {
        let mut found: Vec<String> = Vec::new();
        // The last one of its filter ends it: what came before is all there was.
        while found.len() < lines.len() {
            let event = stream.until("line");
            if event.data["status"] == "RUNNING" {
                found.push(event.data["line_id"].as_str().unwrap().to_owned());
            }
        }
        found.sort();
        assert_eq!(found, lines, "{query}");
    }
    for query in ["?line=a&area=b", "?line=%00", "?area=%00", "?after=1.zz", "?since=1"] {
        assert_eq!(plant.get(&format!("/v1/events{query}")).status, 400, "{query}");
    }
}

#[test]
fn a_client_that_comes_back_misses_nothing_and_gets_little_twice() {
    let plant = Fixture::new();
    plant.register(&["press-1"], &[]);
    let mut stream = plant.stream("/v1/events", &[]);
    plant.report(&[("press-1", 0, "RUNNING")]);
    let last = stream.collect(is_line("press-1", "RUNNING")).pop().unwrap();
    drop(stream);
    plant.report(&[("press-1", 10, "STOPPED")]);
    plant.report(&[("press-1", 20, "RUNNING")]);
    let id = last.id.unwrap();
    for mut stream in [
        plant.stream("/v1/events", &[("last-event-id", &id)]),
        plant.stream(&format!("/v1/events?after={id}"), &[]),
        // A browser repeats the query of its first connection: the header is newer.
        plant.stream("/v1/events?after=1.0.0.0", &[("last-event-id", &id)]),
    ] {
        let mut events = stream.collect(is_line("press-1", "STOPPED"));
        events.extend(stream.collect(is_line("press-1", "RUNNING")));
        assert_eq!(names(&events), ["hello", "interval", "line", "interval", "line"]);
        assert_eq!(events[1].data["state"], "open");
        assert_eq!(events[3].data["state"], "closed");
        let version = |event: &Event| event.data["version"].as_i64().unwrap();
        assert!(version(&events[2]) < version(&events[4]));
        assert!(version(&events[2]) > last.data["version"].as_i64().unwrap());
    }
    // Who stops within a record gets the whole of it again.
    let interval = plant.stream("/v1/events", &[("last-event-id", &id)]).until("interval");
    let within = interval.id.clone().unwrap();
    let again = plant.stream("/v1/events", &[("last-event-id", &within)]).until("interval");
    assert_eq!(again.data, interval.data);
}

#[test]
fn an_id_of_nobody_or_of_another_log_begins_anew() {
    let plant = Fixture::new();
    plant.register(&["press-1"], &[]);
    plant.report(&[("press-1", 0, "RUNNING")]);
    let now = jiff::Timestamp::now().as_millisecond();
    let mut minute = 0;
    for id in [
        "nonsense".to_owned(),
        "1.0.1.1".to_owned(),
        format!("1.{now:x}.0.0.0"),
        format!("1.{now:x}.ffff.0"),
        "1.0.5.0".to_owned(),
    ] {
        let mut stream = plant.stream("/v1/events", &[("last-event-id", &id)]);
        assert_eq!(stream.next().unwrap().name, "hello");
        assert_eq!(stream.next().unwrap().name, "reset", "{id}");
        minute += 1;
        plant.tell(&[("press-1", minute, if minute % 2 == 0 { "RUNNING" } else { "IDLE" })]);
        stream.until("line");
    }
}

#[test]
fn who_falls_behind_is_told_to_read_again() {
    let events = EventsConfig { records_max: 20, wait_ms_max: 20, ..EventsConfig::default() };
    let plant = Fixture::build(true, ApiConfig::default(), 1, events);
    let lines: Vec<String> = (0..15).map(|number| format!("line-{number}")).collect();
    plant.register(&lines.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    let mut stream = plant.stream("/v1/events", &[]);
    let all =
        |minute, status| -> Vec<_> { lines.iter().map(|line| (line.as_str(), minute, status)).collect() };
    // More than the ring keeps, before the client takes anything but what is in flight already.
    for minute in 0..5 {
        plant.report(&all(minute, if minute % 2 == 0 { "STOPPED" } else { "RUNNING" }));
    }
    let events = stream.collect(|event| event.name == "reset");
    let count = events.iter().filter(|event| event.name == "line").count();
    assert!(count < 5 * lines.len(), "{count}");
    // What it reads then, with what comes after, is all there is.
    assert_eq!(plant.get("/v1/lines/line-0").json()["status"], "STOPPED");
    plant.tell(&all(10, "FAULTED"));
    let mut faulted = Vec::new();
    while faulted.len() < lines.len() {
        let event = stream.until("line");
        if event.data["status"] == "FAULTED" {
            faulted.push(event.data["line_id"].as_str().unwrap().to_owned());
        }
    }
    faulted.sort();
    faulted.dedup();
    assert_eq!(faulted.len(), lines.len());
    let metrics = plant.metric("api_stream_resets_total");
    assert!(metrics >= 1.0, "{metrics}");
}

#[test]
fn a_client_before_the_views_hears_when_they_can_be_read() {
    let plant = Fixture::new();
    plant.register(&["press-1"], &[]);
    plant.report(&[("press-1", 0, "RUNNING")]);
    // Events of a process that began later, over views that are being made anew.
    let mut late = Fixture::beside(&plant);
    let mut stream = late.stream("/v1/events", &[]);
    assert_eq!(stream.next().unwrap().name, "hello");
    let before = stream.until("progress");
    assert_eq!(before.data["as_of"], Value::Null);
    assert_eq!(late.get("/v1/lines/press-1").status, 404);
    late.project();
    stream.until("reset");
    assert_eq!(late.get("/v1/lines/press-1").status, 200);
}

#[test]
fn there_are_no_more_streams_than_the_limit() {
    let plant = Fixture::with(true, ApiConfig { streams_max: 2, ..ApiConfig::default() });
    let first = plant.stream("/v1/events", &[]);
    let _second = plant.stream("/v1/events", &[]);
    let refused = plant.get("/v1/events");
    assert_eq!(refused.status, 503);
    assert_eq!(refused.header("retry-after"), "1");
    drop(first);
    plant.until("the place to be free again", || plant.metric("api_stream_clients") < 2.0);
    let mut third = plant.stream("/v1/events", &[]);
    assert_eq!(third.next().unwrap().name, "hello");
}

#[test]
fn a_client_that_takes_nothing_loses_its_place_and_holds_up_nobody() {
    let config = ApiConfig { stream_stall_ms_max: 500, ..ApiConfig::default() };
    let plant = Fixture::with(true, config);
    plant.register(&["press-1"], &[]);
    let _deaf = plant.stream("/v1/events", &[]);
    let mut other = plant.stream("/v1/events", &[]);
    plant.tell(&[("press-1", 1, "STOPPED")]);
    other.collect(is_line("press-1", "STOPPED"));
    plant.until("the deaf one to be given up", || plant.metric("api_streams_stalled_total") >= 1.0);
    drop(other);
    plant.until("both places to be free", || plant.metric("api_stream_clients") < 1.0);
}

#[test]
fn streams_end_when_the_server_drains() {
    let plant = Fixture::new();
    let address = plant.listen();
    let mut streams: Vec<TcpStream> = (0..3)
        .map(|_| {
            let mut socket = TcpStream::connect(address).unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            socket
                .write_all(b"GET /v1/events HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
                .unwrap();
            socket
        })
        .collect();
    plant.until("them to be open", || plant.metric("api_stream_clients") >= 3.0);
    plant.stop_http.send_replace(true);
    for socket in &mut streams {
        let mut text = String::new();
        socket.read_to_string(&mut text).unwrap();
        assert!(text.contains("event: hello"), "{text}");
        assert!(text.ends_with("\r\n0\r\n\r\n"), "the body ends as it should: {text}");
    }
    assert_eq!(plant.get("/v1/events").status, 503);
}
