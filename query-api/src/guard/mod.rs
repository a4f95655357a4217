//! Who may do what, and how often. It stands before every handler, knows tokens and routes, and nothing about lines.
//!
//! Without a token in the accounts everything is allowed to whoever reaches the port (which the program then opens on
//! loopback only), but nothing that a page of another site makes a browser send. With one, each route asks what its row
//! in [`ROUTES`] says.

mod in_flight;
mod known;
mod origin;
mod rate;
mod routes;
mod token;

use std::sync::Arc;
use std::time::Instant;

use andon_store::{Token, TokenScope};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

pub(crate) use in_flight::{InFlight, bound};
pub use routes::{Access, ROUTES, Route};
pub use token::IssuedToken;

use crate::Api;
use crate::problem::Problem;
use crate::server::Peer;
use known::KnownTokens;
use rate::{Client, Rates};
use routes::Found;
use token::Presented;

/// What the guard works with.
#[derive(Clone)]
pub(crate) struct Guard {
    api: Arc<Api>,
    known: Arc<KnownTokens>,
    rates: Arc<Rates>,
}

impl Guard {
    pub(crate) fn new(api: Api) -> Self {
        let rates = Rates::new(api.config.rate_per_s, api.config.rate_burst);
        Self { api: Arc::new(api), known: Arc::default(), rates: Arc::new(rates) }
    }

    /// What the request may not, if anything.
    fn check(&self, tokens: &[Token], request: &Request) -> Result<(), Problem> {
        let access = match request.extensions().get::<MatchedPath>() {
            None => None, // there is nothing, which whoever asks may know
            Some(route) => match routes::find(request.method().as_str(), route.as_str()) {
                Found::Row(access) => Some(access),
                // The router refuses the method; a test holds that it takes none without a row.
                Found::NoMethod => None,
                Found::NoPath => return Err(no_row(route)),
            },
        };
        let shown = bearer(request.headers()).map(|text| self.identify(tokens, text));
        self.limit(request, shown.as_ref().and_then(|token| token.as_ref().ok().copied()))?;
        if tokens.is_empty() {
            let public_url = self.api.config.public_url.as_ref();
            return origin::check(request.method(), request.uri(), request.headers(), public_url);
        }
        let (scope, is_free) = match access {
            None | Some(Access::Free) => return Ok(()),
            Some(Access::Read) => (TokenScope::Read, self.api.config.is_read_public),
            Some(Access::Scope(scope)) => (scope, false),
        };
        match shown {
            None if is_free => Ok(()),
            None => Err(challenge("").detail(format!(
                "a token of scope `{}` is needed: `Authorization: Bearer andon_...`",
                scope.name()
            ))),
            // A token that is of no use is told also where none is needed: its owner should know.
            Some(token) => {
                let token = token?;
                if is_free || token.scopes.contains(&scope) {
                    return Ok(());
                }
                let scope = scope.name();
                Err(Problem::new(StatusCode::FORBIDDEN, "the token does not allow this")
                    .detail(format!("the token `{}` lacks the scope `{scope}`", token.name))
                    .challenge(format!(
                        "Bearer realm=\"andon\", error=\"insufficient_scope\", scope=\"{scope}\""
                    )))
            }
        }
    }

    /// Refuses a client that asks too often. Whoever shows a token that is none is known by its address.
    fn limit(&self, request: &Request, token: Option<&Token>) -> Result<(), Problem> {
        let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
        let Some(client) = Client::of(peer, token.map(|token| token.id.as_str())) else { return Ok(()) };
        self.rates.take(client, Instant::now()).map_err(|wait| {
            self.api.metrics.limited.with_label_values(&["rate"]).inc();
            Problem::too_often(wait)
                .detail(format!("more than {} requests a second, the limit", self.api.config.rate_per_s))
        })
    }

    /// Whose token it is. What is wrong with it is told in detail only to whoever has its secret.
    fn identify<'a>(&self, tokens: &'a [Token], text: Option<&str>) -> Result<&'a Token, Problem> {
        let unknown = || challenge(INVALID).detail("the token is not known here");
        let presented = text.and_then(Presented::parse).ok_or_else(unknown)?;
        let token = tokens
            .iter()
            .find(|token| token.id == presented.id)
            .filter(|token| presented.is(token))
            .ok_or_else(unknown)?;
        if token.revoked_at.is_some() {
            return Err(challenge(INVALID).detail("the token was revoked"));
        }
        if token.expires_at.is_some_and(|end| end <= (self.api.clock)()) {
            return Err(challenge(INVALID).detail("the token has expired"));
        }
        Ok(token)
    }
}

/// A route that nobody thought of here is open to nobody.
fn no_row(route: &MatchedPath) -> Problem {
    tracing::error!("the route {} has no row in the table of scopes", route.as_str());
    Problem::new(StatusCode::FORBIDDEN, "no scope allows this")
        .detail(format!("`{}` has no row in the table of scopes", route.as_str()))
}

/// Lets a request pass, or refuses it.
pub(crate) async fn keep(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let checked = match guard.known.now(&*guard.api.accounts).await {
        Ok(tokens) => guard.check(&tokens, &request),
        Err(error) => Err(error.into()),
    };
    match checked {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

const INVALID: &str = ", error=\"invalid_token\"";

/// 401.
fn challenge(error: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "a token is needed")
        .challenge(format!("Bearer realm=\"andon\"{error}"))
}

/// What stands behind `Bearer`, if anybody presents anything at all. Something else than one token is no token.
fn bearer(headers: &HeaderMap) -> Option<Option<&str>> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let first = given.next()?;
    Some(if given.next().is_some() { None } else { behind_bearer(first) })
}

fn behind_bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}
