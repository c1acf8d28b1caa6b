//! Sums of products with vector instructions. The page's build optimizes for size, in which the compiler does not
//! vectorize loops by itself.

use wide::{f32x8, f64x4};

/// `x · y` in f32.
pub(super) fn dot_f32(x: &[f32], y: &[f32]) -> f32 {
    let mut sums = [f32x8::ZERO; 2];
    let (x_blocks, x_rest) = x.as_chunks::<16>();
    let (y_blocks, y_rest) = y.as_chunks::<16>();
    for (x, y) in x_blocks.iter().zip(y_blocks) {
        let (x, y) = (x.as_chunks::<8>().0, y.as_chunks::<8>().0);
        sums[0] += f32x8::new(x[0]) * f32x8::new(y[0]);
        sums[1] += f32x8::new(x[1]) * f32x8::new(y[1]);
    }
    let rest = x_rest.iter().zip(y_rest);
    (sums[0] + sums[1]).reduce_add() + rest.map(|(x, y)| x * y).sum::<f32>()
}

/// `x · y` in f64.
pub(super) fn dot(x: &[f64], y: &[f64]) -> f64 {
    let mut sums = [f64x4::ZERO; 2];
    let (x_blocks, x_rest) = x.as_chunks::<8>();
    let (y_blocks, y_rest) = y.as_chunks::<8>();
    for (x, y) in x_blocks.iter().zip(y_blocks) {
        let (x, y) = (x.as_chunks::<4>().0, y.as_chunks::<4>().0);
        sums[0] += f64x4::new(x[0]) * f64x4::new(y[0]);
        sums[1] += f64x4::new(x[1]) * f64x4::new(y[1]);
    }
    let rest = x_rest.iter().zip(y_rest);
    (sums[0] + sums[1]).reduce_add() + rest.map(|(x, y)| x * y).sum::<f64>()
}

/// `y += a · x` in f64.
pub(super) fn add_scaled(y: &mut [f64], a: f64, x: &[f64]) {
    let (y_blocks, y_rest) = y.as_chunks_mut::<4>();
    let (x_blocks, x_rest) = x.as_chunks::<4>();
    let factor = f64x4::splat(a);
    for (y, x) in y_blocks.iter_mut().zip(x_blocks) {
        *y = (f64x4::new(*y) + factor * f64x4::new(*x)).to_array();
    }
    for (y, x) in y_rest.iter_mut().zip(x_rest) {
        *y += a * x;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_of_any_length_are_summed_whole() {
        for n in 0..40 {
            let x: Vec<f64> = (0..n).map(|at| f64::from(at) + 1.0).collect();
            let mut y: Vec<f64> = (0..n).map(|at| f64::from(at * at)).collect();
            let narrow = |values: &[f64]| values.iter().map(|&v| v as f32).collect::<Vec<_>>();
            let expected: f64 = (0..n).map(|at| f64::from((at + 1) * at * at)).sum();
            assert_eq!(dot(&x, &y), expected, "{n} values");
            let found = dot_f32(&narrow(&x), &narrow(&y));
            assert_eq!(f64::from(found), expected, "{n} values");
            add_scaled(&mut y, 3.0, &x);
            let sums = (0..n).map(|at| f64::from(at * at + 3 * (at + 1)));
            assert_eq!(y, sums.collect::<Vec<_>>(), "{n} values");
        }
    }
}
