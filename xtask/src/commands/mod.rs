//! One file a command.

pub mod bench;
pub mod build;
pub mod deny;
pub mod parity;
pub mod reproducible;
pub mod serve;
pub mod soak;
pub mod test;
