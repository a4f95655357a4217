//! Tables of the views, as numbered steps. A released step never changes: what comes later is a new step.

use crate::sqlite::database::Plan;

/// Checkpoints come every 32 MiB of journal, so that many batches share the fsyncs of one.
pub(super) const PLAN: Plan = Plan {
    store: "views",
    file: "views.db",
    settings: "
        PRAGMA synchronous = NORMAL;
        PRAGMA cache_size = -65536;
        PRAGMA wal_autocheckpoint = 32768;
        PRAGMA journal_size_limit = 67108864;
    ",
    steps: &[STEP_1, crate::sqlite::rows::POSITIONS_TABLE],
};

/// `lines` also gives each line the number that stands for it in `intervals`; a line that has intervals and no row
/// yet has no version. The primary key of `intervals` serves everything about one line; `intervals_by_start` all
/// lines at once; `intervals_by_id` finds an id by its first eight bytes, so that the other eight cost no disk. Ids are
/// random: in one ordered whole, each new one would touch a page of its own. So they are ordered in runs, of some
/// ten thousand in the order of arrival; a batch touches the newest run alone, and a search looks into each.
const STEP_1: &str = "
    CREATE TABLE lines (
        line_key INTEGER PRIMARY KEY,
        line_id TEXT NOT NULL UNIQUE,
        version INTEGER,
        status TEXT,
        class TEXT,
        since INTEGER,
        first_event_at INTEGER,
        last_event_at INTEGER,
        last_seen_at INTEGER,
        open_downtime_at INTEGER,
        reason_code TEXT,
        source_status TEXT
    ) STRICT;

    CREATE TABLE intervals (
        line_key INTEGER NOT NULL,
        started_at INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        version INTEGER NOT NULL,
        is_retracted INTEGER NOT NULL,
        ended_at INTEGER,
        id_run INTEGER NOT NULL,
        id_prefix INTEGER NOT NULL,
        segments BLOB NOT NULL,
        PRIMARY KEY (line_key, started_at, kind)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX intervals_by_start ON intervals (started_at);
    CREATE INDEX intervals_by_id ON intervals (id_run, id_prefix);

    CREATE TABLE line_entries (
        line_id TEXT PRIMARY KEY,
        directory_offset INTEGER NOT NULL,
        is_removed INTEGER NOT NULL,
        node TEXT NOT NULL,
        path BLOB NOT NULL,
        allowed_lateness_ms INTEGER,
        events_max INTEGER,
        degraded_is_down INTEGER,
        expect_signal_every_ms INTEGER,
        is_retired INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX line_entries_by_node ON line_entries (node) WHERE is_removed = 0;

    CREATE TABLE subscriptions (
        subscription_id BLOB PRIMARY KEY,
        directory_offset INTEGER NOT NULL,
        is_removed INTEGER NOT NULL,
        subscriber_id BLOB,
        node TEXT,
        notify_after_ms INTEGER,
        class TEXT,
        created_at INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX subscriptions_by_subscriber ON subscriptions (subscriber_id, node) WHERE is_removed = 0;

    CREATE TABLE dead_letters (
        id BLOB NOT NULL PRIMARY KEY,
        reason TEXT NOT NULL,
        error TEXT NOT NULL,
        record_key BLOB NOT NULL,
        record_value BLOB,
        record_headers BLOB NOT NULL,
        partition INTEGER NOT NULL,
        first_at INTEGER NOT NULL,
        last_at INTEGER NOT NULL,
        count INTEGER NOT NULL,
        last_offset INTEGER NOT NULL,
        is_redundant INTEGER NOT NULL,
        resolution TEXT,
        resolved_at INTEGER,
        resolved_offset INTEGER
    ) STRICT;
    CREATE INDEX dead_letters_by_time ON dead_letters (last_at, id);
    CREATE INDEX dead_letters_by_reason ON dead_letters (reason, last_at, id);
    CREATE INDEX dead_letters_open ON dead_letters (last_at, id) WHERE resolution IS NULL AND is_redundant = 0;

    CREATE TABLE progress (
        partition INTEGER PRIMARY KEY,
        log_time INTEGER NOT NULL
    ) STRICT;
";
