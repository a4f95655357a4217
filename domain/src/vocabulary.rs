//! Controllers' own words for a status, mapped at the edge.

use crate::LineStatus;

/// A set of words that some kind of source uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Vocabulary {
    /// Andon's own status names, in any case.
    #[default]
    Andon,
    /// The states of PackML (ANSI/ISA-TR88.00.02) by name. Acting states are signs of life; modes are not looked at,
    /// so `Execute` is production.
    PackMl,
    /// The component words of statuspage.io.
    StatusPage,
}

impl Vocabulary {
    /// Every vocabulary.
    pub const ALL: [Self; 3] = [Self::Andon, Self::PackMl, Self::StatusPage];

    /// The name in the API and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Andon => "andon",
            Self::PackMl => "packml",
            Self::StatusPage => "statuspage",
        }
    }

    /// The vocabulary of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|vocabulary| vocabulary.name() == name)
    }

    /// The status that a word means; none if the vocabulary does not know it. Case, `-`, `_` and spaces make no
    /// difference.
    pub fn status(self, word: &str) -> Option<LineStatus> {
        // Longer than any known word: no need to look.
        if word.len() > 40 {
            return None;
        }
        let plain: String =
            word.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).map(|c| c.to_ascii_lowercase()).collect();
        match self {
            Self::Andon => LineStatus::ALL.into_iter().find(|status| {
                status.name().bytes().filter(|b| *b != b'_').eq(plain.to_ascii_uppercase().bytes())
            }),
            Self::PackMl => packml(&plain),
            Self::StatusPage => statuspage(&plain),
        }
    }
}

fn packml(word: &str) -> Option<LineStatus> {
    Some(match word {
        "execute" => LineStatus::Running,
        "idle" | "complete" => LineStatus::Idle,
        "stopped" | "held" => LineStatus::Stopped,
        "aborted" => LineStatus::Faulted,
        "suspended" => LineStatus::Blocked,
        "undefined" => LineStatus::Unknown,
        "starting" | "unholding" | "unsuspending" | "completing" | "holding" | "suspending" | "aborting"
        | "stopping" | "clearing" | "resetting" => LineStatus::NoChange,
        _ => return None,
    })
}

fn statuspage(word: &str) -> Option<LineStatus> {
    Some(match word {
        "operational" => LineStatus::Running,
        "degradedperformance" => LineStatus::Degraded,
        "partialoutage" => LineStatus::Stopped,
        "majoroutage" => LineStatus::Faulted,
        "undermaintenance" => LineStatus::PlannedStop,
        _ => return None,
    })
}
