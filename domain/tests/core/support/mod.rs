//! What the tests of the core share: a world round one partition, the language of the tables, and a reference
//! projection to compare with. Nothing here may use what the crate keeps to itself.

pub(crate) mod histories;
pub(crate) mod reference;
pub(crate) mod script;
pub(crate) mod table;
pub(crate) mod times;
pub(crate) mod world;

pub(crate) use table::{check, check_with};
