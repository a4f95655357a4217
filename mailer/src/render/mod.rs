//! Makes the message of a command: a pure function of command, history, subscriber and configuration.
//!
//! The same command to the same subscriber is the same message, byte for byte, whenever it is made: no clock, no random
//! boundary, no version of the program goes into it. Whatever came from outside is cleaned before it gets here.

mod content;
mod duration;
mod headers;
mod html;
mod text;
mod thread_index;
mod words;

use andon_domain::Command;
use andon_store::Subscriber;
use lettre::Address;
use lettre::address::Envelope;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, MultiPart, SinglePart};

use crate::address::with_ascii_domain;
use crate::cleaned::cleaned;
use crate::history::{History, Manner};
use crate::links::Links;
use crate::local_time::Local;
use crate::{Config, ConfigError, Mail};
use content::Content;
use words::Language;

/// What all messages have in common.
#[derive(Debug, Clone)]
pub struct Look {
    from: Mailbox,
    domain: String,
    links: Option<Links>,
}

impl Look {
    /// Takes sender and domain from the configuration.
    ///
    /// # Errors
    /// One of them is wrong.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self { from: config.sender()?, domain: config.domain.clone(), links: None })
    }

    /// With links to the line's page and out of the mails; without them where no address of andon is known.
    #[must_use]
    pub fn with_links(self, links: Option<Links>) -> Self {
        Self { links, ..self }
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

/// How a message about a stop is written that nothing was told of yet.
pub(crate) fn manner(command: &Command, subscriber: &Subscriber) -> Manner {
    let (locale, zone) = (subscriber.locale.clone(), subscriber.zone.clone());
    let line = cleaned(command.line_id.as_str());
    let stem = Language::of(&locale).stem(&line, command, &Local::of(&zone));
    Manner { locale, zone, stem }
}

/// Makes the message of a command, with what the views knew of its stop.
///
/// # Errors
/// The address of the subscriber is none. Everything else that a command can hold has a message.
pub fn render(
    command: &Command,
    history: &History,
    subscriber: &Subscriber,
    look: &Look,
) -> Result<Mail, RenderError> {
    let to: Address = subscriber.address.parse().map_err(|_| RenderError::Address)?;
    let to = with_ascii_domain(&to).ok_or(RenderError::Address)?;
    let envelope =
        Envelope::new(Some(look.from.email.clone()), vec![to.clone()]).map_err(RenderError::Build)?;
    let manner = match &history.manner {
        Some(manner) => manner,
        None => &manner(command, subscriber),
    };
    let content = Content::new(command, history, subscriber.id, manner, look);
    let part = |content_type, body: String| SinglePart::builder().header(content_type).body(body);
    let parts = MultiPart::alternative()
        // An encoded part never has `=_`, and one that is not encoded no line that begins so: `text` and `html` see to it.
        .boundary(format!("=_{}", command.notification_id.0.simple()))
        .singlepart(part(ContentType::TEXT_PLAIN, text::text(&content)))
        .singlepart(part(ContentType::TEXT_HTML, html::html(&content)));
    let message = headers::builder(command, subscriber.id, &content, look)
        .to(Mailbox::new(None, to))
        // Else it would be read back from the headers, which not every address survives.
        .envelope(envelope.clone())
        .multipart(parts)
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
