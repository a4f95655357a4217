//! The words of the API, each described once: what a status is, how a time is written, what a row may hold.

use andon_domain::{
    Cause, CommandKind, DowntimeClass, Kind, LineClass, LineId as DomainLineId, LineStatus, Vocabulary,
};
use andon_schemas::{DeadLetterReason, TEXT_BYTES_MAX};
use andon_store::DeliveryState as StoreDeliveryState;
use serde_json::{Value, json};
use utoipa::openapi::schema::Object;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::ApiConfig;
use crate::settings::PATH_LEN_MAX;

macro_rules! words {
    ($($word:ident)*) => { $(
        pub(crate) struct $word;

        impl PartialSchema for $word {
            /// A place that [`definitions`] fills.
            fn schema() -> RefOr<Schema> {
                Object::new().into()
            }
        }

        impl ToSchema for $word {}
    )* };
}

words! {
    Anything Id LineId Node Instant Duration Status Class ClassOfDowntime CauseOfDowntime KindOfRun StateOfRun Text
    StreamedEvent StatusChanges Accepted Statuses KindOfMessage StateOfDelivery ReasonOfDeadLetter
    Resolution SubscriptionEdit
}

/// A line id of the path and of bodies: what [`DomainLineId::check`] takes, as far as a schema can say it.
pub(super) const LINE_PATTERN: &str = "^[^/\\u0000-\\u001f\\u007f-\\u009f]+$";

const INSTANT: &str = "2026-11-24T06:00:00.000Z";

