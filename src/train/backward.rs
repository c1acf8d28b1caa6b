//! The forward and backward pass over a batch, with or without gradient checkpointing.
//!
//! Gradient checkpointing ([Chen et al., 2016](https://arxiv.org/abs/1604.06174); `gradient_checkpointing` in
//! transformers): the forward pass stores only each layer's input; the backward pass recomputes the layer from it
//! before differentiating. Dropout masks are computed from a stream, not stored. A recomputed layer therefore has the
//! same masks, and the gradients are the same.

use crate::bert::{BertForSequenceClassification, batch_tensors, cross_entropy};
use crate::kernels::{DropoutStream, with_gradient};
use crate::tokens::Batch;
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Gradients, Tensor};

/// One batch and what its gradients depend on, as in
/// [`Trainer.training_step`](https://github.com/huggingface/transformers/blob/main/src/transformers/trainer.py).
pub(super) struct TrainingStep<'a> {
    pub model: &'a BertForSequenceClassification,
    pub batch: &'a Batch,
    /// Target distributions, `[batch, num_labels]`.
    pub targets: Tensor<2>,
    /// Weight of the rows that the loss is averaged over, those of the batch or of all batches of an update: their
    /// number without class weights.
    pub weight: f64,
    pub dropouts: DropoutStream,
    /// The loss scale, `[1]`: the gradients are multiplied by it.
    pub scale: Option<Tensor<1>>,
}

impl TrainingStep<'_> {
    /// The gradients of all trainable parameters, and the loss, `[1]`.
    pub fn gradients(self) -> (GradientsParams, Tensor<1>) {
        let logits = self.model.forward_with_dropouts(self.batch, self.dropouts);
        let loss = cross_entropy(logits, self.targets, self.weight);
        let grads = backward(&loss, self.scale);
        let grads = GradientsParams::from_grads(grads, self.model);
        (grads, loss.inner())
    }

    /// The same with gradient checkpointing: the activations of one layer at a time are in memory.
    pub fn checkpointed_gradients(self) -> (GradientsParams, Tensor<1>) {
        let Self { model, batch, .. } = self;
        let (embeddings, layers) = (&model.bert.embeddings, &model.bert.encoder.layer);
        let (input_ids, bias) = batch_tensors(batch, &model.device());
        let plain = model.valid();
        let (plain_ids, plain_bias) = (input_ids.clone().inner(), bias.clone().inner());

        let mut dropouts = Some(self.dropouts);
        let before_embeddings = dropouts.clone();
        let mut hidden = plain.bert.embeddings.forward(plain_ids, &mut dropouts);
        let mut inputs = Vec::with_capacity(layers.len());
        for layer in &plain.bert.encoder.layer {
            inputs.push((hidden.clone(), dropouts.clone()));
            hidden = layer.forward(hidden, plain_bias.clone(), &mut dropouts);
        }
        drop(plain);

        let leaf = Tensor::from_inner(hidden).require_grad();
        let logits = model.head(leaf.clone(), batch, &mut dropouts);
        let loss = cross_entropy(logits, self.targets, self.weight);
        let mut collected = GradientsParams::new();
        let mut grads = backward(&loss, self.scale);
        let mut output_gradient = leaf.grad(&grads);
        collect(&mut collected, &mut grads, &model.bert.pooler);
        collect(&mut collected, &mut grads, &model.classifier);
        drop((leaf, grads));

        let mut remaining = count_trainable(layers) + usize::from(is_trainable(embeddings));
        for (layer, (input, mut dropouts)) in layers.iter().zip(inputs).rev() {
            // The backward pass ends where no layer below has a trainable parameter.
            let Some(gradient) = output_gradient.take().filter(|_| remaining > 0) else {
                return (collected, loss.inner());
            };
            remaining -= usize::from(is_trainable(layer));
            let leaf = Tensor::from_inner(input);
            let leaf = if remaining > 0 {
                leaf.require_grad()
            } else {
                leaf
            };
            let output = layer.forward(leaf.clone(), bias.clone(), &mut dropouts);
            let mut grads = with_gradient(output, Tensor::from_inner(gradient)).backward();
            output_gradient = leaf.grad(&grads);
            collect(&mut collected, &mut grads, layer);
        }
        if let Some(gradient) = output_gradient.filter(|_| remaining > 0) {
            let mut dropouts = before_embeddings;
            let output = embeddings.forward(input_ids, &mut dropouts);
            let mut grads = with_gradient(output, Tensor::from_inner(gradient)).backward();
            collect(&mut collected, &mut grads, embeddings);
        }
        (collected, loss.inner())
    }
}

/// The backward pass from the loss, multiplied by `scale` if there is one.
fn backward(loss: &Tensor<1>, scale: Option<Tensor<1>>) -> Gradients {
    match scale {
        Some(scale) => (loss.clone() * scale).backward(),
        None => loss.backward(),
    }
}

/// Moves the gradients of a module's parameters into those of the network.
fn collect<M: Module>(all: &mut GradientsParams, grads: &mut Gradients, module: &M) {
    let from = GradientsParams::from_module(grads, module);
    module.visit(&mut Mover { from, to: all });
}

/// Moves the gradients of the parameters that it visits.
struct Mover<'a> {
    from: GradientsParams,
    to: &'a mut GradientsParams,
}

impl ModuleVisitor for Mover<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.from.remove::<D>(param.id) {
            self.to.register::<D>(param.id, gradient);
        }
    }
}

fn count_trainable<M: Module>(modules: &[M]) -> usize {
    let trainable = modules.iter().filter(|module| is_trainable(*module));
    trainable.count()
}

/// Whether a parameter of the module requires a gradient.
fn is_trainable<M: Module>(module: &M) -> bool {
    let mut search = TrainableSearch { found: false };
    module.visit(&mut search);
    search.found
}

/// Searches for a parameter that requires a gradient.
struct TrainableSearch {
    found: bool,
}

impl ModuleVisitor for TrainableSearch {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.found |= param.val().is_require_grad();
    }
}
