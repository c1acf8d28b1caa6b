//! A safetensors file whose header is known before the first weight is read: parameters in f32 under their names.

use super::refuse;
use crate::Result;
use crate::bert::NamedParameter;
use burn::tensor::{DType, Tensor};
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use std::collections::HashMap;

/// Values that are read from the device at once: few enough for the wasm heap, enough that the waiting does not add up.
const PIECE: usize = 1 << 21;

/// A safetensors file that is yet to be written.
pub(super) struct File {
    /// The length of the header and the header, padded to 8 bytes.
    head: Vec<u8>,
    parameters: Vec<NamedParameter>,
}

impl File {
    /// Lays the tensors out one behind another in the order of their names, as the safetensors library does.
    ///
    /// # Errors
    /// [`Error::Export`](crate::Error::Export) when the header cannot be made.
    pub(super) fn new(mut parameters: Vec<NamedParameter>) -> Result<Self> {
        parameters.sort_by(|a, b| a.name.cmp(&b.name));
        let mut end = 0;
        let tensors = parameters
            .iter()
            .map(|parameter| {
                let start = end;
                end += len(parameter) * size_of::<f32>();
                let info = TensorInfo {
                    dtype: Dtype::F32,
                    shape: parameter.shape.clone(),
                    data_offsets: (start, end),
                };
                (parameter.name.clone(), info)
            })
            .collect();
        let format = HashMap::from([("format".to_string(), "pt".to_string())]);
        let metadata = Metadata::new(Some(format), tensors)
            .map_err(|error| refuse(format!("the weights have no valid header ({error}).")))?;
        let mut header = serde_json::to_vec(&metadata)
            .map_err(|error| refuse(format!("the weights have no valid header ({error}).")))?;
        header.resize(header.len().next_multiple_of(8), b' ');
        let mut head = (header.len() as u64).to_le_bytes().to_vec();
        head.extend(header);
        Ok(Self { head, parameters })
    }

    /// Bytes in all.
    pub(super) fn len(&self) -> u64 {
        let values: usize = self.parameters.iter().map(len).sum();
        (self.head.len() + values * size_of::<f32>()) as u64
    }

    /// Reads the weights and hands the file out, front to back.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device) from the device, and whatever `write` answers.
    pub(super) async fn write(self, write: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.write_in_pieces(PIECE, write).await
    }

    /// Small tensors are joined and large ones cut into reads of `piece` values, so that each read is worth its wait.
    async fn write_in_pieces(
        self,
        piece: usize,
        write: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        write(&self.head)?;
        let (mut group, mut room) = (Vec::new(), piece);
        let parts = self.parameters.into_iter().flat_map(|one| one.parts);
        for part in parts {
            let (mut start, len) = (0, part.range.len());
            while start < len {
                let end = len.min(start + room);
                group.push(part.values.clone().narrow(0, start, end - start));
                room -= end - start;
                start = end;
                if room == 0 {
                    read(std::mem::take(&mut group), write).await?;
                    room = piece;
                }
            }
        }
        if group.is_empty() {
            return Ok(());
        }
        read(group, write).await
    }
}

fn len(parameter: &NamedParameter) -> usize {
    parameter.shape.iter().product()
}

async fn read(group: Vec<Tensor<1>>, write: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let data = Tensor::cat(group, 0).into_data_async().await?;
    // Both f32 and safetensors are little-endian wherever this crate runs.
    write(data.convert_dtype(DType::F32).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bert::{
        BertConfig, BertForSequenceClassification, LoadLimits, WeightsLoader, random_checkpoint,
    };
    use crate::io::MemoryFile;
    use burn::tensor::Device;

    #[test]
    fn the_file_is_the_same_in_pieces_of_any_size_and_from_blocks() {
        let config = BertConfig {
            vocab_size: 40,
            hidden_size: 4,
            num_hidden_layers: 1,
            num_attention_heads: 2,
            intermediate_size: 6,
            max_position_embeddings: 7,
            ..BertConfig::default()
        };
        let load = |parameter| {
            let loader = WeightsLoader {
                config: &config,
                num_labels: 3,
                seed: 1,
                device: &Device::flex(),
                limits: LoadLimits {
                    max_parameter_bytes: parameter,
                    ..LoadLimits::default()
                },
            };
            let mut file = MemoryFile::new("x", random_checkpoint(&config, 2).unwrap());
            pollster::block_on(loader.load(&mut file)).unwrap().0
        };
        let (model, in_blocks) = (load(u64::MAX), load(192));
        assert_eq!(in_blocks.bert.embeddings.word_embeddings.rest.len(), 3);
        let written = |model: &BertForSequenceClassification, piece| {
            let file = File::new(model.named_parameters()).unwrap();
            let (len, mut bytes, mut longest) = (file.len(), Vec::new(), 0);
            let head = file.head.len();
            pollster::block_on(file.write_in_pieces(piece, &mut |piece| {
                longest = longest.max(if bytes.is_empty() { 0 } else { piece.len() });
                bytes.extend_from_slice(piece);
                Ok(())
            }))
            .unwrap();
            assert_eq!(bytes.len() as u64, len);
            assert!(longest <= 4 * piece && longest == (4 * piece).min(bytes.len() - head));
            bytes
        };
        let whole = written(&model, PIECE);
        for piece in [1, 7, 44, 100, PIECE] {
            assert_eq!(written(&model, piece), whole, "pieces of {piece}");
            assert_eq!(written(&in_blocks, piece), whole, "pieces of {piece}");
        }
    }
}
