//! What the visitor should know before going on; nothing is refused.

use serde::Serialize;
use serde_json::{Map, Value};

/// Something that the visitor should know before going on; nothing is refused.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Warning {
    /// A short name: `warmup_longer_than_run`, `learning_rate_low_for_tuning`, `learning_rate_high`,
    /// `learning_rate_high_for_tuning`, `texts_on_both_sides`, `class_missing_in_train`, `class_missing_in_test`,
    /// `test_size_not_reached`.
    pub code: &'static str,
    /// One or two English sentences.
    pub message: String,
    /// The numbers in the sentence, for a translation.
    #[cfg_attr(test, ts(type = "Record<string, number | string>"))]
    pub values: Map<String, Value>,
}

impl Warning {
    /// A warning whose `values` is a JSON object.
    pub(crate) fn new(code: &'static str, message: String, values: Value) -> Self {
        let values = match values {
            Value::Object(values) => values,
            _ => Map::new(),
        };
        Self {
            code,
            message,
            values,
        }
    }
}
