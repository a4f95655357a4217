//! The refusals of the API. Which of them an operation may give follows from what it takes; a handler names those that
//! follow from what it does.

use serde_json::{Value, json};

use crate::guard::Access;

/// Refusals of every operation.
const EVERYWHERE: [u16; 7] = [400, 414, 421, 429, 431, 500, 503];

/// Those of operations that take a body.
const OF_BODIES: [u16; 4] = [408, 413, 415, 422];

/// Those of operations that ask for a token or for a page of our own.
const OF_GUARDED: [u16; 2] = [401, 403];

/// Adds the refusals that an operation does not name, and says of each what it looks like.
pub(super) fn complete(operation: &mut Value, access: Access) {
    let has_body = operation.get("requestBody").is_some();
    let is_guarded = access != Access::Free;
    let responses = &mut operation["responses"];
    let all = EVERYWHERE.into_iter().chain(OF_BODIES.into_iter().filter(|_| has_body));
    for status in all.chain(OF_GUARDED.into_iter().filter(|_| is_guarded)) {
        if responses.get(status.to_string()).is_none() {
            responses[status.to_string()] = json!({ "description": meaning(status) });
        }
    }
    for (status, response) in responses.as_object_mut().into_iter().flatten() {
        if status.starts_with(['4', '5']) {
            response["content"] = json!({ "application/problem+json": {
                "schema": { "$ref": "#/components/schemas/Problem" },
            } });
        }
        if status == "429" || status == "503" {
            response["headers"]["retry-after"] = json!({
                "description": "After how many seconds to send the same again. Absent where nobody knows.",
                "schema": { "type": "integer", "minimum": 0 },
            });
        }
    }
}

fn meaning(status: u16) -> &'static str {
    match status {
        400 => {
            "The request makes no sense: a parameter that is unknown, stands twice or has a value that is none; a \
                body that cannot be read."
        }
        401 => "There are tokens, and the request has none, or one that is not known, expired or revoked.",
        403 => "The token lacks the scope; or there are no tokens, and a page of another site asks.",
        408 => "The body did not arrive in time. Nothing was stored.",
        413 => "The body is larger than the limit. Nothing was stored.",
        414 => "The address of the request is longer than the limit.",
        415 => "The body has a content type or an encoding that is not taken here.",
        421 => "The request is meant for another host.",
        422 => {
            "The body can be read, and values in it make no sense: `errors` says which. Nothing was stored."
        }
        429 => {
            "The client, known by its token or else its address, asks too often. Send the same again, later."
        }
        431 => "The head of the request is longer than the limit, or has too many fields.",
        500 => "A fault of Andon. Its log says more.",
        503 => "Andon cannot do this just now. Send the same again.",
        _ => "",
    }
}
