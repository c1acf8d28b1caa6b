//! Variants of tensor names in published checkpoints.

use std::borrow::Cow;

/// The prefix of the head's tensors.
pub(super) const CLASSIFIER_PREFIX: &str = "classifier.";

/// The prefix of the network's tensors, without the head's.
const BODY_PREFIX: &str = "bert.";

/// The modules of [`BertModel`](super::BertModel).
const BODY_MODULES: [&str; 3] = ["embeddings.", "encoder.", "pooler."];

/// Tensors by which the prefix of a checkpoint is known, the most reliable first.
const ANCHORS: [&str; 3] = [
    "embeddings.word_embeddings.weight",
    "embeddings.position_embeddings.weight",
    "encoder.layer.0.attention.self.query.weight",
];

/// The decoder of a masked language model, whose weight is the table of word embeddings.
const TIED_DECODER: &str = "cls.predictions.decoder.weight";

/// How a checkpoint names the network's tensors.
///
/// transformers accepts a BERT's tensors with and without `bert.` and prefers those with it, see `base_model_prefix` in
/// [`modeling_utils.py`][hf]. It knows none behind another prefix, such as the `module.` that `DataParallel` saves, and
/// draws every weight anew; here the prefix is removed.
///
/// [hf]: https://github.com/huggingface/transformers/blob/v4.57.0/src/transformers/modeling_utils.py
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Naming {
    /// What stands before `bert.` or, without that, before the modules; and before the names of heads.
    wrapper: String,
    /// Whether `bert.` follows.
    has_body_prefix: bool,
    /// Whether the word embeddings are there under the name of the decoder that shares them only.
    has_tied_words: bool,
}

impl Naming {
    /// Finds out how `names` are those of a BERT; none if no name is one of its body.
    ///
    /// # Errors
    /// Two prefixes, if two networks are in the checkpoint and either could be meant.
    pub(super) fn of<'a>(
        names: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<Option<Self>, [String; 2]> {
        let Some(anchor) = ANCHORS.into_iter().find(|anchor| {
            let mut names = names.clone();
            names.any(|name| prefix_before(name, anchor).is_some())
        }) else {
            return Ok(None);
        };
        let mut prefixes: Vec<&str> = names
            .clone()
            .filter_map(|name| prefix_before(name, anchor))
            .collect();
        prefixes.sort_unstable();
        let prefix = match prefixes.as_slice() {
            [prefix] => prefix,
            several if several.contains(&BODY_PREFIX) => BODY_PREFIX,
            several if several.contains(&"") => "",
            [first, second, ..] => return Err([*first, *second].map(String::from)),
            [] => return Ok(None),
        };
        let (wrapper, has_body_prefix) = match prefix.strip_suffix(BODY_PREFIX) {
            Some(wrapper) if wrapper.is_empty() || wrapper.ends_with('.') => (wrapper, true),
            _ => (prefix, false),
        };
        let naming = Self {
            wrapper: wrapper.into(),
            has_body_prefix,
            has_tied_words: false,
        };
        let has_words = anchor == ANCHORS[0];
        let has_decoder = names
            .clone()
            .any(|name| naming.unwrapped(name) == TIED_DECODER);
        Ok(Some(Self {
            has_tied_words: !has_words && has_decoder,
            ..naming
        }))
    }

    /// Returns the name that the network has for a tensor: with the prefix `bert.`, and with `weight` and `bias` for
    /// the `gamma` and `beta` that LayerNorm has in checkpoints converted from TensorFlow, such as bert-base-uncased.
    /// The name of a tensor that is not the network's is unchanged, but for the wrapper.
    ///
    /// transformers renames both in `PreTrainedModel._fix_state_dict_key_on_load`.
    pub(super) fn canonical(&self, name: &str) -> String {
        let name = self.unwrapped(name);
        if self.has_tied_words && name == TIED_DECODER {
            return format!("{BODY_PREFIX}{}", ANCHORS[0]);
        }
        let body = match self.has_body_prefix {
            true => name.strip_prefix(BODY_PREFIX),
            false => Some(name).filter(|name| {
                let mut modules = BODY_MODULES.iter();
                modules.any(|module| name.starts_with(module))
            }),
        };
        let Some(body) = body else {
            return name.into();
        };
        let body = match body.rsplit_once("LayerNorm.") {
            Some((path, "gamma")) => Cow::Owned(format!("{path}LayerNorm.weight")),
            Some((path, "beta")) => Cow::Owned(format!("{path}LayerNorm.bias")),
            _ => Cow::Borrowed(body),
        };
        format!("{BODY_PREFIX}{body}")
    }

