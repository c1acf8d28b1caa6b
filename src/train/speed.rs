//! Rates, as transformers' [`speed_metrics`] computes them.
//!
//! [`speed_metrics`]: https://github.com/huggingface/transformers/blob/main/src/transformers/trainer_utils.py

/// The shortest runtime of a rate, in seconds: a browser's clock may not advance during a short evaluation.
const MIN_SECONDS: f64 = 1e-4;

/// A runtime and its rates, rounded as in transformers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpeedMetrics {
    /// Seconds.
    pub runtime: f64,
    /// Rows per second.
    pub samples_per_second: f64,
    /// Updates or batches per second.
    pub steps_per_second: f64,
}

impl SpeedMetrics {
    /// The rates of `samples` rows in `steps` updates or batches that took `seconds`.
    pub fn new(seconds: f64, samples: f64, steps: usize) -> Self {
        let rate = |count: f64| rounded(count / seconds.max(MIN_SECONDS), 3);
        Self {
            runtime: rounded(seconds, 4),
            samples_per_second: rate(samples),
            steps_per_second: rate(steps as f64),
        }
    }
}

fn rounded(value: f64, places: i32) -> f64 {
    let scale = 10f64.powi(places);
    (value * scale).round() / scale
}
