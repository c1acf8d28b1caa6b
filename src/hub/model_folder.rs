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
/// [`Error::ModelFolder`] when two are equally near to the top.
pub(super) fn model_folder(paths: &[String], is_model: impl Fn(&str) -> bool) -> Result<String> {
    for equally_deep in configs_by_depth(paths) {
        let models = equally_deep.into_iter().filter(|path| is_model(path));
        if let Some(folder) = only_folder(&models.collect::<Vec<_>>())? {
            return Ok(folder);
        }
    }
    Ok(topmost_folder(paths))
}

/// Returns the folder that the visitor has chosen, with a `/` at its end.
///
/// # Errors
/// [`Error::Config`] when it has no `config.json`.
pub(super) fn chosen_folder(paths: &[String], folder: &str) -> Result<String> {
    let folder = format!("{}/", folder.trim_end_matches('/'));
    let config = format!("{folder}{CONFIG}");
    match paths.contains(&config) {
        true => Ok(folder),
        false => Err(Error::Config(format!("there is no {config}."))),
    }
}

/// Returns the paths of every `config.json`, those that are equally near to the top together, the topmost first.
pub(super) fn configs_by_depth(paths: &[String]) -> Vec<Vec<&str>> {
    let mut configs: Vec<_> = paths.iter().filter(|path| is_config(path)).collect();
    configs.sort_by_key(|path| (depth(path), path.as_str()));
    let groups = configs.chunk_by(|a, b| depth(a) == depth(b));
    groups
        .map(|group| group.iter().map(|path| path.as_str()).collect())
        .collect()
}

/// Returns the folder of the topmost `config.json`; an empty one if there is none.
pub(super) fn topmost_folder(paths: &[String]) -> String {
    let configs = configs_by_depth(paths);
    let first = configs.first().and_then(|group| group.first());
    first.map_or_else(String::new, |path| folder_of(path))
}

/// Returns the folder of the only model among `configs`; none if there is no model.
///
/// # Errors
/// [`Error::ModelFolder`] if there are several.
pub(super) fn only_folder(configs: &[&str]) -> Result<Option<String>> {
    match configs {
        [] => Ok(None),
        [model] => Ok(Some(folder_of(model))),
        several => {
            let name = |path: &&str| folder_of(path).trim_end_matches('/').to_string();
            Err(Error::ModelFolder {
                folders: several.iter().map(name).collect(),
            })
        }
    }
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
        let error = error.unwrap_err();
        assert_eq!(error.folders(), ["a/bert-1", "b/bert-2"]);
        let message = error.to_string();
        assert!(message.contains("a/bert-1 and b/bert-2"), "{message}");
    }

    #[test]
    fn the_visitor_chooses_one_of_them() {
        let paths = ["b/bert-2/config.json", "a/bert-1/config.json"].map(String::from);
        assert_eq!(chosen_folder(&paths, "a/bert-1").unwrap(), "a/bert-1/");
        let error = chosen_folder(&paths, "c").unwrap_err().to_string();
        assert!(error.contains("c/config.json"), "{error}");
    }
}
