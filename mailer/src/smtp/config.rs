//! What can be set about the way to a mail server. Checked whole: whoever sets it up learns of every fault at once.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

/// The longest of each timeout: 1 h, in ms.
const TIMEOUT_MS_MAX: u64 = 3_600_000;

/// Most connections at once.
const LANES_MAX: usize = 64;

/// The steps of a dialogue, counted as commands, that may each take their time before the final dot: a check of the
/// connection or its set-up, MAIL FROM, RCPT TO, and DATA with the message.
const STEPS_BEFORE_THE_DOT: u32 = 4;

/// What a resolver of host names may add, and the ledger's answer: 30 s.
const SLACK: Duration = Duration::from_secs(30);

/// How the way to the server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// Plain text first, then STARTTLS; a server that does not offer it gets nothing. Usual at ports 587 and 25.
    StartTls,
    /// TLS from the first byte. Usual at port 465.
    Implicit,
    /// None: over the loopback interface alone, unless plain text is allowed in words.
    None,
}

/// Who we are to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The user.
    pub user: String,
    /// The file that holds the password, and a line end perhaps. Read anew for each connection, so that a password can be changed
    /// while the mailer runs.
    pub password_file: PathBuf,
}

/// How long the server may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// To take a connection. Default 10 s.
    pub connect: Duration,
    /// To answer one command, and to agree on TLS. Default 30 s.
    pub command: Duration,
    /// To accept the whole message, after the final dot. RFC 5321 asks for 10 min of patience here, since giving up
    /// leaves open whether the message arrived; yet who else is to be told waits that long too. Default 2 min.
    pub accept: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            command: Duration::from_secs(30),
            accept: Duration::from_secs(120),
        }
    }
}

impl Timeouts {
    /// All that may happen before the final dot, over a second connection too if the first is lost.
    pub(super) fn before_the_dot(&self) -> Duration {
        self.connect + self.command * STEPS_BEFORE_THE_DOT
    }

    /// The lease that a delivery over this way needs, in ms (see [`crate::Config::lease_ms`]): messages begin to leave in its first half,
    /// and each has the time that it may take before the second is over.
    pub fn lease_ms(&self) -> i64 {
        let lease = (self.before_the_dot() + self.accept + SLACK) * 2;
        i64::try_from(lease.as_millis()).unwrap_or(i64::MAX)
    }
}

/// Settings of the way to a mail server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpConfig {
    /// Name or address of the server; its certificate must be for it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way to it is protected.
    pub encryption: Encryption,
    /// Whether `Encryption::None` may leave this machine. Addresses and stops can then be read on the way.
    pub allows_plaintext: bool,
    /// Who we are to the server, if it wants to know.
    pub login: Option<Login>,
    /// Certificates to trust beside those of the system, as PEM.
    pub ca_file: Option<PathBuf>,
    /// How many messages may be on their way at once, each over its own connection, 1 to 64.
    pub lanes: NonZeroUsize,
    /// The name that we give in EHLO; none: the address of our end of the connection.
    pub hello_name: Option<String>,
    /// How long the server may take.
    pub timeouts: Timeouts,
}

/// What is wrong with an [`SmtpConfig`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SmtpConfigError {
    /// The host is neither name nor address.
    #[error("the host `{}` is neither a host name nor an IP address", got.escape_debug())]
    Host {
        /// What was given.
        got: String,
    },
    /// The port is none.
    #[error("port 0 is none")]
    Port,
    /// Plain text would leave this machine.
    #[error(
        "`{host}` is another machine: without TLS everybody on the way to it reads addresses and messages"
    )]
    Plaintext {
        /// The host.
        host: String,
    },
    /// A password would leave this machine in plain text.
    #[error("a password is never sent in plain text to another machine, and `{host}` is one")]
    PlaintextPassword {
        /// The host.
        host: String,
    },
    /// The user cannot be said.
    #[error("the user has {got} bytes, it needs 1 to 255 without control characters")]
    User {
        /// Its length in bytes.
        got: usize,
    },
    /// Too many connections at once.
    #[error("{got} connections at once are too many, the most are {LANES_MAX}")]
    Lanes {
        /// What was given.
        got: usize,
    },
    /// The name for EHLO is none.
    #[error("the name `{}` for EHLO is no host name", got.escape_debug())]
    HelloName {
        /// What was given.
        got: String,
    },
    /// A timeout is out of its range.
    #[error("the timeout `{name}` is {got_ms} ms, it needs 1 to {TIMEOUT_MS_MAX}")]
    Timeout {
        /// Which one.
        name: &'static str,
        /// What was given, in ms.
        got_ms: u128,
    },
}

