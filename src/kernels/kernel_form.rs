//! The forms of the WebGPU kernels, and their choice.
//!
//! Three kinds of kernels have several forms: matrix products have tiles of several sizes, rows and vectors are reduced
//! by one thread or by a workgroup, and attention takes several dispatches or one. The adapter and the dimensions choose
//! the form. A [`KernelFormOverride`] chooses it instead, so that a test can compare every form with the CPU on any
//! adapter.

use std::cell::Cell;
use std::fmt;

thread_local! {
    static CURRENT: Cell<Option<KernelForm>> = const { Cell::new(None) };
}

/// A form of the WebGPU kernels. The CPU device has one form only and ignores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KernelForm {
    /// For adapters that compute on the CPU: matrix products in tiles of 16 × 16 adjacent columns, and one thread per
    /// row.
    Software,
    /// For GPUs: the dimensions of a product select its [`GpuTile`], a workgroup computes a row, and one dispatch the
    /// attention of short sequences.
    Gpu,
    /// As [`Gpu`](Self::Gpu), with the same tile for every product, also for those of attention.
    GpuTile(GpuTile),
}

/// The tile of a matrix product on a GPU: the rectangle of the result that one thread computes. Adjacent threads
/// compute adjacent columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GpuTile {
    /// 2 × 2 values.
    Two,
    /// 4 × 4 values.
    Four,
    /// 8 × 8 values.
    Eight,
}

impl GpuTile {
    /// Every tile, the largest first.
    pub const ALL: [Self; 3] = [Self::Eight, Self::Four, Self::Two];

    /// Returns the number of rows, which is also that of columns.
    pub fn side(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Four => 4,
            Self::Eight => 8,
        }
    }
}

impl fmt::Display for KernelForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Software => f.write_str("16 × 16 tile"),
            Self::Gpu => f.write_str("selected tile"),
            Self::GpuTile(tile) => write!(f, "{0} × {0} tile", tile.side()),
        }
    }
}

/// A guard that sets the form of the kernels. Dropping it restores the previous choice.
///
/// A backward pass has the form that is set while it runs, not that of its forward pass.
#[derive(Debug)]
pub struct KernelFormOverride {
    previous: Option<KernelForm>,
}

impl KernelFormOverride {
    /// Sets the form of every kernel that this thread dispatches.
    pub fn new(form: KernelForm) -> Self {
        Self {
            previous: CURRENT.replace(Some(form)),
        }
    }
}

impl Drop for KernelFormOverride {
    fn drop(&mut self) {
        CURRENT.set(self.previous.take());
    }
}

/// Returns the form set by the innermost [`KernelFormOverride`].
#[cfg_attr(
    not(feature = "gpu"),
    allow(dead_code, reason = "the CPU device has one form")
)]
pub(super) fn overridden_form() -> Option<KernelForm> {
    CURRENT.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_is_restored_when_the_guard_is_dropped() {
        assert_eq!(overridden_form(), None);
        let outer = KernelFormOverride::new(KernelForm::Software);
        {
            let _inner = KernelFormOverride::new(KernelForm::GpuTile(GpuTile::Eight));
            let eight = KernelForm::GpuTile(GpuTile::Eight);
            assert_eq!(overridden_form(), Some(eight));
        }
        assert_eq!(overridden_form(), Some(KernelForm::Software));
        drop(outer);
        assert_eq!(overridden_form(), None);
    }
}
