//! Upload of a checkpoint's tensors in chunks. A chunk is read, converted to f32, checked and written to the device
//! before the next one is read, so that the heap never holds more of the network than one chunk.

use super::LoadLimits;
use super::parameters::CheckpointTensor;
use crate::io::ByteSource;
use crate::kernels;
use crate::{Error, Result};
use burn::module::ParamId;
use burn::tensor::{Device, Tensor, TensorData};
use safetensors::tensor::{Dtype, TensorInfo};
use std::collections::HashMap;
use std::ops::Range;

/// A tensor of a safetensors file.
pub(super) struct FileTensor<'a> {
    /// The file's name, for messages.
    pub file: &'a str,
    /// The tensor's name with the `bert.` prefix.
    pub name: &'a str,
    pub info: &'a TensorInfo,
    /// Offset of its first byte in the file.
    pub start: u64,
}

/// The values of the parameters that are on the device so far.
pub(super) struct Upload {
    limits: LoadLimits,
    /// Without autodiff, which would record every write.
    device: Device,
    /// Row-major, `[len]`.
    pub values: HashMap<ParamId, Tensor<1>>,
}

impl Upload {
    /// Creates an upload of no parameters.
    pub(super) fn new(limits: LoadLimits, device: &Device) -> Self {
        Self {
            limits,
            device: device.clone().without_autodiff(),
            values: HashMap::new(),
        }
    }

    /// Returns whether every parameter of `tensor` is on the device, whole or in part.
    pub(super) fn contains(&self, tensor: &CheckpointTensor) -> bool {
        let mut ids = tensor.parts.iter().map(|part| part.param.id());
        ids.all(|id| self.values.contains_key(&id))
    }

    /// Uploads the values of a parameter that joins no others.
    pub(super) fn insert(&mut self, id: ParamId, values: Vec<f32>) {
        let len = values.len();
        let values = Tensor::from_data(TensorData::new(values, [len]), &self.device);
        self.values.insert(id, values);
    }

    /// Discards the values of a tensor's parameters.
    pub(super) fn remove(&mut self, tensor: &CheckpointTensor) {
        for part in &tensor.parts {
            self.values.remove(&part.param.id());
        }
    }

    /// Reads a tensor of `source` and writes it to the parameters of `target`.
    ///
    /// # Errors
    /// [`Error::Tensor`] for a value that is not finite, [`Error::Download`] from the source.
    pub(super) async fn read(
        &mut self,
        source: &mut impl ByteSource,
        origin: &FileTensor<'_>,
        target: &CheckpointTensor,
    ) -> Result<()> {
        let mut start = 0;
        for part in &target.parts {
            let id = part.param.id();
            // Another tensor of a joined parameter may have come first. The buffer leaves the map, because it is
            // written in place only while it has one owner.
            let buffer = self.values.remove(&id);
            let buffer = buffer.unwrap_or_else(|| Tensor::empty([part.param.len()], &self.device));
            let range = start..start + part.range.len();
            start = range.end;
            let buffer = self
                .fill(source, origin, range, buffer, part.range.start)
                .await?;
            self.values.insert(id, buffer);
        }
        Ok(())
    }

    /// Copies the values `range` of a tensor to `buffer`, beginning at the buffer's value `offset`.
    async fn fill(
        &self,
        source: &mut impl ByteSource,
        origin: &FileTensor<'_>,
        range: Range<usize>,
        mut buffer: Tensor<1>,
        offset: usize,
    ) -> Result<Tensor<1>> {
        let size = (origin.info.dtype.bitsize() / 8) as u64;
        let mut start = range.start;
        while start < range.end {
            let end = range
                .end
                .min(start.saturating_add(self.limits.chunk_values()));
            let first_byte = origin.start + start as u64 * size;
            let end_byte = origin.start + end as u64 * size;
            let bytes = source.read(first_byte..end_byte).await?;
            let values = to_f32(origin, &bytes)?;
            drop(bytes);
            buffer = kernels::write(buffer, values, offset + start - range.start);
            start = end;
        }
        Ok(buffer)
    }
}

fn to_f32(origin: &FileTensor<'_>, bytes: &[u8]) -> Result<Vec<f32>> {
    let values: Vec<f32> = match origin.info.dtype {
        Dtype::F16 => bytes
            .as_chunks()
            .0
            .iter()
            .map(|&bytes| half::f16::from_le_bytes(bytes).to_f32())
            .collect(),
        Dtype::BF16 => bytes
            .as_chunks()
            .0
            .iter()
            .map(|&bytes| half::bf16::from_le_bytes(bytes).to_f32())
            .collect(),
        // Rounded to the nearest, as `Tensor.to(torch.float32)`.
        Dtype::F64 => bytes
            .as_chunks()
            .0
            .iter()
            .map(|&bytes| f64::from_le_bytes(bytes) as f32)
            .collect(),
        _ => bytes
            .as_chunks()
            .0
            .iter()
            .map(|&bytes| f32::from_le_bytes(bytes))
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
