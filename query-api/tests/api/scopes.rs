//! Every route with no token, a wrong one, the right one; and what is refused while there is none at all.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use andon_query_api::{Access, ApiConfig, IssuedToken, ROUTES, Route};
use andon_store::{TokenInserted, TokenScope};

use crate::support::{Answer, Fixture};

const INTRODUCTION: &str = "\
# Scopes of the API

As soon as there is a token, every route asks for what stands here. `andon token create` makes tokens; a request carries one
as `Authorization: Bearer andon_...`. Without any token Andon listens on loopback only, and everything is allowed there but
what a page of another site makes a browser send. This table is the one that the program goes by; a test holds it.

| scope | routes |
|---|---|
| `read` | free, unless `http.public_read = false` |
| `ingest` | reports status changes |
| `subscribe` | personal data: who is told, who was told |
| `operate` | the directory, and dead letters, which hold what somebody sent |
| - | pages, and links that carry a secret of their own: free |

A token that is unknown, revoked or expired is answered with 401, one that lacks the scope with 403. What is done with
tokens in another process is known here within 2 s.

| method | route | scope |
|---|---|---|
";

fn scope_of(route: &Route) -> Option<TokenScope> {
    match route.access {
        Access::Free => None,
        Access::Read => Some(TokenScope::Read),
        Access::Scope(scope) => Some(scope),
    }
}

fn path_of(route: &Route) -> String {
    let names = route.path.split('/').map(|name| match name.starts_with('{') {
        true => "00000000-0000-0000-0000-000000000000",
        false => name,
    });
    names.collect::<Vec<_>>().join("/")
}

/// Makes a token and gives its text.
fn issue(plant: &Fixture, name: &str, scopes: &[TokenScope], expires_at: Option<i64>) -> String {
    let issued = IssuedToken::draw(name, scopes, 1, expires_at).unwrap();
    let stored = plant.runtime.block_on(plant.accounts.insert_token(&issued.token, 1)).unwrap();
    assert_eq!(stored, TokenInserted::New);
    issued.text
}

fn call(plant: &Fixture, route: &Route, authorization: &str) -> Answer {
    let headers = [("authorization", authorization), ("content-type", "application/json")];
    plant.call_with(route.method, &path_of(route), &headers, "{}")
}

fn is_let_through(answer: &Answer) -> bool {
    // Beyond the guard the ids that nobody has and the empty bodies are refused, each by its handler.
    !matches!(answer.status, 401 | 403 | 405 | 421) && !answer.body.contains("there is nothing at")
}

#[test]
fn the_docs_say_what_the_program_goes_by() {
    let mut wanted = String::from(INTRODUCTION);
    for route in ROUTES {
        let scope = scope_of(route).map_or("-".to_owned(), |scope| format!("`{}`", scope.name()));
        writeln!(wanted, "| {} | `{}` | {scope} |", route.method, route.path).unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/api-scopes.md");
    if std::env::var_os("ANDON_TEST_UPDATE").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, wanted, "ANDON_TEST_UPDATE=1 writes it anew");
}

#[test]
fn no_route_takes_a_method_that_the_table_does_not_have() {
    let plant = Fixture::with(false, ApiConfig::default());
    let paths: BTreeSet<&str> = ROUTES.iter().map(|route| route.path).collect();
    for path in paths {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"] {
            let route = Route { method, path, access: Access::Free };
            let is_in_table = ROUTES.iter().any(|row| row.path == path && row.method == method);
            assert_eq!(call(&plant, &route, "").status != 405, is_in_table, "{method} {path}");
        }
    }
}

#[test]
fn without_tokens_every_route_is_open() {
    let plant = Fixture::with(false, ApiConfig { is_read_public: false, ..ApiConfig::default() });
    for route in ROUTES {
        for authorization in ["", "Bearer andon_000000000000_0000000000000000000000000000000000000000"] {
            let answer = call(&plant, route, authorization);
            assert!(is_let_through(&answer), "{route:?}: {answer:?}");
        }
    }
}

#[test]
fn with_tokens_every_route_asks_for_what_its_row_says() {
    for is_read_public in [true, false] {
        let plant = Fixture::with(false, ApiConfig { is_read_public, ..ApiConfig::default() });
        let right = TokenScope::ALL.map(|scope| issue(&plant, scope.name(), &[scope], Some(i64::MAX)));
        let wrong = TokenScope::ALL.map(|missing| {
            let others: Vec<_> = TokenScope::ALL.into_iter().filter(|scope| *scope != missing).collect();
            issue(&plant, &format!("all but {}", missing.name()), &others, None)
        });
        let expired = issue(&plant, "expired", &TokenScope::ALL, Some(1_000));
        let revoked = issue(&plant, "revoked", &TokenScope::ALL, None);
        plant.runtime.block_on(plant.accounts.revoke_token("revoked", 5)).unwrap();
        let unknown = format!("{}{}", &right[0][..20], "0".repeat(39));
        for route in ROUTES {
            let bearer = |token: &str| call(&plant, route, &format!("Bearer {token}"));
            let Some(scope) = scope_of(route) else {
                for token in ["", &expired, "nonsense"] {
                    assert!(is_let_through(&bearer(token)), "{route:?}");
                }
                continue;
            };
            let is_free = route.access == Access::Read && is_read_public;
            let at = TokenScope::ALL.iter().position(|known| *known == scope).unwrap();
            assert!(is_let_through(&bearer(&right[at])), "{route:?}");
            assert!(is_let_through(&call(&plant, route, &format!("bearer {}", right[at]))), "{route:?}");

            let without = call(&plant, route, "");
            let lacking = bearer(&wrong[at]);
            if is_free {
                assert!(is_let_through(&without), "{route:?}");
                assert!(is_let_through(&lacking), "{route:?}");
            } else {
                assert_eq!(without.status, 401, "{route:?}");
                assert_eq!(without.header("www-authenticate"), "Bearer realm=\"andon\"");
                assert_eq!(lacking.status, 403, "{route:?}");
                let detail = lacking.json()["detail"].as_str().unwrap().to_owned();
                assert!(detail.ends_with(&format!("lacks the scope `{}`", scope.name())), "{detail}");
                let challenge = lacking.header("www-authenticate");
                assert!(challenge.ends_with(&format!("scope=\"{}\"", scope.name())), "{challenge}");
            }
            for (authorization, why) in [
                (format!("Bearer {expired}"), "the token has expired"),
                (format!("Bearer {revoked}"), "the token was revoked"),
                (format!("Bearer {unknown}"), "the token is not known here"),
                (format!("Basic {}", right[at]), "the token is not known here"),
                ("Bearer ".to_owned(), "the token is not known here"),
                (right[at].clone(), "the token is not known here"),
            ] {
                let answer = call(&plant, route, &authorization);
                assert_eq!(answer.status, 401, "{route:?} {why}");
                assert_eq!(answer.header("content-type"), "application/problem+json");
                assert_eq!(answer.json()["detail"], why, "{route:?}");
                let challenge = answer.header("www-authenticate");
                assert_eq!(challenge, "Bearer realm=\"andon\", error=\"invalid_token\"", "{route:?}");
            }
        }
    }
}

