//! Requests that fail, are refused or are stopped leave the session as it was.

use super::*;
use crate::hub::testing::{ENDPOINT, Trouble};
use crate::train::DeviceMemory;

/// A session with a trained model, and what it answers.
fn trained() -> (Visit, (Vec<f32>, Option<Vec<f32>>)) {
    let mut visit = Visit::ready();
    visit.start(json!({})).unwrap();
    visit.run(3, false).unwrap();
    let predicted = visit.predict();
    (visit, predicted)
}

#[test]
fn a_request_before_its_stage_names_the_missing_stage() {
    let mut visit = Visit::new();
    for (request, missing) in [
        (json!({"type": "split"}), "There is no dataset yet"),
        (json!({"type": "plan"}), "There is no dataset yet"),
        (json!({"type": "tokenize"}), "There is no dataset yet"),
        (
            json!({"type": "dataset_rows", "offset": 0, "count": 1}),
            "There is no dataset yet",
        ),
        (
            json!({"type": "tokens", "offset": 0, "count": 1}),
            "There is no dataset yet",
        ),
        (json!({"type": "evaluate"}), "There is no dataset yet"),
        (
            json!({"type": "predict", "text": "good"}),
            "No model is loaded yet",
        ),
        (json!({"type": "plan_export"}), "Nothing was trained yet"),
    ] {
        let (code, sentence) = refusal(visit.ask(request));
        assert_eq!(code, "not_ready");
        assert!(sentence.contains(missing), "{sentence}");
    }
    let (code, _) = refusal(visit.start(json!({})));
    assert_eq!(code, "not_ready");
    let (_, sentence) = refusal(visit.run(1, false));
    assert!(
        sentence.contains("No training run has been started"),
        "{sentence}"
    );
    assert_eq!(visit.session.state(), Default::default());
}

#[test]
fn a_run_that_does_not_fit_keeps_the_trained_model() {
    let (mut visit, predicted) = trained();
    let state = visit.session.state();
    visit.session.compute.memory = MemoryBudget::new(DeviceMemory::Fixed(1_000_000), None);
    let (code, sentence) = refusal(visit.start(json!({})));
    assert_eq!(code, "memory");
    assert!(
        sentence.contains("per_device_train_batch_size"),
        "{sentence}"
    );
    assert_eq!(visit.session.state(), state);
    assert_eq!(visit.predict(), predicted);
    assert!(visit.export().is_ok());
    let plan = answered!(visit, Plan, json!({"type": "plan"}));
    assert!(plan.memory.unwrap().shortage.is_some());
}

#[test]
fn a_refused_run_keeps_the_trained_model() {
    let (mut visit, predicted) = trained();
    let state = visit.session.state();
    let (code, sentence) = refusal(visit.start(json!({"fp16": true})));
    assert_eq!(code, "settings");
    assert!(sentence.contains("shader-f16"), "{sentence}");
    // With an epsilon of 0, the update of a parameter without a gradient is 0 / 0.
    for refused in [json!({"learning_rate": -1.0}), json!({"adam_epsilon": 0.0})] {
        assert_eq!(refusal(visit.start(refused)).0, "settings");
    }
    visit.session.self_test = None;
    let (code, sentence) = refusal(visit.start(json!({})));
    assert_eq!(code, "device");
    assert!(sentence.contains("self-test"), "{sentence}");
    visit.session.self_test = Some(SelfTest {
        passed: true,
        checks: Vec::new(),
    });
    visit.session.compute.info.shader_f16 = true;
    visit.session.fp16_test = Some(SelfTest {
        passed: false,
        checks: vec![crate::selftest::Check {
            name: "linear, fp16".into(),
            deviation: 1.0,
            tolerance: 1e-3,
            passed: false,
        }],
    });
    let (code, sentence) = refusal(visit.start(json!({"fp16": true})));
    assert_eq!(code, "settings");
    assert!(sentence.contains("linear, fp16"), "{sentence}");
    assert_eq!(
        refusal(visit.start(json!({"freeze_layers": 3}))).0,
        "settings"
    );
    assert_eq!(visit.session.state(), state);
    assert_eq!(visit.predict(), predicted);
    assert!(visit.export().is_ok());
}

#[test]
fn a_model_that_cannot_be_read_keeps_the_one_before() {
    let (mut visit, predicted) = trained();
    let state = visit.session.state();
    let mut weights = tiny("model.safetensors");
    weights.truncate(weights.len() / 2);
    let damaged = vec![
        ("config.json", tiny("config.json")),
        ("tokenizer.json", tiny("tokenizer.json")),
        ("model.safetensors", weights),
    ];
    let with_tokenizer = |tokenizer: Vec<u8>| {
        let config = ("config.json", tiny("config.json"));
        vec![config, ("tokenizer.json", tokenizer)]
    };
    for (files, code) in [
        (damaged, "model_file"),
        (with_tokenizer(b"{}".to_vec()), "tokenizer"),
        (with_tokenizer(tiny("tokenizer.json")), "download"),
        (vec![("config.json", b"{".to_vec())], "model_file"),
        (vec![("config.json", tiny("config.json"))], "download"),
        (Vec::new(), "download"),
    ] {
        assert_eq!(refusal(visit.load_files(files)).0, code);
    }
    let (code, _) =
        refusal(visit.ask(json!({"type": "load_model", "base": "https://site.test/nothing/"})));
    assert_eq!(code, "download");
    assert_eq!(visit.session.state(), state);
    assert_eq!(visit.predict(), predicted);
}

