//! What can go wrong on the way to a server, by phase, and what each means for a message. This table is the whole
//! judgement; `docs/mail.md` shows it to people.

use std::fmt;
use std::io;

use crate::{ReplyCode, SendError};

/// How far the dialogue was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    Greeting,
    Ehlo,
    StartTls,
    Auth,
    /// RSET and MAIL FROM: what is said about us.
    Mail,
    /// RCPT TO: what is said about the recipient.
    Rcpt,
    /// DATA, and the message up to its last line.
    Data,
    /// From the first byte of the final dot on the server may have accepted the message.
    Dot,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Greeting => "the greeting",
            Self::Ehlo => "EHLO",
            Self::StartTls => "STARTTLS",
            Self::Auth => "AUTH",
            Self::Mail => "MAIL FROM",
            Self::Rcpt => "RCPT TO",
            Self::Data => "DATA",
            Self::Dot => "the end of the message",
        })
    }
}

/// What went wrong. It must never hold a word of the server's, nor an address of a mail.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("could not look up the host")]
    Lookup(#[source] io::Error),
    #[error("the host has no address that is allowed; without encryption only loopback addresses are")]
    NoAddress,
    #[error("could not connect")]
    Connect(#[source] io::Error),
    #[error("the server answered {reply} to {phase}")]
    Answered { phase: Phase, reply: ReplyCode },
    #[error("could not get an answer to {phase}")]
    Lost {
        phase: Phase,
        #[source]
        source: io::Error,
    },
    #[error("the answer to {0} is no answer of SMTP")]
    Garbled(Phase),
    #[error("the server does not offer {0}")]
    NotOffered(&'static str),
    #[error("the server said something between its answer to STARTTLS and the handshake")]
    Injected,
    #[error("could not agree on TLS")]
    Handshake(#[source] io::Error),
    #[error("the server's certificate is not trusted: {0}")]
    Certificate(&'static str),
    #[error("could not read the password file")]
    Password(#[source] io::Error),
    #[error("the message cannot travel to this server: {0}")]
    Message(&'static str),
}

impl Fault {
    /// Whether nothing of the message can have been accepted, and another connection may have more luck: the server
    /// went away, as it does from a connection that it has had enough of.
    pub(super) fn is_lost_before_the_dot(&self) -> bool {
        match self {
            Self::Lost { phase, .. } | Self::Garbled(phase) => (Phase::Mail..Phase::Dot).contains(phase),
            Self::Answered { phase, reply } => *phase == Phase::Mail && reply.code == 421,
            Self::Lookup(_)
            | Self::NoAddress
            | Self::Connect(_)
            | Self::NotOffered(_)
            | Self::Injected
            | Self::Handshake(_)
            | Self::Certificate(_)
            | Self::Password(_)
            | Self::Message(_) => false,
        }
    }

    /// Whether the server would talk to us, but not over one more connection.
    pub(super) fn is_about_connections(&self) -> bool {
        matches!(self, Self::Answered { phase, reply } if *phase <= Phase::Auth && reply.code / 100 == 4)
    }

    /// What it means for the message.
    pub(super) fn judged(self) -> SendError {
        match self {
            Self::Answered { phase: phase @ (Phase::Rcpt | Phase::Data | Phase::Dot), reply } => {
                match reply.code / 100 {
                    4 => SendError::Transient { reply },
                    5 if phase == Phase::Rcpt && is_about_us(reply) => {
                        SendError::Infrastructure(Box::new(self))
                    }
                    5 => SendError::Refused { reply },
                    // Neither yes nor no.
                    _ if phase == Phase::Dot => SendError::Ambiguous(Box::new(self)),
                    _ => SendError::Infrastructure(Box::new(self)),
                }
            }
            Self::Answered { phase: Phase::Mail, reply } if is_about_the_message(reply) => {
                SendError::Refused { reply }
            }
            Self::Lost { phase: Phase::Dot, .. } | Self::Garbled(Phase::Dot) => {
                SendError::Ambiguous(Box::new(self))
            }
            Self::Message(why) => SendError::Message { why },
            Self::Lookup(_)
            | Self::NoAddress
            | Self::Connect(_)
            | Self::Answered { .. }
            | Self::Lost { .. }
            | Self::Garbled(_)
            | Self::NotOffered(_)
            | Self::Injected
            | Self::Handshake(_)
            | Self::Certificate(_)
            | Self::Password(_) => SendError::Infrastructure(Box::new(self)),
        }
    }

    /// The same once two connections were lost over this very message, although the server takes connections. Were it
    /// a fault of the way, one message that no server survives would hold up all others for days.
    pub(super) fn judged_again(self) -> SendError {
        match self {
            Self::Lost { phase: Phase::Rcpt | Phase::Data, .. }
            | Self::Garbled(Phase::Rcpt | Phase::Data) => {
                // "Bad connection": what servers themselves record where the other side went away.
                SendError::Transient { reply: ReplyCode { code: 421, enhanced: Some((4, 4, 2)) } }
            }
            _ => self.judged(),
        }
    }
}

/// Refusals of a recipient that mean the sender, as many servers hold back what they think of us until RCPT TO: a
/// command out of order or unknown, missing or bad authentication, a sender's address that is none.
fn is_about_us(reply: ReplyCode) -> bool {
    matches!(reply.code, 500 | 502 | 503 | 530 | 534 | 535 | 538)
        || matches!(reply.enhanced, Some((5, 1, 7 | 8) | (5, 5, 1) | (5, 7, 8 | 9 | 11)))
}

/// Refusals of MAIL FROM that mean the message: its size, or an address in letters that the server does not want.
fn is_about_the_message(reply: ReplyCode) -> bool {
    reply.code / 100 == 5
        && (reply.code == 552 || matches!(reply.enhanced, Some((5, 3, 4) | (5, 6, 7) | (5, 2, 3))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(error: &SendError) -> String {
        match error {
            SendError::Refused { reply } => format!("refused {reply}"),
            SendError::Transient { reply } => format!("transient {reply}"),
            SendError::Ambiguous(_) => "ambiguous".to_owned(),
            SendError::Infrastructure(_) => "infrastructure".to_owned(),
            SendError::Message { .. } => "message".to_owned(),
        }
    }

    const PHASES: [Phase; 8] = [
        Phase::Greeting,
        Phase::Ehlo,
        Phase::StartTls,
        Phase::Auth,
        Phase::Mail,
        Phase::Rcpt,
        Phase::Data,
        Phase::Dot,
    ];

    #[test]
    fn each_answer_in_each_phase_has_its_meaning() {
        // i: infrastructure, t: transient, r: refused, a: ambiguous
        #[rustfmt::skip]
        let rows = [
            // answer               greeting … auth   mail  rcpt  data  dot
            ((421, None),            ["i", "i", "i", "i", "i", "t", "t", "t"]),
            ((451, None),            ["i", "i", "i", "i", "i", "t", "t", "t"]),
            ((550, None),            ["i", "i", "i", "i", "i", "r", "r", "r"]),
            ((554, Some((5, 7, 1))), ["i", "i", "i", "i", "i", "r", "r", "r"]),
            ((535, Some((5, 7, 8))), ["i", "i", "i", "i", "i", "i", "r", "r"]),
            ((530, None),            ["i", "i", "i", "i", "i", "i", "r", "r"]),
            ((503, Some((5, 5, 1))), ["i", "i", "i", "i", "i", "i", "r", "r"]),
            ((553, Some((5, 1, 8))), ["i", "i", "i", "i", "i", "i", "r", "r"]),
            ((552, Some((5, 3, 4))), ["i", "i", "i", "i", "r", "r", "r", "r"]),
            ((553, Some((5, 6, 7))), ["i", "i", "i", "i", "r", "r", "r", "r"]),
            ((354, None),            ["i", "i", "i", "i", "i", "i", "i", "a"]),
        ];
        for ((code, enhanced), wanted) in rows {
            let reply = ReplyCode { code, enhanced };
            let got = PHASES.map(|phase| class(&Fault::Answered { phase, reply }.judged())[..1].to_owned());
            assert_eq!(got, wanted, "{reply}");
        }
    }

    #[test]
    fn a_lost_connection_is_ambiguous_from_the_dot_on_and_not_before() {
        let lost = |phase| Fault::Lost { phase, source: io::ErrorKind::TimedOut.into() };
        let got = PHASES.map(|phase| class(&lost(phase).judged())[..1].to_owned());
        assert_eq!(got, ["i", "i", "i", "i", "i", "i", "i", "a"]);
        let garbled = PHASES.map(|phase| class(&Fault::Garbled(phase).judged())[..1].to_owned());
        assert_eq!(garbled, got);
        let again = PHASES.map(|phase| class(&lost(phase).judged_again())[..1].to_owned());
        assert_eq!(again, ["i", "i", "i", "i", "i", "t", "t", "a"]);
        let retried = PHASES.map(|phase| lost(phase).is_lost_before_the_dot());
        assert_eq!(retried, [false, false, false, false, true, true, true, false]);
    }

    #[test]
    fn the_table_for_people_says_the_same() {
        let table = include_str!("../../../docs/mail.md");
        let word = |fault: Fault| class(&fault.judged()).split(' ').next().map(str::to_owned).unwrap();
        for phase in PHASES {
            let answer = |code| word(Fault::Answered { phase, reply: ReplyCode::from(code) });
            let lost = || Fault::Lost { phase, source: io::ErrorKind::TimedOut.into() };
            let once = word(lost());
            let again = class(&lost().judged_again()).split(' ').next().map(str::to_owned).unwrap();
            let lost = if once == again { once } else { format!("{once}, then {again}") };
            let line =
                format!("\n| {phase} | {} | {} | {} | {lost} |\n", answer(421), answer(450), answer(550));
            assert!(table.contains(&line), "docs/mail.md has no line{line}");
        }
    }

    #[test]
    fn what_fails_before_the_dialogue_is_a_fault_of_the_way() {
        let io = || io::Error::from(io::ErrorKind::ConnectionRefused);
        for fault in [
            Fault::Lookup(io()),
            Fault::NoAddress,
            Fault::Connect(io()),
            Fault::NotOffered("STARTTLS"),
            Fault::Injected,
            Fault::Handshake(io()),
            Fault::Certificate("it has expired"),
            Fault::Password(io()),
        ] {
            let text = fault.to_string();
            assert!(!fault.is_lost_before_the_dot(), "{text}");
            assert_eq!(class(&fault.judged()), "infrastructure", "{text}");
        }
        assert_eq!(class(&Fault::Message("it is").judged()), "message");
    }
}
