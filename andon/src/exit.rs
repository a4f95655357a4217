//! How the program ends: `sysexits.h` numbers where one fits.

use std::process::ExitCode;

/// Why a command did not do what it should.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line makes no sense: 64.
    Usage(String),
    /// The input makes no sense: 65.
    Data(String),
    /// Something that is needed cannot be reached: 69.
    Unavailable(String),
    /// The configuration is wrong: 78.
    Config(String),
    /// Anything else: 1.
    Other(String),
}

impl Failure {
    /// What to print.
    pub(crate) fn message(&self) -> &str {
        match self {
            Self::Usage(text)
            | Self::Data(text)
            | Self::Unavailable(text)
            | Self::Config(text)
            | Self::Other(text) => text,
        }
    }

    /// The exit code.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Usage(_) => 64,
            Self::Data(_) => 65,
            Self::Unavailable(_) => 69,
            Self::Config(_) => 78,
            Self::Other(_) => 1,
        })
    }
}
