//! The processor's roles: the [`Worker`] folds status changes into state, line changes, commands and dead letters;
//! the [`Projector`] writes what is committed into the views.
//!
//! Neither decides anything about a line: that is the core's. They read, call it, and commit what it says as one.

mod backoff;
mod dead_letter;
mod directory;
mod error;
mod metrics;
mod owned;
mod projector;
mod worker;

pub use error::Error;
pub use metrics::{ProjectorMetrics, WorkerMetrics};
pub use projector::{Projector, ProjectorConfig};
pub use worker::{Worker, WorkerConfig};
