//! Reason codes and controllers' words come again and again: each distinct one is kept once.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use crate::Text;

/// The distinct short texts of a partition.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    table: HashTable<Arc<str>>,
    hasher: FixedState,
}

impl Texts {
    /// Beyond so many distinct texts the table starts anew: then they are no catalogue, and sharing them saves nothing.
    const LEN_MAX: usize = 4096;

    /// The shared form of a text.
    pub(crate) fn share(&mut self, value: Option<&str>) -> Text {
        let value = value?;
        let hash = self.hasher.hash_one(value);
        if let Some(known) = self.table.find(hash, |known| **known == *value) {
            return Some(known.clone());
        }
        if self.table.len() >= Self::LEN_MAX {
            self.table.clear();
        }
        let shared: Arc<str> = Arc::from(value);
        self.table.insert_unique(hash, shared.clone(), |known| self.hasher.hash_one(&**known));
        Some(shared)
    }
}
