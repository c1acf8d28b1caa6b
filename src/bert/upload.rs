//! A checkpoint's tensors on their way to the device, in pieces: a piece is read, converted, checked, uploaded and forgotten, so that the
//! heap never holds more of a network than that.

use super::LoadLimits;
use super::assembly::Loaded;
use super::names::{Place, WORDS, place_of};
use crate::io::ByteSource;
use crate::kernels;
use crate::{Error, Result};
use burn::tensor::{Device, Tensor, TensorData};
use safetensors::tensor::{Dtype, TensorInfo};
use std::collections::HashMap;
use std::ops::Range;

/// One tensor of a file.
pub(super) struct Origin<'a> {
    /// The file, for messages.
    pub file: &'a str,
    /// The tensor's name with the `bert.` prefix.
    pub name: &'a str,
    pub info: &'a TensorInfo,
    /// Where in the file its bytes begin.
    pub start: u64,
}

/// The parameters that are on the device so far, under their names in the network.
pub(super) struct Upload {
    limits: LoadLimits,
    /// Without autodiff: values are written to it that no graph needs to know of.
    device: Device,
    pub loaded: HashMap<String, Loaded>,
}

impl Upload {
    /// Nothing yet.
    pub(super) fn new(limits: LoadLimits, device: &Device) -> Self {
        Self {
            limits,
            device: device.clone().without_autodiff(),
            loaded: HashMap::new(),
        }
    }

    /// Puts values on the device that are at hand.
    pub(super) fn put(&mut self, name: &str, values: Vec<f32>, shape: &[usize]) {
        let len = values.len();
        let values = Tensor::from_data(TensorData::new(values, [len]), &self.device);
        let loaded = Loaded {
            shape: shape.to_vec(),
            blocks: vec![values],
        };
        self.loaded.insert(name.into(), loaded);
    }

    /// Reads a tensor of `source` and uploads it, piece by piece.
    ///
    /// # Errors
    /// [`Error::Tensor`] for a value that is not finite, [`Error::Download`] from the source.
    pub(super) async fn read(
        &mut self,
        source: &mut impl ByteSource,
        origin: &Origin<'_>,
    ) -> Result<()> {
        let shape = &origin.info.shape;
        let len: usize = shape.iter().product();
        let Place {
            parameter,
            part,
            parts,
        } = place_of(origin.name);
        if parts > 1 {
            // A part goes to its place among the others, in whatever order they come.
            let before = self.loaded.remove(&parameter);
            let before = before.and_then(|loaded| loaded.blocks.into_iter().next());
            let target = before.unwrap_or_else(|| Tensor::empty([parts * len], &self.device));
            let target = self
                .fill(source, origin, 0..len, target, part * len)
                .await?;
            let mut shape = shape.clone();
            shape[0] *= parts;
            let blocks = vec![target];
            self.loaded.insert(parameter, Loaded { shape, blocks });
            return Ok(());
        }
        let rows = match shape[..] {
            [rows, columns] if origin.name == WORDS => self.limits.blocks(rows, columns),
            _ => vec![shape[0]],
        };
        let row: usize = shape[1..].iter().product();
        let (mut blocks, mut start) = (Vec::new(), 0);
        for rows in rows {
            let end = start + rows * row;
            let target = Tensor::empty([end - start], &self.device);
            blocks.push(self.fill(source, origin, start..end, target, 0).await?);
            start = end;
        }
        let shape = shape.clone();
        self.loaded.insert(parameter, Loaded { shape, blocks });
        Ok(())
    }

    /// Copies the values `range` of a tensor to `target`, from its value `at` on.
    async fn fill(
        &self,
        source: &mut impl ByteSource,
        origin: &Origin<'_>,
        range: Range<usize>,
        mut target: Tensor<1>,
        at: usize,
    ) -> Result<Tensor<1>> {
        let size = (origin.info.dtype.bitsize() / 8) as u64;
        let mut start = range.start;
        while start < range.end {
            let end = range
                .end
                .min(start.saturating_add(self.limits.piece_values()));
            let from = origin.start + start as u64 * size;
            let to = origin.start + end as u64 * size;
            let bytes = source.read(from..to).await?;
            let values = to_f32(origin, &bytes)?;
            drop(bytes);
            target = kernels::write(target, values, at + start - range.start);
            start = end;
        }
        Ok(target)
    }
}

fn to_f32(origin: &Origin<'_>, bytes: &[u8]) -> Result<Vec<f32>> {
    let values: Vec<f32> = match origin.info.dtype {
        Dtype::F16 => bytes
            .as_chunks()
            .0
            .iter()
            .map(|&pair| half::f16::from_le_bytes(pair).to_f32())
            .collect(),
        Dtype::BF16 => bytes
            .as_chunks()
            .0
            .iter()
            .map(|&pair| half::bf16::from_le_bytes(pair).to_f32())
            .collect(),
        _ => bytes
            .as_chunks()
            .0
            .iter()
            .map(|&four| f32::from_le_bytes(four))
            .collect(),
    };
    match values.iter().find(|value| !value.is_finite()) {
        None => Ok(values),
        Some(value) => Err(Error::Tensor {
            file: origin.file.into(),
            tensor: origin.name.into(),
            problem: format!("contains {value}: the checkpoint is damaged."),
        }),
    }
}
