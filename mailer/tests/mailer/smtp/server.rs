//! A mail server over TCP that speaks as much of RFC 5321 as it is spoken to, and does at each step what its script
//! says. What it accepts it keeps.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Where a dialogue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    Greeting,
    Ehlo,
    StartTls,
    Auth,
    Mail,
    Rcpt,
    Data,
    /// The content has begun: before any of it is read.
    Content,
    /// The final dot was read.
    Dot,
    Rset,
}

/// What the server does at a step.
#[derive(Debug, Clone)]
pub(crate) enum Deed {
    /// What a server does.
    Proceed,
    /// Answers with this line, and does not proceed.
    Answer(&'static str),
    /// Says nothing any more.
    Stall,
    /// Answers as it should, a byte every so many ms.
    Drip(u64),
    /// Closes the connection.
    HangUp,
    /// Closes the connection after it has taken the message: at the dot alone.
    TakeAndHangUp,
}

/// What a script decides by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step<'a> {
    pub(crate) at: At,
    /// The command, or nothing.
    pub(crate) line: &'a str,
    /// The recipient, once there is one.
    pub(crate) recipient: &'a str,
    /// Number of the connection, from 1.
    pub(crate) connection: usize,
}

type Script = Box<dyn FnMut(Step<'_>) -> Deed + Send>;

/// A message that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) mail_from: String,
    pub(crate) recipient: String,
    pub(crate) content: Vec<u8>,
    pub(crate) was_encrypted: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Security {
    Plain,
    StartTls,
    Implicit,
}

#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) security: Security,
    pub(crate) tls: Option<Arc<ServerConfig>>,
    /// What it says to EHLO beside STARTTLS.
    pub(crate) offers: Vec<&'static str>,
    /// What it says and does in plain text behind its answer to STARTTLS.
    pub(crate) injected: &'static str,
}

impl Default for Setup {
    fn default() -> Self {
        Self { security: Security::Plain, tls: None, offers: vec!["8BITMIME", "SMTPUTF8"], injected: "" }
    }
}

struct Shared {
    setup: Setup,
    script: Mutex<Script>,
    received: Mutex<Vec<Received>>,
    lines: Mutex<Vec<String>>,
    connections: AtomicUsize,
    sockets: Mutex<Vec<TcpStream>>,
    is_over: AtomicBool,
}

