//! Mixed precision ([Micikevicius et al., 2017]), as [`torch.autocast`].
//!
//! While an [`Autocast`] lives, matrix products round their operands to f16, and multiply and add them in f32. The
//! product of two f16 values is exact in f32, so this is what tensor cores do. Results, parameters and all other
//! operations stay in f32.
//!
//! Autodiff records the precision of a product, and its backward pass uses the same one without a guard.
//!
//! [Micikevicius et al., 2017]: https://arxiv.org/abs/1710.03740
//! [`torch.autocast`]: https://docs.pytorch.org/docs/stable/amp.html#torch.autocast

use crate::{Error, Result};
use burn::tensor::{DType, Device};
use std::cell::Cell;

thread_local! {
    static CURRENT: Cell<Precision> = const { Cell::new(Precision::F32) };
}

/// The type to which a matrix product rounds its operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Precision {
    /// No rounding.
    F32,
    /// The nearest f16. Operands above 65,504 overflow to infinity.
    F16,
}

/// A guard that sets the precision of matrix products. Dropping it restores the previous precision.
#[derive(Debug)]
pub struct Autocast {
    previous: Precision,
}

impl Autocast {
    /// Sets the precision to f16 if `fp16`, and to f32 otherwise.
    ///
    /// # Errors
    /// [`Error::Setting`] if `fp16` is set and `device` does not support it (see [`supports_f16`]).
    pub fn new(device: &Device, fp16: bool) -> Result<Self> {
        if fp16 && !supports_f16(device) {
            return Err(Error::Setting {
                field: "fp16".into(),
                value: "true".into(),
                expected: "this device cannot compute in 16 bits: its adapter has no shader-f16"
                    .into(),
            });
        }
        let precision = if fp16 { Precision::F16 } else { Precision::F32 };
        Ok(Self {
            previous: CURRENT.replace(precision),
        })
    }
}

impl Drop for Autocast {
    fn drop(&mut self) {
        CURRENT.set(self.previous);
    }
}

/// Returns whether matrix products on `device` can be in f16. WebGPU needs an adapter with `shader-f16`. The CPU device
/// emulates f16 and gains no speed from it.
pub fn supports_f16(device: &Device) -> bool {
    device.supports_dtype(DType::F16)
}

/// Returns the precision set by the innermost [`Autocast`].
pub(super) fn precision() -> Precision {
    CURRENT.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precision_is_restored_when_the_guard_is_dropped() {
        let device = Device::flex();
        assert_eq!(precision(), Precision::F32);
        let outer = Autocast::new(&device, true).unwrap();
        assert_eq!(precision(), Precision::F16);
        {
            let _inner = Autocast::new(&device, false).unwrap();
            assert_eq!(precision(), Precision::F32);
        }
        assert_eq!(precision(), Precision::F16);
        drop(outer);
        assert_eq!(precision(), Precision::F32);
    }
}
