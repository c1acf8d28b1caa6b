//! One pass forth and back over a batch: at once, or layer by layer.
//!
//! Gradient checkpointing (Chen et al., 2016; `gradient_checkpointing` in transformers): the way forth keeps only what enters each layer,
//! and the way back computes each layer again before it goes back through it. The masks of the dropouts are computed from a stream, not
//! stored, so a layer that is computed again draws the same ones, and the gradients are the same.

use crate::bert::{BertForSequenceClassification, batch_tensors, cross_entropy};
use crate::kernels::{DropoutStream, with_gradient};
use crate::tokens::Batch;
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Gradients, Tensor};

/// One batch on its way through the network.
pub(super) struct Pass<'a> {
    pub model: &'a BertForSequenceClassification,
    pub batch: &'a Batch,
    /// `[batch, num_labels]`.
    pub targets: Tensor<2>,
    /// Rows that the loss is averaged over: the batch's, or those of a whole group of batches.
    pub rows: usize,
    pub dropouts: DropoutStream,
    /// What the loss is multiplied by before the way back, `[1]`, and so are the gradients.
    pub scale: Option<Tensor<1>>,
}

impl Pass<'_> {
    /// The gradients of all parameters that learn, and the loss `[1]`.
    pub fn whole(self) -> (GradientsParams, Tensor<1>) {
        let logits = self.model.forward_with_dropouts(self.batch, self.dropouts);
        let loss = cross_entropy(logits, self.targets, self.rows);
        let grads = backward(&loss, self.scale);
        let grads = GradientsParams::from_grads(grads, self.model);
        (grads, loss.inner())
    }

    /// The same, with the activations of one layer at a time in memory.
    pub fn layer_by_layer(self) -> (GradientsParams, Tensor<1>) {
        let Self { model, batch, .. } = self;
        let (embeddings, layers) = (&model.bert.embeddings, &model.bert.encoder.layer);
        let (input_ids, bias) = batch_tensors(batch, &model.device());
        let plain = model.valid();
        let (plain_ids, plain_bias) = (input_ids.clone().inner(), bias.clone().inner());

        let mut dropouts = Some(self.dropouts);
        let before_embeddings = dropouts.clone();
        let mut hidden = plain.bert.embeddings.forward(plain_ids, &mut dropouts);
        let mut entered = Vec::with_capacity(layers.len());
        for layer in &plain.bert.encoder.layer {
            entered.push((hidden.clone(), dropouts.clone()));
            hidden = layer.forward(hidden, plain_bias.clone(), &mut dropouts);
        }
        drop(plain);

        let leaf = Tensor::from_inner(hidden).require_grad();
        let logits = model.head(leaf.clone(), batch.batch, &mut dropouts);
        let loss = cross_entropy(logits, self.targets, self.rows);
        let mut collected = GradientsParams::new();
        let mut grads = backward(&loss, self.scale);
        let mut behind = leaf.grad(&grads);
        collect(&mut collected, &mut grads, &model.bert.pooler);
        collect(&mut collected, &mut grads, &model.classifier);
        drop((leaf, grads));

        let mut left = count_learning(layers) + usize::from(learns(embeddings));
        for (layer, (entered, mut dropouts)) in layers.iter().zip(entered).rev() {
            // Nothing further down learns: nobody wants its gradients.
            let Some(gradient) = behind.take().filter(|_| left > 0) else {
                return (collected, loss.inner());
            };
            left -= usize::from(learns(layer));
            let leaf = Tensor::from_inner(entered);
            let leaf = if left > 0 { leaf.require_grad() } else { leaf };
            let output = layer.forward(leaf.clone(), bias.clone(), &mut dropouts);
            let mut grads = with_gradient(output, Tensor::from_inner(gradient)).backward();
            behind = leaf.grad(&grads);
            collect(&mut collected, &mut grads, layer);
        }
        if let Some(gradient) = behind.filter(|_| left > 0) {
            let mut dropouts = before_embeddings;
            let output = embeddings.forward(input_ids, &mut dropouts);
            let mut grads = with_gradient(output, Tensor::from_inner(gradient)).backward();
            collect(&mut collected, &mut grads, embeddings);
        }
        (collected, loss.inner())
    }
}

/// The way back from the loss, times `scale` where there is one.
fn backward(loss: &Tensor<1>, scale: Option<Tensor<1>>) -> Gradients {
    match scale {
        Some(scale) => (loss.clone() * scale).backward(),
        None => loss.backward(),
    }
}

/// Moves the gradients of a module's parameters into those of the whole network.
fn collect<M: Module>(all: &mut GradientsParams, grads: &mut Gradients, module: &M) {
    let from = GradientsParams::from_module(grads, module);
    module.visit(&mut Mover { from, to: all });
}

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

fn count_learning<M: Module>(modules: &[M]) -> usize {
    modules.iter().filter(|module| learns(*module)).count()
}

/// Whether a parameter of the module wants a gradient.
fn learns<M: Module>(module: &M) -> bool {
    let mut search = Search { found: false };
    module.visit(&mut search);
    search.found
}

struct Search {
    found: bool,
}

impl ModuleVisitor for Search {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.found |= param.val().is_require_grad();
    }
}
