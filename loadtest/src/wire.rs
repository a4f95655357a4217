//! A client that costs little: HTTP/1.1 as bytes over kept connections, all on one thread.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::task::LocalSet;

use crate::Failure;
use crate::histogram::Histogram;

/// One kept connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(64 << 10) })
    }

    /// Sends a request and reads its answer whole; the status.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<u16, Failure> {
        let mut rest = request;
        while !rest.is_empty() {
            match self.stream.try_write(rest) {
                Ok(count) => rest = &rest[count..],
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    self.stream.writable().await?
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.buffer.clear();
        let mut end = None;
        while end.is_none_or(|end| self.buffer.len() < end) {
            self.stream.readable().await?;
            match self.stream.try_read_buf(&mut self.buffer) {
                Ok(0) => return Err("the server closed the connection".into()),
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error.into()),
            }
            if end.is_none() {
                end = end_of_answer(&self.buffer)?;
            }
        }
        let status = self.buffer.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok());
        Ok(status.ok_or("the answer has no status")?.parse()?)
    }
}

/// Length of the whole answer, once its head is there.
fn end_of_answer(buffer: &[u8]) -> Result<Option<usize>, Failure> {
    let Some(head) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&buffer[..head])?;
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
    Ok(Some(head + 4 + length.map_or(Ok(0), str::parse)?))
}

/// A `GET` as bytes.
pub(crate) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes()
}

/// A `POST` of JSON as bytes.
pub(crate) fn post(path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// What a load did.
pub(crate) struct Load {
    pub(crate) requests: u64,
    /// Answers of another status than 2xx.
    pub(crate) errors: u64,
    pub(crate) took: Duration,
    pub(crate) latency: Histogram,
}

impl Load {
    pub(crate) fn per_second(&self) -> f64 {
        self.requests as f64 / self.took.as_secs_f64()
    }
}

/// Each connection asks again as soon as it has its answer, its own requests in turn, for so long.
pub(crate) fn closed_loop(
    address: SocketAddr,
    requests_of: Vec<Vec<Vec<u8>>>,
    time: Duration,
) -> Result<Load, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = LocalSet::new();
    local.block_on(&runtime, async {
        let mut connections = Vec::new();
        for requests in requests_of {
            connections.push((Connection::open(address).await?, requests));
        }
        let began = Instant::now();
        let until = began + time;
        let mut users = Vec::new();
        for (connection, requests) in connections {
            users.push(tokio::task::spawn_local(ask(connection, Rc::new(requests), until)));
        }
        let mut load = Load { requests: 0, errors: 0, took: time, latency: Histogram::new() };
        for user in users {
            let (errors, latency) = user.await?.map_err(|error| error.to_string())?;
            load.requests += latency.count();
            load.errors += errors;
            load.latency.add(&latency);
        }
        load.took = began.elapsed();
        Ok(load)
    })
}

async fn ask(
    mut connection: Connection,
    requests: Rc<Vec<Vec<u8>>>,
    until: Instant,
) -> Result<(u64, Histogram), Failure> {
    let (mut errors, mut latency) = (0, Histogram::new());
    for request in requests.iter().cycle() {
        let began = Instant::now();
        if began >= until {
            break;
        }
        if !matches!(connection.exchange(request).await?, 200..300) {
            errors += 1;
        }
        latency.record(began.elapsed());
    }
    Ok((errors, latency))
}
