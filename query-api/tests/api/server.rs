//! The server at its limits, over real sockets: slow and silent clients, too many of them, what is no HTTP, TLS, a drain.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use andon_query_api::{Server, ServerConfig, ServerMetrics, Tls, TlsFiles};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header;
use axum::routing::{get, post};
use prometheus::Registry;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

const PATIENCE: Duration = Duration::from_secs(30);

struct Running {
    runtime: Runtime,
    address: SocketAddr,
    registry: Registry,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

impl Running {
    fn new(config: ServerConfig) -> Self {
        Self::with(config, None, |_| Router::new())
    }

    /// Serves a few routes that are easy to look at, and those that `more` makes of what tells of a drain.
    fn with(
        config: ServerConfig,
        tls: Option<Arc<Tls>>,
        more: impl FnOnce(watch::Receiver<bool>) -> Router,
    ) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stops) = watch::channel(false);
        let registry = Registry::new();
        let router = Router::new()
            .route("/hello", get(async || "hello"))
            .route("/large", get(async || vec![b'x'; 64 << 20]))
            .route("/length", post(async |body: Bytes| body.len().to_string()))
            .merge(more(stops.clone()));
        let metrics = ServerMetrics::new(&registry);
        let server = runtime.spawn(Server { listener, router, config, tls, metrics }.run(stops));
        Self { runtime, address, registry, stop, server }
    }

    fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket
    }

    /// Sends bytes on a new connection and reads until it is closed.
    fn ask(&self, bytes: &[u8]) -> String {
        let mut socket = self.connect();
        socket.write_all(bytes).unwrap();
        read_to_end(&mut socket)
    }

    fn metric(&self, name: &str, reason: Option<&str>) -> f64 {
        let families = self.registry.gather();
        let Some(family) = families.iter().find(|family| family.name() == name) else { return 0.0 };
        let of_reason = |metric: &&prometheus::proto::Metric| {
            reason.is_none_or(|reason| metric.get_label().iter().any(|label| label.value() == reason))
        };
        let values = family.get_metric().iter().filter(of_reason);
        values.map(|metric| metric.get_counter().get_value() + metric.get_gauge().get_value()).sum()
    }

    fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let began = Instant::now();
        while !is_so() {
            assert!(began.elapsed() < PATIENCE, "waited too long for {what}");
            std::thread::park_timeout(Duration::from_millis(2));
        }
    }

    /// Tells it to stop, and waits until it has.
    fn drain(self) -> Duration {
        let began = Instant::now();
        self.stop.send_replace(true);
        self.runtime.block_on(async { tokio::time::timeout(PATIENCE, self.server).await.unwrap().unwrap() });
        began.elapsed()
    }
}

