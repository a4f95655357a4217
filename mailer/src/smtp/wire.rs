//! The connection itself: lines in, bytes out, plain or over TLS. Every wait has a deadline that no trickle of bytes
//! moves: a timeout of the socket alone begins anew with each byte.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

/// Bytes read at once.
const CHUNK_BYTES: usize = 4_096;

/// One connection.
#[derive(Debug)]
pub(super) struct Wire {
    stream: Stream,
    /// Read and not yet taken.
    unread: Vec<u8>,
}

#[derive(Debug)]
enum Stream {
    Plain(Timed),
    Tls(Box<StreamOwned<ClientConnection, Timed>>),
}

impl Wire {
    /// Connects to the first of the addresses that answers.
    ///
    /// # Errors
    /// The last address's error; the first rest of the time that is none.
    pub(super) fn connect(addresses: &[SocketAddr], until: Instant) -> io::Result<Self> {
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for (at, address) in addresses.iter().enumerate() {
            let left = addresses.len() - at;
            let share = remaining(until)? / u32::try_from(left).unwrap_or(u32::MAX);
            match TcpStream::connect_timeout(address, share.max(Duration::from_millis(1))) {
                Ok(tcp) => {
                    // The end of a message is a short write behind a long one.
                    tcp.set_nodelay(true)?;
                    return Ok(Self { stream: Stream::Plain(Timed { tcp, until }), unread: Vec::new() });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Agrees on TLS. The other side must have said nothing beyond what was read: see [`Self::has_unread`].
    pub(super) fn encrypt(
        self,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
        until: Instant,
    ) -> io::Result<Self> {
        let Stream::Plain(mut timed) = self.stream else { return Ok(self) };
        let mut client = ClientConnection::new(config, name).map_err(io::Error::other)?;
        timed.until = until;
        while client.is_handshaking() {
            client.complete_io(&mut timed)?;
        }
        Ok(Self { stream: Stream::Tls(Box::new(StreamOwned::new(client, timed))), unread: Vec::new() })
    }

    /// Whether something was read and not taken.
    pub(super) fn has_unread(&self) -> bool {
        !self.unread.is_empty()
    }

    /// Our end.
    pub(super) fn local_address(&self) -> io::Result<SocketAddr> {
        self.tcp().local_addr()
    }

    /// Writes all of it.
    pub(super) fn write(&mut self, bytes: &[u8], until: Instant) -> io::Result<()> {
        self.set_deadline(until);
        let stream: &mut dyn Write = match &mut self.stream {
            Stream::Plain(timed) => timed,
            Stream::Tls(tls) => tls,
        };
        stream.write_all(bytes)?;
        stream.flush()
    }

    /// Reads up to the next line end, which is not part of the line.
    ///
    /// # Errors
    /// The deadline, the end of the connection, or a line of more than `bytes_max`.
    pub(super) fn read_line(&mut self, bytes_max: usize, until: Instant) -> io::Result<Vec<u8>> {
        self.set_deadline(until);
        let mut searched = 0;
        loop {
            if let Some(at) = self.unread[searched..].iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.unread.drain(..=searched + at).collect();
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line);
            }
            searched = self.unread.len();
            if searched > bytes_max {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("a line of more than {bytes_max} bytes"),
                ));
            }
            let mut chunk = [0; CHUNK_BYTES];
            let count = match &mut self.stream {
                Stream::Plain(timed) => timed.read(&mut chunk)?,
                Stream::Tls(tls) => tls.read(&mut chunk)?,
            };
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.unread.extend_from_slice(&chunk[..count]);
        }
    }

    /// Whether the other side has neither gone nor said anything unasked, as far as is known here.
    pub(super) fn is_quiet(&self) -> bool {
        !self.has_unread() && self.peeked().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Whether the other side has gone, as far as is known here.
    pub(super) fn has_gone(&self) -> bool {
        match self.peeked() {
            Ok(count) => count == 0,
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        }
    }

    /// How much is there to be read now, up to a byte.
    fn peeked(&self) -> io::Result<usize> {
        let tcp = self.tcp();
        tcp.set_nonblocking(true)?;
        let peeked = tcp.peek(&mut [0]);
        tcp.set_nonblocking(false)?;
        peeked
    }

    fn tcp(&self) -> &TcpStream {
        match &self.stream {
            Stream::Plain(timed) => &timed.tcp,
            Stream::Tls(tls) => &tls.sock.tcp,
        }
    }

    fn set_deadline(&mut self, until: Instant) {
        match &mut self.stream {
            Stream::Plain(timed) => timed.until = until,
            Stream::Tls(tls) => tls.sock.until = until,
        }
    }
}

/// A socket whose every call ends at a deadline.
#[derive(Debug)]
struct Timed {
    tcp: TcpStream,
    until: Instant,
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.tcp.set_read_timeout(Some(remaining(self.until)?))?;
        self.tcp.read(buffer).map_err(timed_out)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tcp.set_write_timeout(Some(remaining(self.until)?))?;
        self.tcp.write(bytes).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

/// The time that is left; the error if none is.
fn remaining(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// Some systems call a timeout of a socket by another name.
fn timed_out(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock { io::ErrorKind::TimedOut.into() } else { error }
}
