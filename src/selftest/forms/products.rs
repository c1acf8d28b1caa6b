//! Matrix products: each tile with each epilogue.
//!
//! | operation | epilogues |
//! | --- | --- |
//! | linear | bias; none (input gradient); row sums (weight gradient) |
//! | feed-forward | bias and GELU; derivative of GELU |
//! | attention | none, of matrices in batches and heads |
//! | LoRA | addition to columns |
//!
//! Attention also reduces rows in the form that belongs to the tile. With the form of a GPU, short sequences take one
//! dispatch.

use super::{Group, Quantity, Seeds, gradients};
use crate::kernels::{self, BlockSize, BlockTile, DropoutStream, GpuTile, HeadsShape, KernelForm};
use burn::tensor::Device;

/// Dimensions of a matrix product, `[m, n, k]`.
type Product = [usize; 3];

/// Shapes of which each selects one tile on a GPU: 8 × 8, 4 × 4 and 2 × 2. See `select_gpu_tile`.
const SELECTING: [Product; 3] = [[256, 512, 5], [128, 256, 6], [64, 128, 7]];

/// `[batch, seq, heads, head_size]`: fewer tokens than threads of a workgroup, as many, and one more than the longest
/// sequence that one dispatch computes; with and without dropout.
const LENGTHS: [[usize; 4]; 7] = [
    [1, 1, 1, 1],
    [2, 7, 3, 5],
    [1, 8, 2, 33],
    [3, 16, 12, 32],
    [1, 63, 1, 64],
    [2, 64, 2, 9],
    [2, 65, 2, 9],
];

pub(super) fn groups(blocks: bool) -> Vec<Group> {
    let chosen = |tile: &GpuTile| blocks || !matches!(tile, GpuTile::Block(_));
    let tiles = tiles().into_iter().filter(chosen).map(KernelForm::GpuTile);
    let forms = tiles.chain([KernelForm::Software]);
    let mut groups: Vec<Group> = forms.flat_map(groups_of).collect();
    groups.push(Group::new(
        "attention selected by the length",
        Some(KernelForm::Gpu),
        LENGTHS,
        attention,
    ));
    groups.extend(SELECTING.map(|[m, n, k]| {
        let name = format!("linear, tile selected for {m} × {n} values");
        Group::new(&name, Some(KernelForm::Gpu), [[m, n, k]], linear)
    }));
    groups
}

/// Every tile. Blocks of one size also split `k`, which is independent of the size.
fn tiles() -> Vec<GpuTile> {
    let in_parts = GpuTile::Block(BlockTile {
        size: BlockSize::Wide,
        splits: 3,
    });
    let mut tiles = GpuTile::candidates(&[]);
    tiles.push(in_parts);
    tiles
}

fn groups_of(form: KernelForm) -> [Group; 4] {
    let (side, span) = match form {
        KernelForm::GpuTile(tile) => (tile.side(), tile.workgroup_span().into_iter().max()),
        // A workgroup has 4 × 4 threads.
        KernelForm::Software | KernelForm::Gpu => (16, Some(64)),
    };
    let span = span.unwrap_or_default();
    let name = |operation: &str| format!("{operation}, {form}");
    let block = matches!(form, KernelForm::GpuTile(GpuTile::Block(_)));
    let of_blocks = match block {
        true => block_shapes(span).to_vec(),
        false => Vec::new(),
    };
    let shapes = [shapes(side, span).to_vec(), of_blocks.clone()].concat();
    // The tile of an addition has 4 × 4 values in every form.
    let additions = [
        self::shapes(4, 32).to_vec(),
        vec![[span + 1, 3, 5]],
        of_blocks,
    ]
    .concat();
    [
        Group::new(&name("linear"), Some(form), rotated(&shapes), linear),
        Group::new(&name("feed-forward"), Some(form), shapes, feed_forward),
        Group::new(&name("attention"), Some(form), heads(side, span), attention),
        Group::new(&name("LoRA"), Some(form), additions, lora),
    ]
}

/// Returns dimensions within a tile of `side × side` values, at its edges, and past the edges of a workgroup that
/// computes `span × span` values. `k` is below, at and beside multiples of the four indices of an iteration.
fn shapes(side: usize, span: usize) -> [Product; 7] {
    [
        [1, 1, 1],
        [side - 1, side + 1, 3],
        [side, 2 * side, 4],
        [2 * side + 1, 2 * side - 1, 5],
        [span, span, 8],
        [span + 1, span + side - 1, 7],
        [2 * span - 1, span + side + 1, 18],
    ]
}

