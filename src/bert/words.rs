//! The word embeddings: one table, or where a device cannot take it at once, blocks of its rows. Each block is a parameter of its own,
//! with a gradient and moments of its own; checkpoints, exports and names know only the table.

use crate::kernels;
use burn::module::{Module, Param};
use burn::tensor::{Int, Tensor};

/// `[vocab_size, hidden_size]`, in blocks of rows.
#[derive(Module, Debug)]
pub struct WordEmbeddings {
    /// The first rows: all of them where the device takes the whole table.
    pub first: Param<Tensor<2>>,
    /// The rows behind, block after block.
    pub further: Vec<Param<Tensor<2>>>,
}

impl WordEmbeddings {
    /// Rows in all blocks.
    pub fn vocab_size(&self) -> usize {
        let further = self.further.iter().map(|block| block.dims()[0]);
        self.first.dims()[0] + further.sum::<usize>()
    }

    /// The rows of `ids` `[batch * seq]`, plus those of `positions` in order and the first of `types`: `[batch * seq, hidden_size]`.
    pub fn sum(
        &self,
        positions: Tensor<2>,
        types: Tensor<2>,
        ids: Tensor<1, Int>,
        seq: usize,
    ) -> Tensor<2> {
        let mut start = self.first.dims()[0];
        let mut sum = kernels::embeddings(self.first.val(), positions, types, ids.clone(), seq);
        for block in &self.further {
            sum = kernels::add_word_embeddings(sum, block.val(), ids.clone(), start);
            start += block.dims()[0];
        }
        sum
    }
}
