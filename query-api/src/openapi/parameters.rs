//! The parameters of the API. One name means the same wherever it stands.

use serde_json::{Value, json};

use super::words::LINE_PATTERN;
use crate::ApiConfig;

/// Says of each parameter of an operation what it is.
pub(super) fn complete(operation: &mut Value, config: &ApiConfig) {
    let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) else { return };
    for parameter in parameters {
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        let is_in_path = parameter["in"] == "path";
        let (description, schema, example) = meaning(&name, is_in_path, config);
        parameter["description"] = json!(description);
        parameter["schema"] = schema;
        parameter["required"] = json!(is_in_path);
        if !example.is_null() {
            parameter["example"] = example;
        }
    }
}

/// Description, schema and example of a parameter.
fn meaning(name: &str, is_in_path: bool, config: &ApiConfig) -> (String, Value, Value) {
    let unit = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let (description, schema, example) = match name {
        "line" if is_in_path => (
            "The line, percent-encoded.",
            json!({ "type": "string", "minLength": 1, "maxLength": 200, "pattern": LINE_PATTERN }),
            json!("press-1"),
        ),
        "line" => ("Only of this line. Not together with `area`.", unit("LineId"), Value::Null),
        "id" | "incident" => ("Its id.", unit("Id"), json!("79aba591-320e-5dae-9dbe-a818c78124e6")),
        "area" => ("Only of the lines at or under this node, at most 5,000.", unit("Node"), Value::Null),
        "kind" => (
            "Only runs of this kind; `all` takes every kind.",
            json!({ "type": "string", "enum": ["down", "idle", "unknown", "all"], "default": "down" }),
            Value::Null,
        ),
        "from" => ("Start of the window.", unit("Instant"), json!("2026-11-24T06:00:00Z")),
        "to" => (
            "End of the window, excluded; later than `from`.",
            unit("Instant"),
            json!("2026-11-25T06:00:00Z"),
        ),
        "after" => (
            "`id` of the last event that was taken; what came since comes first.",
            json!({ "type": "string", "maxLength": 4_096, "pattern": "^1(\\.[0-9a-f]+)+$" }),
            Value::Null,
        ),
        "last-event-id" => (
            "As `after`, which it overrides: a browser that connects again sends it by itself.",
            json!({ "type": "string" }),
            Value::Null,
        ),
        "limit" => (
            "Most items of the page.",
            json!({
                "type": "integer", "minimum": 1, "maximum": config.page_max,
                "default": config.page_default.min(config.page_max),
            }),
            Value::Null,
        ),
        "cursor" => (
            "`next_cursor` of the page before, of the same query.",
            json!({ "type": "string", "minLength": 18, "maxLength": 2_048, "pattern": "^[0-9a-f]+$" }),
            Value::Null,
        ),
        "format" => (
            "`csv` exports the whole window as CSV, as `accept: text/csv` does.",
            json!({ "type": "string", "enum": ["json", "csv"], "default": "json" }),
            Value::Null,
        ),
        "vocabulary" => ("Whose words the rows use.", unit("Vocabularies"), json!("packml")),
        "reason" => ("Only those of this reason.", unit("ReasonOfDeadLetter"), Value::Null),
        "redundant" => (
            "Also those that say what the views say anyway.",
            json!({ "type": "boolean", "default": false }),
            Value::Null,
        ),
        "resolved" => {
            ("Also those that were dealt with.", json!({ "type": "boolean", "default": false }), Value::Null)
        }
        _ => ("", Value::Null, Value::Null),
    };
    (description.to_owned(), schema, example)
}
