//! A [safetensors](https://huggingface.co/docs/safetensors) file of f32 parameters. Its header is written before any
//! weight is read back.

use super::refuse;
use crate::Result;
use crate::bert::{CHUNK, MergedParameter, header_bytes, read_back};
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use std::collections::HashMap;

/// A safetensors file before it is written.
pub(crate) struct File {
    /// The length of the header, and the header with padding to 8 bytes.
    head: Vec<u8>,
    parameters: Vec<MergedParameter>,
}

impl File {
    /// Stores the tensors contiguously in the order of their names.
    ///
    /// # Errors
    /// [`Error::Export`](crate::Error::Export) for a header that cannot be written.
    pub(crate) fn new(
        parameters: impl IntoIterator<Item = impl Into<MergedParameter>>,
    ) -> Result<Self> {
        let mut parameters: Vec<MergedParameter> = parameters.into_iter().map(Into::into).collect();
        parameters.sort_by(|a, b| a.name().cmp(b.name()));
        let mut end = 0;
        let tensors = parameters
            .iter()
            .map(|parameter| {
                let start = end;
                end += len(parameter) * size_of::<f32>();
                let info = TensorInfo {
                    dtype: Dtype::F32,
                    shape: parameter.shape().to_vec(),
                    data_offsets: (start, end),
                };
                (parameter.name().to_string(), info)
            })
            .collect();
        let format = HashMap::from([("format".to_string(), "pt".to_string())]);
        let metadata = Metadata::new(Some(format), tensors)
            .map_err(|error| refuse(format!("the weights have no valid header ({error}).")))?;
        let head = header_bytes(&metadata)
            .map_err(|error| refuse(format!("the weights have no valid header ({error}).")))?;
        Ok(Self { head, parameters })
    }

    /// Bytes of the file.
    pub(crate) fn len(&self) -> u64 {
        let values: usize = self.parameters.iter().map(len).sum();
        (self.head.len() + values * size_of::<f32>()) as u64
    }

    /// Reads the weights back from the device and writes the file front to back.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device) if the device fails, and the errors of `write`.
    pub(crate) async fn write(self, write: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.write_in_chunks(CHUNK, write).await
    }

    /// Joins small tensors and splits large ones into read-backs of `chunk` values.
    async fn write_in_chunks(
        self,
        chunk: usize,
        write: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        write(&self.head)?;
        // One parameter at a time is merged with its adapter.
        let values = self
            .parameters
            .into_iter()
            .flat_map(MergedParameter::values);
        read_back(values, chunk, write).await
    }
}

fn len(parameter: &MergedParameter) -> usize {
    parameter.shape().iter().product()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bert::{BertConfig, BertForSequenceClassification, LoadLimits, random_network};
    use burn::tensor::Device;

    #[test]
    fn the_file_does_not_depend_on_chunks_and_blocks() {
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
            let limits = LoadLimits {
                max_parameter_bytes: parameter,
                ..LoadLimits::default()
            };
            let device = Device::flex();
            pollster::block_on(random_network(&config, 3, 2, &device, limits)).unwrap()
        };
        let (model, in_blocks) = (load(u64::MAX), load(192));
        assert_eq!(in_blocks.bert.embeddings.word_embeddings.rest.len(), 3);
        let written = |model: &BertForSequenceClassification, chunk| {
            let file = File::new(model.named_parameters()).unwrap();
            let (len, mut bytes, mut longest) = (file.len(), Vec::new(), 0);
            let head = file.head.len();
            pollster::block_on(file.write_in_chunks(chunk, &mut |part| {
                longest = longest.max(if bytes.is_empty() { 0 } else { part.len() });
                bytes.extend_from_slice(part);
                Ok(())
            }))
            .unwrap();
            assert_eq!(bytes.len() as u64, len);
            assert!(longest <= 4 * chunk && longest == (4 * chunk).min(bytes.len() - head));
            bytes
        };
        let whole = written(&model, CHUNK);
        for chunk in [1, 7, 44, 100, CHUNK] {
            assert_eq!(written(&model, chunk), whole, "chunks of {chunk}");
            assert_eq!(written(&in_blocks, chunk), whole, "chunks of {chunk}");
        }
    }
}
