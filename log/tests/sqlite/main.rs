//! What only the embedded log promises: one process, what a kill leaves, a full disk, and what is forgotten.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the failure")]

mod clock;
mod failing_batch;
mod full_disk;
mod kills;
mod opening;
mod process;
mod retention;
mod steps;