/// A running server. It ends when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(setup: Setup) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), setup)
    }

    /// Starts where another one was.
    pub(crate) fn start_at(address: SocketAddr, setup: Setup) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            setup,
            script: Mutex::new(Box::new(|_| Deed::Proceed)),
            received: Mutex::default(),
            lines: Mutex::default(),
            connections: AtomicUsize::new(0),
            sockets: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let accepting = shared.clone();
        let thread = std::thread::spawn(move || accept(&listener, &accepting));
        Self { address, shared, thread: Some(thread) }
    }

    pub(crate) fn script(&self, script: impl FnMut(Step<'_>) -> Deed + Send + 'static) {
        *self.shared.script.lock().unwrap() = Box::new(script);
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    pub(crate) fn received_count(&self) -> usize {
        self.shared.received.lock().unwrap().len()
    }

    /// The recipients of what was accepted, sorted.
    pub(crate) fn recipients(&self) -> Vec<String> {
        let mut recipients: Vec<String> =
            self.received().into_iter().map(|received| received.recipient).collect();
        recipients.sort();
        recipients
    }

    /// Every line it was told outside of contents, in order of arrival.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.shared.lines.lock().unwrap().clone()
    }

    /// Waits until somebody has taken leave.
    pub(crate) fn wait_for_quit(&self) {
        let until = Instant::now() + Duration::from_secs(20);
        while !self.lines().iter().any(|line| line == "QUIT") {
            assert!(Instant::now() < until, "nobody has taken leave");
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// How many connections it has taken so far.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Closes every connection, but goes on listening.
    pub(crate) fn hang_up_all(&self) {
        for socket in self.shared.sockets.lock().unwrap().drain(..) {
            // It may be closed already.
            drop(socket.shutdown(Shutdown::Both));
        }
    }

    /// Ends; nobody listens at the address afterwards.
    pub(crate) fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes the listener.
        drop(TcpStream::connect(self.address));
        thread.join().unwrap();
        self.hang_up_all();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for socket in listener.incoming() {
        if shared.is_over.load(Ordering::SeqCst) {
            return;
        }
        let Ok(socket) = socket else { continue };
        socket.set_nodelay(true).unwrap();
        shared.sockets.lock().unwrap().push(socket.try_clone().unwrap());
        let connection = shared.connections.fetch_add(1, Ordering::SeqCst) + 1;
        let shared = shared.clone();
        std::thread::spawn(move || {
            let mut dialogue = Dialogue {
                shared,
                connection,
                stream: BufReader::new(Stream::Plain(socket)),
                mail_from: String::new(),
                recipient: String::new(),
            };
            // However it ends, the other side sees it end.
            drop(dialogue.hold());
            dialogue.stream.get_ref().close();
        });
    }
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
    Changing,
}

impl Stream {
    fn close(&self) {
        let socket = match self {
            Self::Plain(socket) => socket,
            Self::Tls(tls) => &tls.sock,
            Self::Changing => return,
        };
        drop(socket.shutdown(Shutdown::Both));
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(tls) => tls.read(buffer),
            Self::Changing => Ok(0),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(tls) => tls.write(bytes),
            Self::Changing => Ok(0),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(tls) => tls.flush(),
            Self::Changing => Ok(()),
        }
    }
}

struct Dialogue {
    shared: Arc<Shared>,
    connection: usize,
    stream: BufReader<Stream>,
    mail_from: String,
    recipient: String,
}

impl Dialogue {
    fn hold(&mut self) -> io::Result<()> {
        if self.shared.setup.security == Security::Implicit {
            self.encrypt()?;
        }
        self.step(At::Greeting, "", "220 relay.example ESMTP")?;
        loop {
            let line = self.line()?;
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" => {
                    let answer = self.answer_to_ehlo();
                    self.step(At::Ehlo, &line, &answer)?;
                }
                "STARTTLS" => {
                    let answer = format!("220 go on\r\n{}", self.shared.setup.injected);
                    if self.step(At::StartTls, &line, answer.trim_end())? {
                        self.encrypt()?;
                    }
                }
                "AUTH" => self.log_in(&line)?,
                "MAIL" => {
                    if self.step(At::Mail, &line, "250 2.1.0 ok")? {
                        self.mail_from = line;
                        self.recipient.clear();
                    }
                }
                "RCPT" => {
                    let recipient = line["RCPT TO:<".len()..].trim_end_matches('>').to_owned();
                    let before = std::mem::replace(&mut self.recipient, recipient);
                    if !self.step(At::Rcpt, &line, "250 2.1.5 ok")? {
                        self.recipient = before;
                    }
                }
                "DATA" => {
                    if self.recipient.is_empty() {
                        self.say("554 5.5.1 no valid recipients")?;
                    } else if self.step(At::Data, &line, "354 go on")? {
                        self.take_content()?;
                    }
                }
                "RSET" => {
                    if self.step(At::Rset, &line, "250 2.0.0 ok")? {
                        self.mail_from.clear();
                        self.recipient.clear();
                    }
                }
                "QUIT" => return self.say("221 bye"),
                _ => self.say("500 5.5.1 unknown")?,
            }
        }
    }

    /// Does what the script says; whether it proceeded.
    fn step(&mut self, at: At, line: &str, answer: &str) -> io::Result<bool> {
        match self.deed(at, line) {
            Deed::Proceed => self.say(answer).map(|()| true),
            Deed::Answer(other) => self.say(other).map(|()| false),
            Deed::Stall => self.stall(),
            Deed::HangUp | Deed::TakeAndHangUp => Err(io::ErrorKind::ConnectionAborted.into()),
            Deed::Drip(ms) => self.drip(answer, ms).map(|()| true),
        }
    }

    fn deed(&self, at: At, line: &str) -> Deed {
        let step = Step { at, line, recipient: &self.recipient, connection: self.connection };
        (self.shared.script.lock().unwrap())(step)
    }

    /// Says nothing until the other side is gone.
    fn stall<T>(&mut self) -> io::Result<T> {
        loop {
            let count = self.stream.fill_buf()?.len();
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.stream.consume(count);
        }
    }

    fn take_content(&mut self) -> io::Result<()> {
        match self.deed(At::Content, "") {
            Deed::HangUp => return Err(io::ErrorKind::ConnectionAborted.into()),
            Deed::Stall => {
                // What is not read, the other side cannot write in the end.
                while !self.shared.is_over.load(Ordering::SeqCst) {
                    std::thread::park_timeout(Duration::from_millis(10));
                }
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            _ => {}
        }
        let mut content = Vec::new();
        loop {
            let mut line = Vec::new();
            if self.stream.read_until(b'\n', &mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line == b".\r\n" {
                break;
            }
            content.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
        let received = Received {
            mail_from: self.mail_from.clone(),
            recipient: self.recipient.clone(),
            content,
            was_encrypted: matches!(self.stream.get_ref(), Stream::Tls(_)),
        };
        let deed = self.deed(At::Dot, "");
        if matches!(deed, Deed::Proceed | Deed::Drip(_) | Deed::TakeAndHangUp) {
            self.shared.received.lock().unwrap().push(received);
        }
        match deed {
            Deed::Proceed => self.say("250 2.0.0 queued"),
            Deed::Answer(answer) => self.say(answer),
            Deed::Stall => self.stall(),
            Deed::HangUp | Deed::TakeAndHangUp => Err(io::ErrorKind::ConnectionAborted.into()),
            Deed::Drip(ms) => self.drip("250 2.0.0 queued", ms),
        }
    }

    fn log_in(&mut self, line: &str) -> io::Result<()> {
        if line.eq_ignore_ascii_case("AUTH LOGIN") {
            self.say("334 VXNlcm5hbWU6")?;
            self.line()?;
            self.say("334 UGFzc3dvcmQ6")?;
            self.line()?;
        }
        self.step(At::Auth, line, "235 2.7.0 welcome").map(drop)
    }

    fn answer_to_ehlo(&self) -> String {
        let is_plain = matches!(self.stream.get_ref(), Stream::Plain(_));
        let mut words = vec!["relay.example"];
        words.extend(&self.shared.setup.offers);
        if is_plain && self.shared.setup.security == Security::StartTls {
            words.push("STARTTLS");
        }
        let last = words.len() - 1;
        let lines: Vec<String> = words
            .iter()
            .enumerate()
            .map(|(at, word)| format!("250{}{word}", if at == last { ' ' } else { '-' }))
            .collect();
        lines.join("\r\n")
    }

    fn encrypt(&mut self) -> io::Result<()> {
        let config = self.shared.setup.tls.clone().expect("a server with TLS has a certificate");
        let Stream::Plain(mut socket) = std::mem::replace(self.stream.get_mut(), Stream::Changing) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let mut server = ServerConnection::new(config).map_err(io::Error::other)?;
        while server.is_handshaking() {
            if let Err(error) = server.complete_io(&mut socket) {
                drop(socket.shutdown(Shutdown::Both));
                return Err(error);
            }
        }
        self.stream = BufReader::new(Stream::Tls(Box::new(StreamOwned::new(server, socket))));
        Ok(())
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        assert!(line.ends_with("\r\n"), "a command ends in CR LF: {line:?}");
        let line = line.trim_end().to_owned();
        self.shared.lines.lock().unwrap().push(line.clone());
        Ok(line)
    }

    fn drip(&mut self, answer: &str, ms: u64) -> io::Result<()> {
        for byte in format!("{answer}\r\n").bytes() {
            std::thread::sleep(Duration::from_millis(ms));
            self.stream.get_mut().write_all(&[byte])?;
            self.stream.get_mut().flush()?;
        }
        Ok(())
    }

    fn say(&mut self, answer: &str) -> io::Result<()> {
        self.stream.get_mut().write_all(format!("{answer}\r\n").as_bytes())?;
        self.stream.get_mut().flush()
    }
}
