//! The comparison of every form of the kernels with the CPU device: every tile of a matrix product with every epilogue,
//! both ways to reduce a row, and the kernels of one form at the edges of a workgroup.
//!
//! A [`KernelFormOverride`] sets the form, so that any adapter runs all of them. The shapes are small. They end inside
//! of a tile, at its edge and past it, and some need several workgroups in both directions.

mod elementwise;
mod products;
mod rows;

use super::fp16::TOLERANCE as F16_TOLERANCE;
use super::{Check, SelfTest, compare_values, random};
use crate::Result;
use crate::kernels::{self, Autocast, KernelForm, KernelFormOverride};
use burn::tensor::{Device, Gradients, Tensor, Transaction};

/// Results of about 1 are compared absolutely, because a small sum of large terms has the rounding errors of the terms.
const FLOOR: f32 = 1.0;
/// The sums of the small shapes have few terms.
const TOLERANCE: f64 = 1e-4;

/// The forms that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormsOptions {
    /// Whether products have operands in f16. Otherwise they have f32, and the other kernels are compared as well.
    pub fp16: bool,
    /// Whether products in blocks are compared. A software adapter never computes them, and SwiftShader takes seconds
    /// to compile one.
    pub blocks: bool,
}

/// Compares every form with the CPU device.
///
/// # Errors
/// [`Error::Setting`](crate::Error::Setting) if `fp16` is set and `device` does not support f16,
/// [`Error::Device`](crate::Error::Device) if an operation of the device fails.
pub async fn forms(device: &Device, options: FormsOptions) -> Result<SelfTest> {
    let FormsOptions { fp16, blocks } = options;
    let mut groups = products::groups(blocks);
    if !fp16 {
        groups.extend(rows::groups());
        groups.extend(elementwise::groups());
    }
    let mut checks = Vec::new();
    for (at, group) in groups.into_iter().enumerate() {
        checks.extend(group.compare(device, fp16, at).await?);
    }
    Ok(SelfTest::new(checks))
}

/// A result of a computation: what it is, and its values.
type Quantity = (&'static str, Tensor<1>);

/// One operation, forward and backward, at several shapes.
struct Group {
    /// The operation and its form, e.g. `linear, 8 × 8 tile`.
    name: String,
    /// The form, unless there is only one.
    form: Option<KernelForm>,
    cases: Vec<Case>,
}

/// Computes an operation on a device. The argument is the seed of its inputs.
type Case = Box<dyn Fn(&Device, Seeds) -> Vec<Quantity>>;

impl Group {
    /// Creates the group of `compute` at `shapes`.
    fn new<S: Copy + 'static>(
        operation: &str,
        form: Option<KernelForm>,
        shapes: impl IntoIterator<Item = S>,
        compute: fn(&Device, Seeds, S) -> Vec<Quantity>,
    ) -> Self {
        let case = |shape| -> Case { Box::new(move |device, seeds| compute(device, seeds, shape)) };
        Self {
            name: operation.into(),
            form,
            cases: shapes.into_iter().map(case).collect(),
        }
    }

    /// Returns one check for each quantity, with its largest deviation over all shapes.
    ///
    /// Each case has its own seed. If a dispatch is dropped, its output has stale data, which must not be the result of
    /// the same operation in another form.
    async fn compare(self, device: &Device, fp16: bool, at: usize) -> Result<Vec<Check>> {
        let seeds = |case: usize| Seeds::new(at, case);
        let found = {
            let _form = self.form.map(KernelFormOverride::new);
            self.compute(device, fp16, seeds)?
        };
        let found = read(found).await?;
        let expected = read(self.compute(&Device::flex(), fp16, seeds)?).await?;
        let (precision, tolerance) = match fp16 {
            true => ("fp16", F16_TOLERANCE),
            false => ("f32", TOLERANCE),
        };
        let mut checks: Vec<Check> = Vec::new();
        for ((quantity, found), (_, expected)) in found.iter().zip(&expected) {
            let name = format!("{}: {quantity}, {precision}", self.name);
            let check = compare_values(name, found, expected, FLOOR).with_tolerance(tolerance);
            match checks.iter_mut().find(|present| present.name == check.name) {
                Some(present) if present.deviation >= check.deviation => (),
                Some(present) => *present = check,
                None => checks.push(check),
            }
        }
        Ok(checks)
    }

    fn compute(
        &self,
        device: &Device,
        fp16: bool,
        seeds: impl Fn(usize) -> Seeds,
    ) -> Result<Vec<Quantity>> {
        let device = device.clone().autodiff();
        let _precision = Autocast::new(&device, fp16)?;
        let cases = self.cases.iter().enumerate();
        Ok(cases
            .flat_map(|(at, case)| case(&device, seeds(at)))
            .collect())
    }
}

