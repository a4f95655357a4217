//! Tokens of the API, as the accounts hold them: never the secret itself, only its SHA-256.

use andon_domain::Millis;

/// The most tokens that are kept, those that ended among them: 1,000. Beyond it those that ended first are forgotten.
pub const TOKENS_MAX: usize = 1_000;

/// What a token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenScope {
    /// Read lines, downtime and statuses, where that is not free.
    Read,
    /// Report status changes.
    Ingest,
    /// Read and change who is told, and read who was told.
    Subscribe,
    /// Change the directory; read, redrive and discard dead letters.
    Operate,
}

impl TokenScope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::Read, Self::Ingest, Self::Subscribe, Self::Operate];

    /// The name on the command line, in the store and in problems.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Ingest => "ingest",
            Self::Subscribe => "subscribe",
            Self::Operate => "operate",
        }
    }

    /// The scope of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// A token.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// Its public half, unique for ever: what it is looked up by, and named by in lists.
    pub id: String,
    /// What people call it; unique among the tokens that have not been revoked.
    pub name: String,
    /// What it may be used for, ordered, each once.
    pub scopes: Vec<TokenScope>,
    /// SHA-256 of its secret half.
    pub secret_sha256: [u8; 32],
    /// When it was made.
    pub created_at: Millis,
    /// From when on it is of no use; none: it has no end.
    pub expires_at: Option<Millis>,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Millis>,
}

impl std::fmt::Debug for Token {
    /// Shows everything but the hash.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("scopes", &self.scopes)
            .field("expires_at", &self.expires_at)
            .field("revoked_at", &self.revoked_at)
            .finish_non_exhaustive()
    }
}

impl Token {
    /// When it ended or will end, if ever.
    pub fn ends_at(&self) -> Option<Millis> {
        match (self.revoked_at, self.expires_at) {
            (Some(revoked), Some(expires)) => Some(revoked.min(expires)),
            (end, None) | (None, end) => end,
        }
    }
}

/// What became of a token to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenInserted {
    /// It is stored.
    New,
    /// A token of that name, or of that id, is there already.
    Taken,
}

/// What became of a token to be revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenRevoked {
    /// It is revoked; this is how it stands now.
    Revoked(Token),
    /// There is none of that name or id that has not been revoked.
    Unknown,
}
