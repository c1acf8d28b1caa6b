//! Variants of tensor names in published checkpoints.

use std::borrow::Cow;

/// The prefix of the head's tensors.
pub(super) const CLASSIFIER_PREFIX: &str = "classifier.";

/// The prefixes of heads for other tasks: masked language modeling with next sentence prediction, question answering.
const OTHER_HEADS: [&str; 2] = ["cls.", "qa_outputs."];

/// Returns the name that the network has for a tensor: with the prefix `bert.`, and with `weight` and `bias` for the
/// `gamma` and `beta` that LayerNorm has in checkpoints converted from TensorFlow, such as bert-base-uncased.
///
/// transformers renames both in `PreTrainedModel._fix_state_dict_key_on_load`.
pub(super) fn canonical_name(name: &str) -> String {
    let name = match name.rsplit_once("LayerNorm.") {
        Some((path, "gamma")) => Cow::Owned(format!("{path}LayerNorm.weight")),
        Some((path, "beta")) => Cow::Owned(format!("{path}LayerNorm.bias")),
        _ => Cow::Borrowed(name),
    };
    let has_root =
        name.starts_with("bert.") || name.starts_with(CLASSIFIER_PREFIX) || is_other_head(&name);
    if has_root {
        name.into_owned()
    } else {
        format!("bert.{name}")
    }
}

/// Returns whether a tensor belongs to a head for another task.
pub(super) fn is_other_head(canonical_name: &str) -> bool {
    let mut prefixes = OTHER_HEADS.iter();
    prefixes.any(|prefix| canonical_name.starts_with(prefix))
}

/// Returns whether a tensor is the buffer of position ids that older checkpoints store and transformers ignores.
pub(super) fn is_position_ids(name: &str) -> bool {
    name.ends_with("embeddings.position_ids")
}
