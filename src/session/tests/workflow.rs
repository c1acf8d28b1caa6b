//! The workflow from rows to an exported model.

use super::*;
use crate::hub::testing::ENDPOINT;
use crate::session::protocol::{SelfTestView, SessionState, TrainedState, WorkEvent};

#[test]
fn a_session_goes_from_rows_to_the_plan_of_a_run() {
    let mut visit = Visit::new();
    assert_eq!(visit.session.state(), SessionState::default());
    let dataset = answered!(visit, Dataset, json!({"type": "dataset"}));
    assert_eq!((dataset.num_rows, dataset.label_counts), (20, vec![10, 10]));
    let split = answered!(visit, Split, json!({"type": "split"}));
    assert_eq!((split.train_rows, split.test_rows), (16, 4));
    assert_eq!(split.train_labels.unwrap().len(), 16);
    let model = visit.load_tiny().unwrap();
    assert_eq!(
        (model.name.as_str(), model.source.as_str()),
        ("tiny", "tiny, from this computer")
    );
    let tokens = answered!(visit, Tokenized, json!({"type": "tokenize"}));
    assert_eq!((tokens.num_rows, tokens.truncated_rows), (20, 0));
    let request = json!({"type": "tokens", "offset": 0, "count": 20});
    let shown = answered!(visit, Tokens, request).rows;
    assert_eq!(shown.len(), 20);
    assert_eq!(shown[0].tokens[0], "[CLS]");
    let (mut real, mut padding) = (0, 0);
    for row in &shown[..16] {
        assert_eq!(row.tokens.len(), row.attention_mask.len());
        let is_padding = |token: &&String| token.as_str() == "[PAD]";
        padding += row.tokens.iter().filter(is_padding).count();
        real += row.attention_mask.iter().filter(|&&mask| mask == 1).count();
    }
    assert_eq!((tokens.real_tokens, tokens.padding_tokens), (real, padding));
    let plan = answered!(visit, Plan, json!({"type": "plan"}));
    assert_eq!((plan.max_steps, plan.schedule.points.len()), (3, 3));
    assert!(plan.memory.unwrap().shortage.is_none());
}

#[test]
fn a_session_goes_from_a_run_to_an_exported_model() {
    let mut visit = Visit::ready();
    visit.start(json!({})).unwrap();
    visit.session.set_log_every(1);
    let mut steps = Vec::new();
    loop {
        match block_on(visit.session.step_run()).unwrap() {
            RunEvent::Step { logs, step, .. } => steps.push((step, logs.len())),
            RunEvent::Evaluating { total, .. } => assert_eq!(total, 4),
            RunEvent::Evaluation { report, .. } => assert_eq!(report.confusion.len(), 2),
            RunEvent::Finished => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(steps, [(1, 1), (2, 1), (3, 1)]);
    let result = block_on(visit.session.finish_run(false, 1.5, 20.0)).unwrap();
    assert_eq!((result.global_step, result.stopped), (3, false));
    assert_eq!((result.train_runtime, result.first_step_ms), (1.5, 20.0));
    assert_eq!(result.evaluation.unwrap().step, 3);
    let trained = visit.session.state().trained.unwrap();
    assert_eq!((trained.global_step, trained.max_steps), (3, 3));

    let (before, after) = visit.predict();
    assert_ne!(Some(before), after);
    let report = answered!(visit, Evaluation, json!({"type": "evaluate"}));
    assert_eq!((report.step, report.logits), (3, None));
    let request = json!({"type": "evaluate", "logits": true});
    let report = answered!(visit, Evaluation, request);
    assert_eq!(report.logits.unwrap().len(), 4);
    let evaluated = SessionEvent::Work(WorkEvent::Evaluating { done: 4, total: 4 });
    assert!(visit.recorder.events.borrow().contains(&evaluated));
    let export = visit.export().unwrap();
    let bytes = visit.recorder.bytes.borrow();
    assert_eq!(
        (export.bytes, &bytes[..2]),
        (bytes.len() as u64, b"PK".as_slice())
    );
    assert!(
        export
            .files
            .iter()
            .any(|file| file.name.ends_with("model.safetensors"))
    );
}

#[test]
fn a_stopped_run_is_evaluated_and_can_be_exported() {
    let mut visit = Visit::ready();
    visit.start(json!({})).unwrap();
    let result = visit.run(1, true).unwrap();
    assert_eq!((result.stopped, result.global_step), (true, 1));
    assert_eq!(result.evaluation.unwrap().step, 1);
    assert_eq!(
        visit.session.state().trained.map(|state| state.global_step),
        Some(1)
    );
    assert!(visit.export().is_ok());
}

#[test]
fn a_run_that_is_stopped_before_its_first_step_trains_nothing() {
    let mut visit = Visit::ready();
    visit.start(json!({})).unwrap();
    let result = visit.run(0, true).unwrap();
    assert_eq!((result.global_step, result.evaluation), (0, None));
    assert_eq!(visit.session.state().trained, None);
    let (code, sentence) = refusal(visit.export());
    assert_eq!(code, "not_ready");
    assert!(sentence.contains("Nothing was trained yet"), "{sentence}");
}

#[test]
fn a_new_dataset_keeps_the_trained_model_and_drops_the_tokens() {
    let mut visit = Visit::ready();
    visit.start(json!({})).unwrap();
    visit.run(2, true).unwrap();
    let predicted = visit.predict();
    visit.ask(json!({"type": "dataset"})).unwrap();
    let state = visit.session.state();
    assert_eq!((state.split, state.tokenized), (false, false));
    assert!(matches!(
        state.trained,
        Some(TrainedState { global_step: 2, .. })
    ));
    assert_eq!(visit.predict(), predicted);
    assert!(visit.export().is_ok());
}

#[test]
fn a_repository_is_loaded_stored_and_forgotten() {
    let mut visit = Visit::new();
    visit.offer_tiny("webtune/tiny");
    let request = json!({"type": "load_hub", "endpoint": ENDPOINT, "repo": "webtune/tiny"});
    let model = answered!(visit, Model, request.clone());
    assert_eq!(
        (model.name.as_str(), model.license.as_str()),
        ("tiny", "mit")
    );
    let stored = answered!(visit, Stored, json!({"type": "stored"}));
    assert!(stored.models[0].complete);

    visit.fakes.network.set_offline(true);
    assert!(
        visit.ask(request).is_ok(),
        "a stored model needs no network"
    );
    let key = stored.models[0].key.clone();
    let stored = answered!(visit, Stored, json!({"type": "forget", "key": key}));
    assert_eq!(stored.models, []);
    assert!(
        visit.session.state().model.is_some(),
        "the model that is loaded stays"
    );
}

#[test]
fn a_self_test_that_ran_before_the_choice_of_the_device_is_not_repeated() {
    let mut visit = Visit::new();
    for passed in [false, true] {
        let before = SelfTestView {
            passed,
            checks: Vec::new(),
            ms: 12.0,
        };
        visit.session.compute.tested = Some(before.clone());
        assert_eq!(block_on(visit.session.self_test()), Ok(before));
        assert_eq!(visit.session.check_self_test().is_ok(), passed);
    }
    let again = block_on(visit.session.self_test()).unwrap();
    assert!(!again.checks.is_empty(), "a second one compares");
}

#[test]
fn the_cpu_passes_its_own_self_test() {
    let mut visit = Visit::new();
    visit.session.self_test = None;
    let report = block_on(visit.session.self_test()).unwrap();
    assert!(report.passed && !report.checks.is_empty());
    assert!(visit.session.check_self_test().is_ok());
}