/// What each word means.
pub(super) fn definitions(config: &ApiConfig) -> Vec<(&'static str, Value)> {
    let one_of = |names: Vec<&str>, description: &str| json!({ "type": "string", "enum": names, "description": description });
    let statuses = || LineStatus::ALL.map(LineStatus::name).to_vec();
    let current: Vec<&str> = statuses().into_iter().filter(|name| *name != "NO_CHANGE").collect();
    let text = |description: &str| json!({ "type": ["string", "null"], "maxLength": TEXT_BYTES_MAX, "description": description });
    let unit = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    vec![
        ("Anything", json!({ "type": "object" })),
        (
            "Id",
            json!({
                "type": "string", "format": "uuid", "description": "A UUID in lower case, with hyphens.",
                "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
                "examples": ["79aba591-320e-5dae-9dbe-a818c78124e6"],
            }),
        ),
        (
            "LineId",
            json!({
                "type": "string", "minLength": 1, "maxLength": DomainLineId::BYTES_MAX, "pattern": LINE_PATTERN,
                "description": format!(
                    "The name of a line: 1 to {} bytes of UTF-8 in normalisation form C, without control characters and without `/`.",
                    DomainLineId::BYTES_MAX),
                "examples": ["press-1"],
            }),
        ),
        (
            "Node",
            json!({
                "type": "string", "minLength": 1, "maxLength": (DomainLineId::BYTES_MAX + 1) * PATH_LEN_MAX - 1,
                "description": format!(
                    "A node of the plant's tree: a line, or the names of its path with `/` between them, at most {PATH_LEN_MAX}."),
                "examples": ["site/hall-1"],
            }),
        ),
        (
            "Instant",
            json!({
                "type": "string", "format": "date-time", "maxLength": 64,
                "description": "An instant (RFC 3339). Answers give UTC with milliseconds.", "examples": [INSTANT],
            }),
        ),
        (
            "Duration",
            json!({
                "type": "string", "maxLength": 64, "pattern": "^P[0-9DTHMS.W]+$",
                "description": "An ISO 8601 duration of at most 100 years. A day has 24 hours; months and years have no length.",
                "examples": ["PT5M"],
            }),
        ),
        ("Status", one_of(current, "What a line does. `GET /v1/statuses` says what each status means.")),
        (
            "Class",
            one_of(
                [LineClass::Up, LineClass::Idle, LineClass::Down, LineClass::Unknown]
                    .map(LineClass::name)
                    .to_vec(),
                "What the status means for this line: producing, without an order, down, or nobody knows.",
            ),
        ),
        (
            "ClassOfDowntime",
            one_of(
                [DowntimeClass::Planned, DowntimeClass::Unplanned].map(DowntimeClass::name).to_vec(),
                "Whether a stop was meant to be.",
            ),
        ),
        (
            "CauseOfDowntime",
            one_of(
                [Cause::Internal, Cause::External, Cause::None].map(Cause::name).to_vec(),
                "Where the cause lies: in the line itself, before or behind it (starved, blocked), or nowhere.",
            ),
        ),
        (
            "KindOfRun",
            one_of(
                [Kind::Down, Kind::Idle, Kind::Unknown].map(Kind::name).to_vec(),
                "What sort of run: down, available without an order, or nobody knows.",
            ),
        ),
        ("StateOfRun", one_of(vec!["open", "closed"], "Whether it lasts.")),
        ("Text", text("A text from the plant, as it was reported.")),
        (
            "Vocabularies",
            one_of(
                Vocabulary::ALL.map(Vocabulary::name).to_vec(),
                "Whose words `status` and `source_status` are; `GET /v1/statuses` lists them.",
            ),
        ),
        (
            "KindOfMessage",
            one_of(
                [CommandKind::Down, CommandKind::Restored, CommandKind::Withdrawn, CommandKind::Unsubscribed]
                    .map(CommandKind::name)
                    .to_vec(),
                "What was to be said: the line is down; it runs again; we told you and it was not so; nothing, the subscriber left.",
            ),
        ),
        (
            "StateOfDelivery",
            one_of(
                StoreDeliveryState::ALL.map(StoreDeliveryState::name).to_vec(),
                "What became of it. `queued` and `sending` go on; `sent`, `refused`, `gave_up`, `expired`, `dropped`, `unsubscribed` and `erased` are final.",
            ),
        ),
        (
            "ReasonOfDeadLetter",
            one_of(
                DeadLetterReason::ALL.iter().map(|reason| reason.name()).collect(),
                "Why a report could not be used.",
            ),
        ),
        ("Resolution", one_of(vec!["redriven", "discarded"], "How it was dealt with.")),
        (
            "Problem",
            json!({
                "type": "object", "required": ["type", "title", "status"],
                "description": "A refusal (RFC 9457).",
                "properties": {
                    "type": { "type": "string", "const": "about:blank" },
                    "title": { "type": "string", "description": "What sort of refusal, in words. Always the same for one sort." },
                    "status": { "type": "integer", "minimum": 400, "maximum": 599, "description": "The status of the answer." },
                    "detail": { "type": "string", "maxLength": 501, "description": "What is wrong with this request: the value got and the limit." },
                    "errors": {
                        "type": "array", "maxItems": 1_000, "description": "What is wrong with which field, of which row.",
                        "items": { "type": "object", "required": ["field", "detail"], "properties": {
                            "row": { "type": "integer", "minimum": 1, "description": "Number of the row, from 1." },
                            "field": { "type": "string", "description": "Name of the field, or `row` for the row as a whole." },
                            "detail": { "type": "string", "maxLength": 501 },
                        } },
                    },
                },
                "examples": [{
                    "type": "about:blank", "title": "the request makes no sense", "status": 400,
                    "detail": "`limit` is a whole number from 1 to 1000",
                }],
            }),
        ),
        (
            "StatusChange",
            json!({
                "type": "object", "additionalProperties": false, "required": ["line_id", "event_time"],
                "anyOf": [
                    { "required": ["status"], "properties": { "status": { "type": "string", "minLength": 1 } } },
                    { "required": ["source_status"], "properties": { "source_status": { "type": "string", "minLength": 1 } } },
                ],
                "description": "What a line does from an instant on. Late and future times are accepted here; the fold decides about them.",
                "properties": {
                    "event_id": { "oneOf": [{ "type": ["string", "null"], "maxLength": 0 }, unit("Id")],
                        "description": "Identity of the report, so that a resend is no second one. Without it: UUIDv5 of line, time, status, source and sequence." },
                    "line_id": unit("LineId"),
                    "event_time": { "type": "string", "format": "date-time", "maxLength": 64, "description": "When it happened, by the controller's clock, with an offset." },
                    "status": { "type": ["string", "null"], "maxLength": TEXT_BYTES_MAX,
                        "description": "One of Andon's statuses, or a word of the `vocabulary`. `NO_CHANGE` is a sign of life." },
                    "sequence": { "type": ["integer", "null"], "minimum": i64::MIN, "maximum": i64::MAX, "description": "The controller's own counter; orders reports of one instant." },
                    "reason_code": text("Code from the plant's reason catalogue."),
                    "source": text("Who says so: controller, gateway or operator station."),
                    "source_status": text("The controller's own word. Alone it may be anything: what no vocabulary maps is `UNKNOWN`."),
                },
                "examples": [{
                    "event_id": "79aba591-320e-5dae-9dbe-a818c78124e6", "line_id": "press-1",
                    "event_time": "2026-11-24T06:00:00Z", "status": "FAULTED", "reason_code": "E-17",
                }],
            }),
        ),
        (
            "StatusChanges",
            json!({
                "anyOf": [unit("StatusChange"), { "type": "array", "maxItems": config.rows_max, "items": unit("StatusChange") }],
                "description": "One status change, or an array of them.",
            }),
        ),
        (
            "StreamedEvent",
            json!({
                "type": "object", "required": ["event", "data"], "description": "One event of the stream.",
                "properties": {
                    "event": {
                        "type": "string", "description": "What it is about.",
                        "enum": ["hello", "line", "interval", "retracted", "directory", "progress", "reset"],
                    },
                    "data": { "type": "string", "contentMediaType": "application/json", "description": "JSON, by the name of the event." },
                    "id": { "type": "string", "description": "Where the stream goes on after it, for `last-event-id`." },
                    "retry": { "type": "integer", "description": "After how many ms to connect again." },
                },
            }),
        ),
        (
            "Accepted",
            json!({
                "type": "object", "required": ["accepted"], "properties": {
                    "accepted": { "type": "integer", "minimum": 0, "description": "How many status changes were stored for good." },
                }, "examples": [{ "accepted": 1169 }],
            }),
        ),
        (
            "SubscriptionEdit",
            json!({
                "type": "object", "additionalProperties": false, "description": "What is absent stays as it is.",
                "properties": {
                    "notify_after": { "oneOf": [{ "type": "null" }, unit("Duration")], "description": "Tell only of stops that last at least this long." },
                    "class": { "oneOf": [{ "type": "null" }, unit("ClassOfDowntime")], "description": "Null: every class." },
                    "locale": { "type": ["string", "null"], "enum": ["en", "es", null], "description": "Language of the mails." },
                    "zone": { "type": ["string", "null"], "maxLength": 64, "description": "IANA time zone of the mails." },
                },
                "examples": [{ "notify_after": "PT10M", "class": "unplanned" }],
            }),
        ),
        (
            "Statuses",
            json!({
                "type": "object", "required": ["items", "next_cursor", "as_of", "vocabularies"],
                "properties": {
                    "items": { "type": "array", "items": {
                        "type": "object",
                        "required": ["status", "class", "class_where_degraded_is_down", "downtime_class", "cause"],
                        "properties": {
                            "status": { "type": "string", "enum": statuses() },
                            "class": { "oneOf": [{ "type": "null" }, unit("Class")] },
                            "class_where_degraded_is_down": { "oneOf": [{ "type": "null" }, unit("Class")],
                                "description": "The class on a line whose settings say that `DEGRADED` is down." },
                            "downtime_class": { "oneOf": [{ "type": "null" }, unit("ClassOfDowntime")] },
                            "cause": unit("CauseOfDowntime"),
                        },
                    } },
                    "next_cursor": { "type": "null" }, "as_of": { "type": "null" },
                    "vocabularies": { "type": "array", "items": {
                        "type": "object", "required": ["name", "words"], "properties": {
                            "name": unit("Vocabularies"),
                            "words": { "type": "array", "items": {
                                "type": "object", "required": ["word", "status"],
                                "properties": { "word": { "type": "string" }, "status": { "type": "string", "enum": statuses() } },
                            } },
                        },
                    } },
                },
            }),
        ),
    ]
}

