//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Andon tells a factory what stopped, when, how long and why.
#[derive(Debug, Parser)]
#[command(
    name = "andon",
    version,
    max_term_width = 100,
    after_help = "\
Examples:
  andon demo --once                 fold the bundled record, print what was found, compare, end
  andon run                         run everything in this process, data in ./andon-data
  andon ingest events.csv           send status changes to a running andon
  andon dead-letters list           what could not be folded, and why
  andon config show                 every setting, its value and where it comes from"
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Configuration file [default: andon.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE", env = "ANDON_CONFIG", hide_env_values = true)]
    pub(crate) config: Option<PathBuf>,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Everything in this process, on the bundled real record; prints what it found; serves it
    #[command(after_help = "\
Examples:
  andon demo              the summary, then the API with a few simulated lines until Ctrl-C
  andon demo --once       the summary alone; exit code 0 only if every interval is the expected one")]
    Demo {
        /// End after the summary
        #[arg(long)]
        once: bool,
        /// Folder of the demo's databases [default: a temporary one, removed at the end]
        #[arg(long, value_name = "DIR")]
        data_dir: Option<String>,
        /// Address of the API; port 0 picks one [default: 127.0.0.1:8080, or another port if that is taken]
        #[arg(long, value_name = "ADDR")]
        listen: Option<String>,
    },
    /// Everything in this process
    #[command(after_help = "\
Examples:
  andon run
  andon run --data-dir /var/lib/andon --listen 127.0.0.1:8080 --admin 127.0.0.1:8081
  ANDON_NOTIFY__MAX_AGE=1h andon run")]
    Run(RunArgs),
    /// Status changes from CSV or JSON lines to a running andon
    #[command(after_help = "\
Examples:
  andon ingest events.csv --vocabulary statuspage
  tail -f changes.jsonl | andon ingest - --format ndjson --batch 1
A CSV file names its columns in the first row: line_id, event_time, and status or source_status; event_id, sequence,
reason_code and source may follow. Sending a file twice changes nothing: an event is known by its id, or by its content.")]
    Ingest(IngestArgs),
    /// What could not be folded: list, look, send again, set aside
    DeadLetters {
        /// What to do.
        #[command(subcommand)]
        command: DeadLetters,
        /// The API of a running andon
        #[arg(long, global = true, value_name = "URL", default_value = "http://127.0.0.1:8080")]
        url: String,
        #[command(flatten)]
        token: TokenSource,
    },
    /// Tokens of the API: who may do what. Works on the data folder, whether andon runs or not
    #[command(after_help = "\
Examples:
  andon token create --name gateway --scope ingest
  andon token create --name shift-lead --scope read,subscribe,operate --expires 90d
  andon token list
  andon token revoke gateway
A running andon knows within 2 s. As soon as there is a token, writing and personal data need one.")]
    Token {
        /// What to do.
        #[command(subcommand)]
        command: TokenCommand,
        /// Folder of the databases [default: data_dir of the configuration]
        #[arg(long, global = true, value_name = "DIR")]
        data_dir: Option<String>,
    },
    /// Settings: what they are, what they mean, whether they are right
    Config {
        /// What to do.
        #[command(subcommand)]
        command: ConfigCommand,
    },
}

/// Where the token is that a command shows to a running andon. There is no flag for the token itself: what stands on a
/// command line is seen by everybody on the machine.
#[derive(Debug, Args)]
pub(crate) struct TokenSource {
    /// File with the token, where andon asks for one [default: the token in ANDON_TOKEN, if it is set]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}

/// Flags of `andon run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Folder of the databases and the outbox
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<String>,
    /// Address of the API; port 0 picks one
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<String>,
    /// Address of /livez, /readyz and /metrics; port 0 picks one
    #[arg(long, value_name = "ADDR")]
    pub(crate) admin: Option<String>,
}

/// Flags of `andon ingest`.
#[derive(Debug, Args)]
pub(crate) struct IngestArgs {
    /// The file, or `-` for standard input
    pub(crate) file: PathBuf,
    /// The API of a running andon
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub(crate) url: String,
    /// What the file is [default: by its ending, else by its first byte]
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// Whose words the statuses are: andon, packml, statuspage
    #[arg(long, value_name = "NAME", default_value = "andon")]
    pub(crate) vocabulary: String,
    /// Status changes in one request
    #[arg(long, value_name = "N", default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) batch: u32,
    /// How long to go on trying while andon cannot be reached or is not ready, as in `30s` or `10m`
    #[arg(long, value_name = "TIME", default_value = "1m")]
    pub(crate) retry_for: String,
    #[command(flatten)]
    pub(crate) token: TokenSource,
}

/// Formats of a file of status changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Comma-separated values with a header row.
    Csv,
    /// A JSON object a line.
    Ndjson,
}

/// What to do with dead letters.
#[derive(Debug, Subcommand)]
pub(crate) enum DeadLetters {
    /// Newest first
    List {
        /// Only of this reason, as in TOO_LATE
        #[arg(long)]
        reason: Option<String>,
        /// Also those that say what is known already, and those dealt with
        #[arg(long)]
        all: bool,
    },
    /// All about one, with its bytes
    Show {
        /// Its id
        id: String,
    },
    /// Send again what may be folded now, and count it as dealt with
    Redrive {
        /// Their ids
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Set aside
    Discard {
        /// Their ids
        #[arg(required = true)]
        ids: Vec<String>,
    },
}

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make one, and print it: the only time that it is seen
    Create {
        /// What to call it
        #[arg(long)]
        name: String,
        /// What it may be used for: read, ingest, subscribe, operate
        #[arg(long, value_name = "SCOPES", value_delimiter = ',', required = true)]
        scope: Vec<String>,
        /// How long it is good for, as in `90d` [default: until it is revoked]
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
    },
    /// All of them, without their secrets
    List,
    /// End one, by its name or its id
    Revoke {
        /// Its name or its id
        name_or_id: String,
    },
}

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print every setting, its value and where it comes from, as a commented andon.toml
    Show,
    /// Check the settings; exit code 78 if any is wrong
    Check,
}