fn read_to_end(socket: &mut impl Read) -> String {
    let mut answer = Vec::new();
    match socket.read_to_end(&mut answer) {
        Ok(_) => {}
        // A reset is an end too.
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
    String::from_utf8(answer).unwrap()
}

/// Reads until the bytes end with this.
fn read_until(socket: &mut impl Read, end: &str) -> String {
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(end.as_bytes()) {
        socket.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    String::from_utf8(answer).unwrap()
}

fn problem(answer: &str, status: u16) -> Value {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    assert!(head.contains("content-type: application/problem+json"), "{head}");
    assert!(head.contains("connection: close"), "{head}");
    assert!(head.contains("date: "), "{head}");
    assert!(
        head.contains(&format!("content-length: {}\r\n", body.len()))
            || head.ends_with(&format!("content-length: {}", body.len())),
        "{answer}"
    );
    let problem: Value = serde_json::from_str(body).unwrap();
    assert_eq!(problem["status"], status);
    problem
}

#[test]
fn a_head_that_arrives_too_slowly_gets_a_408_while_others_are_served() {
    let running = Running::new(ServerConfig { header_ms_max: 200, ..ServerConfig::default() });
    let mut slow = running.connect();
    slow.write_all(b"GET /hello HTTP/1.1\r\nhost: localhost\r\n").unwrap();
    assert!(running.ask(b"GET /hello HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").ends_with("hello"));
    // A byte now and then does not help.
    let mut trickle = slow.try_clone().unwrap();
    let trickling = std::thread::spawn(move || {
        while trickle.write_all(b"x").is_ok() {
            std::thread::park_timeout(Duration::from_millis(20));
        }
    });
    let began = Instant::now();
    let refused = problem(&read_to_end(&mut slow), 408);
    assert_eq!(refused["detail"], "its head was not there after 200 ms, the limit");
    assert!(began.elapsed() < PATIENCE / 4);
    trickling.join().unwrap();
    assert_eq!(running.metric("api_connections_ended_total", Some("header")), 1.0);

    // The same on a connection that has been answered before.
    let mut second = running.connect();
    second.write_all(b"GET /hello HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    read_until(&mut second, "hello");
    second.write_all(b"GET /hel").unwrap();
    problem(&read_to_end(&mut second), 408);
}

#[test]
fn silent_connections_are_closed_without_a_word() {
    let config = ServerConfig { header_ms_max: 100, idle_ms_max: 150, ..ServerConfig::default() };
    let running = Running::new(config);
    assert_eq!(running.ask(b""), "", "one that never says anything");
    let mut kept = running.connect();
    kept.write_all(b"GET /hello HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    let answer = read_to_end(&mut kept);
    assert!(answer.ends_with("hello"), "{answer}");
    assert_eq!(running.metric("api_connections_ended_total", Some("idle")), 2.0);
    running.until("both to be gone", || running.metric("api_connections", None) == 0.0);
}

#[test]
fn a_client_that_takes_none_of_its_answer_is_dropped() {
    let running = Running::new(ServerConfig { stall_ms_max: 100, ..ServerConfig::default() });
    let mut socket = running.connect();
    socket.write_all(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    running.until("the client to be given up", || {
        running.metric("api_connections_ended_total", Some("stall")) == 1.0
    });
    let mut rest = Vec::new();
    let ended = socket.read_to_end(&mut rest);
    assert!(ended.is_err() || rest.len() < 64 << 20, "{} bytes", rest.len());

    // One that reads gets all of it.
    let whole = running.ask(b"GET /large HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    assert_eq!(whole.split_once("\r\n\r\n").unwrap().1.len(), 64 << 20);
}

#[test]
fn what_is_no_request_gets_a_problem_document() {
    let running = Running::new(ServerConfig { head_bytes_max: 8 << 10, ..ServerConfig::default() });
    let long = "x".repeat(9_000);
    let many: String = (0..200).map(|n| format!("x-{n}: y\r\n")).collect();
    let rows = [
        ("GARBAGE\r\n\r\n".to_owned(), 400),
        ("GET /hello HTTP/9.9\r\n\r\n".to_owned(), 400),
        ("GET /hello HTTP/1.1\r\nhost localhost\r\n\r\n".to_owned(), 400),
        ("\u{16}\u{3}\u{1}\u{2}hello of TLS".to_owned(), 400),
        ("POST /length HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n".to_owned(), 400),
        (format!("GET /hello HTTP/1.1\r\nhost: a\r\nx: {long}\r\n\r\n"), 431),
        (format!("GET /hello HTTP/1.1\r\nhost: a\r\n{many}\r\n"), 431),
        (format!("GET /{long} HTTP/1.1\r\nhost: a\r\n\r\n"), 431),
    ];
    for (request, status) in &rows {
        problem(&running.ask(request.as_bytes()), *status);
        // Behind one that is good.
        let both = format!("GET /hello HTTP/1.1\r\nhost: a\r\n\r\n{request}");
        let answer = running.ask(both.as_bytes());
        let (good, refused) = answer.split_at(answer.find("hello").unwrap() + "hello".len());
        assert!(good.starts_with("HTTP/1.1 200 OK"), "{answer}");
        problem(refused, *status);
    }
    // However much is sent after it.
    let mut socket = running.connect();
    let mut writer = socket.try_clone().unwrap();
    let flood = std::thread::spawn(move || {
        // It ends by an error once the server has had enough.
        drop(writer.write_all(format!("GET /hello HTTP/1.1\r\nx: {}", "x".repeat(900_000)).as_bytes()));
    });
    problem(&read_to_end(&mut socket), 431);
    flood.join().unwrap();
    let ended = 2.0 * rows.len() as f64 + 1.0;
    running.until("all to be counted", || {
        running.metric("api_connections_ended_total", Some("malformed")) == ended
    });
}

#[test]
fn one_connection_more_than_the_limit_waits_until_another_one_ends() {
    let running = Running::new(ServerConfig { connections_max: 2, ..ServerConfig::default() });
    let ask = b"GET /hello HTTP/1.1\r\nhost: a\r\n\r\n";
    let mut kept: Vec<TcpStream> = (0..2).map(|_| running.connect()).collect();
    for socket in &mut kept {
        socket.write_all(ask).unwrap();
        read_until(socket, "hello");
    }
    let mut third = running.connect();
    third.write_all(ask).unwrap();
    running.until("the limit to be counted", || running.metric("api_connections_full_total", None) == 1.0);
    assert_eq!(running.metric("api_connections", None), 2.0);
    third.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(third.read(&mut [0]).is_err(), "nobody answers yet");
    third.set_read_timeout(Some(PATIENCE)).unwrap();
    drop(kept.pop());
    read_until(&mut third, "hello");
}

#[test]
fn a_drain_ends_what_is_idle_at_once_and_lets_requests_finish() {
    let (started, mut is_started) = mpsc::channel(1);
    let (finish, finishes) = watch::channel(false);
    let running = Running::with(ServerConfig::default(), None, |_| {
        Router::new().route(
            "/slow",
            get(async move || {
                started.send(()).await.unwrap();
                finishes.clone().wait_for(|finish| *finish).await.unwrap();
                "finished"
            }),
        )
    });
    let mut silent = running.connect();
    let mut idle = running.connect();
    idle.write_all(b"GET /hello HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    read_until(&mut idle, "hello");
    let mut half = running.connect();
    half.write_all(b"GET /hello HTTP/1.1\r\nhost: a\r\n").unwrap();
    let mut busy = running.connect();
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    running.runtime.block_on(is_started.recv()).unwrap();
    running.until("all to be open", || running.metric("api_connections", None) == 4.0);

    running.stop.send_replace(true);
    assert_eq!(read_to_end(&mut silent), "");
    assert_eq!(read_to_end(&mut idle), "");
    problem(&read_to_end(&mut half), 408);
    running.until("nobody to listen", || TcpStream::connect(running.address).is_err());
    drop(half);
    running.until("one to be left", || running.metric("api_connections", None) == 1.0);
    finish.send_replace(true);
    assert!(read_to_end(&mut busy).ends_with("finished"));
    running.drain();
}

/// A stream of events without an end, which ends when told of a drain, or does not care.
fn events(draining: Option<watch::Receiver<bool>>) -> Body {
    let (sends, receives) = mpsc::channel::<Bytes>(1);
    tokio::spawn(async move {
        sends.send(Bytes::from_static(b"data: one\n\n")).await.unwrap();
        match draining {
            Some(mut draining) => drop(draining.wait_for(|is_so| *is_so).await),
            None => std::future::pending().await,
        }
        drop(sends);
    });
    Body::new(Receives(receives))
}

struct Receives(mpsc::Receiver<Bytes>);

impl axum::body::HttpBody for Receives {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(cx).map(|bytes| bytes.map(|bytes| Ok(hyper::body::Frame::data(bytes))))
    }
}

#[test]
fn a_drain_ends_streams_whose_handler_looks_and_leaves_the_others_to_the_limit() {
    let answer = |draining: Option<watch::Receiver<bool>>| {
        get(async move || ([(header::CONTENT_TYPE, "text/event-stream")], events(draining.clone())))
    };
    let running = Running::with(ServerConfig::default(), None, |draining| {
        Router::new().route("/events", answer(Some(draining))).route("/for-ever", answer(None))
    });
    let open = |path: &str| {
        let mut socket = running.connect();
        socket.write_all(format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n").as_bytes()).unwrap();
        read_until(&mut socket, "data: one\n\n");
        socket
    };
    let (mut polite, mut stubborn) = (open("/events"), open("/for-ever"));
    running.stop.send_replace(true);
    assert!(read_to_end(&mut polite).ends_with("0\r\n\r\n"), "the stream has an end");
    running.until("it to be closed", || running.metric("api_connections", None) == 1.0);
    assert!(!running.server.is_finished());
    // What the program does when the limit of a drain is reached.
    running.server.abort();
    assert_eq!(read_to_end(&mut stubborn), "\r\n", "the rest of its last chunk");
    running.until("all to be gone", || running.metric("api_connections", None) == 0.0);
}

/// Certificate and key of a name, written to files of that folder; the certificate for those who trust it.
fn certify(folder: &std::path::Path, name: &str) -> rcgen::CertifiedKey<rcgen::KeyPair> {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    std::fs::write(folder.join("certificate.pem"), made.cert.pem()).unwrap();
    made
}

/// Asks over TLS for `/hello`, trusting that one certificate.
fn ask_over_tls(
    running: &Running,
    made: &rcgen::CertifiedKey<rcgen::KeyPair>,
    name: &'static str,
) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), ServerName::try_from(name).unwrap()).unwrap();
    let mut stream = StreamOwned::new(connection, running.connect());
    stream.write_all(b"GET /hello HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn over_tls_the_same_is_served_and_a_renewed_certificate_is_used_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let first = certify(folder.path(), "first.example");
    let files =
        TlsFiles { certificate: folder.path().join("certificate.pem"), key: folder.path().join("key.pem") };
    let tls = Arc::new(Tls::open(files).unwrap());
    let config = ServerConfig { header_ms_max: 500, ..ServerConfig::default() };
    let running = Running::with(config, Some(tls), |_| Router::new());
    assert!(ask_over_tls(&running, &first, "first.example").unwrap().ends_with("hello"));

    // Without TLS, and without a word: both end, and others do not wait for them.
    let silent = running.connect();
    running.ask(b"GET /hello HTTP/1.1\r\nhost: a\r\n\r\n");
    assert!(ask_over_tls(&running, &first, "first.example").unwrap().ends_with("hello"));
    running.until("both to be ended", || running.metric("api_connections_ended_total", Some("tls")) == 2.0);
    drop(silent);

    // A renewal that is half done changes nothing, one that is done is used.
    std::fs::write(folder.path().join("certificate.pem"), "half of a certifi").unwrap();
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(1_200) {
        assert!(ask_over_tls(&running, &first, "first.example").unwrap().ends_with("hello"));
    }
    let second = certify(folder.path(), "second.example");
    running.until("the new certificate to be used", || {
        ask_over_tls(&running, &second, "second.example").is_ok_and(|answer| answer.ends_with("hello"))
    });
    running.drain();
}

#[test]
fn files_that_are_of_no_use_for_tls_are_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
    let open = || {
        let files = TlsFiles { certificate: certificate.clone(), key: key.clone() };
        Tls::open(files).err().unwrap().to_string()
    };
    assert!(open().starts_with("could not read the certificate from `"), "{}", open());
    certify(folder.path(), "a.example");
    std::fs::write(&key, "no key").unwrap();
    assert!(open().starts_with("could not read the private key from `"), "{}", open());
    let other = rcgen::generate_simple_self_signed(["b.example".to_owned()]).unwrap();
    std::fs::write(&key, other.signing_key.serialize_pem()).unwrap();
    assert_eq!(open(), "the certificate and the private key are of no use together");
    std::fs::write(&certificate, "").unwrap();
    assert!(open().starts_with("there is no certificate in `"), "{}", open());
}