impl SmtpConfig {
    /// Everything that is wrong, in the order of the fields.
    pub fn check(&self) -> Vec<SmtpConfigError> {
        let mut errors = Vec::new();
        if !is_host_name(&self.host) && self.host.parse::<IpAddr>().is_err() {
            errors.push(SmtpConfigError::Host { got: self.host.clone() });
        } else if self.encryption == Encryption::None && !self.is_local() {
            if !self.allows_plaintext {
                errors.push(SmtpConfigError::Plaintext { host: self.host.clone() });
            }
            if self.login.is_some() {
                errors.push(SmtpConfigError::PlaintextPassword { host: self.host.clone() });
            }
        }
        if self.port == 0 {
            errors.push(SmtpConfigError::Port);
        }
        if let Some(Login { user, .. }) = &self.login
            && (!(1..=255).contains(&user.len()) || user.chars().any(char::is_control))
        {
            errors.push(SmtpConfigError::User { got: user.len() });
        }
        if self.lanes.get() > LANES_MAX {
            errors.push(SmtpConfigError::Lanes { got: self.lanes.get() });
        }
        if let Some(name) = self.hello_name.as_ref().filter(|name| !is_host_name(name)) {
            errors.push(SmtpConfigError::HelloName { got: name.clone() });
        }
        let Timeouts { connect, command, accept } = self.timeouts;
        for (name, timeout) in [("connect", connect), ("command", command), ("accept", accept)] {
            if !(1..=u128::from(TIMEOUT_MS_MAX)).contains(&timeout.as_millis()) {
                errors.push(SmtpConfigError::Timeout { name, got_ms: timeout.as_millis() });
            }
        }
        errors
    }

    /// Whether the server is this machine, by its name alone; the addresses behind a name are looked at when they are
    /// used.
    pub(super) fn is_local(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost")
            || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    // What ends in a number is an address or nothing.
    let is_numeric = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    name.len() <= 253 && name.split('.').all(is_label) && !name.rsplit('.').next().is_some_and(is_numeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> SmtpConfig {
        SmtpConfig {
            host: "relay.plant.example".to_owned(),
            port: 587,
            encryption: Encryption::StartTls,
            allows_plaintext: false,
            login: Some(Login { user: "andon".to_owned(), password_file: "secret".into() }),
            ca_file: None,
            lanes: NonZeroUsize::MIN,
            hello_name: None,
            timeouts: Timeouts::default(),
        }
    }

    #[test]
    fn plain_text_stays_on_this_machine_unless_it_is_allowed_and_passwords_always_do() {
        let plain = SmtpConfig { encryption: Encryption::None, ..config() };
        let silent = SmtpConfig { login: None, ..plain.clone() };
        let host = plain.host.clone();
        // Host, plain text allowed, with a password | errors
        #[rustfmt::skip]
        let rows = [
            ("relay.plant.example", false, true,  vec![SmtpConfigError::Plaintext { host: host.clone() }, SmtpConfigError::PlaintextPassword { host: host.clone() }]),
            ("relay.plant.example", false, false, vec![SmtpConfigError::Plaintext { host: host.clone() }]),
            ("relay.plant.example", true,  true,  vec![SmtpConfigError::PlaintextPassword { host }]),
            ("relay.plant.example", true,  false, vec![]),
            ("127.0.0.1",           false, true,  vec![]),
            ("localhost",           false, true,  vec![]),
            ("::1",                 false, true,  vec![]),
        ];
        for (host, allows_plaintext, has_login, wanted) in rows {
            let base = if has_login { &plain } else { &silent };
            let config = SmtpConfig { host: host.to_owned(), allows_plaintext, ..base.clone() };
            assert_eq!(config.check(), wanted, "{host} {allows_plaintext} {has_login}");
        }
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let bad = SmtpConfig {
            host: "a b".to_owned(),
            port: 0,
            login: Some(Login { user: String::new(), password_file: "secret".into() }),
            lanes: NonZeroUsize::new(65).unwrap(),
            hello_name: Some("x\r\nRCPT".to_owned()),
            timeouts: Timeouts {
                connect: Duration::ZERO,
                accept: Duration::from_secs(3_601),
                ..Timeouts::default()
            },
            ..config()
        };
        let got: Vec<String> = bad.check().iter().map(ToString::to_string).collect();
        let wanted = [
            "the host `a b` is neither a host name nor an IP address",
            "port 0 is none",
            "the user has 0 bytes, it needs 1 to 255 without control characters",
            "65 connections at once are too many, the most are 64",
            "the name `x\\r\\nRCPT` for EHLO is no host name",
            "the timeout `connect` is 0 ms, it needs 1 to 3600000",
            "the timeout `accept` is 3601000 ms, it needs 1 to 3600000",
        ];
        assert_eq!(got, wanted);
        assert_eq!(config().check(), []);
        for host in ["300.1.1.1", "-", "", "a..b"] {
            let config = SmtpConfig { host: host.to_owned(), ..config() };
            assert_eq!(config.check().is_empty(), host == "-", "{host}");
        }
    }

    #[test]
    fn the_lease_is_twice_what_a_message_may_take() {
        let timeouts = Timeouts::default();
        assert_eq!(timeouts.before_the_dot(), Duration::from_secs(130));
        assert_eq!(timeouts.lease_ms(), 560_000);
    }
}
