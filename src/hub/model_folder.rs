//! Which folder of a zip or of dropped files is the model.

use crate::{Error, Result};

/// The file that makes a folder a model.
const CONFIG: &str = "config.json";

/// Where macOS keeps copies of the files of an archive.
const MACOS_COPIES: &str = "__MACOSX";

/// Returns the folder whose files are the model, empty or with a `/` at its end: the one nearest to the top whose
/// `config.json` is a model's, as `is_model` tells of its path. Folders below it, such as `1_Pooling/` or
/// `checkpoint-10/`, are no part of the model. Where no `config.json` is a model's, it is the topmost one, so that
/// reading it tells why.
///
/// # Errors
/// [`Error::Config`] when two are equally near to the top.
pub(super) fn model_folder(paths: &[String], is_model: impl Fn(&str) -> bool) -> Result<String> {
    let mut configs: Vec<_> = paths.iter().filter(|path| is_config(path)).collect();
    configs.sort_by_key(|path| (depth(path), path.as_str()));
    for equally_deep in configs.chunk_by(|a, b| depth(a) == depth(b)) {
        let mut models = equally_deep.iter().filter(|path| is_model(path));
        match (models.next(), models.next()) {
            (None, _) => {}
            (Some(model), None) => return Ok(folder_of(model)),
            (Some(first), Some(second)) => {
                return Err(Error::Config(format!(
                    "there are two models, {first} and {second}, and either could be meant. \
                     Choose the folder of one of them."
                )));
            }
        }
    }
    Ok(configs
        .first()
        .map_or_else(String::new, |path| folder_of(path)))
}

fn is_config(path: &str) -> bool {
    let mut parts = path.split('/');
    parts.next_back() == Some(CONFIG) && parts.all(|folder| folder != MACOS_COPIES)
}

fn depth(path: &str) -> usize {
    path.split('/').count()
}

fn folder_of(config: &str) -> String {
    config[..config.len() - CONFIG.len()].into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The folder among paths, of which those that contain `bert` are models.
    fn found(paths: &[&str]) -> Result<String> {
        let paths: Vec<_> = paths.iter().map(|path| (*path).to_string()).collect();
        model_folder(&paths, |path| path.contains("bert"))
    }

    #[test]
    fn the_topmost_model_is_taken() {
        let cases: [(&[&str], &str); 6] = [
            (
                &["bert/checkpoint-10/config.json", "bert/config.json"],
                "bert/",
            ),
            (&["config.json", "bert/config.json"], "bert/"),
            (&["0_bert/config.json", "1_Pooling/config.json"], "0_bert/"),
            (
                &["__MACOSX/bert/config.json", "a/bert/config.json"],
                "a/bert/",
            ),
            (
                &["a/b/config.json", "a/config.json", "a/my-config.json"],
                "a/",
            ),
            (&["model.safetensors"], ""),
        ];
        for (paths, expected) in cases {
            assert_eq!(found(paths).unwrap(), expected, "{paths:?}");
        }
    }

    #[test]
    fn two_models_at_the_same_depth_are_refused_and_named() {
        let error = found(&[
            "b/bert-2/config.json",
            "a/bert-1/config.json",
            "c/d/e/config.json",
        ]);
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains("a/bert-1/config.json and b/bert-2/config.json"),
            "{error}"
        );
    }
}
