//! The way out of mails: a GET never acts, a POST does, and only for whom the link was signed.

use andon_domain::{LineId, SubscriberId};
use andon_log::Topic;
use andon_query_api::{ApiConfig, IssuedToken};
use andon_store::{LinkKey, TokenScope, UnsubscribeLink};
use serde_json::{Value, json};

use crate::support::{Answer, Fixture};

const FORM: &str = "application/x-www-form-urlencoded";

/// A subscriber of these nodes; the path of their link for a line.
struct Reader {
    id: String,
    address: String,
}

impl Reader {
    fn new(plant: &Fixture, name: &str, locale: &str, nodes: &[&str]) -> Self {
        let address = format!("{name}.unmistakable@plant.example");
        let mut id = String::new();
        for node in nodes {
            let body = json!({ "email": address, "node": node, "locale": locale });
            let made = plant.send("POST", "/v1/subscriptions", &body);
            assert_eq!(made.status, 201, "{}", made.body);
            id = made.json()["subscriber_id"].as_str().unwrap().to_owned();
        }
        Self { id, address }
    }

    fn path(&self, plant: &Fixture, line: &str) -> String {
        path(plant, &self.id, line)
    }

    /// The nodes that are followed still, sorted.
    fn nodes(&self, plant: &Fixture) -> Vec<String> {
        let found = plant.send("POST", "/v1/subscriptions/search", &json!({ "email": self.address })).json();
        let node = |item: &Value| item["node"].as_str().unwrap().to_owned();
        found["items"].as_array().unwrap().iter().map(node).collect()
    }
}

fn path(plant: &Fixture, subscriber: &str, line: &str) -> String {
    let secret = plant.runtime.block_on(plant.accounts.secret(LinkKey::SECRET)).unwrap();
    let link = UnsubscribeLink {
        subscriber_id: SubscriberId(subscriber.parse().unwrap()),
        line_id: LineId::new(line).unwrap(),
    };
    format!("/unsubscribe/{}", LinkKey::new(secret).sign(&link))
}

/// Holds for every page.
fn assert_is_page(answer: &Answer) {
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("referrer-policy"), "same-origin");
    let policy = answer.header("content-security-policy");
    for wanted in ["default-src 'none'", "style-src 'self'", "form-action 'self'", "frame-ancestors 'none'"] {
        assert!(policy.contains(wanted), "{policy}");
    }
    for absent in ["set-cookie", "location", "www-authenticate"] {
        assert_eq!(answer.header(absent), "", "{absent}");
    }
    for banned in ["<script", "<style", " style=", "unmistakable", "http://", "https://"] {
        assert!(!answer.body.contains(banned), "{banned}: {}", answer.body);
    }
    assert_eq!(answer.body.matches("<h1>").count(), 1);
}

fn directory_len(plant: &Fixture) -> usize {
    plant.records(Topic::Directory).iter().count()
}

#[test]
fn a_get_shows_what_would_end_and_changes_nothing() {
    let plant = Fixture::new();
    plant.register(&["press-1", "press-2"], &["site", "hall-1"]);
    let anna = Reader::new(&plant, "anna", "es", &["site/hall-1", "press-9"]);
    let before = directory_len(&plant);
    for method in ["GET", "HEAD", "GET"] {
        let answer = plant.call(method, &anna.path(&plant, "press-1"), "", "");
        assert_eq!(answer.status, 200);
        if method == "GET" {
            assert_is_page(&answer);
            assert_eq!(answer.header("content-language"), "es");
            for wanted in [
                "<html lang=\"es\">",
                "Mensajes sobre <bdi>press-1</bdi>",
                "<li><bdi>site/hall-1</bdi></li>",
                "<form method=\"post\">",
                "name=\"extent\" value=\"line\"",
                "name=\"extent\" value=\"all\"",
            ] {
                assert!(answer.body.contains(wanted), "{wanted}: {}", answer.body);
            }
            assert!(!answer.body.contains("press-9"), "what is not about the line is not shown");
        }
    }
    assert_eq!(directory_len(&plant), before);
    assert_eq!(anna.nodes(&plant), ["press-9", "site/hall-1"]);
}

