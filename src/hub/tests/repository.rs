//! Repositories at one commit: pinned, stored, listed and deleted.

use super::super::testing::{COMMIT, FakeDisk, Trouble};
use super::super::{Repo, Store, forget_model, stored_models};
use super::*;

const CONFIG: &str = "config.json";

/// Loads configuration and weights of a repository, as a model is built.
fn load_repo(fakes: &Fakes, repo: &str) -> Result<(String, Vec<u8>)> {
    block_on(async {
        let mut source = Source::hub(ENDPOINT, repo, fakes.services(), |_| true)
            .await?
            .0;
        let read = async |source: &mut FakeSource| {
            let config = source.open(CONFIG).await?.text().await?;
            Ok((config, read(source, WEIGHTS).await?))
        };
        source.build(read).await
    })
}

fn offer(fakes: &Fakes, repo: &str, config: &str, weights: &[u8]) {
    let files = [(CONFIG, config.as_bytes()), (WEIGHTS, weights)];
    fakes.network.offer_repo(repo, &files);
}

fn is_of_weights(event: &LoadEvent) -> bool {
    matches!(event, LoadEvent::Download { file, .. } if file == WEIGHTS)
}

#[test]
fn a_stored_model_loads_without_a_network() {
    let fakes = Fakes::default();
    let weights = bytes(1, 100);
    offer(&fakes, REPO, "{}", &weights);
    let first = load_repo(&fakes, REPO).unwrap();
    let pinned = |stored| LoadEvent::Pinned {
        commit: COMMIT.into(),
        stored,
    };
    assert!(fakes.take_events().contains(&pinned(false)));
    fakes.network.take_requests();

    fakes.network.set_offline(true);
    assert_eq!(load_repo(&fakes, REPO).unwrap(), first);
    assert_eq!(fakes.take_events(), [pinned(true)]);
    assert!(fakes.network.take_requests().is_empty());
}

#[test]
fn a_model_that_is_not_stored_needs_the_hub() {
    let fakes = Fakes::default();
    fakes.network.set_offline(true);
    let error = problem(load_repo(&fakes, REPO).unwrap_err());
    assert!(error.contains("the Hub cannot be reached"), "{error}");
    let error = problem(load_repo(&fakes, "bert").unwrap_err());
    assert!(error.contains("owner/name"), "{error}");
}

#[test]
fn a_known_commit_needs_no_list_of_its_files() {
    let fakes = Fakes::default();
    let weights = bytes(1, 100);
    offer(&fakes, REPO, "{}", &weights);
    drop(open(&fakes));
    let listing = Repo::parse(REPO).unwrap().listing_url(ENDPOINT);
    let refused = Trouble {
        status: Some(404),
        ..Trouble::default()
    };
    let head = format!("{ENDPOINT}/{REPO}/resolve/main/{CONFIG}");
    fakes.network.trouble(&listing, vec![refused.clone()]);
    fakes.network.trouble(&head, vec![refused]);
    assert_eq!(load_repo(&fakes, REPO).unwrap().1, weights);
}

#[test]
fn a_hub_without_lists_names_the_commit_in_the_headers_of_a_file() {
    let fakes = Fakes::default();
    let weights = bytes(1, 100);
    let files: [(&str, &[u8]); 2] = [(CONFIG, b"{}"), (WEIGHTS, &weights)];
    fakes.network.offer_unlisted(REPO, &files);
    assert_eq!(load_repo(&fakes, REPO).unwrap().1, weights);
    let requests = fakes.network.take_requests();
    let resolved: Vec<_> = requests
        .iter()
        .filter_map(|url| url.split("/resolve/").nth(1))
        .collect();
    let expected = [
        "main/config.json",
        "c0ffee/config.json",
        "c0ffee/model.safetensors",
    ];
    assert_eq!(resolved, expected);
    let mut source = open(&fakes);
    assert!(
        block_on(source.open_if_there("vocab.txt"))
            .unwrap()
            .is_none()
    );
}

#[test]
fn a_list_says_which_files_are_missing_without_a_request() {
    let fakes = Fakes::default();
    offer(&fakes, REPO, "{}", &bytes(1, 100));
    let mut source = open(&fakes);
    fakes.network.take_requests();
    assert!(!block_on(source.has("tokenizer.json")).unwrap());
    assert!(block_on(source.has(WEIGHTS)).unwrap());
    let error = problem(block_on(source.open("tokenizer.json")).err().unwrap());
    assert!(error.contains("it is not there"), "{error}");
    assert!(fakes.network.take_requests().is_empty());
}

