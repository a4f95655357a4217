//! Tables of the accounts, as numbered steps. A released step never changes: what comes later is a new step.

use crate::sqlite::database::Plan;

/// `secure_delete` writes zeros over what is deleted. A checkpoint comes early, so that a journal never grows large.
pub(super) const PLAN: Plan = Plan {
    store: "accounts",
    file: "accounts.db",
    settings: "
        PRAGMA secure_delete = ON;
        PRAGMA synchronous = FULL;
        PRAGMA cache_size = -16384;
        PRAGMA journal_size_limit = 4194304;
    ",
    steps: &[
        STEP_1,
        crate::sqlite::rows::POSITIONS_TABLE,
        STEP_3_FACTS_AND_SECRETS,
        STEP_4_TOKENS,
        STEP_5_LINE,
    ],
};

/// The partial indexes hold only what is not settled, so that they stay small however long the ledger is.
const STEP_1: &str = "
    CREATE TABLE subscribers (
        id BLOB NOT NULL PRIMARY KEY,
        address TEXT NOT NULL,
        address_key TEXT NOT NULL,
        locale TEXT NOT NULL,
        zone TEXT NOT NULL,
        created_at INTEGER NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX subscriber_by_address ON subscribers (address_key);

    CREATE TABLE deliveries (
        id BLOB NOT NULL PRIMARY KEY,
        incident_id BLOB NOT NULL,
        subscriber_id BLOB NOT NULL,
        kind INTEGER NOT NULL,
        command BLOB NOT NULL,
        created_at INTEGER NOT NULL,
        state TEXT NOT NULL,
        due_at INTEGER NOT NULL,
        rule TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        may_have_left INTEGER NOT NULL,
        smtp_code INTEGER,
        settled_at INTEGER,
        owner TEXT,
        lease_until INTEGER
    ) STRICT;
    CREATE INDEX deliveries_by_incident ON deliveries (incident_id, subscriber_id, created_at, kind, id);
    CREATE INDEX deliveries_due ON deliveries (due_at, created_at, kind, id)
        WHERE state IN ('queued', 'sending');
    CREATE INDEX deliveries_leased ON deliveries (lease_until) WHERE state = 'sending';
    CREATE INDEX deliveries_settled ON deliveries (settled_at) WHERE settled_at IS NOT NULL;
";

/// What a message says beyond its command, and the keys that links are signed with.
const STEP_3_FACTS_AND_SECRETS: &str = "
    ALTER TABLE deliveries ADD COLUMN facts BLOB;

    CREATE TABLE secrets (
        name TEXT NOT NULL PRIMARY KEY,
        secret BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
";

const STEP_4_TOKENS: &str = "
    CREATE TABLE tokens (
        id TEXT NOT NULL PRIMARY KEY,
        name TEXT NOT NULL,
        scopes TEXT NOT NULL,
        secret_sha256 BLOB NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER,
        revoked_at INTEGER
    ) STRICT;
    CREATE UNIQUE INDEX token_by_name ON tokens (name) WHERE revoked_at IS NULL;
";

/// Which line a delivery is about. Rows from before have none: their commands cannot be read here.
const STEP_5_LINE: &str = "
    ALTER TABLE deliveries ADD COLUMN line_id TEXT;
    CREATE INDEX deliveries_by_line ON deliveries (line_id, created_at, id) WHERE line_id IS NOT NULL;
";
