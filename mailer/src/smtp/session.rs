//! The dialogue with a server over one connection, step by step, so that it is always known how far it was.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;

use super::fault::{Fault, Phase};
use super::parcel::Parcel;
use super::reply::{LINE_BYTES_MAX, PartialReply, Reply};
use super::wire::Wire;
use super::{Encryption, Timeouts, tls};

/// An open connection that the server has greeted.
#[derive(Debug)]
pub(super) struct Session {
    wire: Wire,
    timeouts: Timeouts,
    offers: Offers,
    /// Whether the next command must first clear what the last message left behind.
    needs_reset: bool,
    /// Whether the dialogue is at a point where the next message may begin.
    is_usable: bool,
    idle_since: Instant,
}

/// What a session needs to begin.
pub(super) struct Opening<'a> {
    pub(super) addresses: &'a [SocketAddr],
    pub(super) encryption: Encryption,
    pub(super) tls: &'a Arc<ClientConfig>,
    pub(super) server_name: &'a ServerName<'static>,
    pub(super) hello_name: Option<&'a str>,
    /// User and password.
    pub(super) login: Option<(&'a str, &'a str)>,
    pub(super) timeouts: Timeouts,
    /// When all that precedes the final dot must be over.
    pub(super) until: Instant,
}

/// What the server can do, of what we use.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Offers {
    has_starttls: bool,
    has_smtputf8: bool,
    has_8bitmime: bool,
    has_plain: bool,
    has_login: bool,
}

impl Session {
    /// Connects, greets, encrypts, logs in.
    pub(super) fn open(opening: &Opening<'_>) -> Result<Self, Fault> {
        let Opening { encryption, tls, server_name, timeouts, until, .. } = opening;
        let connected_by = (Instant::now() + timeouts.connect).min(*until);
        let mut wire = Wire::connect(opening.addresses, connected_by).map_err(Fault::Connect)?;
        let soon = || (Instant::now() + timeouts.command).min(*until);
        let encrypt =
            |wire: Wire| wire.encrypt(Arc::clone(tls), (*server_name).clone(), soon()).map_err(tls::fault);
        if *encryption == Encryption::Implicit {
            wire = encrypt(wire)?;
        }
        let mut session = Self {
            wire,
            timeouts: *timeouts,
            offers: Offers::default(),
            needs_reset: false,
            is_usable: false,
            idle_since: Instant::now(),
        };
        session.positive(Phase::Greeting, soon())?;
        session.hello(opening.hello_name, *until)?;
        if *encryption == Encryption::StartTls {
            if !session.offers.has_starttls {
                return Err(Fault::NotOffered("STARTTLS"));
            }
            session.command(Phase::StartTls, "STARTTLS", *until)?;
            // It would be taken for answers that came over TLS.
            if session.wire.has_unread() {
                return Err(Fault::Injected);
            }
            session.wire = encrypt(session.wire)?;
            // What was offered in plain text, anybody may have written.
            session.hello(opening.hello_name, *until)?;
        }
        if let Some((user, password)) = opening.login {
            session.log_in(user, password, *until)?;
        }
        session.is_usable = true;
        Ok(session)
    }

