//! `model.safetensors.index.json`, the index of weights in several files.

use crate::{Error, Result};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The file name of the index in a model's folder.
pub const INDEX_FILE: &str = "model.safetensors.index.json";

/// The file of each tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardIndex {
    /// File names by tensor name.
    weight_map: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl ShardIndex {
    /// Parses the index.
    ///
    /// # Errors
    /// [`Error::WeightsFile`] if the text is not an index, names no file, or names a file outside of its folder.
    pub fn from_json(text: &str) -> Result<Self> {
        let refuse = |problem: String| Error::WeightsFile {
            file: INDEX_FILE.into(),
            problem,
        };
        let Index { weight_map } = serde_json::from_str(text)
            .map_err(|error| refuse(format!("it is no index of shards ({error}).")))?;
        if weight_map.is_empty() {
            return Err(refuse("it names no tensor.".into()));
        }
        let is_foreign =
            |file: &&String| file.contains(['/', '\\']) || !file.ends_with(".safetensors");
        if let Some(file) = weight_map.values().find(is_foreign) {
            return Err(refuse(format!(
                "it names the file {file:?}, but shards are .safetensors files of the same folder."
            )));
        }
        Ok(Self { weight_map })
    }

    /// Returns the file names without duplicates, sorted, which is the order of the shards.
    pub fn files(&self) -> Vec<&str> {
        let mut files: Vec<&str> = self.weight_map.values().map(String::as_str).collect();
        files.sort_unstable();
        files.dedup();
        files
    }

    /// Iterates over the names of all tensors.
    pub fn tensors(&self) -> impl Iterator<Item = &str> + Clone {
        self.weight_map.keys().map(String::as_str)
    }

    /// Returns the file of a tensor.
    pub fn file_of(&self, tensor: &str) -> Option<&str> {
        self.weight_map.get(tensor).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_files_in_order_and_finds_tensors() {
        let text = r#"{"metadata": {"total_size": 8}, "weight_map":
            {"b": "model-00002-of-00002.safetensors", "a": "model-00001-of-00002.safetensors",
             "c": "model-00001-of-00002.safetensors"}}"#;
        let index = ShardIndex::from_json(text).unwrap();
        assert_eq!(
            index.files(),
            [
                "model-00001-of-00002.safetensors",
                "model-00002-of-00002.safetensors"
            ]
        );
        assert_eq!(index.tensors().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(index.file_of("b"), Some("model-00002-of-00002.safetensors"));
        assert_eq!(index.file_of("d"), None);
    }

    #[test]
    fn refuses_what_is_not_an_index() {
        let message = |text: &str| ShardIndex::from_json(text).unwrap_err().to_string();
        assert!(message("{}").contains("no index"));
        assert!(message(r#"{"weight_map": {}}"#).contains("no tensor"));
        assert!(message(r#"{"weight_map": {"a": "../x.safetensors"}}"#).contains("same folder"));
        assert!(message(r#"{"weight_map": {"a": "x.bin"}}"#).contains("same folder"));
    }
}
