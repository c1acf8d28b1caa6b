//! Checksums of what a run reads beside its record.

use crate::Result;
use crate::bert::{CHUNK, read_back};
use crate::session::model::LoadedModel;
use crate::session::tokens::Tokenized;
use serde::{Deserialize, Serialize};

/// Checksums of what a run reads beside its record: another model or tokenizer would continue another run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fingerprint {
    /// Of `config.json`.
    pub(super) config: u32,
    /// Of the biases and LayerNorms of the checkpoint.
    pub(super) weights: u32,
    /// Of the token ids of all rows.
    pub(super) tokens: u32,
}

impl Fingerprint {
    /// Reads the vectors of the checkpoint back from the device.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device) if the device fails.
    pub(super) async fn of(model: &LoadedModel, tokens: &Tokenized) -> Result<Self> {
        let vectors = model.network.named_parameters().into_iter();
        let vectors = vectors.filter(|parameter| parameter.shape.len() == 1);
        let values =
            vectors.flat_map(|parameter| parameter.parts.into_iter().map(|part| part.values));
        let mut weights = 0;
        let mut sum = |bytes: &[u8]| {
            weights = crc32c::crc32c_append(weights, bytes);
            Ok(())
        };
        read_back(values, CHUNK, &mut sum).await?;
        let mut of_tokens = 0;
        for row in tokens.train.iter().chain(tokens.test.iter()) {
            let label = row.label as u32;
            let ids = row.encoding.input_ids.iter().chain([&label]);
            let bytes: Vec<u8> = ids.flat_map(|id| id.to_le_bytes()).collect();
            of_tokens = crc32c::crc32c_append(of_tokens, &bytes);
        }
        Ok(Self {
            config: crc32c::crc32c(model.config_json.as_bytes()),
            weights,
            tokens: of_tokens,
        })
    }

    /// The first part that is another one.
    pub(super) fn difference(self, other: Self) -> Option<&'static str> {
        let parts = [
            ("config.json", self.config, other.config),
            ("the checkpoint", self.weights, other.weights),
            ("the tokenizer", self.tokens, other.tokens),
        ];
        let mut parts = parts.into_iter();
        parts.find_map(|(what, a, b)| (a != b).then_some(what))
    }
}
