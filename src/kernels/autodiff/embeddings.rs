//! The rules of the embedding tables: three summed up, and where the words are in blocks, each further block added.

use super::register;
use crate::kernels::{BertOps, TablesShape};
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::tensor::IntTensor;

/// The sum of three tables' rows.
#[derive(Debug)]
pub(super) struct Embeddings;

impl<B: BertOps> Backward<B, 3> for Embeddings {
    type State = (IntTensor<B>, TablesShape);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (ids, shape) = ops.state;
        let grad = grads.consume::<B>(&ops.node);
        let (words, positions, types) = B::bert_embeddings_backward(grad, ids, shape);
        let ids = ops.parents.map(|node| node.map(|node| node.id));
        register::<B, _>(grads, ids, [words, positions, types]);
    }
}

/// A block of the words added to such a sum.
#[derive(Debug)]
pub(super) struct AddWords;

impl<B: BertOps> Backward<B, 2> for AddWords {
    /// The ids, the table's row that the block begins at, and the block's shape.
    type State = (IntTensor<B>, usize, [usize; 2]);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (ids, first, shape) = ops.state;
        let [sum, block] = ops.parents.map(|node| node.map(|node| node.id));
        let grad = grads.consume::<B>(&ops.node);
        if let Some(node) = block {
            let for_block = B::bert_words_backward(grad.clone(), ids, first, shape);
            grads.register::<B>(node, for_block);
        }
        if let Some(node) = sum {
            grads.register::<B>(node, grad);
        }
    }
}