    /// Hands over one message; `until` is when all that precedes the final dot must be over.
    pub(super) fn deliver(&mut self, parcel: &Parcel<'_>, until: Instant) -> Result<(), Fault> {
        if parcel.needs_smtputf8 && !self.offers.has_smtputf8 {
            return Err(Fault::Message("an address has letters that need SMTPUTF8, which it does not offer"));
        }
        if parcel.needs_8bit && !self.offers.has_8bitmime {
            return Err(Fault::Message("it has letters that need 8BITMIME, which it does not offer"));
        }
        // Until the dialogue is at an end of its own, this connection is good for nothing else.
        self.is_usable = false;
        if self.needs_reset {
            // Whatever a server has against it is said of this connection, and of no mail: a new one needs no reset.
            self.command(Phase::Mail, "RSET", until).map_err(|fault| match fault {
                Fault::Answered { .. } => {
                    Fault::Lost { phase: Phase::Mail, source: ErrorKind::ConnectionAborted.into() }
                }
                lost => lost,
            })?;
            self.needs_reset = false;
        }
        let envelope = self
            .command(Phase::Mail, &parcel.mail_from(), until)
            .and_then(|_| self.command(Phase::Rcpt, &parcel.rcpt_to(), until))
            .and_then(|_| self.command(Phase::Data, "DATA", until));
        if let Err(fault) = envelope {
            self.answered_in_vain(&fault);
            return Err(fault);
        }
        self.wire
            .write(&parcel.stuffed, self.soon(until))
            .map_err(|source| Fault::Lost { phase: Phase::Data, source })?;
        if self.wire.has_unread() {
            return Err(Fault::Garbled(Phase::Data));
        }
        if self.wire.has_gone() {
            return Err(Fault::Lost { phase: Phase::Data, source: ErrorKind::UnexpectedEof.into() });
        }
        let accepted_by = Instant::now() + self.timeouts.accept;
        let accepted = self
            .wire
            .write(b".\r\n", accepted_by)
            .map_err(|source| Fault::Lost { phase: Phase::Dot, source })
            .and_then(|()| self.positive(Phase::Dot, accepted_by));
        match accepted {
            Ok(_) => {
                self.is_usable = true;
                self.idle_since = Instant::now();
                Ok(())
            }
            Err(fault) => {
                self.answered_in_vain(&fault);
                Err(fault)
            }
        }
    }

    /// Whether another message may go this way, as far as is known without asking.
    pub(super) fn is_reusable(&self, idle_max: Duration) -> bool {
        self.is_usable && self.idle_since.elapsed() < idle_max && self.wire.is_quiet()
    }

    /// Whether the dialogue is at a point where the next message may begin.
    pub(super) fn is_usable(&self) -> bool {
        self.is_usable
    }

    /// Takes leave, without waiting for the answer: nobody depends on it.
    pub(super) fn quit(mut self) {
        drop(self.wire.write(b"QUIT\r\n", Instant::now() + Duration::from_millis(100)));
    }

    /// The server said no, and goes on listening, unless it said that it leaves.
    fn answered_in_vain(&mut self, fault: &Fault) {
        if matches!(fault, Fault::Answered { reply, .. } if reply.code / 100 >= 4 && reply.code != 421) {
            self.is_usable = true;
            self.needs_reset = true;
            self.idle_since = Instant::now();
        }
    }

    fn hello(&mut self, name: Option<&str>, until: Instant) -> Result<(), Fault> {
        let name = match name {
            Some(name) => name.to_owned(),
            None => {
                let address =
                    self.wire.local_address().map_err(|source| Fault::Lost { phase: Phase::Ehlo, source })?;
                literal(address.ip())
            }
        };
        let reply = self.command(Phase::Ehlo, &format!("EHLO {name}"), until)?;
        self.offers = Offers::read(&reply.lines);
        Ok(())
    }

    fn log_in(&mut self, user: &str, password: &str, until: Instant) -> Result<(), Fault> {
        if self.offers.has_plain {
            let response = BASE64_STANDARD.encode(format!("\0{user}\0{password}"));
            self.command(Phase::Auth, &format!("AUTH PLAIN {response}"), until)?;
        } else if self.offers.has_login {
            self.challenged("AUTH LOGIN", until)?;
            self.challenged(&BASE64_STANDARD.encode(user), until)?;
            self.command(Phase::Auth, &BASE64_STANDARD.encode(password), until)?;
        } else {
            return Err(Fault::NotOffered("AUTH with PLAIN or LOGIN"));
        }
        Ok(())
    }

    /// Sends a step of a log-in that must be answered by the next challenge.
    fn challenged(&mut self, line: &str, until: Instant) -> Result<(), Fault> {
        let reply = self.ask(Phase::Auth, line, until)?;
        if reply.code.code == 334 {
            return Ok(());
        }
        Err(Fault::Answered { phase: Phase::Auth, reply: reply.code })
    }

