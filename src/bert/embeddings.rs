//! Word, position and token type embeddings, summed and normalized.

use super::layers::lazy_parameter;
use super::parameters::Scope;
use super::{BertConfig, Dropout, LayerNorm, LoadLimits};
use crate::kernels::{self, DropoutStream};
use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor};

/// The word embedding table in blocks of rows: one block, or several where the table exceeds the device's largest
/// parameter. Each block is a parameter with its own gradient and moments; checkpoints and exports have one table.
#[derive(Module, Debug)]
pub struct WordEmbeddings {
    /// The first rows: all of them, unless the table is split.
    pub first: Param<Tensor<2>>,
    /// The further blocks, in the order of the rows.
    pub rest: Vec<Param<Tensor<2>>>,
}

impl WordEmbeddings {
    /// The name of the table in a checkpoint.
    pub(super) const CHECKPOINT_NAME: &str = "bert.embeddings.word_embeddings.weight";

    fn lazy(config: &BertConfig, limits: &LoadLimits, device: &Device) -> Self {
        let mut rows = limits
            .blocks(config.vocab_size, config.hidden_size)
            .into_iter();
        let block = |rows| lazy_parameter([rows, config.hidden_size], device);
        Self {
            first: block(rows.next().unwrap_or(0)),
            rest: rows.map(block).collect(),
        }
    }

    fn blocks_mut(&mut self) -> Vec<&mut Param<Tensor<2>>> {
        std::iter::once(&mut self.first)
            .chain(&mut self.rest)
            .collect()
    }

    /// Returns the number of rows of all blocks.
    pub fn vocab_size(&self) -> usize {
        let rest = self.rest.iter().map(|block| block.dims()[0]);
        self.first.dims()[0] + rest.sum::<usize>()
    }

    /// Looks up `ids` and adds the position embeddings of `0..seq` and the embedding of token type 0.
    ///
    /// # Shapes
    /// `ids` `[batch * seq]`, `positions` `[max_position_embeddings, hidden_size]`,
    /// `types` `[type_vocab_size, hidden_size]` → `[batch * seq, hidden_size]`.
    pub fn sum(
        &self,
        positions: Tensor<2>,
        types: Tensor<2>,
        ids: Tensor<1, Int>,
        seq: usize,
    ) -> Tensor<2> {
        let mut start = self.first.dims()[0];
        let mut sum = kernels::embeddings(self.first.val(), positions, types, ids.clone(), seq);
        for block in &self.rest {
            sum = kernels::add_word_embeddings(sum, block.val(), ids.clone(), start);
            start += block.dims()[0];
        }
        sum
    }
}

/// The embeddings of single texts: every token type is 0.
///
/// Mirrors transformers' [`BertEmbeddings`][hf].
///
/// [hf]: https://github.com/huggingface/transformers/blob/v4.57.0/src/transformers/models/bert/modeling_bert.py
#[derive(Module, Debug)]
pub struct BertEmbeddings {
    /// `[vocab_size, hidden_size]`.
    pub word_embeddings: WordEmbeddings,
    /// `[max_position_embeddings, hidden_size]`.
    pub position_embeddings: Param<Tensor<2>>,
    /// `[type_vocab_size, hidden_size]`.
    pub token_type_embeddings: Param<Tensor<2>>,
    /// Applied to the sum of the three.
    pub layer_norm: LayerNorm,
    /// `hidden_dropout_prob`.
    pub dropout: Dropout,
}

impl BertEmbeddings {
    pub(super) fn lazy(config: &BertConfig, limits: &LoadLimits, device: &Device) -> Self {
        let hidden_size = config.hidden_size;
        Self {
            word_embeddings: WordEmbeddings::lazy(config, limits, device),
            position_embeddings: lazy_parameter(
                [config.max_position_embeddings, hidden_size],
                device,
            ),
            token_type_embeddings: lazy_parameter([config.type_vocab_size, hidden_size], device),
            layer_norm: LayerNorm::lazy(hidden_size, config.layer_norm_eps, device),
            dropout: Dropout {
                prob: config.hidden_dropout_prob,
            },
        }
    }

    pub(super) fn visit_parameters(&mut self, mut scope: Scope<'_>) {
        scope.embedding("word_embeddings", self.word_embeddings.blocks_mut());
        scope.embedding("position_embeddings", vec![&mut self.position_embeddings]);
        scope.embedding(
            "token_type_embeddings",
            vec![&mut self.token_type_embeddings],
        );
        scope.layer_norm("LayerNorm", &mut self.layer_norm);
    }

    /// Embeds token ids. `dropouts` is `Some` during training.
    ///
    /// # Shapes
    /// `input_ids` `[batch, seq]` → `[batch * seq, hidden_size]`.
    pub fn forward(
        &self,
        input_ids: Tensor<2, Int>,
        dropouts: &mut Option<DropoutStream>,
    ) -> Tensor<2> {
        let [batch, seq] = input_ids.dims();
        let sum = self.word_embeddings.sum(
            self.position_embeddings.val(),
            self.token_type_embeddings.val(),
            input_ids.reshape([batch * seq]),
            seq,
        );
        let normalized = self.layer_norm.normalize(sum);
        self.dropout.forward(normalized, dropouts)
    }

    /// Returns the longest sequence that has position embeddings, in tokens.
    pub fn max_length(&self) -> usize {
        self.position_embeddings.dims()[0]
    }
}
