//! Every kernel against its definition in f64, with any number of parts.

extern crate std;

mod team;
mod update;

use super::*;
use std::vec;
use std::vec::Vec;

/// Numbers of parts that each job is computed with.
const PARTS: [usize; 4] = [1, 2, 3, 7];

/// Computes a job in each number of parts and returns what `read` finds. All results are equal to the last bit.
fn computed<T: PartialEq + std::fmt::Debug>(job: Job, mut read: impl FnMut() -> T) -> T {
    let mut results = PARTS.map(|parts| {
        let mut scratch = vec![f32::NAN; job.scratch()];
        for part in 0..parts {
            // SAFETY: the operands live as long as `read`.
            unsafe { job.compute(scratch.as_mut_ptr(), part, parts) };
        }
        Some(read())
    });
    let first = results[0].take();
    for (result, parts) in results.iter().zip(PARTS).skip(1) {
        assert_eq!(result, &first, "{parts} parts");
    }
    first.unwrap()
}

/// Values between -1 and 1 from a linear congruential generator.
fn values(len: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let value = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..len).map(value).collect()
}

fn assert_close(found: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        let distance = (f64::from(*found) - expected).abs();
        assert!(distance <= tolerance, "{at}: {found} instead of {expected}");
    }
}

/// The error function by its series, and by its continued fraction where that is exact.
fn erf(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for n in 1..120 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    if x.abs() > 4.5 {
        x.signum()
    } else {
        sum * 2.0 / std::f64::consts::PI.sqrt()
    }
}

fn gelu(x: f64) -> f64 {
    x * 0.5 * (1.0 + erf(x / 2.0_f64.sqrt()))
}

fn gelu_derivative(x: f64) -> f64 {
    let density = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
    0.5 * (1.0 + erf(x / 2.0_f64.sqrt())) + x * density
}

#[test]
fn products_of_all_shapes_strides_and_epilogues_are_right() {
    let shapes = [
        [1, 1, 1],
        [6, 8, 4],
        [7, 9, 3],
        [13, 2, 400],
        [250, 17, 33],
        [5, 40, 800],
    ];
    for [m, n, k] in shapes {
        let (a, b, bias) = (values(m * k, 1), values(k * n, 2), values(n, 3));
        let before = values(m * n, 4);
        for (a_is_transposed, b_is_transposed) in
            [(false, false), (true, false), (false, true), (true, true)]
        {
            let strides = |is_transposed, rows, columns| match is_transposed {
                true => (1, rows),
                false => (columns, 1),
            };
            let operand = |values: &[f32], (row_stride, column_stride)| Operand {
                start: values.as_ptr(),
                row_stride,
                column_stride,
            };
            let (a_strides, b_strides) = (
                strides(a_is_transposed, m, k),
                strides(b_is_transposed, k, n),
            );
            let product = |row: usize, column: usize| {
                let term = |at: usize| {
                    let a = a[row * a_strides.0 + at * a_strides.1];
                    let b = b[at * b_strides.0 + column * b_strides.1];
                    f64::from(a) * f64::from(b)
                };
                (0..k).map(term).sum::<f64>()
            };
            for kind in 0..5 {
                let (mut c, mut second) = (before.clone(), before.clone());
                let (c_start, second_start) = (c.as_mut_ptr(), second.as_mut_ptr());
                let bias_start = bias.as_ptr();
                let epilogue = match kind {
                    0 => Epilogue::Store,
                    1 => Epilogue::Accumulate,
                    2 => Epilogue::Bias { bias: bias_start },
                    3 => Epilogue::BiasGelu {
                        bias: bias_start,
                        activation: second_start,
                    },
                    _ => Epilogue::GeluGrad {
                        input: second_start,
                    },
                };
                let job = Job::Gemm(Gemm {
                    a: operand(&a, a_strides),
                    b: operand(&b, b_strides),
                    c: c_start,
                    c_stride: n,
                    m,
                    n,
                    k,
                    epilogue,
                });
                computed(job, || {
                    let result = (c.clone(), second.clone());
                    if kind == 1 {
                        c.copy_from_slice(&before);
                    }
                    result
                })
                .tap(|(c, second)| {
                    let expected = |at: usize| {
                        let (row, column) = (at / n, at % n);
                        let product = product(row, column);
                        match kind {
                            0 => product,
                            1 => product + f64::from(before[at]),
                            2 | 3 => product + f64::from(bias[column]),
                            _ => product * gelu_derivative(f64::from(before[at])),
                        }
                    };
                    let expected: Vec<f64> = (0..m * n).map(expected).collect();
                    assert_close(c, &expected, 5e-5);
                    if kind == 3 {
                        let activation: Vec<f64> = expected.iter().map(|x| gelu(*x)).collect();
                        assert_close(second, &activation, 5e-5);
                    } else {
                        assert_eq!(second, &before);
                    }
                });
            }
        }
    }
}

/// Passes a value to a function.
trait Tap: Sized {
    fn tap(self, work: impl FnOnce(&Self)) {
        work(&self);
    }
}

impl<T> Tap for T {}

