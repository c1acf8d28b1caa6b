//! One file a command.

pub mod bench;
pub mod build;
pub mod parity;
pub mod serve;
pub mod test;
