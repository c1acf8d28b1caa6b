//! The computing work of a run, in the units of the page's `work.js`: one unit is the forward pass of one token through
//! one parameter of the encoder.

/// The backward pass to the activations and that to the weights, in forward passes, and the forward pass itself.
const PASSES: f64 = 1.0 + 1.0 + 0.75;
/// Clipping and AdamW on one parameter, in tokens of the forward pass through one parameter.
const UPDATE: f64 = 90.0;
/// Words of the vocabulary of BERT (uncased), which the embeddings are assumed to have.
const VOCABULARY: f64 = 30_522.0;

/// The sizes of a network that decide about its work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NetworkSize {
    /// Parameters of the encoder layers without biases and LayerNorm, which are few.
    pub encoder: f64,
    /// Parameters that the optimizer updates.
    pub trainable: f64,
}

impl NetworkSize {
    /// The size of a BERT of `layers` layers that is trained whole. Its feed-forward layers are taken as four times as
    /// wide as the hidden states, its vocabulary as that of BERT (uncased).
    pub fn of(hidden_size: usize, layers: usize) -> Self {
        let hidden = hidden_size as f64;
        let encoder = layers as f64 * hidden * (4.0 * hidden + 2.0 * 4.0 * hidden);
        Self {
            encoder,
            trainable: encoder + VOCABULARY * hidden,
        }
    }

    /// The units of a run.
    pub fn units(&self, job: &Job) -> f64 {
        self.encoder * (PASSES * job.train_tokens + job.eval_tokens)
            + UPDATE * self.trainable * job.updates
    }
}

/// What a run computes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Job {
    /// Updates of the parameters.
    pub updates: f64,
    /// Tokens of all training batches, padding included.
    pub train_tokens: f64,
    /// Tokens of all evaluations, padding included.
    pub eval_tokens: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_as_the_page_does() {
        // The built-in model has 22,713,216 parameters with its pooler; work.js counts with the exact number.
        let minilm = NetworkSize::of(384, 6);
        assert_eq!(minilm.encoder, 10_616_832.0);
        assert!((minilm.trainable / 22_713_216.0 - 1.0).abs() < 0.02);
        let job = Job {
            updates: 30.0,
            train_tokens: 3600.0,
            eval_tokens: 900.0,
        };
        let by_hand = 10_616_832.0 * (2.75 * 3600.0 + 900.0) + 90.0 * minilm.trainable * 30.0;
        assert_eq!(minilm.units(&job), by_hand);
    }
}
