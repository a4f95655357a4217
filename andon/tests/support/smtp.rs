//! A mail server in plain text that keeps what it accepts, and tells a test of each acceptance before the other side
//! learns of it.

use std::io::{BufRead, BufReader, Error, ErrorKind, Result, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A message that was accepted: recipient and content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub(crate) recipient: String,
    pub(crate) content: String,
}

impl Accepted {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> &str {
        let line = self.content.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.expect("the message has the header")
    }
}

/// What a test does when the server has accepted that many messages; whether the server then says so.
type OnAccepted = Box<dyn FnMut(usize) -> bool + Send>;

#[derive(Clone)]
pub(crate) struct MailServer {
    pub(crate) address: SocketAddr,
    accepted: Arc<Mutex<Vec<Accepted>>>,
    on_accepted: Arc<Mutex<OnAccepted>>,
}

impl MailServer {
    /// Listens until the program ends; `port` 0 picks one.
    pub(crate) fn start(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            accepted: Arc::default(),
            on_accepted: Arc::new(Mutex::new(Box::new(|_| true))),
        };
        let serving = server.clone();
        std::thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let server = serving.clone();
                // It ends with an error whenever the other side goes, and that is the whole point of it.
                std::thread::spawn(move || drop(server.talk(&socket)));
            }
        });
        server
    }

    pub(crate) fn on_accepted(&self, act: impl FnMut(usize) -> bool + Send + 'static) {
        *self.on_accepted.lock().unwrap() = Box::new(act);
    }

    /// What was accepted, in order.
    pub(crate) fn accepted(&self) -> Vec<Accepted> {
        self.accepted.lock().unwrap().clone()
    }

    /// How many messages were accepted.
    pub(crate) fn count(&self) -> usize {
        self.accepted.lock().unwrap().len()
    }

    fn talk(&self, socket: &TcpStream) -> Result<()> {
        let mut out = socket;
        let mut lines = BufReader::new(socket).lines();
        let mut next = || lines.next().unwrap_or_else(|| Err(Error::from(ErrorKind::UnexpectedEof)));
        let mut recipient = String::new();
        out.write_all(b"220 relay.example\r\n")?;
        loop {
            let line = next()?;
            if let Some(address) = line.strip_prefix("RCPT TO:<") {
                recipient = address.trim_end_matches('>').to_owned();
            }
            if line != "DATA" {
                out.write_all(b"250 ok\r\n")?;
                continue;
            }
            out.write_all(b"354 go on\r\n")?;
            let mut content = String::new();
            loop {
                let line = next()?;
                if line == "." {
                    break;
                }
                content.push_str(line.strip_prefix('.').unwrap_or(&line));
                content.push('\n');
            }
            let count = {
                let mut accepted = self.accepted.lock().unwrap();
                accepted.push(Accepted { recipient: recipient.clone(), content });
                accepted.len()
            };
            if !(self.on_accepted.lock().unwrap())(count) {
                return Ok(());
            }
            out.write_all(b"250 queued\r\n")?;
        }
    }
}