#[test]
fn tokens_that_all_ended_open_nothing_again() {
    let plant = Fixture::with(false, ApiConfig::default());
    issue(&plant, "expired", &TokenScope::ALL, Some(1_000));
    issue(&plant, "revoked", &TokenScope::ALL, None);
    plant.runtime.block_on(plant.accounts.revoke_token("revoked", 5)).unwrap();
    assert_eq!(plant.get("/v1/dead-letters").status, 401);
}

#[test]
fn what_is_done_to_tokens_elsewhere_is_known_within_two_seconds() {
    let plant = Fixture::with(false, ApiConfig::default());
    assert_eq!(plant.get("/v1/dead-letters").status, 200);
    let token = issue(&plant, "shift", &[TokenScope::Operate], None);
    let with = |token: &str| plant.call_with("GET", "/v1/dead-letters", &[("authorization", token)], "");
    let began = std::time::Instant::now();
    plant.until("the token to be asked for", || plant.get("/v1/dead-letters").status == 401);
    let bearer = format!("Bearer {token}");
    assert_eq!(with(&bearer).status, 200);
    plant.runtime.block_on(plant.accounts.revoke_token("shift", 5)).unwrap();
    plant.until("the token to be refused", || with(&bearer).status == 401);
    assert!(began.elapsed() < std::time::Duration::from_secs(4), "{:?}", began.elapsed());
}

#[test]
fn without_tokens_nothing_is_done_for_a_page_of_another_site() {
    let public_url = Some("https://andon.plant.example/".parse().unwrap());
    let plant = Fixture::with(false, ApiConfig { public_url, ..ApiConfig::default() });
    let (ours, port) = ("https://andon.plant.example", "http://localhost:8080");
    // (method, host, origin, is it let through)
    let rows = [
        ("GET", "localhost:8080", "", true),
        ("GET", "LOCALHOST", "", true),
        ("GET", "press.localhost.", "", true),
        ("GET", "127.0.0.1:8080", "", true),
        ("GET", "127.7.7.7", "", true),
        ("GET", "[::1]:8080", "", true),
        ("GET", "andon.plant.example", "", true),
        ("GET", "Andon.Plant.Example:443", "", true),
        ("GET", "rebound.example", "", false),
        ("GET", "127.0.0.1.rebound.example", "", false),
        ("GET", "localhost.rebound.example:8080", "", false),
        ("GET", "10.0.0.7:8080", "", false),
        ("GET", "[::2]:8080", "", false),
        ("GET", "localhost:8080", "https://elsewhere.example", true),
        ("POST", "localhost:8080", "", true),
        ("POST", "localhost:8080", port, true),
        ("POST", "127.0.0.1:8080", ours, true),
        ("POST", "localhost:8080", "http://localhost:3000", false),
        ("POST", "localhost:8080", "https://elsewhere.example", false),
        ("POST", "localhost:8080", "null", false),
        ("POST", "localhost:8080", "https://andon.plant.example.elsewhere.example", false),
        ("DELETE", "localhost:8080", "https://elsewhere.example", false),
    ];
    for (method, host, origin, is_allowed) in rows {
        let (path, body) = match method {
            "POST" => ("/v1/line-status", "[]"),
            "DELETE" => ("/v1/lines/a", ""),
            _ => ("/v1/lines", ""),
        };
        let headers = [("host", host), ("origin", origin), ("content-type", "application/json")];
        let answer = plant.call_with(method, path, &headers, body);
        assert_eq!(is_let_through(&answer), is_allowed, "{method} {host} {origin}: {answer:?}");
        if !is_allowed {
            assert_eq!(answer.status, if origin.is_empty() { 421 } else { 403 }, "{method} {host} {origin}");
            assert_eq!(answer.header("content-type"), "application/problem+json");
        }
    }
    assert!(plant.appends.batches.lock().unwrap().iter().all(|batch| batch.is_empty()));

    issue(&plant, "any", &[TokenScope::Ingest], None);
    plant.until("tokens to count", || {
        plant.call_with("GET", "/v1/lines", &[("host", "10.0.0.7")], "").status == 200
    });
}
