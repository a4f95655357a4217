//! Makes the message of a command: a pure function of command, subscriber and configuration.
//!
//! The same command to the same subscriber is the same message, byte for byte, whenever it is made: no clock, no random
//! boundary, no version of the program goes into it. Whatever came from outside is cleaned before it gets here.

mod cleaned;
mod duration;
mod headers;
mod local_time;
mod text;
mod thread_index;

use andon_domain::Command;
use andon_store::Subscriber;
use lettre::Address;
use lettre::address::Envelope;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, SinglePart};

use crate::address::with_ascii_domain;
use crate::{Config, ConfigError, Mail};
use cleaned::cleaned;
use local_time::Local;
use text::Language;
pub(crate) use thread_index::base64;

/// What all messages have in common.
#[derive(Debug, Clone)]
pub struct Look {
    from: Mailbox,
    domain: String,
}

impl Look {
    /// Takes sender and domain from the configuration.
    ///
    /// # Errors
    /// One of them is wrong.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self { from: config.sender()?, domain: config.domain.clone() })
    }
}

/// Why no message can be made.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// What the subscriber gave is no address that mail can be sent to.
    #[error("the subscriber's address is none that mail can be sent to")]
    Address,
    /// The message is not well formed.
    #[error("the message cannot be built")]
    Build(#[source] lettre::error::Error),
}

/// Makes the message.
///
/// # Errors
/// The address of the subscriber is none. Everything else that a command can hold has a message.
pub fn render(command: &Command, subscriber: &Subscriber, look: &Look) -> Result<Mail, RenderError> {
    let to: Address = subscriber.address.parse().map_err(|_| RenderError::Address)?;
    let to = with_ascii_domain(&to).ok_or(RenderError::Address)?;
    let envelope =
        Envelope::new(Some(look.from.email.clone()), vec![to.clone()]).map_err(RenderError::Build)?;
    let language = Language::of(&subscriber.locale);
    let local = Local::of(&subscriber.zone);
    let facts = Facts {
        command,
        line: cleaned(command.line_id.as_str()),
        reason: command.reason_code.as_deref().map(cleaned).filter(|reason| !reason.is_empty()),
        source_status: command.source_status.as_deref().map(cleaned).filter(|word| !word.is_empty()),
    };
    let stem = text::stem(&facts, language, &local);
    let message = headers::builder(&facts, subscriber.id, &stem, look)
        .to(Mailbox::new(None, to))
        // Else it would be read back from the headers, which not every address survives.
        .envelope(envelope.clone())
        .singlepart(
            SinglePart::builder().header(ContentType::TEXT_PLAIN).body(text::body(&facts, language, &local)),
        )
        .map_err(RenderError::Build)?;
    Ok(Mail {
        notification_id: command.notification_id,
        subscriber_id: subscriber.id,
        kind: command.kind,
        created_at: command.created_at,
        envelope,
        content: message.formatted(),
    })
}

/// A command whose texts are fit to be shown.
struct Facts<'a> {
    command: &'a Command,
    line: String,
    reason: Option<String>,
    source_status: Option<String>,
}
