//! Which tensors of a weights file are read, and which are skipped.

use super::names::{CLASSIFIER_PREFIX, Naming, is_buffer};
use super::parameters::CheckpointTensor;
use super::shards::ShardIndex;
use crate::{Error, Result};
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use std::collections::BTreeMap;

/// The start of the names of the pooler's tensors.
const POOLER_PREFIX: &str = "bert.pooler.";

/// The tensors of one file that a load reads, and those that it skips.
pub(super) struct FilePlan {
    /// The tensors to read, under the names of the network, in the order of the file.
    pub tensors: Vec<(String, TensorInfo)>,
    /// The tensors to skip, under their names in the file. Buffers are left out.
    pub skipped: Vec<String>,
}

impl FilePlan {
    /// Checks the tensors of one file, which may be a shard. `expected` has the network's tensors by name.
    ///
    /// # Errors
    /// [`Error::Tensor`] for a tensor of the network that has another shape or an unsupported dtype. A classifier of
    /// another shape is skipped.
    pub(super) fn new(
        file: &str,
        metadata: &Metadata,
        naming: Option<&Naming>,
        expected: &BTreeMap<String, CheckpointTensor>,
    ) -> Result<Self> {
        let (mut found, mut skipped) = (BTreeMap::<_, (String, TensorInfo)>::new(), Vec::new());
        for (name, info) in metadata.tensors() {
            if is_buffer(&name) {
                continue;
            }
            let canonical = naming.map_or_else(|| name.clone(), |naming| naming.canonical(&name));
            let Some(tensor) = expected.get(&canonical) else {
                skipped.push(name);
                continue;
            };
            if canonical.starts_with(CLASSIFIER_PREFIX) && tensor.shape != info.shape {
                skipped.push(name);
                continue;
            }
            check_tensor(&tensor.shape, info).map_err(|problem| Error::Tensor {
                file: file.into(),
                tensor: name.clone(),
                problem,
            })?;
            let info = info.clone();
            match found.entry(canonical) {
                std::collections::btree_map::Entry::Vacant(entry) => {
                    entry.insert((name, info));
                }
                // LayerNorm under its old and its new name: the new one counts.
                std::collections::btree_map::Entry::Occupied(mut entry) => {
                    let is_new = |name: &str| name.ends_with("weight") || name.ends_with("bias");
                    if is_new(&name) {
                        let (old, _) = entry.insert((name, info));
                        skipped.push(old);
                    } else {
                        skipped.push(name);
                    }
                }
            }
        }
        let tensors = found.into_iter();
        let mut tensors: Vec<_> = tensors.map(|(name, (_, info))| (name, info)).collect();
        tensors.sort_by_key(|(_, info)| info.data_offsets.0);
        Ok(Self { tensors, skipped })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.tensors.iter().any(|(found, _)| found == name)
    }
}

/// Checks that a checkpoint has every tensor of the network but those of the pooler and the classifier.
///
/// # Errors
/// [`Error::Tensor`] with the first one that is missing.
pub(super) fn check_complete<'a>(
    file: &str,
    mut names: impl Iterator<Item = &'a String>,
    has: impl Fn(&str) -> bool,
) -> Result<()> {
    let is_drawn =
        |name: &str| name.starts_with(CLASSIFIER_PREFIX) || name.starts_with(POOLER_PREFIX);
    match names.find(|name| !is_drawn(name) && !has(name)) {
        None => Ok(()),
        Some(name) => Err(Error::Tensor {
            file: file.into(),
            tensor: name.clone(),
            problem: "is missing: the file is not a whole BERT of this config.json.".into(),
        }),
    }
}

/// Checks that a shard has every tensor that the index assigns to it. The index of some checkpoints lacks tensors of
/// their shards, such as `position_ids`.
///
/// # Errors
/// [`Error::Tensor`] with the first one that is missing.
pub(super) fn check_shard(file: &str, index: &ShardIndex, metadata: &Metadata) -> Result<()> {
    let found = metadata.tensors();
    let mut assigned = index
        .tensors()
        .filter(|name| index.file_of(name) == Some(file));
    match assigned.find(|name| !found.contains_key(*name)) {
        None => Ok(()),
        Some(tensor) => Err(Error::Tensor {
            file: file.into(),
            tensor: tensor.into(),
            problem: "is missing, though the index says that it is here.".into(),
        }),
    }
}

/// Checks a tensor's shape and dtype.
fn check_tensor(shape: &[usize], info: &TensorInfo) -> Result<(), String> {
    if info.shape != shape {
        return Err(format!(
            "has shape {:?}, but config.json asks for {shape:?}.",
            info.shape
        ));
    }
    if !matches!(
        info.dtype,
        Dtype::F64 | Dtype::F32 | Dtype::F16 | Dtype::BF16
    ) {
        return Err(format!(
            "is of dtype {:?}, but only F64, F32, F16 and BF16 can be read.",
            info.dtype
        ));
    }
    Ok(())
}
