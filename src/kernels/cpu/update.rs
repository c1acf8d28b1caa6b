//! AdamW, the gradient norm, and the gradient of the word embeddings.

use super::execute::run;
use super::tensors::{Values, dims, first_values};
use crate::kernels::{AdamWScalars, CLIP_VALUES, COEFFICIENT, PROCEEDS, PartialSums};
use burn::backend::Flex;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::{Shape, TensorData};
use webtune_cpu::{AdamW, Job, Squares};

/// Updates a parameter and its moments, in place if nothing else references them.
pub(super) fn adamw(
    mut parameter: FloatTensor<Flex>,
    gradient: FloatTensor<Flex>,
    mut moments: FloatTensor<Flex>,
    clip: &FloatTensor<Flex>,
    scalars: AdamWScalars,
) -> (FloatTensor<Flex>, FloatTensor<Flex>) {
    let scalars = match scalars.scaled {
        true => scalars.with_bias_corrections(first_values(clip)),
        false => {
            let clip = first_values::<CLIP_VALUES>(clip);
            (clip[PROCEEDS] > 0.0).then_some(scalars)
        }
    };
    let Some(scalars) = scalars else {
        return (parameter, moments);
    };
    let gradient = Values::new(gradient);
    let len = gradient.len();
    let ([parameter_start], [first, second]) = (
        parts::<1>(&mut parameter, len),
        parts::<2>(&mut moments, len),
    );
    run(&Job::AdamW(AdamW {
        parameter: parameter_start,
        first_moment: first,
        second_moment: second,
        gradient: gradient.start(),
        len,
        clip: first_values::<CLIP_VALUES>(clip)[COEFFICIENT],
        beta1: scalars.beta1 as f32,
        one_minus_beta1: (1.0 - scalars.beta1) as f32,
        beta2: scalars.beta2 as f32,
        one_minus_beta2: (1.0 - scalars.beta2) as f32,
        decay: scalars.decay as f32,
        step_size: scalars.step_size as f32,
        inverse_correction: (1.0 / scalars.bias_correction2_sqrt) as f32,
        eps: scalars.eps as f32,
    }));
    (parameter, moments)
}

/// Returns where each of `N` parts of `len` values of a tensor begins. Copies the tensor if it is shared.
fn parts<const N: usize>(tensor: &mut FloatTensor<Flex>, len: usize) -> [*mut f32; N] {
    if tensor
        .as_slice::<f32>()
        .is_none_or(|values| values.len() != tensor.storage::<f32>().len())
    {
        *tensor = tensor.to_contiguous();
    }
    let values = tensor.storage_mut::<f32>();
    assert_eq!(
        values.len(),
        N * len,
        "an optimizer's state has the size of its parameter"
    );
    let mut chunks = values.chunks_exact_mut(len);
    std::array::from_fn(|_| {
        chunks
            .next()
            .map_or(std::ptr::null_mut(), <[f32]>::as_mut_ptr)
    })
}

/// Writes the whole sum of a tensor's squares into its first partial sum, and 0 into the others.
pub(super) fn squares(
    mut sums: FloatTensor<Flex>,
    inputs: [FloatTensor<Flex>; 6],
    ranges: [PartialSums; 6],
) -> FloatTensor<Flex> {
    for (input, range) in inputs.into_iter().zip(ranges) {
        if range.count > 0 {
            let input = Values::new(input);
            let mut partial = vec![0.0_f32; Squares::chunks(input.len())];
            run(&Job::Squares(Squares {
                input: input.start(),
                len: input.len(),
                sums: partial.as_mut_ptr(),
            }));
            let total: f64 = partial.iter().map(|sum| f64::from(*sum)).sum();
            let range = &mut sums.storage_mut::<f32>()[range.offset..range.offset + range.count];
            range.fill(0.0);
            range[0] = total as f32;
        }
    }
    sums
}

/// Returns the sum of a tensor's values. In f64, it does not depend on the number of partial sums.
pub(super) fn total(sums: FloatTensor<Flex>) -> f32 {
    let sums = Values::new(sums);
    let total: f64 = sums.slice().iter().map(|sum| f64::from(*sum)).sum();
    total as f32
}

/// Sums the gradients of the tokens of each row of a block of the word embeddings.
pub(super) fn word_embeddings_backward(
    grad: FloatTensor<Flex>,
    ids: IntTensor<Flex>,
    first_row: usize,
    [rows, width]: [usize; 2],
) -> FloatTensor<Flex> {
    assert_eq!(
        dims(&grad)[1],
        width,
        "a gradient has the width of the table"
    );
    let mut table = vec![0.0_f32; rows * width];
    let (grad, ids) = (Values::new(grad), ids.into_data());
    for (id, token) in ids.iter::<i64>().zip(grad.slice().chunks_exact(width)) {
        let row = usize::try_from(id)
            .ok()
            .and_then(|id| id.checked_sub(first_row));
        let Some(row) = row.filter(|row| *row < rows) else {
            continue;
        };
        let sums = &mut table[row * width..(row + 1) * width];
        sums.iter_mut()
            .zip(token)
            .for_each(|(sum, value)| *sum += value);
    }
    FloatTensor::<Flex>::from_data(TensorData::new(table, Shape::from([rows, width])))
}
