//! Sums of columns and of squares, and the optimizer.

use super::*;

#[test]
fn sums_are_right_for_widths_that_are_no_multiple_of_four() {
    let (rows, width) = (9, 22);
    let (input, mut sums) = (values(rows * width, 1), vec![0.0; width]);
    let job = Job::ColumnSums(ColumnSums {
        input: input.as_ptr(),
        rows,
        width,
        sums: sums.as_mut_ptr(),
    });
    let found = computed(job, || sums.clone());
    let column = |column: usize| {
        (0..rows)
            .map(|row| f64::from(input[row * width + column]))
            .sum()
    };
    let expected: Vec<f64> = (0..width).map(column).collect();
    assert_close(&found, &expected, 1e-5);

    let input = values(10_007, 2);
    let mut sums = vec![0.0; Squares::chunks(input.len())];
    let job = Job::Squares(Squares {
        input: input.as_ptr(),
        len: input.len(),
        sums: sums.as_mut_ptr(),
    });
    let found: f32 = computed(job, || sums.clone()).iter().sum();
    let expected: f64 = input.iter().map(|x| f64::from(*x).powi(2)).sum();
    assert!(
        (f64::from(found) - expected).abs() < 1e-3 * expected,
        "{found} {expected}"
    );
}

#[test]
fn adamw_updates_in_place_and_only_decays_what_had_no_gradient() {
    for (len, decay) in [(3, 0.9_f32), (1031, 0.9), (1031, 1.0)] {
        let untouched = |at: usize| len > 3 && (100..700).contains(&at);
        let zeroed = |seed| {
            let values = values(len, seed).into_iter().enumerate();
            let value = |(at, value)| if untouched(at) { 0.0 } else { value };
            values.map(value).collect::<Vec<f32>>()
        };
        let (gradient, first_before) = (zeroed(1), zeroed(2));
        let second_before: Vec<f32> = zeroed(3).into_iter().map(f32::abs).collect();
        let before = values(len, 4);
        let (mut parameter, mut first, mut second) =
            (before.clone(), first_before.clone(), second_before.clone());
        let job = Job::AdamW(AdamW {
            parameter: parameter.as_mut_ptr(),
            first_moment: first.as_mut_ptr(),
            second_moment: second.as_mut_ptr(),
            gradient: gradient.as_ptr(),
            len,
            clip: 0.5,
            beta1: 0.9,
            one_minus_beta1: 0.1,
            beta2: 0.99,
            one_minus_beta2: 0.01,
            decay,
            step_size: 0.125,
            inverse_correction: 2.0,
            eps: 1e-8,
        });
        let found = computed(job, || {
            let found = (parameter.clone(), first.clone(), second.clone());
            parameter.copy_from_slice(&before);
            first.copy_from_slice(&first_before);
            second.copy_from_slice(&second_before);
            found
        });
        let (mut parameters, mut firsts, mut seconds) = (vec![], vec![], vec![]);
        for at in 0..len {
            let gradient = f64::from(gradient[at]) * 0.5;
            let first = 0.9 * f64::from(first_before[at]) + 0.1 * gradient;
            let second = 0.99 * f64::from(second_before[at]) + 0.01 * gradient * gradient;
            let update = 0.125 * first / (second.sqrt() * 2.0 + 1e-8);
            parameters.push(f64::from(before[at]) * f64::from(decay) - update);
            firsts.push(first);
            seconds.push(second);
        }
        assert_close(&found.0, &parameters, 1e-5);
        assert_close(&found.1, &firsts, 1e-6);
        assert_close(&found.2, &seconds, 1e-6);
    }
}
