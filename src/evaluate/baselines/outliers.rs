//! Rows that are unlike all others, as cleanlab's [`OutOfDistribution`][cleanlab] and its Datalab find them: by the
//! distance to the nearest neighbors.
//!
//! [cleanlab]: https://docs.cleanlab.ai/stable/cleanlab/outlier.html

use super::tick::{Progress, Tick};
use super::vector::dot_f32;
use crate::Result;
use crate::random::RandomState;
use std::ops::Range;

/// cleanlab compares by Euclidean distance up to so many columns, by cosine distance above.
const EUCLIDEAN_COLUMNS: usize = 3;
/// Distances below are rounding errors of f32: the rows are equal.
const SAME: f64 = 1e-6;
/// Datalab's threshold: interquartile ranges between the third quartile and an outlier.
const IQR_SCALE: f64 = 1.0 / 0.37037 - 1.0;
/// Rows that are compared with the neighbors at once.
const BLOCK: usize = 8;

/// Arguments of [`outliers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutlierOptions {
    /// Nearest neighbors of a row (`k`).
    pub k: usize,
    /// Most products of two values. Neighbors are searched among a sample of `max_products / (rows × columns)` rows.
    pub max_products: u64,
    /// Fewest rows of the sample.
    pub min_sample: usize,
    /// Seed of the sample.
    pub seed: u32,
}

impl Default for OutlierOptions {
    /// All rows are neighbors of each other up to 7,000 rows of 384 columns; 520 rows are those of 100,000.
    fn default() -> Self {
        Self {
            k: 10,
            max_products: 20_000_000_000,
            min_sample: 500,
            seed: 42,
        }
    }
}

/// What [`outliers`] finds.
#[derive(Debug, Clone, PartialEq)]
pub struct Outliers {
    /// By row: `exp(-distance / median distance)`, 1 for a row that has `k` equal rows. Lower is less typical.
    pub scores: Vec<f64>,
    /// The rows whose distance is above the third quartile by more than 1.7 interquartile ranges (Datalab's
    /// threshold), the least typical first.
    pub rows: Vec<usize>,
    /// The rows among which neighbors were searched: fewer than all for a large dataset.
    pub sample: usize,
}

/// Measures how far each row is from its `k` nearest neighbors, on average. The distance is 1 minus the cosine (with 3
/// columns or fewer the Euclidean distance). If all rows are too many, neighbors are searched among a seeded sample of
/// them: the distances are larger then, about in the same order, and a group with fewer than `k` rows in the sample
/// counts as unlike the others.
///
/// `values`: `[rows, columns]`.
///
/// # Errors
/// Those of `tick`, which is called with the rows done and all rows.
pub async fn outliers(
    values: &[f32],
    columns: usize,
    options: &OutlierOptions,
    tick: &dyn Tick,
) -> Result<Outliers> {
    let rows = values.len() / columns.max(1);
    if rows < 2 || options.k == 0 {
        return Ok(Outliers {
            scores: vec![1.0; rows],
            rows: Vec::new(),
            sample: rows,
        });
    }
    let sample = sample(rows, columns, options);
    let neighbors = Neighbors::new(values, columns, &sample);
    let mut progress = Progress::new(tick, rows);
    let mut distances = Vec::with_capacity(rows);
    for start in (0..rows).step_by(BLOCK) {
        let end = rows.min(start + BLOCK);
        distances.extend(neighbors.mean_distances(start..end, options.k));
        progress.set(end);
        progress.add((end - start) * sample.len() * columns).await?;
    }
    let mut sorted = distances.clone();
    sorted.sort_by(f64::total_cmp);
    let scale = percentile(&sorted, 0.5).max(SAME);
    let (first, third) = (percentile(&sorted, 0.25), percentile(&sorted, 0.75));
    let bound = third + IQR_SCALE * (third - first);
    let mut found: Vec<usize> = (0..rows).filter(|&row| distances[row] > bound).collect();
    found.sort_by(|&a, &b| distances[b].total_cmp(&distances[a]));
    Ok(Outliers {
        scores: distances.iter().map(|d| (-d / scale).exp()).collect(),
        rows: found,
        sample: sample.len(),
    })
}

/// The rows among which neighbors are searched.
fn sample(rows: usize, columns: usize, options: &OutlierOptions) -> Vec<usize> {
    let size = options.max_products / (rows * columns) as u64;
    let size = size.min(rows as u64).max(options.min_sample as u64) as usize;
    if size >= rows {
        return (0..rows).collect();
    }
    let mut sample = RandomState::new(options.seed).permutation(rows);
    sample.truncate(size);
    sample
}

/// The rows, and those among which neighbors are searched.
struct Neighbors<'a> {
    values: &'a [f32],
    columns: usize,
    sample: &'a [usize],
    /// The rows of the sample; of length 1 for the distance of the cosine.
    sampled: Vec<f32>,
}

