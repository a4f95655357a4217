//! The tokens, as they were a moment ago: read again every second, so that what another process made or revoked counts
//! soon, and a request costs no read of its own.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use andon_store::{Accounts, Error, Token};

/// How long a copy counts: with the read itself, what changes is known within 2 s.
const AGE_MAX: Duration = Duration::from_secs(1);

/// A copy of the accounts' tokens.
#[derive(Default)]
pub(super) struct KnownTokens {
    read: Mutex<Option<(Instant, Arc<Vec<Token>>)>>,
}

impl KnownTokens {
    /// The tokens, at most [`AGE_MAX`] old.
    ///
    /// # Errors
    /// They could not be read; an old copy is not used instead, as it may hold what was revoked.
    pub(super) async fn now(&self, accounts: &dyn Accounts) -> Result<Arc<Vec<Token>>, Error> {
        let asked_at = Instant::now();
        if let Some((read_at, tokens)) = &*self.read.lock().unwrap_or_else(PoisonError::into_inner)
            && asked_at.duration_since(*read_at) < AGE_MAX
        {
            return Ok(tokens.clone());
        }
        let tokens = Arc::new(accounts.tokens().await?);
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some((asked_at, tokens.clone()));
        Ok(tokens)
    }
}
