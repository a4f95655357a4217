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

    /// The words of this vocabulary, and what each means.
    pub const fn words(self) -> &'static [(&'static str, LineStatus)] {
        match self {
            Self::Andon => &ANDON,
            Self::PackMl => &PACKML,
            Self::StatusPage => &STATUSPAGE,
        }
    }

    /// The status that a word means; none if the vocabulary does not know it. Case, `-`, `_` and spaces make no
    /// difference.
    pub fn status(self, word: &str) -> Option<LineStatus> {
        // Longer than any known word: no need to look.
        if word.len() > 40 {
            return None;
        }
        let known = self.words().iter().find(|(known, _)| letters(known).eq(letters(word)));
        known.map(|(_, status)| *status)
    }
}

/// What of a word makes a difference.
fn letters(word: &str) -> impl Iterator<Item = char> {
    word.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).map(|c| c.to_ascii_lowercase())
}

/// Every status by its own name.
const ANDON: [(&str, LineStatus); LineStatus::ALL.len()] = {
    let mut words = [("", LineStatus::Unknown); LineStatus::ALL.len()];
    let mut index = 0;
    while index < words.len() {
        words[index] = (LineStatus::ALL[index].name(), LineStatus::ALL[index]);
        index += 1;
    }
    words
};

const PACKML: [(&str, LineStatus); 18] = [
    ("Execute", LineStatus::Running),
    ("Idle", LineStatus::Idle),
    ("Complete", LineStatus::Idle),
    ("Stopped", LineStatus::Stopped),
    ("Held", LineStatus::Stopped),
    ("Aborted", LineStatus::Faulted),
    ("Suspended", LineStatus::Blocked),
    ("Undefined", LineStatus::Unknown),
    ("Starting", LineStatus::NoChange),
    ("Unholding", LineStatus::NoChange),
    ("Unsuspending", LineStatus::NoChange),
    ("Completing", LineStatus::NoChange),
    ("Holding", LineStatus::NoChange),
    ("Suspending", LineStatus::NoChange),
    ("Aborting", LineStatus::NoChange),
    ("Stopping", LineStatus::NoChange),
    ("Clearing", LineStatus::NoChange),
    ("Resetting", LineStatus::NoChange),
];

const STATUSPAGE: [(&str, LineStatus); 5] = [
    ("operational", LineStatus::Running),
    ("degraded_performance", LineStatus::Degraded),
    ("partial_outage", LineStatus::Stopped),
    ("major_outage", LineStatus::Faulted),
    ("under_maintenance", LineStatus::PlannedStop),
];