/// Reads all tensors in one transfer.
async fn read(quantities: Vec<Quantity>) -> Result<Vec<(&'static str, Vec<f32>)>> {
    let register =
        |transaction: Transaction, (_, tensor): &Quantity| transaction.register(tensor.clone());
    let transaction = quantities.iter().fold(Transaction::default(), register);
    let read = transaction.execute_async().await?.into_iter();
    let named = quantities.iter().zip(read);
    let values = named.map(|(&(name, _), data)| Ok((name, data.try_into_vec()?)));
    values.collect()
}

/// Seeds of the tensors of one case, different from those of every other case.
#[derive(Debug, Clone, Copy)]
struct Seeds(u32);

impl Seeds {
    fn new(group: usize, case: usize) -> Self {
        Self((group * 1000 + case * 10) as u32)
    }

    /// Returns normally distributed values.
    fn tensor<const D: usize>(&mut self, shape: [usize; D], device: &Device) -> Tensor<D> {
        self.0 += 1;
        random(shape, self.0, device)
    }

    /// The same, with a gradient.
    fn parameter<const D: usize>(&mut self, shape: [usize; D], device: &Device) -> Tensor<D> {
        self.tensor(shape, device).require_grad()
    }
}

/// The gradients of a backward pass.
struct Grads(Gradients);

/// Runs the backward pass of `output` from random gradients.
fn gradients(output: &Tensor<2>, seeds: &mut Seeds) -> Grads {
    let gradient = seeds.tensor(output.dims(), &output.device());
    Grads(kernels::with_gradient(output.clone(), gradient).backward())
}

impl Grads {
    /// Returns the gradient of a matrix, row-major. A missing one is empty.
    fn matrix(&self, parameter: &Tensor<2>) -> Tensor<1> {
        let grad = parameter.grad(&self.0);
        let flat = grad.map(|grad| grad.flatten(0, 1));
        flat.unwrap_or_else(|| Tensor::zeros([0], &parameter.device()).inner())
    }

    /// Returns the gradient of a vector. A missing one is empty.
    fn vector(&self, parameter: &Tensor<1>) -> Tensor<1> {
        let grad = parameter.grad(&self.0);
        grad.unwrap_or_else(|| Tensor::zeros([0], &parameter.device()).inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The CPU compares itself: this checks which forms are compared, not their results.
    #[test]
    fn every_operation_is_compared_in_every_form() {
        let compared = |fp16, blocks| {
            let options = FormsOptions { fp16, blocks };
            let report = pollster::block_on(forms(&Device::flex(), options)).unwrap();
            assert!(report.passed, "{report:?}");
            let names = report.checks.into_iter().map(|check| check.name);
            names.collect::<Vec<_>>()
        };
        let (f32, f16) = (compared(false, true), compared(true, true));
        for (names, precision) in [(&f32, "f32"), (&f16, "fp16")] {
            for tile in [
                "8 × 8 tile",
                "4 × 4 tile",
                "2 × 2 tile",
                "16 × 16 tile",
                "64 × 64 block",
                "32 × 64 block",
                "32 × 32 block",
                "32 × 64 block in 3 parts",
            ] {
                for quantity in [
                    "linear, {}: output",
                    "linear, {}: input gradient",
                    "linear, {}: weight gradient",
                    "linear, {}: bias gradient",
                    "feed-forward, {}: output",
                    "feed-forward, {}: input gradient",
                    "attention, {}: output",
                    "attention, {}: gradient",
                    "LoRA, {}: output",
                    "LoRA, {}: gradient of lora_B",
                ] {
                    let name = format!("{}, {precision}", quantity.replace("{}", tile));
                    assert!(names.contains(&name), "{name}");
                }
            }
        }
        for form in ["one thread per row", "a workgroup per row"] {
            let name = format!("gradient norm, {form}: clip, f32");
            assert!(f32.contains(&name), "{name}");
        }
        assert_eq!((f32.len(), f16.len()), (186, 134));
        let without_blocks = |names: &[String]| {
            let block = |name: &str| name.contains("64 block") || name.contains("32 block");
            let others = names.iter().filter(|name| !block(name));
            others.cloned().collect::<Vec<_>>()
        };
        assert_eq!(compared(false, false), without_blocks(&f32));
        assert_eq!(compared(true, false).len(), 74);
        let mut unique = f32.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), f32.len());
    }
}
