//! Backward passes of the embedding tables. The gradient of a row is the sum over the tokens that selected it.

use super::register;
use crate::kernels::{BertOps, EmbeddingsShape};
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::tensor::IntTensor;

/// The sum of word, position and token type embeddings.
#[derive(Debug)]
pub(super) struct Embeddings;

impl<B: BertOps> Backward<B, 3> for Embeddings {
    type State = (IntTensor<B>, EmbeddingsShape);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (ids, shape) = ops.state;
        let grad = grads.consume::<B>(&ops.node);
        let (word_grad, position_grad, token_type_grad) =
            B::bert_embeddings_backward(grad, ids, shape);
        let parents = ops.parents.map(|node| node.map(|node| node.id));
        register::<B, _>(grads, parents, [word_grad, position_grad, token_type_grad]);
    }
}

/// The rows of a further block of word embeddings, added to such a sum.
#[derive(Debug)]
pub(super) struct AddWordEmbeddings;

impl<B: BertOps> Backward<B, 2> for AddWordEmbeddings {
    /// The ids, the table's row at which the block starts, and the block's shape.
    type State = (IntTensor<B>, usize, [usize; 2]);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (ids, first_row, shape) = ops.state;
        let [sum, block] = ops.parents.map(|node| node.map(|node| node.id));
        let grad = grads.consume::<B>(&ops.node);
        if let Some(node) = block {
            let block_grad = B::bert_word_embeddings_backward(grad.clone(), ids, first_row, shape);
            grads.register::<B>(node, block_grad);
        }
        if let Some(node) = sum {
            grads.register::<B>(node, grad);
        }
    }
}
