-- `accounts.db` as version 2 of its schema made it, with one delivery that is being sent.
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

CREATE TABLE positions (
    stream TEXT NOT NULL,
    partition INTEGER NOT NULL,
    next_offset INTEGER NOT NULL,
    PRIMARY KEY (stream, partition)
) STRICT, WITHOUT ROWID;

INSERT INTO deliveries VALUES (x'00000000000000000000000000000001', x'00000000000000000000000000000007',
    x'00000000000000000000000000000001', 0, x'00', 5, 'sending', 10, 'at_once', 1, 1, 421, NULL, 'one', 20);
PRAGMA user_version = 2;
