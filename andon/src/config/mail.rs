//! How mails leave: the settings, and the rules between them.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use andon_mailer::{ConfigError, Encryption, Login, SmtpConfig, SmtpConfigError, Timeouts};

use super::Config;

/// The way out for mails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MailTransport {
    /// `.eml` files in the data folder.
    Outbox,
    /// A mail server.
    Smtp,
}

/// The mail server, as far as it is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SmtpSettings {
    pub(crate) host: Option<String>,
    /// None: the usual one of the encryption.
    pub(crate) port: Option<u16>,
    pub(crate) encryption: Encryption,
    pub(crate) allows_plaintext: bool,
    pub(crate) user: Option<String>,
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) hello_name: Option<String>,
    pub(crate) lanes: NonZeroUsize,
    pub(crate) timeouts: Timeouts,
}

impl Default for SmtpSettings {
    fn default() -> Self {
        Self {
            host: None,
            port: None,
            encryption: Encryption::StartTls,
            allows_plaintext: false,
            user: None,
            password_file: None,
            ca_file: None,
            hello_name: None,
            lanes: NonZeroUsize::MIN,
            timeouts: Timeouts::default(),
        }
    }
}

impl SmtpSettings {
    /// The settings as the transport takes them; the rules of [`check`] hold.
    pub(crate) fn transport(&self) -> SmtpConfig {
        let usual = match self.encryption {
            Encryption::StartTls => 587,
            Encryption::Implicit => 465,
            Encryption::None => 25,
        };
        let login = self.user.clone().zip(self.password_file.clone());
        SmtpConfig {
            host: self.host.clone().unwrap_or_default(),
            port: self.port.unwrap_or(usual),
            encryption: self.encryption,
            allows_plaintext: self.allows_plaintext,
            login: login.map(|(user, password_file)| Login { user, password_file }),
            ca_file: self.ca_file.clone(),
            lanes: self.lanes,
            hello_name: self.hello_name.clone(),
            timeouts: self.timeouts,
        }
    }
}

/// What is wrong with how mails leave, each with its key.
pub(super) fn check(config: &Config) -> Vec<(&'static str, String)> {
    let mut errors = Vec::new();
    let base = andon_mailer::Config::default;
    for mailer in [
        andon_mailer::Config { from: config.mail_from.clone(), ..base() },
        andon_mailer::Config { domain: config.mail_domain.clone(), ..base() },
    ] {
        if let Err(error) = mailer.check() {
            let key = if matches!(error, ConfigError::From { .. }) { "mail.from" } else { "mail.domain" };
            errors.push((key, error.to_string()));
        }
    }
    if config.mail_transport == MailTransport::Smtp {
        check_smtp(config, &mut errors);
    }
    errors
}

fn check_smtp(config: &Config, errors: &mut Vec<(&'static str, String)>) {
    let SmtpSettings { host, user, password_file, .. } = &config.smtp;
    if host.is_none() {
        errors.push((
            "mail.smtp.host",
            "`mail.transport = \"smtp\"` needs the host of a mail server".to_owned(),
        ));
    }
    let is_elsewhere = host.as_ref().is_some_and(|host| {
        host != "localhost" && host.parse::<IpAddr>().map_or(true, |ip| !ip.is_loopback())
    });
    if is_elsewhere && config.mail_from.contains("@localhost") {
        let why = format!(
            "`{}` is nobody to a mail server elsewhere; set the address that mails come from",
            config.mail_from
        );
        errors.push(("mail.from", why));
    }
    match (user, password_file) {
        (Some(_), None) => {
            errors.push((
                "mail.smtp.password_file",
                "`mail.smtp.user` needs the file of its password".to_owned(),
            ));
        }
        (None, Some(_)) => {
            errors.push((
                "mail.smtp.user",
                "`mail.smtp.password_file` needs the user it belongs to".to_owned(),
            ));
        }
        (Some(_), Some(_)) | (None, None) => {}
    }
    // Without a host, what is wrong with it has been said.
    let faults = config.smtp.transport().check();
    errors.extend(
        faults
            .into_iter()
            .filter(|fault| host.is_some() || !matches!(fault, SmtpConfigError::Host { .. }))
            .map(|fault| (key_of(&fault), advice(&fault))),
    );
}

fn key_of(fault: &SmtpConfigError) -> &'static str {
    match fault {
        SmtpConfigError::Host { .. } => "mail.smtp.host",
        SmtpConfigError::Port => "mail.smtp.port",
        SmtpConfigError::Plaintext { .. } => "mail.smtp.tls",
        SmtpConfigError::PlaintextPassword { .. } | SmtpConfigError::User { .. } => "mail.smtp.user",
        SmtpConfigError::Lanes { .. } => "mail.smtp.lanes",
        SmtpConfigError::HelloName { .. } => "mail.smtp.hello_name",
        SmtpConfigError::Timeout { name: "connect", .. } => "mail.smtp.connect_timeout",
        SmtpConfigError::Timeout { name: "command", .. } => "mail.smtp.command_timeout",
        SmtpConfigError::Timeout { .. } => "mail.smtp.accept_timeout",
    }
}

