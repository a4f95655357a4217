//! The transport that hands messages to a mail server (RFC 5321), one recipient a message, over as many connections as
//! it has lanes. Where the dialogue fails, the phase decides what that means: `fault.rs` is the table.
//!
//! The dialogue is our own, not lettre's, because it must be known whether the final dot had begun to leave, a server
//! that trickles must not hold a lane beyond its time, and what came in plain text must not be read as if it had come
//! over TLS. It must never let the server's words into an error or a log line: they may quote an address.

mod config;
mod fault;
mod metrics;
mod parcel;
mod pool;
mod reply;
mod session;
mod tls;
mod wire;

use std::fs;
use std::net::{SocketAddr, ToSocketAddrs};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;

pub use config::{Encryption, Login, SmtpConfig, SmtpConfigError, Timeouts};
pub use metrics::SmtpMetrics;

use crate::{Mail, SendError, Transport};
use fault::Fault;
use metrics::Connection;
use parcel::Parcel;
use pool::{Lane, Pool};
use session::{Opening, Session};

/// Longest password, in bytes.
const PASSWORD_BYTES_MAX: usize = 1_024;

/// The way to one mail server.
#[derive(Debug)]
pub struct Smtp {
    config: SmtpConfig,
    server_name: ServerName<'static>,
    tls: Arc<ClientConfig>,
    pool: Pool,
    metrics: SmtpMetrics,
}

/// Why the way to a mail server cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SmtpOpenError {
    /// A setting is wrong.
    #[error(transparent)]
    Config(#[from] SmtpConfigError),
    /// The file of own certificates cannot be used.
    #[error("the file of certificates `{}` cannot be used: {why}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The password cannot be used.
    #[error("the password file `{}` cannot be used: {why}", path.display())]
    PasswordFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// There is no certificate to trust.
    #[error("this system has no certificates to trust, and no file of certificates is set")]
    NobodyTrusted,
}

impl Smtp {
    /// Makes the transport. Nothing is connected yet: a server that is down now is no reason not to start.
    ///
    /// # Errors
    /// A setting is wrong, or a file that it names.
    pub fn open(config: SmtpConfig, metrics: SmtpMetrics) -> Result<Self, SmtpOpenError> {
        if let Some(error) = config.check().into_iter().next() {
            return Err(error.into());
        }
        let server_name = ServerName::try_from(config.host.clone())
            .map_err(|_| SmtpConfigError::Host { got: config.host.clone() })?;
        if let Some(Login { password_file, .. }) = &config.login {
            password(password_file).map_err(|error| SmtpOpenError::PasswordFile {
                path: password_file.clone(),
                why: error.to_string(),
            })?;
        }
        let tls = tls::client(config.ca_file.as_deref(), config.encryption)?;
        Ok(Self { config, server_name, tls, pool: Pool::default(), metrics })
    }

    fn hand_over(&self, mail: &Mail) -> Result<(), SendError> {
        let parcel = Parcel::pack(mail).map_err(Fault::judged)?;
        let until = Instant::now() + self.config.timeouts.before_the_dot();
        let mut lane = self.lane(until).map_err(Fault::judged)?;
        match lane.deliver(&parcel, until) {
            Ok(()) => return Ok(()),
            Err(fault) if !fault.is_lost_before_the_dot() => return Err(fault.judged()),
            Err(_) => drop(lane),
        }
        // The server may have had enough of that connection, or of this message: a new one tells.
        let mut lane = self.pool.enter();
        lane.open(|| self.connect(until)).map_err(Fault::judged)?;
        lane.deliver(&parcel, until).map_err(Fault::judged_again)
    }

    /// A lane with a connection: one that rests, else a new one, else one that is busy now.
    fn lane(&self, until: Instant) -> Result<Lane<'_>, Fault> {
        let mut lane = self.pool.enter();
        if lane.take_idle() {
            self.metrics.connection(Connection::Reused);
            return Ok(lane);
        }
        match lane.open(|| self.connect(until)) {
            // A server that takes no more connections still serves those it has.
            Err(fault) if fault.is_about_connections() && lane.wait_for_idle(until) => {
                self.metrics.connection(Connection::Reused);
            }
            opened => opened?,
        }
        Ok(lane)
    }

    fn connect(&self, until: Instant) -> Result<Session, Fault> {
        let addresses = self.addresses()?;
        let login = match &self.config.login {
            Some(login) => {
                Some((login.user.as_str(), password(&login.password_file).map_err(Fault::Password)?))
            }
            None => None,
        };
        let session = Session::open(&Opening {
            addresses: &addresses,
            encryption: self.config.encryption,
            tls: &self.tls,
            server_name: &self.server_name,
            hello_name: self.config.hello_name.as_deref(),
            login: login.as_ref().map(|(user, password)| (*user, password.as_str())),
            timeouts: self.config.timeouts,
            until,
        })?;
        self.metrics.connection(Connection::Opened);
        Ok(session)
    }

    /// Looked up for each connection: relays move.
    fn addresses(&self) -> Result<Vec<SocketAddr>, Fault> {
        let may_leave = self.config.encryption != Encryption::None || self.config.allows_plaintext;
        let found = (self.config.host.as_str(), self.config.port).to_socket_addrs().map_err(Fault::Lookup)?;
        let addresses: Vec<SocketAddr> =
            found.filter(|address| may_leave || address.ip().is_loopback()).collect();
        if addresses.is_empty() { Err(Fault::NoAddress) } else { Ok(addresses) }
    }
}

impl Transport for Smtp {
    fn send(&self, mail: &Mail) -> Result<(), SendError> {
        self.hand_over(mail).inspect_err(|error| self.metrics.failed(error))
    }

    fn lanes(&self) -> NonZeroUsize {
        self.config.lanes
    }
}

/// The password in a file, without the line end that editors leave.
fn password(path: &std::path::Path) -> std::io::Result<String> {
    let wrong = |why: &'static str| std::io::Error::new(std::io::ErrorKind::InvalidData, why);
    let text = fs::read_to_string(path)?;
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() || password.len() > PASSWORD_BYTES_MAX || password.contains(['\0', '\r', '\n']) {
        return Err(wrong("it must hold one line of 1 to 1024 bytes"));
    }
    Ok(password.to_owned())
}
