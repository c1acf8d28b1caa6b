//! The rows that a baseline learns from: dense embeddings or sparse term weights.

use crate::random::RandomState;

/// Rows with few values that are not zero, as SciPy's `csr_array`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SparseRows {
    /// Row `r` has the values `indptr[r]..indptr[r + 1]`.
    pub indptr: Vec<usize>,
    /// The column of each value, ascending inside of a row.
    pub indices: Vec<u32>,
    /// The values.
    pub values: Vec<f32>,
    /// The number of columns.
    pub columns: usize,
}

impl SparseRows {
    /// The number of rows.
    pub fn num_rows(&self) -> usize {
        self.indptr.len().saturating_sub(1)
    }

    /// The columns and the values of a row.
    pub fn row(&self, row: usize) -> (&[u32], &[f32]) {
        let range = self.indptr[row]..self.indptr[row + 1];
        (&self.indices[range.clone()], &self.values[range])
    }
}

/// The features of the rows of a dataset.
#[derive(Debug, Clone, Copy)]
pub enum Features<'a> {
    /// Row by row, `[rows, columns]`.
    Dense {
        /// The values.
        values: &'a [f32],
        /// The number of columns.
        columns: usize,
    },
    /// Term weights.
    Sparse(&'a SparseRows),
}

impl Features<'_> {
    /// The number of rows.
    pub fn num_rows(&self) -> usize {
        match self {
            Features::Dense { values, columns } => values.len() / (*columns).max(1),
            Features::Sparse(rows) => rows.num_rows(),
        }
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        match self {
            Features::Dense { columns, .. } => *columns,
            Features::Sparse(rows) => rows.columns,
        }
    }

    /// The stored values of `rows` rows on average.
    pub(super) fn values_in(&self, rows: usize) -> usize {
        match self {
            Features::Dense { columns, .. } => rows * columns,
            Features::Sparse(all) => {
                (all.values.len() as f64 * rows as f64 / all.num_rows().max(1) as f64) as usize
            }
        }
    }
}

/// Draws `size` of the rows in the proportions of their labels, at least one a class, in ascending order.
pub(super) fn stratified_sample(labels: &[usize], size: usize, seed: u32) -> Vec<usize> {
    if size >= labels.len() {
        return (0..labels.len()).collect();
    }
    let num_labels = labels.iter().max().map_or(0, |&label| label + 1);
    let mut counts = vec![0usize; num_labels];
    for &label in labels {
        counts[label] += 1;
    }
    let share = |&count: &usize| (count as f64 * size as f64 / labels.len() as f64).ceil() as usize;
    let mut open: Vec<usize> = counts.iter().map(share).collect();
    let mut rows = Vec::with_capacity(size + num_labels);
    for row in RandomState::new(seed).permutation(labels.len()) {
        if open[labels[row]] > 0 {
            open[labels[row]] -= 1;
            rows.push(row);
        }
    }
    rows.sort_unstable();
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_keeps_the_proportions_and_every_class() {
        let labels: Vec<usize> = (0..1000)
            .map(|row| {
                if row == 7 {
                    2
                } else {
                    usize::from(row % 4 == 0)
                }
            })
            .collect();
        let rows = stratified_sample(&labels, 100, 1);
        let count = |label| rows.iter().filter(|&&row| labels[row] == label).count();
        assert_eq!([count(0), count(1), count(2)], [75, 25, 1]);
        assert!(rows.is_sorted());
        assert_ne!(rows, stratified_sample(&labels, 100, 2));
        assert_eq!(stratified_sample(&labels, 5000, 1).len(), 1000);
    }
}
