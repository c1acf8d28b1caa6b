//! Settings that follow from the data.

use super::Session;
use crate::Result;
use crate::data::count_labels;
use crate::hub::Environment;
use crate::settings::{Budget, DataFacts, Recommendation, recommend};
use crate::tokens::estimated_tokens;
use crate::train::MemoryProbe;

/// `hidden_size`, layers and positions of the built-in checkpoint, until a model is loaded.
const BUILT_IN: (usize, usize, usize) = (384, 6, 512);
/// A recommended `max_length` is a multiple of this number.
const LENGTH_STEP: usize = 8;

impl<E: Environment, M: MemoryProbe> Session<E, M> {
    /// Proposes settings for the dataset as it is split. Before its rows are tokenized, their lengths are estimated.
    ///
    /// # Errors
    /// [`crate::Error::NotReady`] without a split.
    pub(super) fn recommend(
        &self,
        budget_seconds: Option<f64>,
        seconds_per_unit: Option<f64>,
    ) -> Result<Recommendation> {
        let (dataset, split) = self.require_split()?;
        let mut lengths: Vec<usize> = match &self.tokens {
            Some(tokens) => tokens.train_lengths(),
            None => {
                let texts = split.train.iter().map(|&row| &dataset.rows[row].text);
                texts.map(|text| estimated_tokens(text)).collect()
            }
        };
        lengths.sort_unstable();
        let train = split.train.iter().map(|&row| &dataset.rows[row]);
        let mut counts = count_labels(train, dataset.labels.len());
        counts.retain(|&count| count > 0);
        let (hidden_size, num_hidden_layers, positions) =
            self.model.as_ref().map_or(BUILT_IN, |model| {
                let config = &model.config;
                let positions = model.network.bert.embeddings.max_length();
                (config.hidden_size, config.num_hidden_layers, positions)
            });
        let rows = lengths.len().max(1);
        let p95 = lengths.get((rows * 95).div_ceil(100) - 1).copied();
        let facts = DataFacts {
            train_rows: split.train.len(),
            num_labels: dataset.labels.len(),
            smallest_class: counts.iter().copied().min().unwrap_or(0),
            largest_class: counts.iter().copied().max().unwrap_or(0),
            mean_tokens: lengths.iter().sum::<usize>() as f64 / rows as f64,
            // The model has no positions beyond these.
            p95_tokens: p95.unwrap_or(0).min(positions / LENGTH_STEP * LENGTH_STEP),
            hidden_size,
            num_hidden_layers,
        };
        let budget = Budget {
            seconds: budget_seconds,
            seconds_per_unit,
        };
        Ok(recommend(&facts, &budget))
    }
}
