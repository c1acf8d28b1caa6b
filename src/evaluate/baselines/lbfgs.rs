//! [L-BFGS](https://en.wikipedia.org/wiki/Limited-memory_BFGS): minimizes a smooth function of many variables.

use super::vector::{add_scaled, dot};
use crate::Result;
use std::collections::VecDeque;

/// Pairs of a step and its change of the gradient that approximate the Hessian, as in SciPy.
const HISTORY: usize = 10;
/// Evaluations of one line search, as scikit-learn's `maxls`.
const LINE_SEARCH: usize = 50;

/// A function to minimize.
pub(super) trait Objective {
    /// Writes the gradient at `x` and returns the value.
    async fn value_and_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<f64>;

    /// Is called after each iteration, with the number of iterations done.
    fn iterated(&mut self, _iterations: usize) {}
}

/// Minimizes `objective` from `x` on. Ends when no element of the gradient exceeds `tolerance`, when an iteration
/// decreases the value by no more than the rounding error (`ftol` of scikit-learn), or after `max_iter` iterations.
/// Returns the number of iterations.
///
/// # Errors
/// Those of the objective.
pub(super) async fn minimize(
    objective: &mut impl Objective,
    x: &mut [f64],
    tolerance: f64,
    max_iter: usize,
) -> Result<usize> {
    let mut gradient = vec![0.0; x.len()];
    let mut value = objective.value_and_gradient(x, &mut gradient).await?;
    let mut history: VecDeque<Pair> = VecDeque::new();
    let mut point = x.to_vec();
    let mut point_gradient = gradient.clone();
    for iteration in 0..max_iter {
        if gradient.iter().all(|g| g.abs() <= tolerance) {
            return Ok(iteration);
        }
        let direction = direction(&gradient, &history);
        let slope = dot(&gradient, &direction);
        // The first step has at most length 1, as in SciPy.
        let mut step = if history.is_empty() {
            (1.0 / dot(&direction, &direction).sqrt()).min(1.0)
        } else {
            1.0
        };
        let (mut low, mut high) = (0.0, f64::INFINITY);
        let mut found = None;
        for _ in 0..LINE_SEARCH {
            for ((at, x), d) in point.iter_mut().zip(&*x).zip(&direction) {
                *at = x + step * d;
            }
            let there = objective
                .value_and_gradient(&point, &mut point_gradient)
                .await?;
            // The Wolfe conditions, by bisection. A value that is not finite is too far.
            let too_high = there > value + 1e-4 * step * slope;
            if too_high || there.is_nan() {
                high = step;
            } else if dot(&point_gradient, &direction) < 0.9 * slope {
                low = step;
            } else {
                found = Some(there);
                break;
            }
            step = if high.is_finite() {
                (low + high) / 2.0
            } else {
                2.0 * step
            };
        }
        // Without a lower value along the direction, only rounding errors are left.
        let Some(there) = found else {
            return Ok(iteration);
        };
        let step: Vec<f64> = point.iter().zip(&*x).map(|(p, x)| p - x).collect();
        let change: Vec<f64> = point_gradient
            .iter()
            .zip(&gradient)
            .map(|(p, g)| p - g)
            .collect();
        if history.len() == HISTORY {
            history.pop_front();
        }
        history.extend(Pair::new(step, change));
        x.copy_from_slice(&point);
        gradient.copy_from_slice(&point_gradient);
        let scale = value.abs().max(there.abs()).max(1.0);
        let decrease = (value - there) / scale;
        value = there;
        objective.iterated(iteration + 1);
        if decrease <= 64.0 * f64::EPSILON {
            return Ok(iteration + 1);
        }
    }
    Ok(max_iter)
}

/// A step and its change of the gradient.
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    /// Their inner product.
    curvature: f64,
}

impl Pair {
    /// `None` without a positive curvature: it is below the rounding error.
    fn new(step: Vec<f64>, change: Vec<f64>) -> Option<Self> {
        let curvature = dot(&step, &change);
        let pair = Self {
            step,
            change,
            curvature,
        };
        (curvature > 0.0).then_some(pair)
    }
}

/// The direction of descent: the two-loop recursion.
fn direction(gradient: &[f64], history: &VecDeque<Pair>) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut factors = Vec::with_capacity(history.len());
    for pair in history.iter().rev() {
        let factor = dot(&pair.step, &direction) / pair.curvature;
        add_scaled(&mut direction, -factor, &pair.change);
        factors.push(factor);
    }
    if let Some(last) = history.back() {
        let scale = last.curvature / dot(&last.change, &last.change);
        direction.iter_mut().for_each(|d| *d *= scale);
    }
    for (pair, factor) in history.iter().zip(factors.iter().rev()) {
        let back = dot(&pair.change, &direction) / pair.curvature;
        add_scaled(&mut direction, factor - back, &pair.step);
    }
    direction
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    /// The Rosenbrock function, whose minimum 0 is at (1, …, 1).
    struct Rosenbrock {
        evaluations: usize,
        limit: usize,
    }

    impl Objective for Rosenbrock {
        async fn value_and_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<f64> {
            self.evaluations += 1;
            if self.evaluations > self.limit {
                return Err(Error::Stopped("enough".into()));
            }
            gradient.fill(0.0);
            let mut value = 0.0;
            for at in 0..x.len() - 1 {
                let (a, b) = (1.0 - x[at], x[at + 1] - x[at] * x[at]);
                value += a * a + 100.0 * b * b;
                gradient[at] -= 2.0 * a + 400.0 * x[at] * b;
                gradient[at + 1] += 200.0 * b;
            }
            Ok(value)
        }
    }

    #[test]
    fn finds_the_minimum_of_the_rosenbrock_function() {
        let mut x = vec![-1.2, 1.0, -0.5, 2.0, 0.0];
        let mut objective = Rosenbrock {
            evaluations: 0,
            limit: 200,
        };
        let iterations = pollster::block_on(minimize(&mut objective, &mut x, 1e-9, 1000)).unwrap();
        assert!(iterations < 100, "{iterations} iterations");
        for value in x {
            assert!((value - 1.0).abs() < 1e-8, "{value}");
        }
    }

    #[test]
    fn ends_after_max_iter_and_with_the_error_of_the_objective() {
        let mut objective = Rosenbrock {
            evaluations: 0,
            limit: 200,
        };
        let mut x = vec![-1.2, 1.0];
        assert_eq!(
            pollster::block_on(minimize(&mut objective, &mut x, 1e-9, 3)),
            Ok(3)
        );
        objective.limit = objective.evaluations + 2;
        let error = pollster::block_on(minimize(&mut objective, &mut x, 1e-9, 100)).unwrap_err();
        assert_eq!(error.code(), "stopped");
    }
}
