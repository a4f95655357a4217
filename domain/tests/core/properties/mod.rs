//! What holds for every history.

mod orders;