#[test]
fn gelu_is_exact_to_a_few_units_and_keeps_nan() {
    let input: Vec<f32> = (-4000..=4000).map(|at| at as f32 / 400.0).collect();
    let grad = values(input.len(), 1);
    let mut output = vec![0.0; input.len()];
    let mut job = Gelu {
        input: input.as_ptr(),
        grad: core::ptr::null(),
        output: output.as_mut_ptr(),
        len: input.len(),
    };
    let found = computed(Job::Gelu(job), || output.clone());
    let expected: Vec<f64> = input.iter().map(|x| gelu(f64::from(*x))).collect();
    assert_close(&found, &expected, 1e-6);
    job.grad = grad.as_ptr();
    let found = computed(Job::Gelu(job), || output.clone());
    let pairs = input.iter().zip(&grad);
    let expected: Vec<f64> = pairs
        .map(|(x, grad)| f64::from(*grad) * gelu_derivative(f64::from(*x)))
        .collect();
    assert_close(&found, &expected, 1e-6);

    let (nan, mut output) = ([f32::NAN; 5], [0.0_f32; 5]);
    let job = Job::Gelu(Gelu {
        input: nan.as_ptr(),
        grad: core::ptr::null(),
        output: output.as_mut_ptr(),
        len: 5,
    });
    assert!(
        computed(job, || output.map(f32::is_nan))
            .iter()
            .all(|is_nan| *is_nan)
    );
}

const MASK: Dropout = Dropout {
    threshold: 1 << 30,
    key: 77,
    scale: 4.0 / 3.0,
};

/// The factors of a mask, computed one by one.
fn factors(mask: Dropout, len: usize) -> Vec<f64> {
    fn mix(mut x: u32) -> u32 {
        x ^= x >> 16;
        x = x.wrapping_mul(0x7feb_352d);
        x ^= x >> 15;
        x = x.wrapping_mul(0x846c_a68b);
        x ^ (x >> 16)
    }
    let factor = |at: usize| {
        let mixed = mix((at as u32).wrapping_mul(0x9e37_79b9) ^ mask.key);
        let is_kept = mix(mixed.wrapping_add(mask.key)) >= mask.threshold;
        if is_kept { f64::from(mask.scale) } else { 0.0 }
    };
    (0..len).map(factor).collect()
}

#[test]
fn dropout_has_the_mask_of_each_index() {
    for len in [1, 4, 1003] {
        let (input, mut output) = (values(len, 1), vec![0.0; len]);
        let job = Job::Dropout(DropoutJob {
            input: input.as_ptr(),
            output: output.as_mut_ptr(),
            len,
            mask: MASK,
        });
        let found = computed(job, || output.clone());
        let factors = factors(MASK, len);
        let pairs = input.iter().zip(factors);
        let expected: Vec<f64> = pairs.map(|(x, factor)| f64::from(*x) * factor).collect();
        assert_close(&found, &expected, 1e-6);
    }
}

#[test]
fn layer_norm_and_its_gradients_are_right() {
    let (rows, width, eps) = (11, 36, 1e-12);
    let len = rows * width;
    let [input, residual, grad] = [1, 2, 3].map(|seed| values(len, seed));
    let (weight, bias) = (values(width, 4), values(width, 5));
    let factors = factors(MASK, len);
    let shape = Rows {
        input: input.as_ptr(),
        residual: residual.as_ptr(),
        dropout: MASK,
        rows,
        width,
        eps: eps as f32,
    };
    let sum: Vec<f64> = (0..len)
        .map(|at| f64::from(input[at]) * factors[at] + f64::from(residual[at]))
        .collect();
    let mean_of = |row: &dyn Fn(usize) -> f64| (0..width).map(row).sum::<f64>() / width as f64;
    let (mut expected, mut input_grads, mut residual_grads) = (vec![], vec![], vec![]);
    let (mut weight_grads, mut bias_grads) = (vec![0.0; width], vec![0.0; width]);
    for row in 0..rows {
        let x = |column: usize| sum[row * width + column];
        let mean = mean_of(&x);
        let deviation = (mean_of(&|column| (x(column) - mean).powi(2)) + eps).sqrt();
        let normalized = |column: usize| (x(column) - mean) / deviation;
        let grad = |column: usize| f64::from(grad[row * width + column]);
        let scaled = |column: usize| grad(column) * f64::from(weight[column]);
        let (shift, dot) = (
            mean_of(&scaled),
            mean_of(&|column| scaled(column) * normalized(column)),
        );
        for column in 0..width {
            expected.push(normalized(column) * f64::from(weight[column]) + f64::from(bias[column]));
            let rest = (scaled(column) - shift - normalized(column) * dot) / deviation;
            residual_grads.push(rest);
            input_grads.push(rest * factors[row * width + column]);
            weight_grads[column] += grad(column) * normalized(column);
            bias_grads[column] += grad(column);
        }
    }
    let mut output = vec![0.0; len];
    let job = Job::LayerNorm(LayerNorm {
        rows: shape,
        weight: weight.as_ptr(),
        bias: bias.as_ptr(),
        output: output.as_mut_ptr(),
    });
    assert_close(&computed(job, || output.clone()), &expected, 1e-5);

    let (mut input_grad, mut residual_grad) = (vec![0.0; len], vec![0.0; len]);
    let mut moments = vec![0.0; 2 * rows];
    let job = Job::LayerNormBackward(LayerNormBackward {
        rows: shape,
        weight: weight.as_ptr(),
        grad: grad.as_ptr(),
        residual_grad: residual_grad.as_mut_ptr(),
        input_grad: input_grad.as_mut_ptr(),
        moments: moments.as_mut_ptr(),
    });
    let found = computed(job, || (input_grad.clone(), residual_grad.clone()));
    assert_close(&found.0, &input_grads, 1e-5);
    assert_close(&found.1, &residual_grads, 1e-5);

    let (mut weight_grad, mut bias_grad) = (vec![0.0; width], vec![0.0; width]);
    let job = Job::LayerNormWeights(LayerNormWeights {
        rows: shape,
        grad: grad.as_ptr(),
        moments: moments.as_ptr(),
        weight_grad: weight_grad.as_mut_ptr(),
        bias_grad: bias_grad.as_mut_ptr(),
    });
    let found = computed(job, || (weight_grad.clone(), bias_grad.clone()));
    assert_close(&found.0, &weight_grads, 1e-5);
    assert_close(&found.1, &bias_grads, 1e-5);
}
