//! The mailer of Andon: it takes notification commands into the delivery ledger, and mails what the ledger holds.
//!
//! ```text
//! [notification-commands] ── intake ──▶ ledger (accounts) ── dispatch ──▶ transport (`.eml` files or SMTP)
//! ```
//!
//! The core decided who is told what; here it is decided only when a message leaves, and whether it still does. A
//! retry is the same message, byte for byte. No address and no content may reach a log line, a metric or an error.

mod address;
mod breaker;
mod cleaned;
mod config;
mod dispatch;
mod error;
mod history;
mod intake;
mod links;
mod local_time;
mod mailer;
mod metrics;
mod outbox;
mod policy;
mod render;
mod retry;
mod sending;
mod smtp;
mod transport;

pub use config::{Config, ConfigError};
pub use error::Error;
pub use history::{History, Manner, Stretch, Today};
pub use links::{Links, PublicUrl, PublicUrlError};
pub use mailer::{Clock, Mailer, Parts};
pub use metrics::Metrics;
pub use outbox::{Outbox, OutboxError};
pub use render::{Look, RenderError, render};
pub use smtp::{Encryption, Login, Smtp, SmtpConfig, SmtpConfigError, SmtpMetrics, SmtpOpenError, Timeouts};
pub use transport::{Mail, ReplyCode, SendError, Transport};
