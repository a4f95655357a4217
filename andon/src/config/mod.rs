//! Configuration: defaults < `andon.toml` < `ANDON_*` < flags. One table ([`SETTINGS`]) names every key, its meaning,
//! unit, default and how it is read, so that the program, `config show` and the errors cannot disagree.

mod layers;
mod mail;
mod settings;
mod value;

use std::net::SocketAddr;
use std::path::PathBuf;

pub(crate) use layers::{Layer, Origin, load};
pub(crate) use mail::{MailTransport, SmtpSettings};
pub(crate) use settings::{SETTINGS, Setting};
pub(crate) use value::duration_ms;

use andon_domain::FoldConfig;
use andon_query_api::{ServerConfig, TlsFiles};

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    /// The folder of `log.db`, `views.db`, `accounts.db` and the outbox.
    pub(crate) data_dir: PathBuf,
    /// Where the API listens.
    pub(crate) listen: SocketAddr,
    /// Where `/livez`, `/readyz` and `/metrics` listen.
    pub(crate) admin: SocketAddr,
    /// The fold, and the age at which an incident is too old to tell.
    pub(crate) fold: FoldConfig,
    /// Sender of the mails.
    pub(crate) mail_from: String,
    /// Right-hand side of message ids.
    pub(crate) mail_domain: String,
    /// How mails leave.
    pub(crate) mail_transport: MailTransport,
    /// The mail server, where they leave by one.
    pub(crate) smtp: SmtpSettings,
    /// How long the log keeps records, in ms.
    pub(crate) log_age_ms_max: i64,
    /// How many bytes the log keeps.
    pub(crate) log_bytes_max: u64,
    /// The largest request body, in bytes.
    pub(crate) body_bytes_max: usize,
    /// The most rows of one request.
    pub(crate) rows_max: usize,
    /// What guards the API.
    pub(crate) http: HttpConfig,
    /// The most streams of events at once.
    pub(crate) streams_max: usize,
    /// How long a stop may take, in ms.
    pub(crate) drain_ms_max: u64,
    /// What is logged, as in `info` or `andon=debug,info`.
    pub(crate) log_filter: String,
    /// `auto`, `text` or `json`.
    pub(crate) log_format: LogFormat,
}

/// What guards the API.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct HttpConfig {
    /// Connections, and what each may take.
    pub(crate) server: ServerConfig,
    /// Certificate and key, if the API speaks TLS.
    pub(crate) tls: Option<TlsFiles>,
    /// Requests that are answered at once.
    pub(crate) requests_max: usize,
    /// Requests a second of one client; 0: no limit.
    pub(crate) rate_per_s: u32,
    /// Requests at once of a client that has been quiet.
    pub(crate) rate_burst: u32,
    /// How long a body may take, in ms.
    pub(crate) body_ms_max: u64,
    /// How long an answer may take, in ms.
    pub(crate) answer_ms_max: u64,
    /// How long an answer waits for the views, in ms.
    pub(crate) settle_ms_max: u64,
    /// Whether reading is free although there are tokens.
    pub(crate) is_read_public: bool,
    /// Where people reach the API, if not by its address.
    pub(crate) public_url: Option<axum::http::Uri>,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl Default for Config {
    /// The defaults of [`SETTINGS`], which a test holds to be valid.
    fn default() -> Self {
        let mut config = Self {
            data_dir: PathBuf::new(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            admin: SocketAddr::from(([127, 0, 0, 1], 0)),
            fold: FoldConfig::default(),
            mail_from: String::new(),
            mail_domain: String::new(),
            mail_transport: MailTransport::Outbox,
            smtp: SmtpSettings::default(),
            log_age_ms_max: 0,
            log_bytes_max: 0,
            body_bytes_max: 0,
            rows_max: 0,
            http: HttpConfig::default(),
            streams_max: 0,
            drain_ms_max: 0,
            log_filter: String::new(),
            log_format: LogFormat::Auto,
        };
        for setting in SETTINGS {
            (setting.set)(&mut config, setting.default).expect("a test reads every default");
        }
        config
    }
}

impl Config {
    /// The addresses that other machines may reach, each with its key: they need a token in the accounts.
    pub(crate) fn reachable(&self) -> impl Iterator<Item = (&'static str, SocketAddr)> {
        [("listen", self.listen), ("admin.listen", self.admin)]
            .into_iter()
            .filter(|(_, address)| !address.ip().is_loopback())
    }

    /// Rules between settings: what is wrong, each with its key.
    pub(crate) fn check(&self) -> Vec<(&'static str, String)> {
        let mut errors = Vec::new();
        let within = self.http.body_ms_max.saturating_add(self.http.settle_ms_max);
        if self.http.answer_ms_max <= within {
            errors.push((
                "http.answer_timeout",
                format!(
                    "{} ms is not more than `http.body_timeout` and `http.settle_timeout` together, {within} ms",
                    self.http.answer_ms_max
                ),
            ));
        }
        if let Some(files) = &self.http.tls
            && (files.certificate.as_os_str().is_empty() || files.key.as_os_str().is_empty())
        {
            errors.push(("http.tls_cert", "`http.tls_cert` and `http.tls_key` are set together".to_owned()));
        }
        if self.listen == self.admin && self.listen.port() != 0 {
            errors.push(("admin.listen", format!("`{}` is the address of the API too", self.admin)));
        }
        errors.extend(mail::check(self));
        errors
    }
}
