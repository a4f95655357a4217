//! Answers that were given since the views last changed, given again: many ask the same, and boards more often than
//! anything changes.
//!
//! An answer is kept under the views' generation as it was before the answer was made, and given only while that is the
//! generation still: then nothing was written in between, and making it again would give the same. What each may see is
//! decided before; nothing personal is kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use andon_store::Views;
use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use prometheus::IntCounter;

use crate::Api;
use crate::problem::Problem;
use crate::respond::is_known;

/// Most bytes that all kept answers take.
const BYTES_MAX: usize = 32 << 20;

/// A larger answer is not kept.
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// What an answer takes beside its body and its address, in bytes, about.
const ANSWER_BYTES: usize = 512;

/// The answers that are kept.
pub(crate) struct Cache {
    views: Arc<dyn Views>,
    answers: Mutex<Answers>,
    repeated: IntCounter,
}

#[derive(Default)]
struct Answers {
    generation: u64,
    bytes: usize,
    by_uri: HashMap<String, Kept>,
}

#[derive(Clone)]
struct Kept {
    headers: HeaderMap,
    body: Bytes,
}

impl Cache {
    pub(crate) fn new(api: &Api) -> Arc<Self> {
        let repeated = api.metrics.repeated.clone();
        Arc::new(Self { views: api.views.clone(), answers: Mutex::default(), repeated })
    }

    /// The answers of a generation: if they are older ones, there are none.
    fn of(&self, generation: u64) -> MutexGuard<'_, Answers> {
        // A panic elsewhere leaves whole answers behind.
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.generation < generation {
            *answers = Answers { generation, ..Answers::default() };
        }
        answers
    }

    fn find(&self, generation: u64, uri: &str) -> Option<Kept> {
        let answers = self.of(generation);
        answers.by_uri.get(uri).filter(|_| answers.generation == generation).cloned()
    }

    fn keep(&self, generation: u64, uri: String, kept: &Kept) {
        let bytes = ANSWER_BYTES + uri.len() + kept.body.len();
        let mut answers = self.of(generation);
        if answers.generation == generation && answers.bytes + bytes <= BYTES_MAX {
            answers.bytes += bytes;
            answers.by_uri.insert(uri, kept.clone());
        }
    }
}

/// Gives an answer again, or makes it.
pub(crate) async fn repeat(State(cache): State<Arc<Cache>>, mut request: Request, next: Next) -> Response {
    let generation = cache.views.generation().filter(|_| is_repeatable(&request));
    let Some(generation) = generation else { return next.run(request).await };
    let uri = request.uri().path_and_query().map_or("", |uri| uri.as_str());
    if let Some(kept) = cache.find(generation, uri) {
        cache.repeated.inc();
        return answer(kept, request.headers());
    }
    let uri = uri.to_owned();
    // What the reader has decides how they are answered, not what is kept.
    let mut asked = HeaderMap::new();
    if let header::Entry::Occupied(known) = request.headers_mut().entry(header::IF_NONE_MATCH) {
        asked.extend(known.remove_entry_mult().1.map(|value| (header::IF_NONE_MATCH, value)));
    }
    let response = next.run(request).await;
    let is_whole = response.body().size_hint().exact().is_some_and(|size| size <= ANSWER_BYTES_MAX as u64);
    let is_json =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|value| value == "application/json");
    if response.status() != StatusCode::OK || !is_json || !is_whole {
        return response;
    }
    let (parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, ANSWER_BYTES_MAX).await else { return Problem::internal().into_response() };
    let kept = Kept { headers: parts.headers, body };
    cache.keep(generation, uri, &kept);
    answer(kept, &asked)
}

/// Whether the address alone says what is asked for.
fn is_repeatable(request: &Request) -> bool {
    let mut accepted = request.headers().get_all(header::ACCEPT).iter();
    request.method() == Method::GET
        && accepted.all(|value| value.to_str().is_ok_and(|value| !value.to_ascii_lowercase().contains("csv")))
}

fn answer(kept: Kept, asked: &HeaderMap) -> Response {
    let Kept { headers, body } = kept;
    if let Some(tag) = headers.get(header::ETAG)
        && is_known(asked, tag)
    {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag.clone())]).into_response();
    }
    let mut response = Response::new(Body::from(body));
    *response.headers_mut() = headers;
    response
}
