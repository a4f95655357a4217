//! The way out of mails: `/unsubscribe/{token}`, reached from a mail, by whoever has it. A `GET` never acts, since programs
//! that look through mails follow every link; a `POST` does, from the page's form or from a mail program (RFC 8058). It
//! needs no token of the API, sets no cookie, shows no address, and its own token must never be logged.

mod page;

use andon_domain::{Directory, DirectoryChange, Subscription, SubscriptionId};
use andon_store::{LinkKey, UnsubscribeLink};
use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{DefaultBodyLimit, FromRequest, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::get;

use crate::Api;
use crate::body::{self, Received};
use crate::problem::Problem;
use page::{Language, Page, Shown};

/// The largest body that anything is read from: a form of two fields.
const BODY_BYTES_MAX: usize = 16 << 10;

/// What a mail program sends (RFC 8058).
const ONE_CLICK: &str = "List-Unsubscribe=One-Click";

/// The route.
pub(crate) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/unsubscribe/{token}", get(show).post(act))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

/// Which subscriptions are to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// Those that cover the line of the mail.
    Line,
    /// All of the subscriber.
    All,
}

impl Extent {
    /// Reads a form, or what a mail program sends; none if it is neither.
    fn of(media_type: &str, bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        match media_type {
            "application/x-www-form-urlencoded" => text.trim_end().split('&').find_map(|field| match field {
                "extent=all" => Some(Self::All),
                "extent=line" | ONE_CLICK => Some(Self::Line),
                _ => None,
            }),
            // As RFC 8058 prefers it: one part, of this name and value.
            "multipart/form-data" => {
                let is_named =
                    text.contains("name=\"List-Unsubscribe\"") || text.contains("name=List-Unsubscribe");
                let has_value = text.lines().any(|line| line.trim_end() == "One-Click");
                (is_named && has_value).then_some(Self::Line)
            }
            _ => None,
        }
    }
}

/// Whom a link is of, and what it would end.
struct Reader {
    link: UnsubscribeLink,
    language: Language,
    /// The nodes by which the subscriber follows the line, and the subscriptions to them.
    covering: Vec<Subscription>,
    all: Vec<SubscriptionId>,
}

/// Finds out whom a token is of; none if nobody signed it.
async fn reader(api: &Api, token: &str) -> Result<Option<Reader>, Problem> {
    let key = LinkKey::new(api.accounts.secret(LinkKey::SECRET).await?);
    let Ok(link) = key.verify(token) else { return Ok(None) };
    let subscriber = api.accounts.subscriber(link.subscriber_id).await?;
    let language = subscriber.map_or(Language::English, |subscriber| Language::of(&subscriber.locale));
    let subscriptions = api.views.subscriptions_of(link.subscriber_id).await?;
    let all = subscriptions.iter().map(|one| one.id).collect();
    // What covers a line is the core's to say.
    let mut directory = Directory::default();
    if let Some(entry) = api.views.line_entry(&link.line_id).await? {
        directory.apply(DirectoryChange::Line(link.line_id.clone(), entry));
    }
    for subscription in subscriptions {
        directory.apply(DirectoryChange::Subscription(subscription));
    }
    let covering = directory.covering(&link.line_id).into_iter().cloned().collect();
    Ok(Some(Reader { link, language, covering, all }))
}

/// `GET`: says what a `POST` would end.
async fn show(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let asked_in = asked_in(&headers);
    match found(&api, path).await {
        Ok(Some(reader)) => reader.page(Shown::Question).into_response(StatusCode::OK),
        Ok(None) => Page::unknown(asked_in).into_response(StatusCode::NOT_FOUND),
        Err(problem) => Page::failed(asked_in).into_response(problem.status()),
    }
}