    /// Sends a command that must be answered by yes; DATA by "go on".
    fn command(&mut self, phase: Phase, line: &str, until: Instant) -> Result<Reply, Fault> {
        let reply = self.ask(phase, line, until)?;
        let wanted = if phase == Phase::Data { 3 } else { 2 };
        if reply.code.code / 100 == wanted {
            Ok(reply)
        } else {
            Err(Fault::Answered { phase, reply: reply.code })
        }
    }

    fn ask(&mut self, phase: Phase, line: &str, until: Instant) -> Result<Reply, Fault> {
        // Whatever was said unasked would be taken for the answer, and every later answer for another's.
        if self.wire.has_unread() {
            return Err(Fault::Garbled(phase));
        }
        let until = self.soon(until);
        self.wire
            .write(format!("{line}\r\n").as_bytes(), until)
            .map_err(|source| Fault::Lost { phase, source })?;
        self.reply(phase, until)
    }

    fn positive(&mut self, phase: Phase, until: Instant) -> Result<Reply, Fault> {
        let reply = self.reply(phase, until)?;
        if reply.code.code / 100 == 2 { Ok(reply) } else { Err(Fault::Answered { phase, reply: reply.code }) }
    }

    fn reply(&mut self, phase: Phase, until: Instant) -> Result<Reply, Fault> {
        let mut partial = PartialReply::default();
        loop {
            let line =
                self.wire.read_line(LINE_BYTES_MAX, until).map_err(|source| Fault::Lost { phase, source })?;
            if let Some(reply) = partial.line(&line).map_err(|_| Fault::Garbled(phase))? {
                return Ok(reply);
            }
        }
    }

    fn soon(&self, until: Instant) -> Instant {
        (Instant::now() + self.timeouts.command).min(until)
    }
}

impl Offers {
    /// Reads the lines of an answer to EHLO; the first is the server's name.
    fn read(lines: &[String]) -> Self {
        let mut offers = Self::default();
        for line in lines.iter().skip(1) {
            let line = line.to_ascii_uppercase();
            // `AUTH=PLAIN` is how some servers of old put it.
            let mut words = line.split([' ', '=']).filter(|word| !word.is_empty());
            match words.next() {
                Some("STARTTLS") => offers.has_starttls = true,
                Some("SMTPUTF8") => offers.has_smtputf8 = true,
                Some("8BITMIME") => offers.has_8bitmime = true,
                Some("AUTH") => {
                    for mechanism in words {
                        offers.has_plain |= mechanism == "PLAIN";
                        offers.has_login |= mechanism == "LOGIN";
                    }
                }
                _ => {}
            }
        }
        offers
    }
}

/// An address as EHLO takes it.
fn literal(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => format!("[{address}]"),
        IpAddr::V6(address) => format!("[IPv6:{address}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_offers_is_read_in_any_case_and_without_its_name() {
        let lines = [
            "STARTTLS.example",
            "starttls",
            "SIZE 10240000",
            "AUTH=LOGIN",
            "AUTH GSSAPI plain",
            "8BITMIME",
            "",
        ];
        let got = Offers::read(&lines.map(str::to_owned));
        let wanted = Offers {
            has_starttls: true,
            has_smtputf8: false,
            has_8bitmime: true,
            has_plain: true,
            has_login: true,
        };
        assert_eq!(got, wanted);
        assert_eq!(Offers::read(&["SMTPUTF8 at your service".to_owned()]), Offers::default());
    }

    #[test]
    fn an_address_is_said_as_a_literal() {
        assert_eq!(literal("192.0.2.1".parse().unwrap()), "[192.0.2.1]");
        assert_eq!(literal("2001:db8::1".parse().unwrap()), "[IPv6:2001:db8::1]");
        assert_eq!(literal("::ffff:192.0.2.1".parse().unwrap()), "[192.0.2.1]");
    }
}
