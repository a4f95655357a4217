//! What is particular to the log on Kafka, on a real broker.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the failure")]

#[expect(dead_code, reason = "that writes are forbidden is for the conformance suite")]
#[path = "../conformance/broker.rs"]
mod broker;
mod fencing;
mod moving;
mod opening;
mod place;
