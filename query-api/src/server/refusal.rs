//! What the server itself answers, beneath the router: hyper refuses what it cannot read with a status and nothing else,
//! and answers nothing at all to what does not arrive. Here both become problem documents.

use std::fmt::Write;

use axum::http::StatusCode;

use crate::problem::Problem;

/// The whole answer to a head that did not arrive in time.
pub(super) fn late_head(header_ms_max: u64) -> Vec<u8> {
    let problem = Problem::new(StatusCode::REQUEST_TIMEOUT, "the request did not arrive in time")
        .detail(format!("its head was not there after {header_ms_max} ms, the limit"));
    let date = jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT");
    let head = format!(
        "HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\ndate: {date}\r\n\r\n"
    );
    with_problem(head.as_bytes(), problem).unwrap_or_default()
}

/// The answer in place of one of hyper's own; none if it is something else.
pub(super) fn in_place_of(answer: &[u8], head_bytes_max: usize) -> Option<Vec<u8>> {
    let problem = match answer.strip_prefix(b"HTTP/1.1 ")?.get(..3)? {
        b"400" => Problem::bad_request("the request line or a header is not HTTP/1.1"),
        b"414" => Problem::new(StatusCode::URI_TOO_LONG, "the request is too large")
            .detail("the URL is longer than 65534 bytes, the limit"),
        b"431" => Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the request is too large")
            .detail(format!(
                "its head has more than {head_bytes_max} bytes or more than 100 fields, the limits"
            )),
        _ => return None,
    };
    with_problem(answer, problem)
}

/// The same head with a body. None if the answer has one already, or is not whole.
fn with_problem(answer: &[u8], problem: Problem) -> Option<Vec<u8>> {
    let head = std::str::from_utf8(answer).ok()?.strip_suffix("\r\n\r\n")?;
    let body = problem.into_json();
    let mut whole = String::new();
    let mut is_empty = false;
    for line in head.split("\r\n") {
        if line.eq_ignore_ascii_case("content-length: 0") {
            is_empty = true;
        } else {
            write!(whole, "{line}\r\n").expect("writing to a string does not fail");
        }
    }
    write!(whole, "content-type: application/problem+json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        .expect("writing to a string does not fail");
    is_empty.then(|| whole.into_bytes())
}
