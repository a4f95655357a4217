//! Answers in gzip, and their tags.

use std::io::{Read, Write};

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use flate2::read::GzDecoder;

use crate::support::Fixture;

impl Fixture {
    /// Status, headers and the bytes as they came.
    fn raw(&self, path: &str, headers: &[(&str, &str)]) -> (u16, HeaderMap, Vec<u8>) {
        let mut request = Request::builder().uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        self.runtime.block_on(async {
            let response = self.serve(request).await;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            (status, headers, to_bytes(response.into_body(), 64 << 20).await.unwrap().to_vec())
        })
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[test]
fn long_texts_are_compressed_for_those_who_take_it() {
    let plant = Fixture::new();
    let lines: Vec<String> = (0..60).map(|number| format!("line-{number}")).collect();
    let changes: Vec<(&str, i64, &str)> = lines.iter().map(|line| (line.as_str(), 0, "RUNNING")).collect();
    plant.register(&lines.iter().map(String::as_str).collect::<Vec<_>>(), &["hall"]);
    plant.report(&changes);
    let gzip = [("accept-encoding", "gzip, deflate, br")];
    // (path, content type)
    for (path, content_type) in [
        ("/v1/lines", "application/json"),
        ("/v1/statuses", "application/json"),
        ("/", "text/html"),
        ("/static/page.js", "text/javascript"),
    ] {
        let (status, headers, whole) = plant.raw(path, &[]);
        assert_eq!((status, text(&headers, "content-encoding")), (200, ""), "{path}");
        let (status, headers, packed) = plant.raw(path, &gzip);
        assert_eq!((status, text(&headers, "content-encoding")), (200, "gzip"), "{path}");
        assert!(text(&headers, "content-type").starts_with(content_type), "{path}: {headers:?}");
        assert!(text(&headers, "vary").to_ascii_lowercase().contains("accept-encoding"), "{path}");
        assert!(packed.len() < whole.len(), "{path}: {} of {}", packed.len(), whole.len());
        let mut unpacked = Vec::new();
        GzDecoder::new(&packed[..]).read_to_end(&mut unpacked).unwrap();
        if path != "/v1/lines" {
            // The list says as of when it is.
            assert_eq!(unpacked, whole, "{path}");
        }
        let (_, headers, _) = plant.raw(path, &[("accept-encoding", "gzip;q=0, identity")]);
        assert_eq!(text(&headers, "content-encoding"), "", "{path}");
    }
    // Short ones are left as they are.
    let (status, headers, _) = plant.raw("/v1/lines/line-1", &gzip);
    assert_eq!((status, text(&headers, "content-encoding")), (200, ""));
    let (status, headers, _) = plant.raw("/v1/lines/nobody", &gzip);
    assert_eq!((status, text(&headers, "content-encoding")), (404, ""));
}

#[test]
fn a_tag_of_either_form_is_known_again() {
    let plant = Fixture::with(false, andon_query_api::ApiConfig::default());
    for path in ["/", "/static/page.js"] {
        let (_, headers, _) = plant.raw(path, &[]);
        let strong = text(&headers, "etag").to_owned();
        let (_, headers, _) = plant.raw(path, &[("accept-encoding", "gzip")]);
        let weak = text(&headers, "etag").to_owned();
        assert_eq!(weak, format!("W/{strong}"), "{path}: the bytes are others");
        for tag in [&strong, &weak] {
            for encoding in ["gzip", "identity"] {
                let (status, headers, body) =
                    plant.raw(path, &[("if-none-match", tag), ("accept-encoding", encoding)]);
                assert_eq!((status, body.len()), (304, 0), "{path} {tag} {encoding}");
                assert_eq!(text(&headers, "etag").trim_start_matches("W/"), strong);
                assert_eq!(text(&headers, "content-encoding"), "");
            }
        }
    }
}

#[test]
fn a_compressed_answer_arrives_whole_over_a_socket() {
    let plant = Fixture::with(false, andon_query_api::ApiConfig::default());
    let mut socket = std::net::TcpStream::connect(plant.listen()).unwrap();
    let head =
        "GET /v1/statuses HTTP/1.1\r\nhost: localhost\r\naccept-encoding: gzip\r\nconnection: close\r\n\r\n";
    socket.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    let at = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = std::str::from_utf8(&answer[..at]).unwrap();
    assert!(head.contains("content-encoding: gzip") && head.contains("transfer-encoding: chunked"), "{head}");
}
