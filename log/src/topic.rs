//! The topics of section 7 of the design, by name.

/// Number of a partition of a topic, from 0.
pub type Partition = u32;

/// Position of a record in its partition. Offsets rise and have gaps.
pub type Offset = i64;

/// A topic of the event log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Input: status changes; key: line id.
    LineStatus,
    /// Lines, subscriptions, windows, calendars; compacted, one partition.
    Directory,
    /// The fold's state; compacted.
    LineState,
    /// Current status and changed intervals, and progress records; key: line id.
    LineChanges,
    /// Who is to be told what; key: subscriber id.
    NotificationCommands,
    /// What could not be folded, and why; key: the original one.
    DeadLetters,
}

/// What the log does with old records of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cleanup {
    /// Deletes them by age or size.
    Delete,
    /// Keeps the newest of each key; an older one may still come before it, until the log gets to it. A record without a
    /// value deletes its key; readers see it all the same.
    Compact,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 6] = [
        Self::LineStatus,
        Self::Directory,
        Self::LineState,
        Self::LineChanges,
        Self::NotificationCommands,
        Self::DeadLetters,
    ];

    /// The topic's name in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LineStatus => "andon.line-status",
            Self::Directory => "andon.directory",
            Self::LineState => "andon.line-state",
            Self::LineChanges => "andon.line-changes",
            Self::NotificationCommands => "andon.notification-commands",
            Self::DeadLetters => "andon.dead-letters",
        }
    }

    /// How the topic is cleaned up.
    pub const fn cleanup(self) -> Cleanup {
        match self {
            Self::Directory | Self::LineState => Cleanup::Compact,
            Self::LineStatus | Self::LineChanges | Self::NotificationCommands | Self::DeadLetters => {
                Cleanup::Delete
            }
        }
    }
}
