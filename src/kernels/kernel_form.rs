//! The forms of the WebGPU kernels, and their choice.
//!
//! Three kinds of kernels have several forms: matrix products have tiles of several sizes, with and without workgroup
//! memory, rows and vectors are reduced by one thread or by a workgroup, and attention takes several dispatches or one.
//! The adapter and the dimensions choose the form. A [`KernelFormOverride`] chooses it instead, so that a test can
//! compare every form with the CPU on any adapter.

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

/// How a GPU computes a matrix product: the values of a thread, and where its operands come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GpuTile {
    /// 2 × 2 values of each thread. Operands are read from global memory. Adjacent threads compute adjacent columns.
    Two,
    /// The same with 4 × 4 values.
    Four,
    /// The same with 8 × 8 values.
    Eight,
    /// 4 × 4 adjacent values of each thread. The threads of a workgroup read their operands from workgroup memory.
    Block(BlockTile),
}

impl GpuTile {
    /// The tiles without workgroup memory, the largest first.
    pub const REGISTERS: [Self; 3] = [Self::Eight, Self::Four, Self::Two];

    /// Returns the rows that a thread computes, which are also its columns.
    pub fn side(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Four | Self::Block(_) => 4,
            Self::Eight => 8,
        }
    }

    /// Returns the rows and the columns that a workgroup computes.
    pub fn workgroup_span(self) -> [usize; 2] {
        match self {
            Self::Block(block) => [block.size.rows(), block.size.columns()],
            Self::Two | Self::Four | Self::Eight => [8 * self.side(); 2],
        }
    }

    /// Returns every tile: those of [`REGISTERS`](Self::REGISTERS), and blocks of each size with `k` in one part and in
    /// the given numbers of parts.
    pub fn candidates(splits: &[usize]) -> Vec<Self> {
        let blocks = BlockSize::ALL.into_iter().flat_map(|size| {
            let block = move |splits| Self::Block(BlockTile { size, splits });
            [1].into_iter().chain(splits.iter().copied()).map(block)
        });
        Self::REGISTERS.into_iter().chain(blocks).collect()
    }
}

impl fmt::Display for GpuTile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Two | Self::Four | Self::Eight => write!(f, "{0} × {0} tile", self.side()),
            Self::Block(block) => block.fmt(f),
        }
    }
}

/// A block of the result that a workgroup computes from operands in workgroup memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BlockTile {
    /// The values of a workgroup.
    pub size: BlockSize,
    /// The parts of the inner dimension `k` that different workgroups sum up. A second dispatch adds the parts in a
    /// fixed order, so that results are deterministic. A product with less `k`, or with batches or heads, has fewer
    /// parts.
    pub splits: usize,
}

impl fmt::Display for BlockTile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × {} block", self.size.rows(), self.size.columns())?;
        match self.splits {
            1 => Ok(()),
            splits => write!(f, " in {splits} parts"),
        }
    }
}

/// The rows and the columns of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BlockSize {
    /// 32 × 32 values, 64 threads.
    Small,
    /// 32 × 64 values, 128 threads.
    Wide,
    /// 64 × 64 values, 256 threads: the most that every WebGPU adapter supports.
    Large,
}

impl BlockSize {
    /// Every size, the largest first.
    pub const ALL: [Self; 3] = [Self::Large, Self::Wide, Self::Small];

    /// Returns the number of rows.
    pub fn rows(self) -> usize {
        match self {
            Self::Small | Self::Wide => 32,
            Self::Large => 64,
        }
    }

    /// Returns the number of columns.
    pub fn columns(self) -> usize {
        match self {
            Self::Small => 32,
            Self::Wide | Self::Large => 64,
        }
    }
}

impl fmt::Display for KernelForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Software => f.write_str("16 × 16 tile"),
            Self::Gpu => f.write_str("selected tile"),
            Self::GpuTile(tile) => tile.fmt(f),
        }
    }
}

/// A matrix product of a linear layer. It determines the dimensions along which the operands are contiguous.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinearPass {
    /// `input × weightᵀ`: both are contiguous along `k`.
    Forward,
    /// `grad × weight`: `grad` along `k`, `weight` along the columns of the result.
    InputGrad,
    /// `gradᵀ × input`: along the rows and along the columns of the result.
    WeightGrad,
}

impl LinearPass {
    /// Every product.
    pub const ALL: [Self; 3] = [Self::Forward, Self::InputGrad, Self::WeightGrad];
}

impl fmt::Display for LinearPass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Forward => "forward",
            Self::InputGrad => "input gradient",
            Self::WeightGrad => "weight gradient",
        })
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
