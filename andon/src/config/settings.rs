//! The table of settings.

use std::path::PathBuf;

use andon_mailer::Encryption;
use andon_query_api::TlsFiles;

use super::mail::{MailTransport, timeout, timeout_ms};
use super::value::{bytes, duration_ms, number, show_bytes, show_duration, switch};
use super::{Config, LogFormat};

/// One setting.
pub(crate) struct Setting {
    /// Its key in `andon.toml`; in the environment `ANDON_`, dots as `__`, in capitals.
    pub(crate) key: &'static str,
    /// What it means, with unit and range.
    pub(crate) doc: &'static str,
    /// Its default, as it would be written.
    pub(crate) default: &'static str,
    /// Reads it.
    pub(crate) set: fn(&mut Config, &str) -> Result<(), String>,
    /// Writes it.
    pub(crate) get: fn(&Config) -> String,
}

/// Takes a value that was read.
fn put<T>(target: &mut T, value: Result<T, String>) -> Result<(), String> {
    *target = value?;
    Ok(())
}

fn positive(text: &str) -> Result<i64, String> {
    match duration_ms(text)? {
        0 => Err(format!("`{text}` is no time at all, the least is 1ms")),
        ms => Ok(ms),
    }
}

fn address(text: &str) -> Result<std::net::SocketAddr, String> {
    text.parse()
        .map_err(|_| format!("`{text}` is no address; write one as `127.0.0.1:8080`, port 0 picks one"))
}

fn url(text: &str) -> Result<axum::http::Uri, String> {
    text.parse::<axum::http::Uri>()
        .ok()
        .filter(|url| matches!(url.scheme_str(), Some("http" | "https")) && url.authority().is_some())
        .filter(|url| url.path_and_query().is_none_or(|path| path.as_str() == "/"))
        .filter(|_| text.parse::<andon_mailer::PublicUrl>().is_ok())
        .ok_or_else(|| format!("`{text}` is no URL of a host; write one as `https://andon.plant.example`"))
}

/// One of the two files of TLS. The other one is still empty when the first is set; `Config::check` looks at both.
fn tls_file(config: &mut Config, text: &str, which: fn(&mut TlsFiles) -> &mut PathBuf) -> Result<(), String> {
    let path = if text == "none" { String::new() } else { word(text, "a file", 4096)? };
    let mut files = config.http.tls.take().unwrap_or_default();
    *which(&mut files) = path.into();
    config.http.tls = Some(files).filter(|files| *files != TlsFiles::default());
    Ok(())
}

fn show_file(path: Option<&PathBuf>) -> String {
    path.filter(|path| !path.as_os_str().is_empty())
        .map_or("none".to_owned(), |path| path.display().to_string())
}

fn word(text: &str, what: &str, bytes_max: usize) -> Result<String, String> {
    if text.is_empty() || text.len() > bytes_max || text.chars().any(char::is_control) {
        return Err(format!("{what} has 1 to {bytes_max} bytes and no control characters"));
    }
    Ok(text.to_owned())
}

