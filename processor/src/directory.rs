//! The directory topic as a global table: read whole by every worker, then followed.

use std::time::Duration;

use andon_domain::{Directory, DirectoryChange};
use andon_log::{Error, Offset, Read, Reader};
use andon_schemas::decode_directory;
use tracing::warn;

/// Follows the directory.
pub(crate) struct Follower {
    reader: Box<dyn Reader>,
    pub(crate) directory: Directory,
    /// Next offset to read.
    pub(crate) next: Offset,
}

impl Follower {
    /// `reader` starts at the beginning of the directory.
    pub(crate) fn new(reader: Box<dyn Reader>) -> Self {
        Self { reader, directory: Directory::default(), next: 0 }
    }

    /// Reads what there is. `changed` sees each change, once the directory has it.
    pub(crate) fn follow(
        &mut self,
        mut changed: impl FnMut(&DirectoryChange, &Directory),
    ) -> Result<(), Error> {
        while self.turn(Duration::ZERO, &mut changed)? {}
        Ok(())
    }

    /// Reads to the end, and at least up to `offset`.
    pub(crate) fn read_to(
        &mut self,
        offset: Offset,
        mut changed: impl FnMut(&DirectoryChange, &Directory),
    ) -> Result<(), Error> {
        loop {
            let found_some = self.turn(Duration::from_millis(20), &mut changed)?;
            if !found_some && self.next >= offset {
                return Ok(());
            }
        }
    }

    /// Whether there were records.
    fn turn(
        &mut self,
        wait: Duration,
        changed: &mut impl FnMut(&DirectoryChange, &Directory),
    ) -> Result<bool, Error> {
        let Self { reader, directory, next } = self;
        match reader.poll(wait)? {
            Read::CaughtUp => Ok(false),
            Read::Records(_, batch) => {
                for record in batch.iter() {
                    *next = record.offset + 1;
                    match decode_directory(record.key, record.value) {
                        Ok(change) => {
                            directory.apply(change.clone());
                            changed(&change, directory);
                        }
                        Err(error) => warn!(
                            record.offset,
                            "a directory record cannot be read and is passed over: {error}"
                        ),
                    }
                }
                Ok(true)
            }
        }
    }
}
