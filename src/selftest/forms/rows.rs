//! Layer normalization: a row by one thread and by a workgroup. The softmax of attention is among the products.

use super::{Group, Quantity, Seeds, gradients};
use crate::kernels::{self, DropoutMask, DropoutStream, KernelForm};
use burn::tensor::{Device, Tensor};

const EPS: f64 = 1e-12;
/// `[rows, width]`: widths below, at and above the 64 threads of a workgroup, and one row or several workgroups of rows.
const SHAPES: [[usize; 2]; 6] = [[1, 3], [3, 63], [2, 64], [5, 65], [130, 7], [70, 200]];
/// More rows than one dimension of a dispatch has workgroups.
const MANY_ROWS: [usize; 2] = [65_537, 3];

pub(super) fn groups() -> Vec<Group> {
    let forms = [
        (KernelForm::Software, "one thread per row"),
        (KernelForm::Gpu, "a workgroup per row"),
    ];
    forms
        .into_iter()
        .flat_map(|(form, name)| {
            let group = |operation: &str, compute| {
                Group::new(&format!("{operation}, {name}"), Some(form), SHAPES, compute)
            };
            [
                group("LayerNorm", layer_norm),
                group("LayerNorm with residual", with_residual),
                group("LayerNorm with residual and dropout", with_dropout),
                Group::new(
                    &format!("LayerNorm of 65,537 rows, {name}"),
                    Some(form),
                    [MANY_ROWS],
                    many_rows,
                ),
            ]
        })
        .collect()
}

fn layer_norm(device: &Device, mut seeds: Seeds, [rows, width]: [usize; 2]) -> Vec<Quantity> {
    let input = seeds.parameter([rows, width], device);
    let [weight, bias] = [(); 2].map(|()| seeds.parameter([width], device));
    let output = kernels::layer_norm(input.clone(), weight.clone(), bias.clone(), EPS);
    let grads = gradients(&output, &mut seeds);
    vec![
        ("output", output.inner().flatten(0, 1)),
        ("input gradient", grads.matrix(&input)),
        ("weight gradient", grads.vector(&weight)),
        ("bias gradient", grads.vector(&bias)),
    ]
}

fn with_residual(device: &Device, seeds: Seeds, shape: [usize; 2]) -> Vec<Quantity> {
    residual_layer_norm(device, seeds, shape, DropoutMask::NONE)
}

fn with_dropout(device: &Device, seeds: Seeds, shape: [usize; 2]) -> Vec<Quantity> {
    let mask = DropoutStream::new(2, shape[1] as u32).mask(0.1);
    residual_layer_norm(device, seeds, shape, mask)
}

fn residual_layer_norm(
    device: &Device,
    mut seeds: Seeds,
    [rows, width]: [usize; 2],
    mask: DropoutMask,
) -> Vec<Quantity> {
    let [input, residual] = [(); 2].map(|()| seeds.parameter([rows, width], device));
    let [weight, bias] = [(); 2].map(|()| seeds.parameter([width], device));
    let output = kernels::residual_layer_norm(
        input.clone(),
        residual.clone(),
        weight.clone(),
        bias.clone(),
        EPS,
        mask,
    );
    let grads = gradients(&output, &mut seeds);
    vec![
        ("output", output.inner().flatten(0, 1)),
        ("input gradient", grads.matrix(&input)),
        ("residual gradient", grads.matrix(&residual)),
        ("weight gradient", grads.vector(&weight)),
        ("bias gradient", grads.vector(&bias)),
    ]
}

fn many_rows(device: &Device, mut seeds: Seeds, shape: [usize; 2]) -> Vec<Quantity> {
    let input = seeds.tensor(shape, device);
    let [weight, bias]: [Tensor<1>; 2] = [(); 2].map(|()| seeds.tensor([shape[1]], device));
    let output = kernels::layer_norm(input, weight, bias, EPS);
    vec![("output", output.inner().flatten(0, 1))]
}