/// A value that may be left out, for which another word stands.
fn unless<T>(
    text: &str,
    absent: &str,
    read: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>, String> {
    if text == absent { Ok(None) } else { read(text).map(Some) }
}

/// Every setting, in the order in which `config show` prints them.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        key: "data_dir",
        doc: "folder of the databases and the outbox; made if it is not there",
        default: "andon-data",
        set: |c, v| put(&mut c.data_dir, word(v, "a folder", 4096).map(Into::into)),
        get: |c| c.data_dir.display().to_string(),
    },
    Setting {
        key: "listen",
        doc: "address of the API and the board; port 0 picks one",
        default: "127.0.0.1:8080",
        set: |c, v| put(&mut c.listen, address(v)),
        get: |c| c.listen.to_string(),
    },
    Setting {
        key: "admin.listen",
        doc: "address of /livez, /readyz and /metrics; port 0 picks one",
        default: "127.0.0.1:8081",
        set: |c, v| put(&mut c.admin, address(v)),
        get: |c| c.admin.to_string(),
    },
    Setting {
        key: "fold.allowed_lateness",
        doc: "how far events of a line may be out of order, in event time; later ones become dead letters",
        default: "10m",
        set: |c, v| put(&mut c.fold.allowed_lateness_ms, duration_ms(v)),
        get: |c| show_duration(c.fold.allowed_lateness_ms),
    },
    Setting {
        key: "fold.events_max",
        doc: "bound of the events of a line that can still be revised, 1 to 100000; one more freezes the oldest",
        default: "512",
        set: |c, v| put(&mut c.fold.events_max, number(v, 1, 100_000)),
        get: |c| c.fold.events_max.to_string(),
    },
    Setting {
        key: "fold.degraded_is_down",
        doc: "whether DEGRADED counts as down where a line does not say",
        default: "false",
        set: |c, v| put(&mut c.fold.degraded_is_down, switch(v)),
        get: |c| c.fold.degraded_is_down.to_string(),
    },
    Setting {
        key: "fold.expect_signal_every",
        doc: "longest time between two signals of a living line where it does not say; `never`: it may be silent",
        default: "never",
        set: |c, v| {
            let value = if v == "never" { Ok(None) } else { positive(v).map(Some) };
            put(&mut c.fold.expect_signal_every_ms, value)
        },
        get: |c| c.fold.expect_signal_every_ms.map_or("never".to_owned(), show_duration),
    },
    Setting {
        key: "fold.max_future_skew",
        doc: "how far an event time may lie after its arrival; later ones become dead letters",
        default: "5m",
        set: |c, v| put(&mut c.fold.future_skew_ms_max, duration_ms(v)),
        get: |c| show_duration(c.fold.future_skew_ms_max),
    },
    Setting {
        key: "lines.strict",
        doc: "whether a line must be registered before it may report",
        default: "false",
        set: |c, v| put(&mut c.fold.is_strict, switch(v)),
        get: |c| c.fold.is_strict.to_string(),
    },
    Setting {
        key: "notify.max_age",
        doc: "how old the newest event of a line may be when a stop is told; a backfill tells nobody",
        default: "15m",
        set: |c, v| put(&mut c.fold.notify_age_ms_max, duration_ms(v)),
        get: |c| show_duration(c.fold.notify_age_ms_max),
    },
    Setting {
        key: "mail.from",
        doc: "sender of the mails",
        default: "Andon <andon@localhost>",
        set: |c, v| put(&mut c.mail_from, word(v, "a sender", 320)),
        get: |c| c.mail_from.clone(),
    },
    Setting {
        key: "mail.domain",
        doc: "right-hand side of message ids; a domain of yours",
        default: "andon.localhost",
        set: |c, v| put(&mut c.mail_domain, word(v, "a domain", 253)),
        get: |c| c.mail_domain.clone(),
    },
    Setting {
        key: "mail.transport",
        doc: "how mails leave: `outbox`, as files in the data folder that nobody gets, or `smtp`, by a mail server",
        default: "outbox",
        set: |c, v| {
            let value = match v {
                "outbox" => Ok(MailTransport::Outbox),
                "smtp" => Ok(MailTransport::Smtp),
                other => Err(format!("`{other}` is neither `outbox` nor `smtp`")),
            };
            put(&mut c.mail_transport, value)
        },
        get: |c| {
            match c.mail_transport {
                MailTransport::Outbox => "outbox",
                MailTransport::Smtp => "smtp",
            }
            .to_owned()
        },
    },
    Setting {
        key: "mail.smtp.host",
        doc: "name or address of the mail server, for which its certificate must be; `none`: not set",
        default: "none",
        set: |c, v| put(&mut c.smtp.host, unless(v, "none", |v| word(v, "a host", 253))),
        get: |c| c.smtp.host.clone().unwrap_or("none".to_owned()),
    },
    Setting {
        key: "mail.smtp.port",
        doc: "port of the mail server, 1 to 65535; `auto`: 587 with `starttls`, 465 with `implicit`, 25 with `none`",
        default: "auto",
        set: |c, v| put(&mut c.smtp.port, unless(v, "auto", |v| number(v, 1, 65_535))),
        get: |c| c.smtp.port.map_or("auto".to_owned(), |port| port.to_string()),
    },
    Setting {
        key: "mail.smtp.tls",
        doc: "`starttls`, which is required then, `implicit`: TLS from the first byte, or `none`: on this machine alone",
        default: "starttls",
        set: |c, v| {
            let value = match v {
                "starttls" => Ok(Encryption::StartTls),
                "implicit" => Ok(Encryption::Implicit),
                "none" => Ok(Encryption::None),
                other => Err(format!("`{other}` is none of `starttls`, `implicit`, `none`")),
            };
            put(&mut c.smtp.encryption, value)
        },
        get: |c| {
            match c.smtp.encryption {
                Encryption::StartTls => "starttls",
                Encryption::Implicit => "implicit",
                Encryption::None => "none",
            }
            .to_owned()
        },
    },
    Setting {
        key: "mail.smtp.allow_plaintext",
        doc: "whether `mail.smtp.tls = \"none\"` may leave this machine: addresses and stops can be read on the way",
        default: "false",
        set: |c, v| put(&mut c.smtp.allows_plaintext, switch(v)),
        get: |c| c.smtp.allows_plaintext.to_string(),
    },
    Setting {
        key: "mail.smtp.user",
        doc: "user at the mail server; `none`: it is not asked for one",
        default: "none",
        set: |c, v| put(&mut c.smtp.user, unless(v, "none", |v| word(v, "a user", 255))),
        get: |c| c.smtp.user.clone().unwrap_or("none".to_owned()),
    },
    Setting {
        key: "mail.smtp.password_file",
        doc: "file with the user's password in one line, read for each connection; `none`: not set",
        default: "none",
        set: |c, v| {
            put(&mut c.smtp.password_file, unless(v, "none", |v| word(v, "a file", 4096).map(Into::into)))
        },
        get: |c| c.smtp.password_file.as_ref().map_or("none".to_owned(), |path| path.display().to_string()),
    },
    Setting {
        key: "mail.smtp.ca_file",
        doc: "PEM file of certificates to trust beside those of the system; `none`: those alone",
        default: "none",
        set: |c, v| put(&mut c.smtp.ca_file, unless(v, "none", |v| word(v, "a file", 4096).map(Into::into))),
        get: |c| c.smtp.ca_file.as_ref().map_or("none".to_owned(), |path| path.display().to_string()),
    },
    Setting {
        key: "mail.smtp.hello_name",
        doc: "our name in EHLO; `auto`: the address of our end of the connection",
        default: "auto",
        set: |c, v| put(&mut c.smtp.hello_name, unless(v, "auto", |v| word(v, "a host name", 253))),
        get: |c| c.smtp.hello_name.clone().unwrap_or("auto".to_owned()),
    },
    Setting {
        key: "mail.smtp.lanes",
        doc: "connections to the mail server at once, 1 to 64",
        default: "8",
        set: |c, v| {
            put(
                &mut c.smtp.lanes,
                number(v, std::num::NonZeroUsize::MIN, std::num::NonZeroUsize::MIN.saturating_add(63)),
            )
        },
        get: |c| c.smtp.lanes.to_string(),
    },
    Setting {
        key: "mail.smtp.connect_timeout",
        doc: "how long the mail server may take to take a connection, up to 1h",
        default: "10s",
        set: |c, v| put(&mut c.smtp.timeouts.connect, positive(v).map(timeout)),
        get: |c| show_duration(timeout_ms(c.smtp.timeouts.connect)),
    },
    Setting {
        key: "mail.smtp.command_timeout",
        doc: "how long it may take to answer a command, up to 1h",
        default: "30s",
        set: |c, v| put(&mut c.smtp.timeouts.command, positive(v).map(timeout)),
        get: |c| show_duration(timeout_ms(c.smtp.timeouts.command)),
    },
    Setting {
        key: "mail.smtp.accept_timeout",
        doc: "how long it may take to accept a whole message, up to 1h; others wait meanwhile, a repeat may come after it",
        default: "2m",
        set: |c, v| put(&mut c.smtp.timeouts.accept, positive(v).map(timeout)),
        get: |c| show_duration(timeout_ms(c.smtp.timeouts.accept)),
    },
    Setting {
        key: "log.max_age",
        doc: "how long the event log keeps status changes, commands and dead letters",
        default: "400d",
        set: |c, v| put(&mut c.log_age_ms_max, positive(v)),
        get: |c| show_duration(c.log_age_ms_max),
    },
    Setting {
        key: "log.max_bytes",
        doc: "how large the event log may grow before its oldest records go",
        default: "20GiB",
        set: |c, v| put(&mut c.log_bytes_max, bytes(v)),
        get: |c| show_bytes(c.log_bytes_max),
    },
    Setting {
        key: "http.max_body",
        doc: "largest request body, up to 64MiB",
        default: "8MiB",
        set: |c, v| {
            let value = bytes(v).and_then(|size| {
                usize::try_from(size)
                    .ok()
                    .filter(|size| (1..=64 << 20).contains(size))
                    .ok_or_else(|| format!("`{v}` is not from 1 to 64MiB"))
            });
            put(&mut c.body_bytes_max, value)
        },
        get: |c| show_bytes(c.body_bytes_max as u64),
    },
    Setting {
        key: "http.max_rows",
        doc: "most status changes of one request, 1 to 100000",
        default: "10000",
        set: |c, v| put(&mut c.rows_max, number(v, 1, 100_000)),
        get: |c| c.rows_max.to_string(),
    },
    Setting {
        key: "http.public_read",
        doc: "whether lines, downtime and statuses may be read without a token although there are some",
        default: "true",
        set: |c, v| put(&mut c.http.is_read_public, switch(v)),
        get: |c| c.http.is_read_public.to_string(),
    },
    Setting {
        key: "http.public_url",
        doc: "where people reach the API and the board, as in `https://andon.plant.example`; the links in mails lead there. \
              `none`: by its address, and if that is a loopback one mails link to it, else they have no links",
        default: "none",
        set: |c, v| put(&mut c.http.public_url, if v == "none" { Ok(None) } else { url(v).map(Some) }),
        get: |c| c.http.public_url.as_ref().map_or("none".to_owned(), ToString::to_string),
    },
    Setting {
        key: "http.tls_cert",
        doc: "certificate of the API with those above it, a PEM file, read again when it changes; `none`: no TLS",
        default: "none",
        set: |c, v| tls_file(c, v, |files| &mut files.certificate),
        get: |c| show_file(c.http.tls.as_ref().map(|files| &files.certificate)),
    },
    Setting {
        key: "http.tls_key",
        doc: "private key of that certificate, a PEM file",
        default: "none",
        set: |c, v| tls_file(c, v, |files| &mut files.key),
        get: |c| show_file(c.http.tls.as_ref().map(|files| &files.key)),
    },
    Setting {
        key: "http.max_connections",
        doc: "connections at once, 1 to 100000; one more waits until another one ends",
        default: "1024",
        set: |c, v| put(&mut c.http.server.connections_max, number(v, 1, 100_000)),
        get: |c| c.http.server.connections_max.to_string(),
    },
    Setting {
        key: "http.max_header",
        doc: "largest head of a request, from 8KiB to 1MiB; beyond it 431",
        default: "64KiB",
        set: |c, v| {
            let value = bytes(v).and_then(|size| {
                usize::try_from(size)
                    .ok()
                    .filter(|size| (8 << 10..=1 << 20).contains(size))
                    .ok_or_else(|| format!("`{v}` is not from 8KiB to 1MiB"))
            });
            put(&mut c.http.server.head_bytes_max, value)
        },
        get: |c| show_bytes(c.http.server.head_bytes_max as u64),
    },
    Setting {
        key: "http.max_requests",
        doc: "requests that are answered at once, 1 to 100000; one more is refused with 503",
        default: "512",
        set: |c, v| put(&mut c.http.requests_max, number(v, 1, 100_000)),
        get: |c| c.http.requests_max.to_string(),
    },
    Setting {
        key: "http.rate",
        doc: "requests a second of one client, by its token or else its address; beyond it 429; 0: no limit. Clients on \
              this machine without a token have none",
        default: "200",
        set: |c, v| put(&mut c.http.rate_per_s, number(v, 0, 1_000_000)),
        get: |c| c.http.rate_per_s.to_string(),
    },
    Setting {
        key: "http.burst",
        doc: "requests at once of a client that has been quiet, 1 to 1000000",
        default: "1000",
        set: |c, v| put(&mut c.http.rate_burst, number(v, 1, 1_000_000)),
        get: |c| c.http.rate_burst.to_string(),
    },
    Setting {
        key: "http.body_timeout",
        doc: "how long the body of a request may take to arrive; beyond it 408",
        default: "30s",
        set: |c, v| put(&mut c.http.body_ms_max, positive(v).map(i64::cast_unsigned)),
        get: |c| show_duration(c.http.body_ms_max.cast_signed()),
    },
    Setting {
        key: "http.answer_timeout",
        doc: "how long an answer may take, its body included; beyond it 503; more than the two others together",
        default: "1m",
        set: |c, v| put(&mut c.http.answer_ms_max, positive(v).map(i64::cast_unsigned)),
        get: |c| show_duration(c.http.answer_ms_max.cast_signed()),
    },
    Setting {
        key: "http.settle_timeout",
        doc: "how long an answer waits until the views show what it did; then it is 202",
        default: "2s",
        set: |c, v| put(&mut c.http.settle_ms_max, positive(v).map(i64::cast_unsigned)),
        get: |c| show_duration(c.http.settle_ms_max.cast_signed()),
    },
    Setting {
        key: "http.header_timeout",
        doc: "how long the head of a request, or a TLS handshake, may take; beyond it 408",
        default: "10s",
        set: |c, v| put(&mut c.http.server.header_ms_max, positive(v).map(i64::cast_unsigned)),
        get: |c| show_duration(c.http.server.header_ms_max.cast_signed()),
    },
    Setting {
        key: "http.idle_timeout",
        doc: "how long a connection may be idle between two requests; longer than a proxy before it keeps it",
        default: "75s",
        set: |c, v| put(&mut c.http.server.idle_ms_max, positive(v).map(i64::cast_unsigned)),
        get: |c| show_duration(c.http.server.idle_ms_max.cast_signed()),
    },
    Setting {
        key: "http.stall_timeout",
        doc: "how long a client may take none of its answer",
        default: "30s",
        set: |c, v| put(&mut c.http.server.stall_ms_max, positive(v).map(i64::cast_unsigned)),
        get: |c| show_duration(c.http.server.stall_ms_max.cast_signed()),
    },
    Setting {
        key: "http.max_streams",
        doc: "most streams of events (`/v1/events`) at once, 1 to 100000; one more is refused with 503; fewer than \
              `http.max_connections`, so that streams leave room for requests",
        default: "500",
        set: |c, v| put(&mut c.streams_max, number(v, 1, 100_000)),
        get: |c| c.streams_max.to_string(),
    },
    Setting {
        key: "drain.max",
        doc: "how long a stop may take before the process ends anyway",
        default: "20s",
        set: |c, v| put(&mut c.drain_ms_max, positive(v).map(i64::cast_unsigned)),
        get: |c| show_duration(c.drain_ms_max.cast_signed()),
    },
    Setting {
        key: "logging.filter",
        doc: "what is logged: `error`, `warn`, `info`, `debug`, or per module as in `andon_processor=debug,info`",
        default: "info",
        set: |c, v| {
            let value = v.parse::<tracing_subscriber::EnvFilter>().map(|_| v.to_owned());
            put(&mut c.log_filter, value.map_err(|error| format!("`{v}` is no filter: {error}")))
        },
        get: |c| c.log_filter.clone(),
    },
    Setting {
        key: "logging.format",
        doc: "`text`, `json`, or `auto`: text on a terminal, JSON elsewhere",
        default: "auto",
        set: |c, v| {
            let value = match v {
                "auto" => Ok(LogFormat::Auto),
                "text" => Ok(LogFormat::Text),
                "json" => Ok(LogFormat::Json),
                other => Err(format!("`{other}` is none of `auto`, `text`, `json`")),
            };
            put(&mut c.log_format, value)
        },
        get: |c| {
            match c.log_format {
                LogFormat::Auto => "auto",
                LogFormat::Text => "text",
                LogFormat::Json => "json",
            }
            .to_owned()
        },
    },
];
