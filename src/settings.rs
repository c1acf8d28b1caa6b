//! The table of settings. Each hyper-parameter is declared once (name, type, default, bounds, help); the form, the URL,
//! the validation and the exported `training_args.json` derive from it.

mod audit;
mod recommend;
mod run;
mod table;
mod work;

pub use audit::audit_settings;
pub use recommend::{Budget, DataFacts, Reason, Recommendation, recommend};
pub use run::RunSettings;
pub use table::{Group, Kind, SETTINGS, Setting};

use crate::Result;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Values of settings, by name.
pub type Values = Map<String, Value>;

/// A named set of values for every setting.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Preset {
    /// `recommended` or `article`.
    pub id: &'static str,
    /// A value for every setting.
    #[cfg_attr(test, ts(type = "Values"))]
    pub values: Values,
}

/// The presets: the recommended values, and those of the article.
pub fn presets() -> Vec<Preset> {
    let recommended = defaults();
    let mut article = recommended.clone();
    for (name, value) in [
        ("toy_dataset", json!("article")),
        ("num_rows", json!(100)),
        ("num_train_epochs", json!(3.0)),
        ("learning_rate", json!(5e-5)),
        ("head_learning_rate", json!(0.0)),
        ("stratify", json!(false)),
        ("group_duplicates", json!(false)),
        ("padding", json!("max_length")),
        ("warmup_steps", json!(500)),
        ("warmup_ratio", json!(0.0)),
    ] {
        article.insert(name.into(), value);
    }
    vec![
        Preset {
            id: "recommended",
            values: recommended,
        },
        Preset {
            id: "article",
            values: article,
        },
    ]
}

/// The default of every setting.
pub fn defaults() -> Values {
    SETTINGS
        .iter()
        .map(|setting| {
            let value = match setting.kind {
                Kind::Integer { default, .. } => json!(default),
                Kind::Number { default, .. } => json!(default),
                Kind::Boolean { default } => json!(default),
                Kind::Choice { default, .. } => json!(default),
            };
            (setting.name.to_string(), value)
        })
        .collect()
}

/// `values` with the default of every setting that they leave out. Read back, they give the same run.
///
/// # Errors
/// As [`RunSettings::from_values`].
pub fn complete(values: &Values) -> Result<Values> {
    RunSettings::from_values(values)?;
    let mut complete = defaults();
    complete.extend(values.clone());
    Ok(complete)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: Value) -> Result<RunSettings> {
        RunSettings::from_values(&Map::from_iter([(name.to_string(), value)]))
    }

    #[test]
    fn defaults_and_presets_are_valid() {
        for preset in presets() {
            assert_eq!(preset.values.len(), SETTINGS.len());
            RunSettings::from_values(&preset.values).unwrap();
        }
        assert_eq!(
            RunSettings::from_values(&Map::new()).unwrap(),
            RunSettings::from_values(&defaults()).unwrap()
        );
    }

    #[test]
    fn complete_values_give_the_same_run() {
        let values: Values = Map::from_iter([
            ("learning_rate".to_string(), json!(3e-4)),
            ("padding".to_string(), json!("max_length")),
        ]);
        let complete = complete(&values).unwrap();
        assert_eq!(complete.len(), SETTINGS.len());
        assert_eq!(
            RunSettings::from_values(&complete).unwrap(),
            RunSettings::from_values(&values).unwrap()
        );
        let unknown = Map::from_iter([("momentum".to_string(), json!(1))]);
        assert!(super::complete(&unknown).is_err());
    }

    #[test]
    fn the_article_preset_has_the_values_of_the_article() {
        let values = presets().remove(1).values;
        let settings = RunSettings::from_values(&values).unwrap();
        assert!(!settings.split.stratify && !settings.split.group_duplicates);
        let arguments = settings.arguments;
        assert_eq!(arguments.warmup_steps, 500);
        assert_eq!(arguments.weight_decay, 0.01);
        assert_eq!(arguments.num_train_epochs, 3.0);
        assert_eq!(arguments.per_device_train_batch_size, 8);
    }

    #[test]
    fn the_best_weights_are_saved_when_they_are_evaluated() {
        let settings = |strategy: &str, best: bool| {
            let values = json!({"save_strategy": strategy, "load_best_model_at_end": best});
            RunSettings::from_values(values.as_object().unwrap())
        };
        for strategy in ["no", "epoch", "best"] {
            assert!(settings(strategy, true).is_ok(), "{strategy}");
        }
        assert!(settings("steps", false).is_ok());
        let error = settings("steps", true).unwrap_err();
        assert_eq!(error.field(), Some("save_strategy"));
        assert!(error.to_string().contains("epoch, best or no"), "{error}");
    }

    #[test]
    fn errors_name_the_setting_the_value_and_the_bounds() {
        let message = |name, value| with(name, value).unwrap_err().to_string();
        assert_eq!(
            message("per_device_train_batch_size", json!(0)),
            "per_device_train_batch_size = 0: it must be a whole number from 1 to 256."
        );
        assert!(message("learning_rate", Value::Null).contains("learning_rate = NaN"));
        assert!(message("learning_rate", json!("fast")).contains("\"fast\""));
        assert!(message("max_length", json!(12.5)).contains("whole number"));
        assert!(message("padding", json!("shortest")).contains("longest, max_length"));
        assert!(message("stratify", json!(1)).contains("true or false"));
        assert!(message("momentum", json!(1)).contains("no setting of this name"));
        let error = with("seed", json!(-1)).unwrap_err();
        assert_eq!((error.code(), error.field()), ("settings", Some("seed")));
    }
}
