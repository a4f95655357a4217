//! Who may use which route: the one table that the guard goes by. A route without a row is refused, so that none is ever
//! open by oversight; `docs/api-scopes.md` is written from it.

use andon_store::TokenScope;

/// What a route asks of whoever calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing, whether there are tokens or not: pages, and links that carry a secret of their own.
    Free,
    /// [`TokenScope::Read`], unless `http.public_read` makes it free.
    Read,
    /// A token of this scope, as soon as there is any token.
    Scope(TokenScope),
}

/// One row: a method of a route, and what it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The method; `GET` stands for `HEAD` too.
    pub method: &'static str,
    /// The path, as the router has it.
    pub path: &'static str,
    /// What it asks.
    pub access: Access,
}

const fn row(method: &'static str, path: &'static str, access: Access) -> Route {
    Route { method, path, access }
}

const INGEST: Access = Access::Scope(TokenScope::Ingest);
const SUBSCRIBE: Access = Access::Scope(TokenScope::Subscribe);
const OPERATE: Access = Access::Scope(TokenScope::Operate);

/// Every route, in the order of the docs.
pub const ROUTES: &[Route] = &[
    row("GET", "/v1/lines", Access::Read),
    row("GET", "/v1/lines/{line}", Access::Read),
    row("GET", "/v1/lines/{line}/downtime", Access::Read),
    row("GET", "/v1/lines/{line}/timeline", Access::Read),
    row("GET", "/v1/downtime", Access::Read),
    row("GET", "/v1/downtime/{id}", Access::Read),
    row("GET", "/v1/events", Access::Read),
    row("GET", "/v1/statuses", Access::Read),
    row("POST", "/v1/line-status", INGEST),
    row("PUT", "/v1/lines/{line}", OPERATE),
    row("DELETE", "/v1/lines/{line}", OPERATE),
    row("GET", "/openapi.json", Access::Free),
    // Who is told, and who was: personal data.
    row("POST", "/v1/subscriptions", SUBSCRIBE),
    row("POST", "/v1/subscriptions/search", SUBSCRIBE),
    row("GET", "/v1/subscriptions/{id}", SUBSCRIBE),
    row("PATCH", "/v1/subscriptions/{id}", SUBSCRIBE),
    row("DELETE", "/v1/subscriptions/{id}", SUBSCRIBE),
    row("DELETE", "/v1/subscribers/{id}", SUBSCRIBE),
    row("GET", "/v1/incidents/{incident}/deliveries", SUBSCRIBE),
    row("GET", "/v1/lines/{line}/deliveries", SUBSCRIBE),
    // They hold what somebody sent, whatever it was.
    row("GET", "/v1/dead-letters", OPERATE),
    row("GET", "/v1/dead-letters/{id}", OPERATE),
    row("POST", "/v1/dead-letters/{id}/redrive", OPERATE),
    row("POST", "/v1/dead-letters/{id}/discard", OPERATE),
    // The way out of mails: the link is signed.
    row("GET", "/unsubscribe/{token}", Access::Free),
    row("POST", "/unsubscribe/{token}", Access::Free),
    // The board: its pages hold no data, they ask for it.
    row("GET", "/", Access::Free),
    row("GET", "/lines/{line}", Access::Free),
    row("GET", "/downtime", Access::Free),
    row("GET", "/subscriptions", Access::Free),
    row("GET", "/dead-letters", Access::Free),
    row("GET", "/docs", Access::Free),
    row("GET", "/favicon.ico", Access::Free),
    row("GET", "/static/{name}", Access::Free),
];

/// What the table says of a method of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Its row.
    Row(Access),
    /// The path has rows, for other methods.
    NoMethod,
    /// The path has no row.
    NoPath,
}

pub(super) fn find(method: &str, path: &str) -> Found {
    let method = if method == "HEAD" { "GET" } else { method };
    let mut of_path = ROUTES.iter().filter(|route| route.path == path).peekable();
    if of_path.peek().is_none() {
        return Found::NoPath;
    }
    of_path.find(|route| route.method == method).map_or(Found::NoMethod, |route| Found::Row(route.access))
}
