//! What can be set about the mailer. It must never take effect half: a bad configuration is refused before anything
//! is read.

use lettre::Message;
use lettre::message::Mailbox;

use crate::address::with_ascii_domain;

/// Settings of the mailer. Times are in milliseconds of wall time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The sender of every message, as in `Andon <andon@plant.example>`. Default `Andon <andon@localhost>`.
    pub from: String,
    /// The right-hand side of message ids and list ids: a domain of the operator's, ASCII. It must stay the same, or
    /// threads break in two. Default `andon.localhost`.
    pub domain: String,
    /// An opening older than this is sent only if its stop still lasts once the log has been read to its end.
    /// Default 15 min.
    pub notify_max_age_ms: i64,
    /// How long a claim holds before another sender may take over; in its first half messages may begin to leave.
    /// At least 10 s. Default 2 min.
    pub lease_ms: i64,
    /// Deliveries claimed at once, 1 to 1,000. Default 64.
    pub claim_limit: usize,
    /// Batches of commands taken in before what is due is sent, 1 to 1,000. Default 16.
    pub intake_batches_max: usize,
    /// After so long a delivery that was tried in vain is given up. Default 5 days.
    pub give_up_after_ms: i64,
    /// How long settled deliveries stay in the ledger; at least twice `give_up_after_ms`. Default 90 days.
    pub keep_settled_ms: i64,
    /// How often settled deliveries are looked through for ones to forget. Default 1 h.
    pub sweep_every_ms: i64,
    /// Deliveries forgotten at once, 1 to 100,000. Default 1,000.
    pub sweep_limit: usize,
    /// How long the views may hold up a portion of messages until they know what the messages tell; then these go
    /// without the course of the stop. At most 10 s. Default 250 ms.
    pub views_ms_max: u64,
}

impl Default for Config {
    fn default() -> Self {
        const MINUTE_MS: i64 = 60_000;
        const DAY_MS: i64 = 86_400_000;
        Self {
            from: "Andon <andon@localhost>".to_owned(),
            domain: "andon.localhost".to_owned(),
            notify_max_age_ms: 15 * MINUTE_MS,
            lease_ms: 2 * MINUTE_MS,
            claim_limit: 64,
            intake_batches_max: 16,
            give_up_after_ms: 5 * DAY_MS,
            keep_settled_ms: 90 * DAY_MS,
            sweep_every_ms: 60 * MINUTE_MS,
            sweep_limit: 1_000,
            views_ms_max: 250,
        }
    }
}

/// What is wrong with a [`Config`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The sender is no address.
    #[error("the sender `{}` is no address like `Andon <andon@plant.example>`", got.escape_debug())]
    From {
        /// What was given.
        got: String,
    },
    /// The domain is none.
    #[error(
        "the domain `{}` is none: it needs 1 to 200 letters, digits, dots and hyphens, no empty part",
        got.escape_debug()
    )]
    Domain {
        /// What was given.
        got: String,
    },
    /// A number is out of its range.
    #[error("`{setting}` is {got}, it needs {min} to {max}")]
    Range {
        /// The setting.
        setting: &'static str,
        /// What was given.
        got: i64,
        /// The least.
        min: i64,
        /// The most.
        max: i64,
    },
}

impl Config {
    /// Checks every setting.
    ///
    /// # Errors
    /// The first setting that is wrong.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.sender()?;
        let is_domain = (1..=200).contains(&self.domain.len())
            && self.domain.split('.').all(|part| {
                !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            });
        if !is_domain {
            return Err(ConfigError::Domain { got: self.domain.clone() });
        }
        let count = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        let double = self.give_up_after_ms.saturating_mul(2);
        #[rustfmt::skip]
        let ranges = [
            ("notify_max_age_ms", self.notify_max_age_ms, 0, i64::MAX),
            ("lease_ms", self.lease_ms, 10_000, 86_400_000),
            ("claim_limit", count(self.claim_limit), 1, 1_000),
            ("intake_batches_max", count(self.intake_batches_max), 1, 1_000),
            ("give_up_after_ms", self.give_up_after_ms, 0, i64::MAX),
            ("keep_settled_ms", self.keep_settled_ms, double, i64::MAX),
            ("sweep_every_ms", self.sweep_every_ms, 0, i64::MAX),
            ("sweep_limit", count(self.sweep_limit), 1, 100_000),
            ("views_ms_max", i64::try_from(self.views_ms_max).unwrap_or(i64::MAX), 0, 10_000),
        ];
        match ranges.into_iter().find(|(_, got, min, max)| got < min || got > max) {
            Some((setting, got, min, max)) => Err(ConfigError::Range { setting, got, min, max }),
            None => Ok(()),
        }
    }

    /// The sender, parsed. Control characters are refused first: the parser's own answer to them is a panic later on.
    pub(crate) fn sender(&self) -> Result<Mailbox, ConfigError> {
        let refused = || ConfigError::From { got: self.from.clone() };
        if self.from.chars().any(char::is_control) {
            return Err(refused());
        }
        let Mailbox { name, email } = self.from.parse().map_err(|_| refused())?;
        let email = with_ascii_domain(&email).ok_or_else(refused)?;
        // Else a server without SMTPUTF8 would take no message at all.
        if !email.user().is_ascii() {
            return Err(refused());
        }
        let sender = Mailbox { name, email };
        // The builder reads the sender back from its header, which not every address survives.
        match Message::builder().from(sender.clone()).to(sender.clone()).body(String::new()) {
            Ok(_) => Ok(sender),
            Err(_) => Err(refused()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid() {
        assert_eq!(Config::default().check(), Ok(()));
        let spanish = Config { from: "Señal <andon@fábrica.example>".to_owned(), ..Config::default() };
        assert_eq!(spanish.sender().unwrap().email.to_string(), "andon@xn--fbrica-pta.example");
    }

    #[test]
    fn each_bad_setting_is_named_with_what_was_given() {
        let ok = Config::default;
        let rows = [
            (Config { from: "nobody".into(), ..ok() }, "the sender `nobody` is no address"),
            (Config { from: "A\r\nBcc: x@y.z <a@b.c>".into(), ..ok() }, "the sender `A\\r\\nBcc"),
            (Config { from: "\"a b\"@c.d".into(), ..ok() }, "the sender `\\\"a b"),
            (Config { from: "señal@plant.example".into(), ..ok() }, "the sender `señal@"),
            (Config { domain: String::new(), ..ok() }, "the domain `` is none"),
            (Config { domain: "a..b".into(), ..ok() }, "the domain `a..b` is none"),
            (Config { domain: "a>\r\nX: y".into(), ..ok() }, "the domain `a>\\r\\nX: y` is none"),
            (Config { domain: "planta.españa".into(), ..ok() }, "the domain `planta.españa` is none"),
            (Config { lease_ms: 9_999, ..ok() }, "`lease_ms` is 9999, it needs 10000 to 86400000"),
            (Config { claim_limit: 0, ..ok() }, "`claim_limit` is 0, it needs 1 to 1000"),
            (Config { claim_limit: usize::MAX, ..ok() }, "`claim_limit` is 9223372036854775807"),
            (Config { notify_max_age_ms: -1, ..ok() }, "`notify_max_age_ms` is -1"),
            (
                Config { keep_settled_ms: 863_999_999, ..ok() },
                "`keep_settled_ms` is 863999999, it needs 864000000",
            ),
        ];
        for (config, wanted) in rows {
            let got = config.check().unwrap_err().to_string();
            assert!(got.starts_with(wanted), "{got}");
        }
    }
}
