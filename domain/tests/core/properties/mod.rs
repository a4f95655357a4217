//! What holds for every history.

mod closing;
mod codec;
mod orders;
mod restart;
