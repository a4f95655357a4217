//! What holds for every history.

mod closing;
mod orders;
mod restart;