#[test]
fn a_post_ends_what_covers_the_line_and_leaves_everybody_else_alone() {
    let plant = Fixture::new();
    plant.register(&["press-1"], &["site", "hall-1"]);
    let nodes = ["press-1", "site", "site/hall-1", "site/hall-1/press-1", "site/hall-2", "site/hall"];
    let anna = Reader::new(&plant, "anna", "en", &nodes);
    let bert = Reader::new(&plant, "bert", "en", &["press-1", "site"]);
    let link = anna.path(&plant, "press-1");
    let answer = plant.call("POST", &link, FORM, "extent=line");
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_is_page(&answer);
    assert!(answer.body.contains("Done: no more mails about this line."), "{}", answer.body);
    assert_eq!(anna.nodes(&plant), ["site/hall", "site/hall-2"]);
    let after = directory_len(&plant);

    // Again, and as a GET: nothing is left, nothing is done, and it is said.
    for answer in [plant.call("POST", &link, FORM, "extent=line"), plant.get(&link)] {
        assert_eq!(answer.status, 200);
        assert_is_page(&answer);
        assert!(answer.body.contains("There is nothing left to end."), "{}", answer.body);
        assert!(answer.body.contains("value=\"all\"") && !answer.body.contains("value=\"line\""));
    }
    assert_eq!(directory_len(&plant), after);

    let answer = plant.call("POST", &link, FORM, "extent=all");
    assert_eq!(answer.status, 200);
    assert!(
        answer.body.contains("Done: no more mails.") && !answer.body.contains("<form"),
        "{}",
        answer.body
    );
    assert_eq!(anna.nodes(&plant), Vec::<String>::new());
    assert_eq!(bert.nodes(&plant), ["press-1", "site"]);
}

#[test]
fn a_mail_program_ends_it_with_one_click() {
    let parts =
        "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n";
    for (content_type, body) in
        [(FORM, "List-Unsubscribe=One-Click"), ("multipart/form-data; boundary=x", parts)]
    {
        let plant = Fixture::new();
        // A line that is registered nowhere has its own name as its only node.
        let anna = Reader::new(&plant, "anna", "en", &["line 3", "other"]);
        let link = anna.path(&plant, "line 3");
        for _ in 0..2 {
            let answer = plant.call("POST", &link, content_type, body);
            assert_eq!(answer.status, 200, "{}", answer.body);
            assert_is_page(&answer);
        }
        assert_eq!(anna.nodes(&plant), ["other"]);
    }
}

#[test]
fn a_post_of_something_else_asks_and_does_nothing() {
    let plant = Fixture::new();
    let anna = Reader::new(&plant, "anna", "en", &["press-1"]);
    for (content_type, body) in
        [(FORM, ""), ("", ""), (FORM, "extent=none"), ("application/json", "{\"extent\":\"all\"}")]
    {
        let answer = plant.call("POST", &anna.path(&plant, "press-1"), content_type, body);
        assert_eq!(answer.status, 400, "{content_type} {body}");
        assert_is_page(&answer);
        assert!(answer.body.contains("<form"));
    }
    assert_eq!(anna.nodes(&plant), ["press-1"]);
}

#[test]
fn a_forged_link_is_not_known_and_does_nothing() {
    let plant = Fixture::new();
    let anna = Reader::new(&plant, "anna", "en", &["press-1"]);
    let good = anna.path(&plant, "press-1");
    let id = SubscriberId(anna.id.parse().unwrap());
    let link = UnsubscribeLink { subscriber_id: id, line_id: LineId::new("press-1").unwrap() };
    let others_key = format!("/unsubscribe/{}", LinkKey::new([7; 32]).sign(&link));
    let cut = good[..good.len() - 1].to_owned();
    let longer = format!("{good}A");
    for forged in [others_key, cut, longer, "/unsubscribe/x".to_owned(), "/unsubscribe/%FF".to_owned()] {
        for (method, body) in [("GET", ""), ("POST", "extent=all"), ("POST", "List-Unsubscribe=One-Click")] {
            let answer = plant.call_with(
                method,
                &forged,
                &[("content-type", FORM), ("accept-language", "es-ES,en")],
                body,
            );
            assert_eq!(answer.status, 404, "{method} {forged}");
            assert_is_page(&answer);
            assert!(answer.body.contains("Este enlace no se conoce aquí"), "{}", answer.body);
            assert!(!answer.body.contains("<form"));
        }
    }
    assert_eq!(anna.nodes(&plant), ["press-1"]);
}

