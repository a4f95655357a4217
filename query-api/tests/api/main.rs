//! The API as its callers meet it: real stores, a real log, the real worker and projector behind it; no socket.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the failure")]

mod answers;
mod bad_input;
mod bad_records;
mod bad_requests;
mod cache;
mod dead_letters;
mod deadlines;
mod deliveries;
mod directory;
mod docs;
mod events;
mod export;
mod garbage;
mod gzip;
mod ingest;
mod limits;
mod names;
mod openapi;
mod pages;
mod privacy;
mod redrive;
mod scopes;
mod server;
mod subscriptions;
mod support;
mod timeline;
mod unavailable;
mod unsubscribe;