#[test]
fn a_stopped_download_keeps_the_model_before() {
    let (mut visit, predicted) = trained();
    visit.fakes.network.set_stopped(true);
    assert!(visit.fakes.network.is_stopped());
    let (code, _) =
        refusal(visit.ask(json!({"type": "load_model", "base": "https://site.test/tiny/"})));
    assert_eq!(code, "stopped");
    visit.fakes.network.set_stopped(false);
    assert_eq!(visit.predict(), predicted);
    assert!(visit.session.state().tokenized);
}

#[test]
fn rows_and_settings_that_are_refused_keep_dataset_and_split() {
    let (mut visit, predicted) = trained();
    let state = visit.session.state();
    let one_class = json!({"type": "rows", "train": [{"text": "a", "label": 7}], "test": [], "labels": ["x", "y"]});
    assert_eq!(refusal(visit.ask(one_class)).0, "dataset");
    let values = |name: &str, value: Value| {
        let mut values = Values::new();
        values.insert(name.into(), value);
        values
    };
    for (request, code) in [
        (
            json!({"type": "dataset", "values": values("num_rows", json!(-1))}),
            "settings",
        ),
        (
            json!({"type": "split", "values": values("test_size", json!(2.0))}),
            "settings",
        ),
        (
            json!({"type": "tokenize", "values": values("max_length", json!(512))}),
            "settings",
        ),
        (
            json!({"type": "plan", "values": values("no_such_setting", json!(1))}),
            "settings",
        ),
    ] {
        assert_eq!(refusal(visit.ask(request)).0, code);
    }
    assert_eq!(visit.session.state(), state);
    assert_eq!(visit.predict(), predicted);
    assert!(visit.export().is_ok());
}

#[test]
fn an_export_that_the_page_refuses_can_be_repeated() {
    let (mut visit, predicted) = trained();
    let state = visit.session.state();
    let size = visit.export().unwrap().bytes as usize;
    for most in [0, size / 2, size - 1] {
        visit.recorder.refuses_after.set(Some(most));
        assert_eq!(refusal(visit.export()).0, "export");
        visit.recorder.refuses_after.set(None);
        assert_eq!(visit.session.state(), state);
        let again = visit.export().unwrap();
        assert_eq!(again.bytes as usize, size);
        assert_eq!(visit.predict(), predicted);
    }
}

#[test]
fn a_model_of_another_number_of_labels_is_not_evaluated_untrained() {
    let mut visit = Visit::ready();
    let rows = |part: &str| {
        json!(
            (0..6)
                .map(|row| json!({"text": format!("{part} {row}"), "label": row % 3}))
                .collect::<Vec<_>>()
        )
    };
    let request = json!({"type": "rows", "train": rows("train"), "test": rows("test"), "labels": ["a", "b", "c"]});
    visit.ask(request).unwrap();
    visit.ask(json!({"type": "tokenize"})).unwrap();
    let (code, sentence) = refusal(visit.ask(json!({"type": "evaluate"})));
    assert_eq!(code, "not_ready");
    assert!(
        sentence.contains("2 labels, but the dataset has 3"),
        "{sentence}"
    );
}

#[test]
fn a_repository_that_cannot_be_loaded_keeps_the_trained_model() {
    let (mut visit, predicted) = trained();
    let state = visit.session.state();
    visit.offer_tiny("webtune/tiny");
    let load = |repo: &str| json!({"type": "load_hub", "endpoint": ENDPOINT, "repo": repo});
    let unchanged = |visit: &mut Visit, what: &str| {
        assert_eq!(visit.session.state(), state, "{what}");
        assert_eq!(visit.predict(), predicted, "{what}");
        assert!(visit.export().is_ok(), "{what}");
    };
    for file in TINY {
        let missing = Trouble {
            status: Some(404),
            ..Trouble::default()
        };
        let network = &visit.fakes.network;
        network.trouble_repo("webtune/tiny", file, vec![missing]);
        assert_eq!(refusal(visit.ask(load("webtune/tiny"))).0, "download");
        unchanged(&mut visit, file);
    }
    for repo in ["webtune/nothing", "no name"] {
        assert_eq!(refusal(visit.ask(load(repo))).0, "download");
        unchanged(&mut visit, repo);
    }
    visit.fakes.network.set_offline(true);
    assert_eq!(refusal(visit.ask(load("webtune/other"))).0, "download");
    unchanged(&mut visit, "offline");
    visit.fakes.network.set_offline(false);
    visit.session.disk = None;
    let forget = json!({"type": "forget", "key": "webtune/tiny"});
    assert_eq!(refusal(visit.ask(forget)).0, "not_ready");
    unchanged(&mut visit, "nothing is stored");
    assert!(visit.ask(load("webtune/tiny")).is_ok());
    assert_eq!(visit.session.state().trained, None);
}

#[test]
fn a_trained_model_is_not_evaluated_on_rows_with_other_labels() {
    let (mut visit, predicted) = trained();
    let row = |at| json!({"text": format!("row {at}"), "label": at % 3});
    let rows = (0..6).map(row).collect::<Vec<Value>>();
    let request = json!({"type": "rows", "train": rows, "test": rows, "labels": ["a", "b", "c"]});
    visit.ask(request).unwrap();
    visit.ask(json!({"type": "tokenize"})).unwrap();
    let state = visit.session.state();
    let (code, sentence) = refusal(visit.ask(json!({"type": "evaluate"})));
    assert_eq!(code, "not_ready");
    assert!(
        sentence.contains("2 labels, but the dataset has 3"),
        "{sentence}"
    );
    assert_eq!(visit.session.state(), state);
    assert_eq!(visit.predict(), predicted);
    assert!(visit.export().is_ok());
}
