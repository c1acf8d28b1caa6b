//! Mixed precision, as `torch.autocast` does it: while an [`Autocast`] lives, the matrix products round what they multiply to f16 and add up
//! in f32. The CPU device multiplies exactly, as tensor cores do; WebGPU multiplies in f16. Everything else stays in f32, the products'
//! results and the parameters too.
//!
//! What a product was computed in is part of what autodiff records, so that the way back needs no guard.

use crate::{Error, Result};
use burn::tensor::{DType, Device};
use std::cell::Cell;

thread_local! {
    static NOW: Cell<Precision> = const { Cell::new(Precision::F32) };
}

/// What the operands of a matrix product are rounded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Precision {
    /// Nothing.
    F32,
    /// The nearest f16; beyond 65,504 that is an infinity.
    F16,
}

/// The products that are asked for now are in its precision; at its end they are in what they were in before.
#[derive(Debug)]
pub struct Autocast {
    before: Precision,
}

impl Autocast {
    /// With `fp16`, products on `device` in f16; else in f32.
    ///
    /// # Errors
    /// [`Error::Setting`] with `fp16` on a device that cannot compute in f16 (see [`supports_f16`]).
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
            before: NOW.replace(precision),
        })
    }
}

impl Drop for Autocast {
    fn drop(&mut self) {
        NOW.set(self.before);
    }
}

/// Whether products on `device` can be in f16: on WebGPU where the adapter has `shader-f16`. The CPU device can, too, without gaining
/// anything: it rounds, and multiplies in f32.
pub fn supports_f16(device: &Device) -> bool {
    device.supports_dtype(DType::F16)
}

/// The precision of the products that are asked for now.
pub(super) fn precision() -> Precision {
    NOW.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lasts_as_long_as_its_guard() {
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
