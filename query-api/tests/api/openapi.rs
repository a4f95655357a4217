//! The document of the API: that it names every route, and that answers are what it says.

use std::collections::{BTreeMap, BTreeSet};

use andon_query_api::ApiConfig;
use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::support::{Answer, Fixture};

const METHODS: [&str; 7] = ["GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "TRACE"];

/// Pages for people, which are no interface.
const PAGES: [&str; 9] = [
    "/",
    "/lines/{line}",
    "/downtime",
    "/subscriptions",
    "/dead-letters",
    "/docs",
    "/favicon.ico",
    "/static/{name}",
    "/unsubscribe/{token}",
];

/// The document, and whether an answer is what it says.
struct Document {
    json: Value,
    validators: std::cell::RefCell<BTreeMap<String, Validator>>,
}

impl Document {
    fn of(plant: &Fixture) -> Self {
        let answer = plant.get("/openapi.json");
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
        Self { json: answer.json(), validators: Default::default() }
    }

    /// (path, method, operation) of each.
    fn operations(&self) -> impl Iterator<Item = (&str, String, &Value)> {
        let paths = self.json["paths"].as_object().unwrap();
        paths.iter().flat_map(|(path, item)| {
            let operations = item.as_object().unwrap();
            operations
                .iter()
                .map(move |(method, operation)| (path.as_str(), method.to_uppercase(), operation))
        })
    }

    /// Whether a value is what the schema at a place of the document says.
    #[track_caller]
    fn check(&self, pointer: &str, value: &Value, what: &str) {
        let mut validators = self.validators.borrow_mut();
        let validator = validators.entry(pointer.to_owned()).or_insert_with(|| {
            let mut schema = self.json.pointer(pointer).unwrap().clone();
            schema["components"] = self.json["components"].clone();
            jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap()
        });
        let faults: Vec<String> = validator
            .iter_errors(value)
            .map(|fault| format!("{} at `{}`", fault, fault.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{what}: {faults:#?}\n{value:#}");
    }

    /// The template of a path; of the longest ones the first that fits.
    fn template(&self, path: &str) -> &str {
        let path = path.split('?').next().unwrap();
        let fits = |template: &str| {
            let (names, parts): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
            names.len() == parts.len()
                && names.iter().zip(&parts).all(|(name, part)| name.starts_with('{') || name == part)
        };
        let mut found: Vec<&str> = self.json["paths"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .filter(|path| fits(path))
            .collect();
        found.sort_by_key(|template| template.matches('{').count());
        found.first().unwrap_or_else(|| panic!("no path is like `{path}`"))
    }

    /// Whether an answer has a status, a content type, headers and a body that the document names.
    #[track_caller]
    fn check_answer(&self, method: &str, path: &str, answer: &Answer) {
        let what = format!("{method} {path} -> {}", answer.status);
        let template = self.template(path);
        let method = method.to_lowercase();
        let response = &self.json["paths"][template][&method]["responses"][answer.status.to_string()];
        assert!(response.is_object(), "{what}: the status is not in the document: {}", answer.body);
        let Some(content) = response["content"].as_object() else {
            assert_eq!(answer.body, "", "{what}");
            return;
        };
        let content_type = answer.header("content-type").split(';').next().unwrap();
        assert!(content.contains_key(content_type), "{what}: {content_type}");
        let escaped = |text: &str| text.replace('~', "~0").replace('/', "~1");
        let pointer = format!(
            "/paths/{}/{method}/responses/{}/content/{}/schema",
            escaped(template),
            answer.status,
            escaped(content_type)
        );
        let is_json = content_type.ends_with("json");
        let body = if is_json { answer.json() } else { Value::String(answer.body.clone()) };
        self.check(&pointer, &body, &what);
        for name in response["headers"].as_object().into_iter().flat_map(Map::keys) {
            assert!(answer.headers.contains_key(name), "{what}: no header `{name}`");
        }
    }
}

#[test]
fn the_document_names_the_routes_that_there_are_and_no_others() {
    let plant = Fixture::with(false, ApiConfig::default());
    let document = Document::of(&plant);
    assert_eq!(document.json["openapi"], "3.1.0");
    let documented: BTreeSet<(String, String)> =
        document.operations().map(|(path, method, _)| (method, path.to_owned())).collect();
    // The router tells its paths when it is printed, and the methods of each when asked with another one.
    let printed = plant.printed_router();
    let paths: BTreeSet<&str> = printed
        .split('"')
        .filter(|text| text.starts_with('/') && !text.contains([' ', '*']) && !PAGES.contains(text))
        .collect();
    assert!(paths.len() > 15, "{paths:?}");
    let mut routes = BTreeSet::new();
    for path in paths {
        let filled = path.replace(['{', '}'], "");
        let allowed = plant.call("BREW", &filled, "", "");
        assert_eq!(allowed.status, 405, "{path}");
        for method in allowed.header("allow").split(',').filter(|method| *method != "HEAD") {
            assert!(METHODS.contains(&method), "{path}: {method}");
            routes.insert((method.to_owned(), path.to_owned()));
        }
    }
    assert_eq!(documented, routes);
}

#[test]
fn every_operation_parameter_and_field_is_explained() {
    let plant = Fixture::with(false, ApiConfig::default());
    let document = Document::of(&plant);
    let mut ids = BTreeSet::new();
    let tags: Vec<&Value> =
        document.json["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    for (path, method, operation) in document.operations() {
        let what = format!("{method} {path}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{what}: an id stands twice");
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{what}");
        assert_eq!(operation["tags"].as_array().unwrap().len(), 1, "{what}");
        assert!(tags.contains(&&operation["tags"][0]), "{what}");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(!parameter["description"].as_str().unwrap().is_empty(), "{what}: {parameter}");
            assert!(parameter["schema"].is_object(), "{what}: {parameter}");
        }
        let named = path.matches('{').count();
        let given =
            operation["parameters"].as_array().into_iter().flatten().filter(|one| one["in"] == "path");
        assert_eq!(given.count(), named, "{what}");
        for (status, response) in operation["responses"].as_object().unwrap() {
            assert!(!response["description"].as_str().unwrap().is_empty(), "{what}: {status}");
        }
    }
    // Every name that something refers to is there, and nothing is left empty.
    let text = document.json.to_string();
    for (at, mark) in text.match_indices("#/components/schemas/") {
        let name = text[at + mark.len()..].split('"').next().unwrap();
        assert!(document.json["components"]["schemas"][name].is_object(), "{name}");
    }
    for (name, schema) in document.json["components"]["schemas"].as_object().unwrap() {
        let own = schema["properties"].as_object().into_iter().flatten();
        let of_parts = schema["allOf"].as_array().into_iter().flatten();
        let of_parts = of_parts.filter_map(|part| part["properties"].as_object()).flatten();
        for (field, meaning) in own.chain(of_parts).filter(|_| name != "Statuses" && name != "Problem") {
            let of_branches = meaning["oneOf"].as_array().into_iter().flatten();
            let is_said = [meaning]
                .into_iter()
                .chain(of_branches)
                .any(|meaning| meaning.get("description").is_some() || meaning.get("$ref").is_some());
            assert!(is_said, "`{field}` of {name} is not explained: {meaning}");
        }
        let keys = ["properties", "enum", "anyOf", "oneOf", "allOf", "maxLength", "pattern", "$ref"];
        let is_said = keys.iter().any(|key| schema.get(key).is_some());
        assert!(is_said || name == "Anything", "{name} says nothing: {schema}");
        for (index, example) in schema["examples"].as_array().into_iter().flatten().enumerate() {
            document.check(
                &format!("/components/schemas/{name}"),
                example,
                &format!("example {index} of {name}"),
            );
        }
    }
}

#[test]
fn the_limits_of_the_document_are_those_of_the_settings() {
    let config = ApiConfig { page_max: 7, page_default: 100, rows_max: 3, ..ApiConfig::default() };
    let document = Document::of(&Fixture::with(false, config));
    let limit = &document.json["paths"]["/v1/lines"]["get"]["parameters"][1];
    assert_eq!(
        (&limit["name"], &limit["schema"]["maximum"], &limit["schema"]["default"]),
        (&json!("limit"), &json!(7), &json!(7))
    );
    assert_eq!(document.json["components"]["schemas"]["StatusChanges"]["anyOf"][1]["maxItems"], 3);
}

#[test]
fn answers_are_what_the_document_says() {
    let plant = Fixture::new();
    let document = Document::of(&plant);
    plant.register(&["press-1", "weld-2", "silent-9"], &["site", "hall-1"]);
    plant.report(&[
        ("press-1", 0, "RUNNING"),
        ("press-1", 10, "STOPPED"),
        ("press-1", 20, "FAULTED"),
        ("press-1", 30, "RUNNING"),
        ("press-1", 40, "IDLE"),
        ("press-1", 50, "BLOCKED"),
        ("press-1", 20, "CHANGEOVER"),
        ("nobody", 20, "STOPPED"),
        ("weld-2", 5_000_000, "STOPPED"),
    ]);
    let check = |method: &str, path: &str, body: Option<Value>| -> Answer {
        let answer = match body {
            Some(body) => plant.send(method, path, &body),
            None => plant.call(method, path, "", ""),
        };
        document.check_answer(method, path, &answer);
        answer
    };
    let get = |path: &str, status: u16| {
        let answer = check("GET", path, None);
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        answer.json()
    };
    get("/v1/lines?limit=2", 200);
    get("/v1/lines/press-1", 200);
    get("/v1/lines/silent-9", 200);
    get("/v1/lines/other", 404);
    get("/v1/lines?limit=0", 400);
    get("/v1/lines/press-1/timeline?from=2026-01-05T06:00:00Z", 200);
    get("/v1/lines/press-1/downtime?kind=all", 200);
    assert_eq!(
        check("GET", "/v1/downtime?format=csv", None).header("content-type").split(';').next(),
        Some("text/csv")
    );
    let stop = get("/v1/downtime", 200)["items"][0].clone();
    get(&format!("/v1/downtime/{}", stop["id"].as_str().unwrap()), 200);
    get("/v1/downtime/79aba591-320e-5dae-9dbe-a818c78124e6", 404);
    get("/v1/downtime/7", 400);
    get("/v1/statuses", 200);
    get("/v1/lines/press-1/deliveries", 200);
    get("/v1/incidents/79aba591-320e-5dae-9dbe-a818c78124e6/deliveries", 200);
    let dead = get("/v1/dead-letters", 200)["items"].as_array().unwrap().clone();
    assert_eq!(dead.len(), 3, "one that is too late, one of an unknown line, one from the future");
    for letter in &dead {
        get(&format!("/v1/dead-letters/{}", letter["id"].as_str().unwrap()), 200);
    }
    let letter = dead.iter().find(|letter| letter["reason"] != "TOO_LATE").unwrap()["id"].as_str().unwrap();
    check("POST", &format!("/v1/dead-letters/{letter}/redrive"), None);
    check("POST", &format!("/v1/dead-letters/{letter}/discard"), None);
    check("POST", "/v1/dead-letters/79aba591-320e-5dae-9dbe-a818c78124e6/discard", None);
    let entry = json!({ "path": ["site"], "allowed_lateness": "PT1H", "degraded_is_down": true });
    assert_eq!(check("PUT", "/v1/lines/weld-2", Some(entry)).status, 200);
    assert_eq!(check("PUT", "/v1/lines/weld-2", Some(json!({ "events_max": 0 }))).status, 422);
    let row = json!({ "line_id": "press-1", "event_time": "2026-01-05T07:00:00Z", "status": "RUNNING" });
    assert_eq!(check("POST", "/v1/line-status", Some(row)).status, 202);
    assert_eq!(check("POST", "/v1/line-status", Some(json!([{ "line_id": "a" }]))).status, 422);
    assert_eq!(check("POST", "/v1/line-status", Some(json!(5))).status, 400);
    let anna =
        json!({ "email": "anna@plant.example", "node": "press-1", "notify_after": "PT5M", "locale": "es" });
    let made = check("POST", "/v1/subscriptions", Some(anna.clone()));
    assert_eq!(made.status, 201);
    assert_eq!(check("POST", "/v1/subscriptions", Some(anna)).status, 409);
    let found =
        check("POST", "/v1/subscriptions/search", Some(json!({ "email": "anna@plant.example" }))).json();
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    let path = made.header("location");
    get(path, 200);
    assert_eq!(check("PATCH", path, Some(json!({ "class": null, "zone": "Europe/Madrid" }))).status, 200);
    assert_eq!(check("DELETE", path, None).status, 204);
    assert_eq!(check("DELETE", path, None).status, 404);
    let subscriber = format!("/v1/subscribers/{}", made.json()["subscriber_id"].as_str().unwrap());
    assert_eq!(check("DELETE", &subscriber, None).status, 204);
    assert_eq!(check("DELETE", "/v1/lines/silent-9", None).status, 204);
    let tag = plant.get("/openapi.json").header("etag").to_owned();
    assert_eq!(plant.call_with("GET", "/openapi.json", &[("if-none-match", &tag)], "").status, 304);
    plant.log.close();
    let row = json!({ "line_id": "press-1", "event_time": "2026-01-05T07:00:00Z", "status": "IDLE" });
    assert_eq!(check("POST", "/v1/line-status", Some(row)).status, 503);
}