#[test]
fn a_link_outlives_its_reader_and_its_line_and_needs_no_token() {
    let plant = Fixture::new();
    let anna = Reader::new(&plant, "anna", "es", &["press-1"]);
    let link = anna.path(&plant, "press-1");
    let issued = IssuedToken::draw("any", &[TokenScope::Subscribe], 1, None).unwrap();
    plant.runtime.block_on(plant.accounts.insert_token(&issued.token, 1)).unwrap();
    let search = ("authorization", format!("Bearer {}", issued.text));
    plant.until("the token to be asked for", || {
        plant.call("POST", "/v1/subscriptions/search", "", "").status == 401
    });
    assert_eq!(plant.get(&link).status, 200);
    assert_eq!(plant.call("POST", &link, FORM, "List-Unsubscribe=One-Click").status, 200);
    let body = json!({ "email": anna.address }).to_string();
    let headers = [("content-type", "application/json"), (search.0, search.1.as_str())];
    let found = plant.call_with("POST", "/v1/subscriptions/search", &headers, body);
    assert_eq!(found.json()["items"], json!([]));
    let erased = plant.call_with("DELETE", &format!("/v1/subscribers/{}", anna.id), &headers, "");
    assert_eq!(erased.status, 204);
    let answer = plant.get(&link);
    assert_eq!((answer.status, answer.header("content-language")), (200, "en"));
    assert!(answer.body.contains("There is nothing left to end."), "{}", answer.body);
}

#[test]
fn a_line_s_name_is_text_whatever_it_is() {
    let plant = Fixture::new();
    let name = "<img src=x onerror=alert(1)>\"'&";
    let anna = Reader::new(&plant, "anna", "en", &[name]);
    let answer = plant.get(&anna.path(&plant, name));
    assert_is_page(&answer);
    assert!(!answer.body.contains("<img"), "{}", answer.body);
    assert!(answer.body.contains("<bdi>&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;</bdi>"));
}

#[test]
fn the_page_s_own_form_may_write_and_another_site_s_may_not() {
    let plant = Fixture::new();
    let anna = Reader::new(&plant, "anna", "en", &["press-1"]);
    let link = anna.path(&plant, "press-1");
    let post = |origin: &str| {
        let headers = [("content-type", FORM), ("host", "127.0.0.1:8080"), ("origin", origin)];
        plant.call_with("POST", &link, &headers, "extent=line").status
    };
    assert_eq!(post("http://evil.example"), 403);
    assert_eq!(anna.nodes(&plant), ["press-1"]);
    assert_eq!(post("http://127.0.0.1:8080"), 200);
    assert_eq!(anna.nodes(&plant), Vec::<String>::new());
}

#[test]
fn while_the_log_is_closed_a_page_says_that_nothing_was_done() {
    let plant = Fixture::new();
    let anna = Reader::new(&plant, "anna", "en", &["press-1"]);
    plant.log.close();
    let answer = plant.call("POST", &anna.path(&plant, "press-1"), FORM, "extent=line");
    assert_eq!(answer.status, 503);
    assert_is_page(&answer);
    assert!(answer.body.contains("try the same again"), "{}", answer.body);
    assert_eq!(anna.nodes(&plant), ["press-1"]);
}

#[test]
fn a_body_has_a_limit_of_its_own() {
    let plant = Fixture::with(false, ApiConfig::default());
    let link = path(&plant, "00000000-0000-0000-0000-000000000001", "press-1");
    let answer = plant.call("POST", &link, FORM, format!("extent=all&x={}", "x".repeat(16 << 10)));
    assert_eq!(answer.status, 413);
    assert_is_page(&answer);
    // Whoever has no link is told so before anything is read.
    let answer = plant.call("POST", "/unsubscribe/x", FORM, "x".repeat(64 << 10));
    assert_eq!(answer.status, 404);
}
