//! The special tokens around a text, from the post-processor of a `tokenizer.json`.

use serde_json::Value;

/// The tokens before and after those of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Template {
    pub prefix: Vec<u32>,
    pub suffix: Vec<u32>,
}

impl Template {
    /// Reads a post-processor: `TemplateProcessing`, `BertProcessing`, `RobertaProcessing`, a sequence of them, or
    /// none. Returns none for one of another form.
    pub(super) fn from_json(post_processor: &Value) -> Option<Self> {
        if post_processor.is_null() {
            return Some(Self::default());
        }
        match post_processor["type"].as_str()? {
            "TemplateProcessing" => Self::from_pieces(post_processor),
            "BertProcessing" | "RobertaProcessing" => {
                let id = |name: &str| id(&post_processor[name][1]);
                Some(Self {
                    prefix: vec![id("cls")?],
                    suffix: vec![id("sep")?],
                })
            }
            // Only changes offsets.
            "ByteLevel" => Some(Self::default()),
            "Sequence" => {
                let processors = post_processor["processors"].as_array()?;
                processors.iter().try_fold(Self::default(), |inner, next| {
                    let outer = Self::from_json(next)?;
                    Some(Self {
                        prefix: [outer.prefix, inner.prefix].concat(),
                        suffix: [inner.suffix, outer.suffix].concat(),
                    })
                })
            }
            _ => None,
        }
    }

    /// Reads `single`: special tokens and one sequence.
    fn from_pieces(processor: &Value) -> Option<Self> {
        let (mut template, mut is_after) = (Self::default(), false);
        for piece in processor["single"].as_array()? {
            if let Some(token) = piece["SpecialToken"]["id"].as_str() {
                let ids = processor["special_tokens"][token]["ids"].as_array()?;
                let ids: Vec<u32> = ids.iter().map(id).collect::<Option<_>>()?;
                match is_after {
                    false => template.prefix.extend(ids),
                    true => template.suffix.extend(ids),
                }
            } else if piece["Sequence"].is_object() && !is_after {
                is_after = true;
            } else {
                return None;
            }
        }
        is_after.then_some(template)
    }

    /// Returns the number of special tokens.
    pub(super) fn len(&self) -> usize {
        self.prefix.len() + self.suffix.len()
    }
}

fn id(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|id| u32::try_from(id).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn post_processors_become_a_prefix_and_a_suffix() {
        let template = json!({"type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "</s>", "type_id": 0}}],
            "special_tokens": {"<s>": {"ids": [0]}, "</s>": {"ids": [2]}}});
        let bert = json!({"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 0]});
        let sequence = json!({"type": "Sequence", "processors": [{"type": "ByteLevel"}, template]});
        let expected = Template {
            prefix: vec![0],
            suffix: vec![2],
        };
        for processor in [&template, &bert, &sequence] {
            assert_eq!(Template::from_json(processor), Some(expected.clone()));
        }
        assert_eq!(Template::from_json(&Value::Null).unwrap().len(), 0);
        assert_eq!(Template::from_json(&json!({"type": "Other"})), None);
    }
}