impl<'a> Neighbors<'a> {
    fn new(values: &'a [f32], columns: usize, sample: &'a [usize]) -> Self {
        let mut sampled = Vec::with_capacity(sample.len() * columns);
        for &row in sample {
            sampled.extend_from_slice(&values[row * columns..(row + 1) * columns]);
        }
        let all = Self {
            values,
            columns,
            sample,
            sampled: Vec::new(),
        };
        if all.is_cosine() {
            for row in sampled.chunks_exact_mut(columns) {
                let factor = inverse_length(row);
                row.iter_mut().for_each(|value| *value *= factor);
            }
        }
        Self { sampled, ..all }
    }

    fn is_cosine(&self) -> bool {
        self.columns > EUCLIDEAN_COLUMNS
    }

    fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.columns..(row + 1) * self.columns]
    }

    /// The mean distance of each row to its `k` nearest neighbors other than itself. The rows of a block are compared
    /// with one neighbor after the other, so that all are in the processor's cache.
    fn mean_distances(&self, rows: Range<usize>, k: usize) -> Vec<f64> {
        let mut nearest = vec![Vec::with_capacity(k + 1); rows.len()];
        let factor = |row| {
            if self.is_cosine() {
                inverse_length(self.row(row))
            } else {
                1.0
            }
        };
        let factors: Vec<f32> = rows.clone().map(factor).collect();
        for (&neighbor, values) in self
            .sample
            .iter()
            .zip(self.sampled.chunks_exact(self.columns))
        {
            for (at, row) in rows.clone().enumerate() {
                let distance = self.distance(self.row(row), factors[at], values);
                let nearest: &mut Vec<f64> = &mut nearest[at];
                let is_far = nearest.len() == k && distance >= nearest[k - 1];
                if is_far || neighbor == row {
                    continue;
                }
                nearest.insert(nearest.partition_point(|&d| d <= distance), distance);
                nearest.truncate(k);
            }
        }
        let mean = |nearest: Vec<f64>| nearest.iter().sum::<f64>() / nearest.len().max(1) as f64;
        nearest.into_iter().map(mean).collect()
    }

    /// The distance of a row, which `factor` scales to length 1, from one of the sample.
    fn distance(&self, row: &[f32], factor: f32, neighbor: &[f32]) -> f64 {
        let distance = if self.is_cosine() {
            1.0 - f64::from(dot_f32(row, neighbor) * factor)
        } else {
            let square = |(a, b): (&f32, &f32)| f64::from(a - b).powi(2);
            row.iter().zip(neighbor).map(square).sum::<f64>().sqrt()
        };
        if distance < SAME { 0.0 } else { distance }
    }
}

/// The factor that scales a row to length 1; 0 for a row of zeros.
fn inverse_length(row: &[f32]) -> f32 {
    let square = dot_f32(row, row);
    if square > 0.0 {
        square.sqrt().recip()
    } else {
        0.0
    }
}

/// NumPy's `percentile` of sorted values, with linear interpolation.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() - 1) as f64;
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    sorted[low] + (sorted[high] - sorted[low]) * (at - low as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::TorchGenerator;

    async fn no_tick(_: usize, _: usize) -> Result<()> {
        Ok(())
    }

    /// 400 rows near two directions, and row 100 in a third one.
    fn rows() -> Vec<f32> {
        let mut values = TorchGenerator::new(3).normal(400 * 8, 0.1);
        for (row, values) in values.chunks_exact_mut(8).enumerate() {
            let direction = if row == 100 { 5 } else { row % 2 };
            values[direction] += 1.0;
        }
        values
    }

    #[test]
    fn a_sample_of_the_neighbors_finds_the_same_outlier() {
        let all = OutlierOptions::default();
        let sampled = OutlierOptions {
            max_products: 0,
            min_sample: 60,
            ..all
        };
        let values = rows();
        for (options, sample) in [(all, 400), (sampled, 60)] {
            let found = pollster::block_on(outliers(&values, 8, &options, &no_tick)).unwrap();
            assert_eq!(found.sample, sample);
            assert_eq!(found.rows.first(), Some(&100));
            let lowest = found.scores.iter().copied().fold(1.0, f64::min);
            assert_eq!(found.scores[100], lowest);
        }
    }

    #[test]
    fn equal_rows_are_typical() {
        let values = [0.25, 0.5, 0.75, 1.0].repeat(20);
        let options = OutlierOptions::default();
        let found = pollster::block_on(outliers(&values, 4, &options, &no_tick)).unwrap();
        assert_eq!(found.scores, [1.0; 20]);
        assert!(found.rows.is_empty());
        let found = pollster::block_on(outliers(&values[..4], 4, &options, &no_tick)).unwrap();
        assert_eq!(found.scores, [1.0]);
    }
}
