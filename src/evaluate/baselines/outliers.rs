//! Rows that are unlike all others, as cleanlab's [`OutOfDistribution`][cleanlab] and its Datalab find them: by the
//! distance to the nearest neighbors.
//!
//! [cleanlab]: https://docs.cleanlab.ai/stable/cleanlab/outlier.html

use super::tick::{Progress, Tick};
use crate::Result;
use crate::random::RandomState;

/// cleanlab compares by Euclidean distance up to so many columns, by cosine distance above.
const EUCLIDEAN_COLUMNS: usize = 3;
/// Distances below are rounding errors of f32: the rows are equal.
const SAME: f64 = 1e-6;
/// Datalab's threshold: interquartile ranges between the third quartile and an outlier.
const IQR_SCALE: f64 = 1.0 / 0.37037 - 1.0;
/// Multiply-adds that are computed without a pause.
const WORK_PER_PIECE: usize = 20_000_000;

/// Arguments of [`outliers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutlierOptions {
    /// Nearest neighbors of a row (`k`).
    pub k: usize,
    /// Most products of two values. Neighbors are searched among a sample of `max_products / (rows × columns)` rows.
    pub max_products: usize,
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
    let space = Space::new(values, columns);
    let sample = sample(rows, columns, options);
    let neighbors: Vec<f32> = sample
        .iter()
        .flat_map(|&row| space.row(row).iter().copied())
        .collect();
    let mut position = vec![None; rows];
    for (at, &row) in sample.iter().enumerate() {
        position[row] = Some(at);
    }
    let mut progress = Progress::new(tick, rows);
    let mut distances = Vec::with_capacity(rows);
    let piece = (WORK_PER_PIECE / neighbors.len()).max(1);
    for start in (0..rows).step_by(piece) {
        let end = rows.min(start + piece);
        let mean = |row: usize| space.mean_distance(row, &neighbors, position[row], options.k);
        distances.extend((start..end).map(mean));
        progress.set(end);
        progress.add((end - start) * neighbors.len()).await?;
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
    let size = (options.max_products / (rows * columns)).max(options.min_sample);
    if size >= rows {
        return (0..rows).collect();
    }
    let mut sample = RandomState::new(options.seed).permutation(rows);
    sample.truncate(size);
    sample
}

/// The rows with their metric.
struct Space<'a> {
    values: std::borrow::Cow<'a, [f32]>,
    columns: usize,
}

impl<'a> Space<'a> {
    /// Normalizes the rows to length 1 if the distance is that of the cosine.
    fn new(values: &'a [f32], columns: usize) -> Self {
        if columns <= EUCLIDEAN_COLUMNS {
            return Self {
                values: values.into(),
                columns,
            };
        }
        let mut values = values.to_vec();
        for row in values.chunks_exact_mut(columns) {
            let length = dot(row, row).sqrt();
            if length > 0.0 {
                row.iter_mut().for_each(|value| *value /= length);
            }
        }
        Self {
            values: values.into(),
            columns,
        }
    }

    fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.columns..(row + 1) * self.columns]
    }

    fn distance(&self, a: &[f32], b: &[f32]) -> f64 {
        let distance = if self.columns > EUCLIDEAN_COLUMNS {
            1.0 - f64::from(dot(a, b))
        } else {
            let square = |(a, b): (&f32, &f32)| f64::from(a - b).powi(2);
            a.iter().zip(b).map(square).sum::<f64>().sqrt()
        };
        if distance < SAME { 0.0 } else { distance }
    }

    /// The mean distance of a row to its `k` nearest neighbors other than the one at `own`.
    fn mean_distance(&self, row: usize, neighbors: &[f32], own: Option<usize>, k: usize) -> f64 {
        let values = self.row(row);
        let mut nearest: Vec<f64> = Vec::with_capacity(k + 1);
        for (at, neighbor) in neighbors.chunks_exact(self.columns).enumerate() {
            let distance = self.distance(values, neighbor);
            if nearest.len() == k && distance >= nearest[k - 1] || own == Some(at) {
                continue;
            }
            let place = nearest.partition_point(|&d| d <= distance);
            nearest.insert(place, distance);
            nearest.truncate(k);
        }
        nearest.iter().sum::<f64>() / nearest.len() as f64
    }
}

/// `a · b`. Sixteen sums, so that the compiler uses vector instructions.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0; 16];
    let (a_blocks, a_rest) = a.as_chunks::<16>();
    let (b_blocks, b_rest) = b.as_chunks::<16>();
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for at in 0..16 {
            sums[at] += a[at] * b[at];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
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
