//! Where log lines go: standard error, as text for people or as JSON for machines.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};

/// Starts logging.
pub(crate) fn start(config: &Config) {
    let is_terminal = std::io::stderr().is_terminal();
    let filter = EnvFilter::new(&config.log_filter);
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let result = match (config.log_format, is_terminal) {
        (LogFormat::Json, _) | (LogFormat::Auto, false) => builder.json().flatten_event(true).try_init(),
        (LogFormat::Text, _) | (LogFormat::Auto, true) => builder.with_ansi(is_terminal).try_init(),
    };
    if result.is_err() {
        // Only a second start within one process gets here; the first one's settings go on.
        tracing::debug!("logging was started before");
    }
}