fn advice(fault: &SmtpConfigError) -> String {
    match fault {
        SmtpConfigError::Plaintext { .. } => {
            format!("{fault}; use `starttls` or `implicit`, or set `mail.smtp.allow_plaintext = true`")
        }
        _ => fault.to_string(),
    }
}

/// A timeout of so many ms.
pub(super) fn timeout(ms: i64) -> Duration {
    Duration::from_millis(ms.unsigned_abs())
}

/// The ms of a timeout.
pub(super) fn timeout_ms(timeout: Duration) -> i64 {
    i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::{Layer, load};

    type Settings<'a> = &'a [(&'a str, &'a str)];

    fn errors(settings: Settings<'_>) -> Vec<String> {
        let variables = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        load(&[Layer::from_environment(variables)]).err().map_or(Vec::new(), |errors| errors.0)
    }

    #[test]
    fn a_mail_server_is_set_whole_or_not_at_all() {
        let smtp = ("ANDON_MAIL__TRANSPORT", "smtp");
        let host = ("ANDON_MAIL__SMTP__HOST", "relay.plant.example");
        let from = ("ANDON_MAIL__FROM", "andon@plant.example");
        let none = ("ANDON_MAIL__SMTP__TLS", "none");
        let user = ("ANDON_MAIL__SMTP__USER", "andon");
        let file = ("ANDON_MAIL__SMTP__PASSWORD_FILE", "secret");
        // Settings | the keys that are wrong
        #[rustfmt::skip]
        let rows: [(Settings<'_>, &[&str]); 12] = [
            (&[smtp, from, host], &[]),
            (&[smtp, host], &["mail.from"]),
            (&[smtp, from, host, user, file], &[]),
            (&[none, user], &[]), // nobody uses them
            (&[smtp], &["mail.smtp.host"]),
            (&[smtp, from, host, user], &["mail.smtp.password_file"]),
            (&[smtp, from, host, file], &["mail.smtp.user"]),
            (&[smtp, from, host, none], &["mail.smtp.tls"]),
            (&[smtp, from, host, none, user, file], &["mail.smtp.tls", "mail.smtp.user"]),
            (&[smtp, ("ANDON_MAIL__SMTP__HOST", "localhost"), none, user, file], &[]),
            (&[smtp, from, host, none, ("ANDON_MAIL__SMTP__ALLOW_PLAINTEXT", "true")], &[]),
            (&[smtp, user, ("ANDON_MAIL__FROM", "nobody"), ("ANDON_MAIL__DOMAIN", "a b"), ("ANDON_MAIL__SMTP__CONNECT_TIMEOUT", "2h")],
             &["mail.from", "mail.domain", "mail.smtp.host", "mail.smtp.password_file", "mail.smtp.connect_timeout"]),
        ];
        for (settings, wanted) in rows {
            let errors = errors(settings);
            let keys: Vec<&str> =
                errors.iter().map(|error| error.split(' ').next().unwrap_or_default()).collect();
            assert_eq!(keys, wanted, "{settings:?}: {errors:?}");
        }
        let told = errors(&[smtp, from, host, none]);
        assert!(told[0].contains("mail.smtp.allow_plaintext"), "{told:?}");
    }

    #[test]
    fn the_port_follows_the_encryption_unless_it_is_set() {
        for (tls, port, wanted) in [
            ("starttls", "auto", 587),
            ("implicit", "auto", 465),
            ("none", "auto", 25),
            ("implicit", "2465", 2465),
        ] {
            let variables = [("ANDON_MAIL__SMTP__TLS", tls), ("ANDON_MAIL__SMTP__PORT", port)];
            let variables = variables.map(|(key, value)| (key.to_owned(), value.to_owned()));
            let (config, _) = load(&[Layer::from_environment(variables)]).unwrap();
            assert_eq!(config.smtp.transport().port, wanted, "{tls} {port}");
        }
    }
}
