//! A real andon that is told to stop while clients hold on to it.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the failure")]

mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use support::{Andon, PATIENCE};

/// Sends bytes on a connection of its own, and waits until the answer has this in it, if anything.
fn open(andon: &Andon, request: &str, awaited: &str) -> TcpStream {
    let mut socket = TcpStream::connect(andon.url.strip_prefix("http://").unwrap()).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.write_all(request.as_bytes()).unwrap();
    let (mut answer, mut byte) = (Vec::new(), [0]);
    while !String::from_utf8_lossy(&answer).contains(awaited) {
        socket.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    socket
}

fn rest(mut socket: TcpStream) -> String {
    let mut rest = Vec::new();
    if let Err(error) = socket.read_to_end(&mut rest) {
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
    String::from_utf8(rest).unwrap()
}

#[test]
fn a_drain_ends_well_and_soon_although_clients_are_idle_slow_and_listening() {
    let folder = tempfile::tempdir().unwrap();
    let andon = Andon::start(folder.path(), 0, &[]);
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let listening: Vec<TcpStream> =
        (0..20).map(|_| open(&andon, &get("/v1/events"), "text/event-stream")).collect();
    let idle = open(&andon, &get("/v1/statuses"), "\r\n\r\n");
    let silent = open(&andon, "", "");
    let slow = open(&andon, "GET /v1/lines HTTP/1.1\r\nho", "");
    let counted = || andon.metric("api_connections ") == Some(23.0);
    support::until("all to be connected", counted);

    let began = Instant::now();
    assert_eq!(andon.stop(), Some(0), "nothing was left to be cut");
    // Half a head is waited for a second, and a refused client is listened to for two.
    assert!(began.elapsed() < Duration::from_secs(8), "the drain took {:?}", began.elapsed());
    for socket in listening {
        assert!(rest(socket).ends_with("0\r\n\r\n"), "the stream has an end");
    }
    assert!(rest(slow).starts_with("HTTP/1.1 408 "));
    assert_eq!(rest(silent), "");
    drop(idle);
}
