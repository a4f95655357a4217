//! The mailer against the real accounts: a small plant per test, a clock that only the test moves, and no waiting.

#![expect(clippy::unwrap_used, reason = "a test that meets an error fails")]

mod closing;
mod crashes;
mod golden;
mod headers;
mod histories;
mod messages;
mod outages;
mod outbox;
mod role;
mod smtp;
mod support;
mod threads;
