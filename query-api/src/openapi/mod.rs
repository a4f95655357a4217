//! The document of the API (OpenAPI 3.1). What a handler takes and answers stands at the handler, and registering it in
//! the router is what puts it here; what is the same everywhere (words, parameters, refusals, limits) is added here.

mod parameters;
mod refusals;
pub(crate) mod words;

use std::sync::Arc;

use andon_store::TokenScope;
use axum::Extension;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};

use crate::ApiConfig;
use crate::cursor;
use crate::guard::{Access, ROUTES};
use crate::params::Params;
use crate::problem::Answer;
use crate::respond::is_known;

const INTRODUCTION: &str = "\
Andon watches production lines: line controllers say what their line does, Andon says what stopped, when, how long and why.

**Times** are RFC 3339; answers give them in UTC with milliseconds, requests may use any offset. **Durations** in ms end in \
`_ms`; those that people write are ISO 8601, as in `PT5M`.

**Lists** are pages: `items`, and `next_cursor`, which goes back as `cursor` with the same query until it is null. `as_of` is \
how fresh the answer is: every status change that Andon took before it is in it.

**A window** is `[from, to)`. An interval belongs to it if it overlaps it, and is given whole.

**Refusals** are problem documents (RFC 9457, `application/problem+json`). 400 and 422: change the request. 503: send the \
same again, which is safe for every request here, as it is after no answer at all. Unknown and repeated query parameters \
are refused, so that a typing error never widens a query.

**Fields** may be added to answers; none is renamed or removed within `/v1`.";

const TAGS: [(&str, &str); 8] = [
    ("lines", "What each line does now, what it did, and how it is registered."),
    ("downtime", "Intervals in which a line did not produce: what stopped, when, how long and why."),
    ("events", "What happens, as it happens."),
    ("status changes", "What line controllers report, and the words they may use."),
    ("subscriptions", "Who is told by mail, of what. Addresses stand in bodies alone, never in a URL."),
    ("deliveries", "Who was told what, and why not. No addresses."),
    ("dead letters", "Reports that could not be used: to be looked at, sent again or set aside."),
    ("meta", "About this interface."),
];

/// The document as it is served.
#[derive(Clone)]
pub(crate) struct Document(Arc<(Bytes, HeaderValue)>);

impl Document {
    /// Of what the handlers say about themselves.
    pub(crate) fn new(handlers: &utoipa::openapi::OpenApi, config: &ApiConfig) -> Self {
        let handlers = serde_json::to_value(handlers).expect("a document is JSON");
        let content = Bytes::from(complete(handlers, config).to_string());
        let tag = HeaderValue::from_str(&format!("\"{:016x}\"", cursor::hash(&content)))
            .expect("a number in hex between quotes is a header value");
        Self(Arc::new((content, tag)))
    }
}

/// `GET /openapi.json`
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "show_openapi", tag = "meta",
    summary = "This document",
    responses(
        (status = 200, description = "The document (OpenAPI 3.1).", body = words::Anything, headers(("etag" = String))),
        (status = 304, description = "It is what `if-none-match` names."),
    )
)]
pub(crate) async fn show(
    Extension(Document(document)): Extension<Document>,
    headers: HeaderMap,
    params: Params,
) -> Answer {
    params.only(&[])?;
    let (content, tag) = &*document;
    let mut response = if is_known(&headers, tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, "application/json")], content.clone()).into_response()
    };
    response.headers_mut().insert(header::ETAG, tag.clone());
    Ok(response)
}

fn complete(mut document: Value, config: &ApiConfig) -> Value {
    document["info"] = json!({
        "title": "Andon",
        "version": env!("CARGO_PKG_VERSION"),
        "summary": "What stopped, when, how long and why",
        "description": INTRODUCTION,
        "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
    });
    document["servers"] = json!([{ "url": "/", "description": "The andon that serves this document" }]);
    document["tags"] =
        TAGS.iter().map(|(name, description)| json!({ "name": name, "description": description })).collect();
    document["components"]["securitySchemes"] = json!({ "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token of the API (`andon token create`). Without tokens Andon listens on this machine alone \
                        and asks for none.",
    } });
    complete_schemas(&mut document["components"]["schemas"], config);
    for (path, operations) in document["paths"].as_object_mut().into_iter().flatten() {
        for (method, operation) in operations.as_object_mut().into_iter().flatten() {
            let access = access(&method.to_ascii_uppercase(), path);
            parameters::complete(operation, config);
            refusals::complete(operation, access);
            words::complete_body(operation, config);
            tell_access(operation, access, config);
        }
    }
    document
}

/// What the guard asks for an operation. One without a row is refused to everybody, which a test would find.
fn access(method: &str, path: &str) -> Access {
    let row = ROUTES.iter().find(|row| row.method == method && row.path == path);
    row.map_or(Access::Free, |row| row.access)
}

/// Says which token an operation takes. None is asked for as long as there is none.
fn tell_access(operation: &mut Value, access: Access, config: &ApiConfig) {
    let (scope, is_free) = match access {
        Access::Free => {
            operation["security"] = json!([]);
            return;
        }
        Access::Read => (TokenScope::Read, config.is_read_public),
        Access::Scope(scope) => (scope, false),
    };
    operation["security"] = json!([{}, { "bearer": [scope.name()] }]);
    if !is_free {
        let description = operation["description"].as_str().unwrap_or_default();
        let scope = format!("Needs a token of scope `{}`, once there are tokens.", scope.name());
        operation["description"] = json!(format!("{description}\n\n{scope}").trim());
    }
}

/// Puts in what the words mean. Every field of an answer is there, if only as null; of a request, what its type says.
fn complete_schemas(schemas: &mut Value, config: &ApiConfig) {
    for schema in schemas.as_object_mut().into_iter().flat_map(Map::values_mut) {
        let is_request = schema["additionalProperties"] == json!(false);
        let parts = schema.get_mut("allOf").and_then(Value::as_array_mut).map(std::mem::take);
        let mut parts = parts.unwrap_or_default();
        for part in parts.iter_mut() {
            require_all(part);
        }
        if !parts.is_empty() {
            schema["allOf"] = Value::Array(parts);
        } else if !is_request {
            require_all(schema);
        }
    }
    for (name, schema) in words::definitions(config) {
        schemas[name] = schema;
    }
}

fn require_all(schema: &mut Value) {
    if let Some(properties) = schema["properties"].as_object() {
        schema["required"] = properties.keys().map(String::as_str).collect();
    }
}