    /// Returns whether the word embeddings are there under the name of a decoder only.
    pub(super) fn has_tied_words(&self) -> bool {
        self.has_tied_words
    }

    fn unwrapped<'a>(&self, name: &'a str) -> &'a str {
        name.strip_prefix(self.wrapper.as_str()).unwrap_or(name)
    }
}

/// Returns what stands before `anchor` in `name`, which ends with it.
fn prefix_before<'a>(name: &'a str, anchor: &str) -> Option<&'a str> {
    let prefix = name.strip_suffix(anchor)?;
    (prefix.is_empty() || prefix.ends_with('.')).then_some(prefix)
}

/// Returns whether a tensor is a buffer that older checkpoints store and transformers ignores: no parameter.
pub(super) fn is_buffer(name: &str) -> bool {
    name.ends_with("embeddings.position_ids") || name.ends_with("embeddings.token_type_ids")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &str = "bert.embeddings.word_embeddings.weight";

    fn canonical(names: &[&str], name: &str) -> String {
        let naming = Naming::of(names.iter().copied()).unwrap().unwrap();
        naming.canonical(name)
    }

    #[test]
    fn the_prefix_follows_from_the_word_embeddings() {
        for prefix in [
            "",
            "bert.",
            "module.",
            "module.bert.",
            "model.bert.",
            "0.auto_model.",
        ] {
            let words = format!("{prefix}embeddings.word_embeddings.weight");
            assert_eq!(canonical(&[&words], &words), WORDS, "{prefix}");
            let gamma = format!("{prefix}embeddings.LayerNorm.gamma");
            let expected = "bert.embeddings.LayerNorm.weight";
            assert_eq!(canonical(&[&words], &gamma), expected, "{prefix}");
        }
        let module = ["module.bert.embeddings.word_embeddings.weight"];
        assert_eq!(
            canonical(&module, "module.classifier.weight"),
            "classifier.weight"
        );
        assert_eq!(canonical(&module, "module.linear.weight"), "linear.weight");
        assert_eq!(
            canonical(&[WORDS], "encoder.layer.0.x"),
            "encoder.layer.0.x"
        );
    }

    #[test]
    fn of_two_tables_the_prefixed_one_is_the_network() {
        let both = ["embeddings.word_embeddings.weight", WORDS];
        assert_eq!(canonical(&both, WORDS), WORDS);
        assert_eq!(canonical(&both, both[0]), both[0]);
        let towers = [
            "a.embeddings.word_embeddings.weight",
            "b.embeddings.word_embeddings.weight",
        ];
        assert_eq!(Naming::of(towers.into_iter()).unwrap_err(), ["a.", "b."]);
    }

    #[test]
    fn words_may_be_there_as_the_decoder_only() {
        let names = ["bert.embeddings.position_embeddings.weight", TIED_DECODER];
        assert_eq!(canonical(&names, TIED_DECODER), WORDS);
        let with_words = [WORDS, TIED_DECODER];
        assert_eq!(canonical(&with_words, TIED_DECODER), TIED_DECODER);
    }

    #[test]
    fn other_names_are_those_of_no_bert() {
        let names = [
            "distilbert.transformer.layer.0.x",
            "my_embeddings.word_embeddings.weight",
        ];
        assert_eq!(Naming::of(names.into_iter()), Ok(None));
    }
}