/// `POST`: ends subscriptions. Again, it finds nothing left, and says the same.
async fn act(
    State(api): State<Arc<Api>>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let asked_in = asked_in(request.headers());
    match ended(&api, path, request).await {
        Ok(Some((reader, Some(extent)))) => reader.page(Shown::Ended(extent)).into_response(StatusCode::OK),
        // Not what the form sends: ask again.
        Ok(Some((reader, None))) => reader.page(Shown::Question).into_response(StatusCode::BAD_REQUEST),
        Ok(None) => Page::unknown(asked_in).into_response(StatusCode::NOT_FOUND),
        Err(problem) => Page::failed(asked_in).into_response(problem.status()),
    }
}

async fn found(api: &Api, path: Result<Path<String>, PathRejection>) -> Result<Option<Reader>, Problem> {
    match path {
        Ok(Path(token)) => reader(api, &token).await,
        Err(_) => Ok(None),
    }
}

async fn ended(
    api: &Arc<Api>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Option<(Reader, Option<Extent>)>, Problem> {
    // Before the body is read: anybody may send one here.
    let Some(reader) = found(api, path).await? else { return Ok(None) };
    let media_type = body::media_type(request.headers());
    let Received(bytes) = Received::from_request(request, api).await?;
    let Some(extent) = Extent::of(&media_type, &bytes) else {
        return Ok(Some((reader, None)));
    };
    let ids: Vec<SubscriptionId> = match extent {
        Extent::Line => reader.covering.iter().map(|one| one.id).collect(),
        Extent::All => reader.all.clone(),
    };
    let changes: Vec<DirectoryChange> = ids.into_iter().map(DirectoryChange::SubscriptionRemoved).collect();
    if !changes.is_empty() {
        // Durable once it is in the log; the views may follow a little later.
        api.change_directory(&changes).await?;
        tracing::info!(
            subscriber.id = %reader.link.subscriber_id,
            "{} subscriptions ended by a link",
            changes.len()
        );
    }
    Ok(Some((reader, Some(extent))))
}

impl Reader {
    fn page(&self, shown: Shown) -> Page<'_> {
        let nodes: Vec<&str> = self.covering.iter().map(|one| one.node.as_str()).collect();
        let has_others = self.all.len() > self.covering.len();
        Page::new(self.language, self.link.line_id.as_str(), nodes, has_others, shown)
    }
}

/// The language of whoever has no link of ours.
fn asked_in(headers: &HeaderMap) -> Language {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    Language::of(accepted.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_says_what_is_to_end_or_nothing() {
        const FORM: &str = "application/x-www-form-urlencoded";
        const PARTS: &str = "multipart/form-data";
        let parts = |name: &str, value: &str| {
            format!("--b\r\nContent-Disposition: form-data; name={name}\r\n\r\n{value}\r\n--b--\r\n")
        };
        for (media_type, body, wanted) in [
            (FORM, "extent=line".to_owned(), Some(Extent::Line)),
            (FORM, "extent=all".to_owned(), Some(Extent::All)),
            (FORM, "List-Unsubscribe=One-Click".to_owned(), Some(Extent::Line)),
            (FORM, "List-Unsubscribe=One-Click\r\n".to_owned(), Some(Extent::Line)),
            (FORM, "a=b&extent=all".to_owned(), Some(Extent::All)),
            (PARTS, parts("\"List-Unsubscribe\"", "One-Click"), Some(Extent::Line)),
            (PARTS, parts("List-Unsubscribe", "One-Click"), Some(Extent::Line)),
            (PARTS, parts("\"List-Unsubscribe\"", "Two-Click"), None),
            (PARTS, parts("\"other\"", "One-Click"), None),
            (FORM, String::new(), None),
            (FORM, "extent=everything".to_owned(), None),
            (FORM, "extent=ALL".to_owned(), None),
            ("application/json", "extent=all".to_owned(), None),
            ("", "extent=all".to_owned(), None),
        ] {
            assert_eq!(Extent::of(media_type, body.as_bytes()), wanted, "{media_type}: {body}");
        }
        assert_eq!(Extent::of(FORM, b"extent=\xff"), None);
    }
}
