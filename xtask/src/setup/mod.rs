//! Installs what is missing on a new machine. A step that is already done is skipped.

mod apt;
mod chromium;
mod engines;
mod npm;
mod programs;
mod python;
mod vulkan;

pub use chromium::{find_or_install as chromium, warn_without_korean_font};
pub use engines::find_or_install as engines;
pub use npm::{
    install as npm, install_for_bench as npm_for_bench, install_for_page as npm_for_page,
};
pub use python::{install as python, install_for_bench as python_for_bench};
pub use vulkan::find_or_install as vulkan;
