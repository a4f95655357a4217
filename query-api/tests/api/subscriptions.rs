//! Following a line: the address goes in once, and never comes out.

use andon_query_api::ApiConfig;
use serde_json::json;

use crate::support::Fixture;

const ADDRESS: &str = "Anna@plant.example";

#[test]
fn a_subscription_is_made_once_edited_found_and_ended() {
    let plant = Fixture::new();
    let body = json!({ "email": ADDRESS, "node": "site/hall-1", "notify_after": "PT5M", "class": "unplanned",
        "locale": "es", "zone": "Europe/Madrid" });
    let made = plant.send("POST", "/v1/subscriptions", &body);
    assert_eq!(made.status, 201, "{}", made.body);
    let json = made.json();
    let path = made.header("location").to_owned();
    assert_eq!(path, format!("/v1/subscriptions/{}", json["id"].as_str().unwrap()));
    assert_eq!((json["notify_after"].as_str(), json["class"].as_str()), (Some("PT5M"), Some("unplanned")));

    let again = json!({ "email": " Anna@PLANT.example ", "node": "site/hall-1" });
    assert_eq!(plant.send("POST", "/v1/subscriptions", &again).status, 409);
    let other = json!({ "email": ADDRESS, "node": "press-1" });
    let other = plant.send("POST", "/v1/subscriptions", &other);
    assert_eq!(other.status, 201);
    assert_eq!(other.json()["subscriber_id"], json["subscriber_id"]);
    assert_eq!(other.json()["locale"], "es", "a second one does not take the language away");

    let edited = plant.send("PATCH", &path, &json!({ "notify_after": "PT0S", "class": null }));
    assert_eq!(edited.status, 200, "{}", edited.body);
    assert_eq!(edited.json()["class"], json!(null));
    assert_eq!(edited.json()["created_at"], json["created_at"]);
    assert_eq!(plant.get(&path).json()["notify_after"], "PT0S");

    let found = plant.send("POST", "/v1/subscriptions/search", &json!({ "email": ADDRESS }));
    assert_eq!(found.json()["items"].as_array().unwrap().len(), 2);
    let nobody = plant.send("POST", "/v1/subscriptions/search", &json!({ "email": "ben@plant.example" }));
    assert_eq!((nobody.status, nobody.json()["items"].clone()), (200, json!([])));

    for answer in [&made, &other, &edited, &found] {
        assert!(!answer.body.to_lowercase().contains("anna"), "{}", answer.body);
    }
    assert_eq!(plant.call("DELETE", &path, "", "").status, 204);
    assert_eq!(plant.get(&path).status, 404);
    assert_eq!(plant.send("POST", "/v1/subscriptions", &body).status, 201, "it can be made again");
}

#[test]
fn an_erased_address_is_in_no_file_any_more() {
    let plant = Fixture::new();
    let made =
        plant.send("POST", "/v1/subscriptions", &json!({ "email": ADDRESS, "node": "press-1" })).json();
    let path = format!("/v1/subscribers/{}", made["subscriber_id"].as_str().unwrap());
    assert_eq!(plant.call("DELETE", &path, "", "").status, 204);
    assert_eq!(plant.call("DELETE", &path, "", "").status, 404);
    let id = made["id"].as_str().unwrap();
    assert_eq!(plant.get(&format!("/v1/subscriptions/{id}")).status, 404);
    for entry in std::fs::read_dir(plant.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        assert!(!text.contains("anna@plant.example"), "{}", path.display());
    }
}

#[test]
fn what_the_views_do_not_show_in_time_is_accepted() {
    let plant = Fixture::with(false, ApiConfig { settle_ms_max: 20, ..ApiConfig::default() });
    let body = json!({ "email": ADDRESS, "node": "press-1" });
    assert_eq!(plant.send("POST", "/v1/subscriptions", &body).status, 202);
    assert_eq!(plant.send("PUT", "/v1/lines/press-1", &json!({})).status, 202);
}

#[test]
fn what_makes_no_sense_is_refused_by_its_field() {
    let plant = Fixture::new();
    for (body, status, field) in [
        (json!({ "email": "anna", "node": "a" }), 422, "email"),
        (json!({ "email": "a@b.example\r\nBcc: c@d.example", "node": "a" }), 422, "email"),
        (json!({ "email": ADDRESS, "node": "" }), 422, "node"),
        (json!({ "email": ADDRESS, "node": "a//b" }), 422, "node"),
        (json!({ "email": ADDRESS, "node": "a/".repeat(40) + "a" }), 422, "node"),
        (json!({ "email": ADDRESS, "node": "a", "notify_after": "5 minutes" }), 422, "notify_after"),
        (json!({ "email": ADDRESS, "node": "a", "notify_after": "-PT5M" }), 422, "notify_after"),
        (json!({ "email": ADDRESS, "node": "a", "class": "sudden" }), 422, "class"),
        (json!({ "email": ADDRESS, "node": "a", "locale": "tlh" }), 422, "locale"),
        (json!({ "email": ADDRESS, "node": "a", "zone": "Mars/Olympus" }), 422, "zone"),
        (json!({ "email": ADDRESS }), 422, ""),
        (json!({ "email": ADDRESS, "node": "a", "phone": "1" }), 422, ""),
        (json!(["email"]), 422, ""),
    ] {
        let answer = plant.send("POST", "/v1/subscriptions", &body);
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let wanted: Vec<String> = if field.is_empty() { Vec::new() } else { vec![field.to_owned()] };
        assert_eq!(answer.fields(), wanted, "{body}");
        assert!(!answer.body.contains("anna@") && !answer.body.contains("Anna@"), "{}", answer.body);
    }
    let found = plant.send("POST", "/v1/subscriptions/search", &json!({ "email": ADDRESS })).json();
    assert_eq!(found["items"], json!([]));
}
