//! Word, position and token type embeddings, summed and normalized.

use super::{Dropout, LayerNorm, WordEmbeddings};
use crate::kernels::DropoutStream;
use burn::module::{Module, Param};
use burn::tensor::{Int, Tensor};

/// transformers' `BertEmbeddings` for single texts: every token type is 0.
#[derive(Module, Debug)]
pub struct BertEmbeddings {
    /// `[vocab_size, hidden_size]`.
    pub word_embeddings: WordEmbeddings,
    /// `[max_position_embeddings, hidden_size]`.
    pub position_embeddings: Param<Tensor<2>>,
    /// `[type_vocab_size, hidden_size]`.
    pub token_type_embeddings: Param<Tensor<2>>,
    /// Over the sum of the three.
    pub layer_norm: LayerNorm,
    /// `hidden_dropout_prob`.
    pub dropout: Dropout,
}

impl BertEmbeddings {
    /// `input_ids` `[batch, seq]` → `[batch * seq, hidden_size]`. `dropouts` is there while training.
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
        let sum = self.layer_norm.normalize(sum);
        self.dropout.forward(sum, dropouts)
    }

    /// Longest sequence that has position embeddings.
    pub fn max_length(&self) -> usize {
        self.position_embeddings.dims()[0]
    }
}
