//! Multi-head attention.

use super::execute::run;
use super::tensors::{Values, output};
use crate::kernels::{DropoutMask, HeadsShape};
use burn::backend::Flex;
use burn::backend::tensor::FloatTensor;
use webtune_cpu::{Attention, AttentionBackward, Heads, Job};

fn heads(projected: &Values, shape: HeadsShape, mask: DropoutMask) -> Heads {
    let expected = shape.batch * shape.seq * 3 * shape.heads * shape.head_size;
    assert_eq!(
        projected.len(),
        expected,
        "a token has query, key and value"
    );
    Heads {
        projected: projected.start(),
        batch: shape.batch,
        seq: shape.seq,
        heads: shape.heads,
        head_size: shape.head_size,
        scale: shape.scale() as f32,
        dropout: mask.into(),
    }
}

/// Returns context, probabilities, and probabilities after dropout.
pub(super) fn forward(
    projected: FloatTensor<Flex>,
    bias: FloatTensor<Flex>,
    shape: HeadsShape,
    mask: DropoutMask,
) -> (FloatTensor<Flex>, FloatTensor<Flex>, FloatTensor<Flex>) {
    let projected = Values::new(projected);
    let bias = Values::of_len(bias, shape.batch * shape.seq);
    let attention = |probs, dropped, context| {
        run(&Job::Attention(Attention {
            shape: heads(&projected, shape, mask),
            bias: bias.start(),
            probs,
            dropped,
            context,
        }));
    };
    let HeadsShape {
        batch,
        seq,
        heads,
        head_size,
    } = shape;
    let (scores, context) = ([batch, heads, seq, seq], [batch * seq, heads * head_size]);
    let (mut probs, mut dropped) = (None, None);
    let context = output(context, |context| {
        probs = Some(output(scores, |probs| match mask.is_none() {
            true => attention(probs, probs, context),
            false => {
                dropped = Some(output(scores, |dropped| attention(probs, dropped, context)));
            }
        }));
    });
    let probs = probs.expect("the output was written");
    let dropped = dropped.unwrap_or_else(|| probs.clone());
    (context, probs, dropped)
}

/// Returns the gradient of `projected`.
pub(super) fn backward(
    projected: FloatTensor<Flex>,
    probs: FloatTensor<Flex>,
    dropped: FloatTensor<Flex>,
    grad: FloatTensor<Flex>,
    shape: HeadsShape,
    mask: DropoutMask,
) -> FloatTensor<Flex> {
    let rows = shape.batch * shape.seq;
    let width = shape.heads * shape.head_size;
    let projected = Values::new(projected);
    let scores = rows * shape.heads * shape.seq;
    let [probs, dropped] = [probs, dropped].map(|tensor| Values::of_len(tensor, scores));
    let grad = Values::of_len(grad, rows * width);
    output([rows, 3 * width], |projected_grad| {
        run(&Job::AttentionBackward(AttentionBackward {
            shape: heads(&projected, shape, mask),
            probs: probs.start(),
            dropped: dropped.start(),
            grad: grad.start(),
            projected_grad,
        }));
    })
}
