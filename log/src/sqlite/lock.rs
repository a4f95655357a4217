//! One process owns the folder. The kernel gives the lock up when the process ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::fault::storage;
use crate::Error;

/// Holds the folder until it is dropped.
#[derive(Debug)]
pub(super) struct FolderLock(
    #[expect(dead_code, reason = "the lock lasts as long as the file is open")] File,
);

impl FolderLock {
    /// Takes the folder, or says who has it.
    pub(super) fn take(folder: &Path) -> Result<Self, Error> {
        let action = "lock the data folder";
        let path = folder.join("andon.lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| storage(action, error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Who it is only helps the reader: without it the refusal is the same.
                let owner = match file.read_to_string(&mut text) {
                    Ok(_) if !text.trim().is_empty() => format!(" (process {})", text.trim()),
                    Ok(_) | Err(_) => String::new(),
                };
                return Err(Error::Owned { folder: folder.display().to_string(), owner });
            }
            Err(TryLockError::Error(error)) => return Err(storage(action, error)),
        }
        // Written for people; a full disk must not keep andon from starting.
        let written = file
            .set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| writeln!(file, "{}", std::process::id()));
        drop(written);
        Ok(Self(file))
    }
}
