//! How often and how much at once: refused with a word when to try again, and counted.

use andon_query_api::{ApiConfig, IssuedToken};
use andon_store::TokenScope;
use serde_json::json;

use crate::support::{Answer, Fixture};

fn limited(plant: &Fixture, limit: &str) -> f64 {
    let families = plant.registry.gather();
    let Some(family) = families.iter().find(|family| family.name() == "api_limited_requests_total") else {
        return 0.0;
    };
    let of_limit =
        |metric: &&prometheus::proto::Metric| metric.get_label().iter().any(|label| label.value() == limit);
    family.get_metric().iter().filter(of_limit).map(|metric| metric.get_counter().get_value()).sum()
}

#[test]
fn a_client_that_asks_too_often_gets_a_429_and_others_do_not() {
    let plant = Fixture::with(false, ApiConfig { rate_per_s: 1, rate_burst: 3, ..ApiConfig::default() });
    let issue = |name: &str| {
        let issued = IssuedToken::draw(name, &[TokenScope::Read], 1, None).unwrap();
        plant.runtime.block_on(plant.accounts.insert_token(&issued.token, 1)).unwrap();
        format!("Bearer {}", issued.text)
    };
    let (busy, other) = (issue("busy"), issue("other"));
    let ask = |authorization: &str| -> Answer {
        plant.call_with("GET", "/v1/statuses", &[("authorization", authorization)], "")
    };
    let statuses: Vec<u16> = (0..6).map(|_| ask(&busy).status).collect();
    assert_eq!(statuses[..3], [200, 200, 200]);
    assert!(statuses[3..].contains(&429), "{statuses:?}");
    let refused = std::iter::repeat_with(|| ask(&busy)).find(|answer| answer.status == 429).unwrap();
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.header("content-type"), "application/problem+json");
    assert_eq!(refused.json()["detail"], "more than 1 requests a second, the limit");
    assert_eq!(ask(&other).status, 200);
    // Without a token on this machine there is no limit.
    for _ in 0..20 {
        assert_eq!(ask("").status, 200);
    }
    assert!(limited(&plant, "rate") >= 1.0);
    plant.until("the client to be let in again", || ask(&busy).status == 200);
}

#[test]
fn one_request_more_than_the_limit_gets_a_503_until_another_one_is_answered() {
    let plant = Fixture::with(false, ApiConfig { requests_max: 1, ..ApiConfig::default() });
    let address = plant.listen();
    let row = json!({ "line_id": "a", "event_time": "2026-01-05T06:00:00Z", "status": "IDLE" }).to_string();
    let stuck = plant.appends.batches.lock().unwrap();
    let waiting = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let head = "POST /v1/line-status HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n";
        let head = format!("{head}content-type: application/json\r\ncontent-length: {}\r\n\r\n", row.len());
        loop {
            let mut socket = std::net::TcpStream::connect(address).unwrap();
            socket.write_all(head.as_bytes()).unwrap();
            socket.write_all(row.as_bytes()).unwrap();
            let mut answer = String::new();
            socket.read_to_string(&mut answer).unwrap();
            // Whoever looks whether the place is taken takes it for a moment.
            if !answer.starts_with("HTTP/1.1 503 ") {
                return answer;
            }
        }
    });
    plant.until("the place to be taken", || plant.get("/v1/statuses").status == 503);
    let refused = plant.get("/v1/statuses");
    assert_eq!((refused.status, refused.header("retry-after")), (503, "1"));
    assert_eq!(refused.json()["detail"], "1 requests are being answered, the limit");
    assert!(limited(&plant, "requests") >= 1.0);
    drop(stuck);
    assert!(waiting.join().unwrap().starts_with("HTTP/1.1 202 "));
    assert_eq!(plant.get("/v1/statuses").status, 200);
}

#[test]
fn a_body_that_is_too_large_is_refused_to_whoever_goes_on_sending() {
    use std::io::{Read, Write};
    let plant = Fixture::with(false, ApiConfig { body_bytes_max: 100_000, ..ApiConfig::default() });
    let address = plant.listen();
    for (head, is_chunked) in
        [(format!("content-length: {}", 20 << 20), false), ("transfer-encoding: chunked".to_owned(), true)]
    {
        let mut socket = std::net::TcpStream::connect(address).unwrap();
        // All of it first, as most clients do; then the answer.
        {
            let writer = &mut socket;
            let head = format!(
                "POST /v1/line-status HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/csv\r\n{head}\r\n\r\n"
            );
            writer.write_all(head.as_bytes()).unwrap();
            let block = [b'x'; 0x1_0000];
            for _ in 0..320 {
                if is_chunked {
                    writer.write_all(b"10000\r\n").unwrap();
                }
                writer.write_all(&block).unwrap();
                if is_chunked {
                    writer.write_all(b"\r\n").unwrap();
                }
            }
        }
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        assert!(answer.contains("the body is larger than the limit of 100000 bytes"), "{answer}");
    }
}
