//! Sums of products. The page's build optimizes for size and does not unroll loops; the statements of a block are
//! written out here, so that the compiler joins them to vector instructions all the same.

/// Runs the body with `$at` from 0 to 7.
macro_rules! eight {
    ($at:ident => $body:expr) => {
        eight!(@ $at $body; 0 1 2 3 4 5 6 7)
    };
    (@ $at:ident $body:expr; $($value:literal)*) => {
        $({
            const $at: usize = $value;
            $body;
        })*
    };
}

/// `x · w` in f64.
pub(super) fn dot(x: &[f32], w: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (x_blocks, x_rest) = x.as_chunks::<8>();
    let (w_blocks, w_rest) = w.as_chunks::<8>();
    for (x, w) in x_blocks.iter().zip(w_blocks) {
        eight!(AT => sums[AT] += f64::from(x[AT]) * w[AT]);
    }
    let rest = x_rest.iter().zip(w_rest);
    sums.iter().sum::<f64>() + rest.map(|(&x, w)| f64::from(x) * w).sum::<f64>()
}

/// `x · y` in f32.
pub(super) fn dot_f32(x: &[f32], y: &[f32]) -> f32 {
    let mut sums = [0.0; 8];
    let (x_blocks, x_rest) = x.as_chunks::<8>();
    let (y_blocks, y_rest) = y.as_chunks::<8>();
    for (x, y) in x_blocks.iter().zip(y_blocks) {
        eight!(AT => sums[AT] += x[AT] * y[AT]);
    }
    let rest = x_rest.iter().zip(y_rest);
    sums.iter().sum::<f32>() + rest.map(|(x, y)| x * y).sum::<f32>()
}

/// `x · y` in f64.
pub(super) fn dot_f64(x: &[f64], y: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (x_blocks, x_rest) = x.as_chunks::<8>();
    let (y_blocks, y_rest) = y.as_chunks::<8>();
    for (x, y) in x_blocks.iter().zip(y_blocks) {
        eight!(AT => sums[AT] += x[AT] * y[AT]);
    }
    let rest = x_rest.iter().zip(y_rest);
    sums.iter().sum::<f64>() + rest.map(|(x, y)| x * y).sum::<f64>()
}

/// `y += a · x` in f64.
pub(super) fn add_scaled(y: &mut [f64], a: f64, x: &[f32]) {
    let (y_blocks, y_rest) = y.as_chunks_mut::<8>();
    let (x_blocks, x_rest) = x.as_chunks::<8>();
    for (y, x) in y_blocks.iter_mut().zip(x_blocks) {
        eight!(AT => y[AT] += a * f64::from(x[AT]));
    }
    for (y, &x) in y_rest.iter_mut().zip(x_rest) {
        *y += a * f64::from(x);
    }
}

/// `y += a · x` in f64.
pub(super) fn add_scaled_f64(y: &mut [f64], a: f64, x: &[f64]) {
    let (y_blocks, y_rest) = y.as_chunks_mut::<8>();
    let (x_blocks, x_rest) = x.as_chunks::<8>();
    for (y, x) in y_blocks.iter_mut().zip(x_blocks) {
        eight!(AT => y[AT] += a * x[AT]);
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
        for n in 0..20 {
            let x: Vec<f64> = (0..n).map(|at| f64::from(at) + 1.0).collect();
            let y: Vec<f64> = (0..n).map(|at| f64::from(at * at)).collect();
            let narrow: Vec<f32> = x.iter().map(|&value| value as f32).collect();
            let narrow_y: Vec<f32> = y.iter().map(|&value| value as f32).collect();
            let expected: f64 = (0..n).map(|at| f64::from((at + 1) * at * at)).sum();
            assert_eq!(dot(&narrow, &y), expected, "{n} values");
            assert_eq!(dot_f64(&x, &y), expected, "{n} values");
            assert_eq!(
                f64::from(dot_f32(&narrow, &narrow_y)),
                expected,
                "{n} values"
            );
            let sums: Vec<f64> = (0..n).map(|at| f64::from(at * at + 3 * (at + 1))).collect();
            for add in [
                (&|y: &mut [f64]| add_scaled(y, 3.0, &narrow)) as &dyn Fn(&mut [f64]),
                &|y: &mut [f64]| add_scaled_f64(y, 3.0, &x),
            ] {
                let mut y = y.clone();
                add(&mut y);
                assert_eq!(y, sums, "{n} values");
            }
        }
    }
}