/// Returns dimensions of which `n` and `k` are multiples of 4, so that blocks read operands in vectors, and others of
/// which only one is. `k` is at and beside multiples of the 16 indices that are staged at once, and long enough for
/// several parts.
fn block_shapes(span: usize) -> [Product; 7] {
    [
        [5, 8, 16],
        [span - 3, 12, 20],
        [span + 5, span + 4, 36],
        [7, 4, 15],
        [6, 20, 17],
        [9, 3, 52],
        [3, span - 4, 65],
    ]
}

/// Returns each shape three times, so that the products of the forward pass, of the input gradient and of the weight
/// gradient all have it once.
fn rotated(shapes: &[Product]) -> Vec<Product> {
    let rotations = |&[m, n, k]: &Product| [[m, n, k], [m, k, n], [k, m, n]];
    shapes.iter().flat_map(rotations).collect()
}

fn linear(device: &Device, mut seeds: Seeds, [m, n, k]: Product) -> Vec<Quantity> {
    let input = seeds.parameter([m, k], device);
    let (weight, bias) = (
        seeds.parameter([n, k], device),
        seeds.parameter([n], device),
    );
    let output = kernels::linear(input.clone(), weight.clone(), bias.clone());
    let grads = gradients(&output, &mut seeds);
    vec![
        ("output", output.inner().flatten(0, 1)),
        ("input gradient", grads.matrix(&input)),
        ("weight gradient", grads.matrix(&weight)),
        ("bias gradient", grads.vector(&bias)),
    ]
}

/// The first linear layer and the derivative of GELU have the dimensions `[m, n, k]`.
fn feed_forward(device: &Device, mut seeds: Seeds, [m, n, k]: Product) -> Vec<Quantity> {
    let input = seeds.parameter([m, k], device);
    let weight = seeds.parameter([n, k], device);
    let bias = seeds.parameter([n], device);
    let out_weight = seeds.parameter([k, n], device);
    let out_bias = seeds.parameter([k], device);
    let output = kernels::feed_forward(
        input.clone(),
        (weight.clone(), bias.clone()),
        (out_weight.clone(), out_bias),
    );
    let grads = gradients(&output, &mut seeds);
    vec![
        ("output", output.inner().flatten(0, 1)),
        ("input gradient", grads.matrix(&input)),
        ("gradient of the first weight", grads.matrix(&weight)),
        ("gradient of the first bias", grads.vector(&bias)),
        ("gradient of the second weight", grads.matrix(&out_weight)),
    ]
}

/// Returns `[batch, seq, heads, head_size]`. The products of a head have `seq × seq` and `seq × head_size` values.
fn heads(side: usize, span: usize) -> [[usize; 4]; 6] {
    [
        [1, 1, 1, 1],
        [2, side + 1, 3, 5],
        [3, side - 1, 2, side + 1],
        [1, span, 2, 2 * side],
        [2, 3 * side, 3, 2 * side],
        [2, span + 2, 1, span + 3],
    ]
}

fn attention(device: &Device, mut seeds: Seeds, shape: [usize; 4]) -> Vec<Quantity> {
    let [batch, seq, heads, head_size] = shape;
    let shape = HeadsShape {
        batch,
        seq,
        heads,
        head_size,
    };
    let projected = seeds.parameter([batch * seq, 3 * heads * head_size], device);
    let bias = seeds.tensor([batch, seq], device);
    // The kernels of the softmax with and without dropout are different.
    let prob = if batch > 1 { 0.1 } else { 0.0 };
    let mask = DropoutStream::new(1, seq as u32).mask(prob);
    let output = kernels::attention(projected.clone(), bias, shape, mask);
    let grads = gradients(&output, &mut seeds);
    vec![
        ("output", output.inner().flatten(0, 1)),
        ("gradient", grads.matrix(&projected)),
    ]
}

/// `n` columns of a wider matrix get the update, whose rank is `k`. The first one is a multiple of 4 if `n` is.
fn lora(device: &Device, mut seeds: Seeds, [m, n, k]: Product) -> Vec<Quantity> {
    let start = if n % 4 == 0 { 4 } else { 3 };
    let (width, in_features) = (n + 2 * start, k + n);
    let base = seeds.parameter([m, width], device);
    let input = seeds.parameter([m, in_features], device);
    let lora_a = seeds.parameter([k, in_features], device);
    let lora_b = seeds.parameter([n, k], device);
    let output = kernels::lora(base, input.clone(), lora_a.clone(), lora_b.clone(), start);
    let grads = gradients(&output, &mut seeds);
    vec![
        ("output", output.inner().flatten(0, 1)),
        ("input gradient", grads.matrix(&input)),
        ("gradient of lora_A", grads.matrix(&lora_a)),
        ("gradient of lora_B", grads.matrix(&lora_b)),
    ]
}
