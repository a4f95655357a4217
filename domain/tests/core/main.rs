//! The tests of the core: tables for its rules, properties for its promises.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod fold;
mod notify;
mod properties;
mod support;
mod words;
