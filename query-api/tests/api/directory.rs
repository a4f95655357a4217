//! Lines' entries and subscriptions as the directory holds them: edited, sent twice, sent at once.

use andon_domain::DirectoryChange;
use andon_log::Topic;
use andon_query_api::ApiConfig;
use andon_schemas::decode_directory;
use serde_json::json;

use crate::support::Fixture;

#[test]
fn a_line_s_entry_is_shown_as_it_was_put() {
    let plant = Fixture::new();
    let body = json!({ "path": ["site", "hall 1"], "allowed_lateness": "P1DT1H", "events_max": 100_000,
        "degraded_is_down": true, "expect_signal_every": "PT1S", "retired": true });
    let put = plant.send("PUT", "/v1/lines/a", &body);
    let wanted = json!({ "line_id": "a", "path": ["site", "hall 1", "a"], "allowed_lateness": "PT25H",
        "events_max": 100_000, "degraded_is_down": true, "expect_signal_every": "PT1S", "retired": true });
    assert_eq!((put.status, put.json()), (200, wanted.clone()));
    // What was answered can be sent back as it is, but for the name of the line: the line stands in the path.
    let mut again = wanted.clone();
    again.as_object_mut().unwrap().remove("line_id");
    assert_eq!(plant.send("PUT", "/v1/lines/a", &again).json(), wanted);

    let plain = plant.send("PUT", "/v1/lines/a", &json!({})).json();
    let none = json!({ "line_id": "a", "path": ["a"], "allowed_lateness": null, "events_max": null,
        "degraded_is_down": null, "expect_signal_every": null, "retired": false });
    assert_eq!(plain, none, "an entry is replaced whole");
    assert_eq!(plant.call("DELETE", "/v1/lines/a", "", "").status, 204);

    // The directory keeps the newest record of a key alone, so what was appended is looked at instead.
    let batches = plant.appends.batches.lock().unwrap();
    let outputs = batches.iter().flat_map(|batch| batch.iter());
    let changes: Vec<_> = outputs
        .map(|output| {
            assert_eq!((output.topic, output.partition), (Topic::Directory, 0));
            decode_directory(output.key, output.value).unwrap()
        })
        .collect();
    assert_eq!(changes.len(), 4);
    let DirectoryChange::Line(line, entry) = &changes[0] else { panic!("{:?}", changes[0]) };
    assert_eq!((line.as_str(), entry.settings.allowed_lateness_ms), ("a", Some(90_000_000)));
    assert_eq!((entry.settings.expect_signal_every_ms, entry.is_retired), (Some(1_000), true));
    assert_eq!(changes[3], DirectoryChange::LineRemoved(line.clone()));
}

#[test]
fn an_edit_changes_what_it_names_and_nothing_of_a_wrong_one() {
    let plant = Fixture::new();
    let body =
        json!({ "email": "anna@plant.example", "node": "a", "notify_after": "PT5M", "class": "planned" });
    let made = plant.send("POST", "/v1/subscriptions", &body);
    let path = made.header("location").to_owned();
    let mut shown = made.json();
    assert_eq!((&shown["locale"], &shown["zone"]), (&json!("en"), &json!("UTC")));
    for (edit, changes) in [
        (json!({}), vec![]),
        (json!({ "notify_after": null, "locale": null }), vec![]),
        (json!({ "locale": "es" }), vec![("locale", json!("es"))]),
        (json!({ "zone": "Europe/Madrid" }), vec![("zone", json!("Europe/Madrid"))]),
        (json!({ "class": "unplanned" }), vec![("class", json!("unplanned"))]),
        (
            json!({ "class": null, "notify_after": "P1D" }),
            vec![("class", json!(null)), ("notify_after", json!("PT24H"))],
        ),
    ] {
        for (name, value) in changes {
            shown[name] = value;
        }
        let edited = plant.send("PATCH", &path, &edit);
        assert_eq!((edited.status, edited.json()), (200, shown.clone()), "{edit}");
        assert_eq!(plant.get(&path).json(), shown, "{edit}");
    }
    for (edit, status) in [
        (json!({ "notify_after": "PT1M", "zone": "Mars/Olympus" }), 422),
        (json!({ "locale": "es", "zone": "UTC", "class": "sudden" }), 422),
        (json!({ "notify_after": "-PT1M", "locale": "en" }), 422),
        (json!({ "node": "b" }), 422),
        (json!({ "email": "ben@plant.example" }), 422),
        (json!([]), 422),
    ] {
        assert_eq!(plant.send("PATCH", &path, &edit).status, status, "{edit}");
        assert_eq!(plant.get(&path).json(), shown, "{edit}");
    }
    assert_eq!(plant.call("PATCH", &path, "text/plain", "{}").status, 415);
    assert_eq!(plant.call("PATCH", &path, "application/json", "{").status, 400);
}

#[test]
fn a_subscription_that_the_views_do_not_show_yet_is_the_same_one_when_it_is_sent_again() {
    let plant = Fixture::with(false, ApiConfig { settle_ms_max: 5, ..ApiConfig::default() });
    let body = json!({ "email": "anna@plant.example", "node": "a" });
    let first = plant.send("POST", "/v1/subscriptions", &body);
    let second = plant.send("POST", "/v1/subscriptions", &body);
    assert_eq!((first.status, second.status), (202, 202));
    assert_eq!(first.header("location"), second.header("location"));
    assert_eq!(first.json()["subscriber_id"], second.json()["subscriber_id"]);
}

#[test]
fn an_address_sent_many_times_at_once_is_one_subscriber() {
    let plant = Fixture::new();
    let statuses: Vec<(u16, String)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|number| {
                let plant = &plant;
                scope.spawn(move || {
                    let body = json!({ "email": "Anna@PLANT.example", "node": format!("n-{}", number % 4) });
                    let answer = plant.send("POST", "/v1/subscriptions", &body);
                    (answer.status, answer.json()["subscriber_id"].as_str().unwrap_or_default().to_owned())
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut ids: Vec<&str> =
        statuses.iter().filter(|(status, _)| *status == 201).map(|(_, id)| id.as_str()).collect();
    assert!(statuses.iter().all(|(status, _)| matches!(status, 201 | 409)), "{statuses:?}");
    assert!(ids.len() >= 4, "each node is followed: {statuses:?}");
    ids.dedup();
    assert_eq!(ids.len(), 1, "{statuses:?}");
    let search = json!({ "email": "Anna@plant.example" });
    let found = plant.send("POST", "/v1/subscriptions/search", &search).json();
    let nodes: Vec<&str> =
        found["items"].as_array().unwrap().iter().map(|item| item["node"].as_str().unwrap()).collect();
    assert_eq!(nodes, ["n-0", "n-1", "n-2", "n-3"]);
}