#[test]
fn the_model_of_a_repository_is_in_the_topmost_folder_of_a_bert() {
    let offered = |paths: &[&str]| {
        let fakes = Fakes::default();
        let text = |path: &&str| {
            format!(
                "{} {path}",
                if path.contains("Pooling") {
                    "pooling"
                } else {
                    "bert"
                }
            )
        };
        let texts: Vec<_> = paths.iter().map(text).collect();
        let files: Vec<_> = paths
            .iter()
            .zip(&texts)
            .map(|(path, text)| (*path, text.as_bytes()))
            .collect();
        fakes.network.offer_repo(REPO, &files);
        let is_bert = |config: &str| config.starts_with("bert");
        block_on(Source::hub(ENDPOINT, REPO, fakes.services(), is_bert)).map(|(source, _)| source)
    };
    for (paths, expected) in [
        (
            &["config.json", "checkpoint-10/config.json"][..],
            "bert config.json",
        ),
        (
            &["1_Pooling/config.json", "0_Transformer/config.json"],
            "bert 0_Transformer/config.json",
        ),
    ] {
        let mut source = offered(paths).unwrap();
        let file = block_on(source.open("config.json")).unwrap();
        assert_eq!(block_on(file.text()).unwrap(), expected);
    }
    let error = offered(&["a/config.json", "b/config.json"]).err().unwrap();
    assert_eq!(error.folders(), ["a", "b"]);
}

#[test]
fn a_deleted_model_leaves_the_files_of_the_others() {
    let fakes = Fakes::default();
    let weights = bytes(1, 100);
    offer(&fakes, REPO, "{}", &weights);
    offer(&fakes, "tests/other", "{\"a\": 1}", &weights);
    for repo in [REPO, "tests/other"] {
        load_repo(&fakes, repo).unwrap();
    }
    assert_eq!(
        fakes.disk.list(Folder::Files).len(),
        3,
        "the weights are shared"
    );
    fakes.disk.set_quota(Some(10_000));
    let stored = block_on(stored_models(Some(fakes.disk.clone())));
    let found: Vec<_> = stored
        .models
        .iter()
        .map(|model| (model.repo.as_str(), model.complete, model.bytes))
        .collect();
    assert_eq!(found, [("tests/other", true, 108), (REPO, true, 102)]);
    assert!(stored.available && stored.usage == 110 && stored.quota == 10_000);

    let disk = || Some(fakes.disk.clone());
    let left = block_on(forget_model(disk(), &stored.models[1].key)).unwrap();
    assert_eq!(left.models, stored.models[..1]);
    fakes.network.set_offline(true);
    let loaded = load_repo(&fakes, "tests/other").unwrap();
    assert_eq!(loaded, ("{\"a\": 1}".into(), weights));
    assert_eq!(fakes.disk.list(Folder::Files).len(), 2);

    let left = block_on(forget_model(disk(), &stored.models[0].key)).unwrap();
    assert!(left.models.is_empty());
    assert!(fakes.disk.list(Folder::Files).is_empty());
}

#[test]
fn a_built_model_removes_files_that_no_pin_names() {
    let fakes = Fakes::default();
    offer(&fakes, REPO, "{}", &bytes(1, 100));
    load_repo(&fakes, REPO).unwrap();
    let old = fakes.disk.list(Folder::Files);
    // The branch moves on, and the visitor deletes the model in another tab.
    offer(&fakes, REPO, "{ }", &bytes(2, 100));
    let store = Store::new(fakes.disk.clone());
    let key = block_on(store.pins())[0].key();
    fakes.disk.content(Folder::Pins, &key).borrow_mut().clear();
    load_repo(&fakes, REPO).unwrap();
    let new = fakes.disk.list(Folder::Files);
    assert_eq!(new.len(), 2);
    assert!(old.iter().all(|name| !new.contains(name)));
}

#[test]
fn a_stopped_load_keeps_the_files_that_were_complete() {
    let fakes = Fakes::default();
    offer(&fakes, REPO, "{}", &bytes(1, 100));
    let services = fakes.services_stopped_at(is_of_weights);
    let mut source = block_on(Source::hub(ENDPOINT, REPO, services, |_| true))
        .unwrap()
        .0;
    let config = block_on(async { source.open(CONFIG).await?.text().await });
    assert_eq!(config.unwrap(), "{}");
    build(&mut source).unwrap_err();
    drop(source);
    load_repo(&fakes, REPO).unwrap();
    assert_eq!(fakes.network.ranges(CONFIG), [None]);
    assert_eq!(
        fakes.network.ranges(WEIGHTS),
        [None, Some("bytes=8-".into())]
    );
}

#[test]
fn a_part_counts_as_a_stored_model_that_is_not_complete() {
    let fakes = Fakes::default();
    offer(&fakes, REPO, "{}", &bytes(1, 100));
    let services = fakes.services_stopped_at(is_of_weights);
    let mut source = block_on(Source::hub(ENDPOINT, REPO, services, |_| true))
        .unwrap()
        .0;
    build(&mut source).unwrap_err();
    drop(source);
    let stored = block_on(stored_models(Some(fakes.disk.clone())));
    let found = (stored.models[0].complete, stored.models[0].bytes);
    assert_eq!(found, (false, 8));
}

#[test]
fn without_a_disk_nothing_is_stored() {
    let stored = block_on(stored_models::<FakeDisk>(None));
    assert!(!stored.available && stored.models.is_empty());
    let error = block_on(forget_model::<FakeDisk>(None, "key"));
    assert_eq!(error.unwrap_err().code(), "not_ready");
}