/// The limits of a body, and what a body of rows looks like in each format.
pub(super) fn complete_body(operation: &mut Value, config: &ApiConfig) {
    let max = config.body_bytes_max;
    let limit = match operation["operationId"].as_str() {
        Some("ingest") => format!("At most {} rows and {max} bytes.", config.rows_max),
        Some(_) | None => format!("At most {max} bytes."),
    };
    let Some(body) = operation.get_mut("requestBody") else { return };
    body["required"] = json!(true);
    let description = format!("{} {limit}", body["description"].as_str().unwrap_or_default());
    body["description"] = json!(description.trim());
    if let Some(content) = body["content"].as_object_mut() {
        for (content_type, example) in [
            (
                "application/x-ndjson",
                "{\"line_id\":\"press-1\",\"event_time\":\"2026-11-24T06:00:00Z\",\"status\":\"FAULTED\"}\n\
                 {\"line_id\":\"press-1\",\"event_time\":\"2026-11-24T06:12:00Z\",\"status\":\"RUNNING\"}\n",
            ),
            (
                "text/csv",
                "line_id,event_time,status,reason_code\n\
                 press-1,2026-11-24T06:00:00Z,FAULTED,E-17\npress-1,2026-11-24T06:12:00Z,RUNNING,\n",
            ),
        ] {
            if let Some(content) = content.get_mut(content_type) {
                content["schema"] = json!({ "type": "string", "maxLength": max });
                content["example"] = json!(example);
            }
        }
    }
}
