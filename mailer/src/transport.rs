//! The port through which a finished message leaves. An adapter never decides whether to try again, and it never
//! puts an address or a server's reply text into an error.

use std::fmt;
use std::num::NonZeroUsize;

use andon_domain::{CommandKind, Millis, NotificationId, SubscriberId};
use lettre::address::Envelope;

/// A finished message to one recipient.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// Identity of the message: whoever gets it twice has the same message twice.
    pub notification_id: NotificationId,
    /// Whom it is for.
    pub subscriber_id: SubscriberId,
    /// What it says.
    pub kind: CommandKind,
    /// When the core decided it; the `Date` of the message.
    pub created_at: Millis,
    /// The addresses of the transport: one sender, one recipient.
    pub envelope: Envelope,
    /// The message as it travels: headers and body, lines ending in CR LF.
    pub content: Vec<u8>,
}

impl fmt::Debug for Mail {
    /// Shows neither address nor content, so that no log line can hold them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("notification_id", &self.notification_id)
            .field("subscriber_id", &self.subscriber_id)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// What a server answered, without its words: those may quote the recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplyCode {
    /// The reply code of RFC 5321, as in 550.
    pub code: u16,
    /// The enhanced status code of RFC 3463, as in 5.1.1, if the server gave one.
    pub enhanced: Option<(u8, u16, u16)>,
}

impl From<u16> for ReplyCode {
    fn from(code: u16) -> Self {
        Self { code, enhanced: None }
    }
}

impl fmt::Display for ReplyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        self.enhanced.map_or(Ok(()), |(class, subject, detail)| write!(f, " {class}.{subject}.{detail}"))
    }
}

/// Why a message was not accepted, by what that means for it.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// This recipient, for good (SMTP 5xx). It surely did not arrive.
    #[error("the server refuses the recipient with {reply}")]
    Refused {
        /// What the server answered.
        reply: ReplyCode,
    },
    /// This recipient, for now (SMTP 4xx). It surely did not arrive.
    #[error("could not deliver now, the server answered {reply}")]
    Transient {
        /// What the server answered.
        reply: ReplyCode,
    },
    /// The connection broke where the message may have been accepted already.
    #[error("could not learn whether the message was accepted")]
    Ambiguous(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The way itself is broken: no connection, a full disk. It surely did not arrive, and no other message would.
    #[error("could not reach the way out")]
    Infrastructure(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The message itself cannot travel this way, as an address that the server has no words for.
    #[error("the message cannot be sent this way: {why}")]
    Message {
        /// What is wrong; without address and content.
        why: &'static str,
    },
}

/// A way out for messages.
pub trait Transport: Send + Sync {
    /// Hands over one message; when it returns without error, the other side has it durably. Blocks, at most for a
    /// fraction of the lease (see [`crate::Config::lease_ms`]).
    fn send(&self, mail: &Mail) -> Result<(), SendError>;

    /// How many messages may be on their way at once.
    fn lanes(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }

    /// Deletes whatever it keeps of a subscriber who was erased. Called at least once after the last message to
    /// them; nothing to do for a transport that keeps nothing.
    fn forget(&self, _subscriber_id: SubscriberId) -> Result<(), SendError> {
        Ok(())
    }
}
