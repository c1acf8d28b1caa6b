//! Layer normalization, and the norm of gradients: a row by one thread and by a workgroup. The softmax of attention is
//! among the products.

use super::{Group, Quantity, Seeds, gradients};
use crate::kernels::{self, DropoutMask, DropoutStream, KernelForm, LossScaling, PartialSums};
use burn::tensor::{Device, Tensor};

const EPS: f64 = 1e-12;
/// `[rows, width]`: widths below, at and above the 64 threads of a workgroup; one row, and several workgroups of rows;
/// rows below, at and above the 256 blocks of a backward pass, the last of them with fewer rows than the others.
const SHAPES: [[usize; 2]; 8] = [
    [1, 3],
    [3, 63],
    [2, 64],
    [5, 65],
    [130, 7],
    [70, 200],
    [256, 9],
    [515, 130],
];
/// Values of the six gradients of a dispatch: below, at and above the 64 threads of a workgroup and the 4096 values of
/// a partial sum.
const GRADIENTS: [[usize; 6]; 3] = [
    [1, 63, 64, 65, 384, 4095],
    [4096, 4097, 1, 8192, 8193, 12_345],
    // More partial sums than the 256 threads that add them.
    [4096 * 257 - 1, 2, 3, 4, 5, 6],
];
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
                group("LayerNorm with frozen weights", frozen),
                Group::new(
                    &format!("gradient norm, {name}"),
                    Some(form),
                    GRADIENTS,
                    gradient_norm,
                ),
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

/// Weight and bias have no gradient.
fn frozen(device: &Device, mut seeds: Seeds, [rows, width]: [usize; 2]) -> Vec<Quantity> {
    let mask = DropoutStream::new(5, width as u32).mask(0.1);
    let [input, residual] = [(); 2].map(|()| seeds.parameter([rows, width], device));
    let [weight, bias] = [(); 2].map(|()| seeds.tensor([width], device));
    let output =
        kernels::residual_layer_norm(input.clone(), residual.clone(), weight, bias, EPS, mask);
    let grads = gradients(&output, &mut seeds);
    vec![
        ("input gradient", grads.matrix(&input)),
        ("residual gradient", grads.matrix(&residual)),
    ]
}

/// The squares of seven gradients, of which the last has a dispatch of its own, and what follows from their sum.
fn gradient_norm(device: &Device, mut seeds: Seeds, lengths: [usize; 6]) -> Vec<Quantity> {
    let device = &device.clone().without_autodiff();
    let mut end = 0;
    let mut range = |elements: usize| {
        let count = PartialSums::count_for(elements);
        let offset = end;
        end += count;
        PartialSums { offset, count }
    };
    let ranges = lengths.map(&mut range);
    let last = [range(70), PartialSums::default()];
    let [last, none] = last;
    // What was in the buffer before is overwritten.
    let sums = Tensor::full([end], 3.0, device);
    let sums = kernels::squares(sums, lengths.map(|len| seeds.tensor([len], device)), ranges);
    let inputs = [70, 1, 1, 1, 1, 1].map(|len| seeds.tensor([len], device));
    let sums = kernels::squares(sums, inputs, [last, none, none, none, none, none]);
    let loss = || Tensor::from_floats([0.5], device);
    let state = Tensor::from_floats([0.0, 0.0, 1.0, 0.0], device);
    let scaler = Tensor::from_floats([0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0], device);
    let scaling = LossScaling {
        max_norm: 1.0,
        betas: [0.9, 0.999],
        growth_factor: 2.0,
        backoff_factor: 0.5,
        growth_interval: 2000,
    };
    vec![
        ("sum", sums.clone().sum()),
        (
            "clip",
            kernels::clip_coefficient(sums.clone(), loss(), state, 1.0),
        ),
        (
            "loss scaler",
            kernels::update_scale(sums, loss(), scaler, scaling),
        ),
    ]
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
