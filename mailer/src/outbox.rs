//! The transport that writes `.eml` files: `OUTBOX/<subscriber>/<created_at ms>-<kind>-<notification>.eml`.
//!
//! The name follows from the message, so a retry after a crash overwrites the same file and nothing is there twice. A
//! file appears whole or not at all. A file holds an address: only its owner may read it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use andon_domain::SubscriberId;

use crate::{Mail, SendError, Transport};

/// A folder of mail files. Cloning it is cheap, and all clones are the same outbox.
#[derive(Debug, Clone)]
pub struct Outbox {
    folder: PathBuf,
}

/// Why an operation on the outbox failed.
#[derive(Debug, thiserror::Error)]
#[error("could not {action} the outbox folder")]
pub struct OutboxError {
    action: &'static str,
    #[source]
    source: io::Error,
}

impl Outbox {
    /// Opens the outbox in `folder`; makes the folder where it is missing.
    ///
    /// # Errors
    /// The folder could not be made.
    pub fn open(folder: &Path) -> Result<Self, OutboxError> {
        make_folder(folder).map_err(|source| OutboxError { action: "make", source })?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Where the message of `mail` is or will be.
    pub fn path_of(&self, mail: &Mail) -> PathBuf {
        let name = format!(
            "{}-{}-{}.eml",
            mail.created_at,
            mail.kind.name().to_ascii_lowercase(),
            mail.notification_id
        );
        self.folder_of(mail.subscriber_id).join(name)
    }

    /// Deletes every file of a subscriber; whether there was any.
    ///
    /// # Errors
    /// A file could not be deleted: the same again.
    pub fn erase(&self, subscriber_id: SubscriberId) -> Result<bool, OutboxError> {
        match fs::remove_dir_all(self.folder_of(subscriber_id)) {
            Ok(()) => {
                sync_folder(&self.folder).map_err(|source| OutboxError { action: "flush", source })?;
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(OutboxError { action: "erase a subscriber from", source }),
        }
    }

    fn folder_of(&self, subscriber_id: SubscriberId) -> PathBuf {
        self.folder.join(subscriber_id.to_string())
    }

    fn make_folder_of(&self, subscriber_id: SubscriberId) -> io::Result<PathBuf> {
        let folder = self.folder_of(subscriber_id);
        if !folder.is_dir() {
            make_folder(&folder)?;
            sync_folder(&self.folder)?;
        }
        Ok(folder)
    }
}

impl Transport for Outbox {
    fn send(&self, mail: &Mail) -> Result<(), SendError> {
        let folder = self.make_folder_of(mail.subscriber_id).map_err(infrastructure)?;
        let part = folder.join(format!(".{}.part", mail.notification_id));
        let written =
            write_durably(&part, &mail.content).and_then(|()| fs::rename(&part, self.path_of(mail)));
        if let Err(error) = written {
            // Half a file helps nobody; if it cannot be deleted either, the retry overwrites it.
            drop(fs::remove_file(&part));
            return Err(infrastructure(error));
        }
        sync_folder(&folder).map_err(|error| SendError::Ambiguous(Box::new(error)))
    }

    fn forget(&self, subscriber_id: SubscriberId) -> Result<(), SendError> {
        self.erase(subscriber_id).map(|_| ()).map_err(|error| SendError::Infrastructure(Box::new(error)))
    }
}

/// No error of the file system is about one message: a full disk, a missing right, a broken mount.
fn infrastructure(error: io::Error) -> SendError {
    SendError::Infrastructure(Box::new(error))
}

fn write_durably(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Makes names that were added or taken away durable. Where folders cannot be opened as files there is nothing to do.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
