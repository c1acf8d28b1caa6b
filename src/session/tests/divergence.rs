//! A run whose loss is not finite any more keeps its last finite weights.

use super::*;
use crate::bert::BertForSequenceClassification;
use burn::module::Param;
use burn::tensor::Tensor;

/// A word whose embedding is NaN in [`poisoned`].
const POISON: &str = "zebra";

/// The number of the row, from 0, with that word.
const POISONED_ROW: usize = 5;

/// A session whose third step has a loss of NaN: rows are taken in order, two a step.
pub(super) fn poisoned() -> Visit {
    let mut visit = Visit::new();
    let row = |part: &str, at: usize| {
        let word = if part == "train" && at == POISONED_ROW {
            POISON
        } else {
            "film"
        };
        json!({"text": format!("the {word} number {at} of {part}"), "label": at % 2})
    };
    let rows = |part: &str, count| (0..count).map(|at| row(part, at)).collect::<Vec<Value>>();
    visit.load_tiny().unwrap();
    let request = json!({"type": "rows", "train": rows("train", 8), "test": rows("test", 3), "labels": ["a", "b"]});
    visit.ask(request).unwrap();
    visit.values.extend(object(json!({
        "per_device_train_batch_size": 2, "per_device_eval_batch_size": 1, "shuffle": false, "max_steps": 8,
    })));
    visit.ask(json!({"type": "tokenize"})).unwrap();
    poison_word(&mut visit);
    visit
}

/// Makes the embedding of one word NaN.
fn poison_word(visit: &mut Visit) {
    let model = visit.session.model.as_mut().unwrap();
    let ids = model.tokenizer.encode(POISON, 3).unwrap().input_ids;
    let table = &mut model.network.bert.embeddings.word_embeddings.first;
    *table = changed(table, |values| {
        let id = ids[1] as usize;
        let row = values.clone().narrow(0, id, 1).mul_scalar(f32::NAN);
        let columns = row.dims()[1];
        values.slice_assign([id..id + 1, 0..columns], row)
    });
}

/// Uses rows of which only one of the test part has that word, and makes its embedding NaN. Returns settings with which
/// no row is mixed with others.
fn poison_text(visit: &mut Visit) -> Values {
    let rows = |texts: [&str; 2]| {
        let rows = (0..).zip(texts);
        let rows = rows.map(|(label, text)| json!({"text": text, "label": label}));
        rows.collect::<Vec<Value>>()
    };
    let request = json!({
        "type": "rows", "train": rows(["bad", "good"]), "test": rows(["fine", POISON]), "labels": ["a", "b"],
    });
    visit.ask(request).unwrap();
    visit.ask(json!({"type": "tokenize"})).unwrap();
    poison_word(visit);
    object(json!({"per_device_eval_batch_size": 1}))
}

/// A trainable parameter with other values.
fn changed<const D: usize>(
    param: &Param<Tensor<D>>,
    change: impl FnOnce(Tensor<D>) -> Tensor<D>,
) -> Param<Tensor<D>> {
    Param::from_tensor(Tensor::from_inner(change(param.val().inner())).require_grad())
}

/// Makes the model that the next run starts from useless.
fn poison_model(visit: &mut Visit) {
    let model = visit.session.model.as_mut().unwrap();
    let bias = &mut model.network.bert.pooler.dense.bias;
    *bias = changed(bias, |values| values.mul_scalar(f32::NAN));
}

/// The bits of every parameter.
fn bits(model: &BertForSequenceClassification) -> Vec<(String, Vec<u32>)> {
    let parameters = model.named_parameters().into_iter();
    let bits = parameters.map(|parameter| {
        let values = block_on(parameter.read()).unwrap();
        (
            parameter.name,
            values.into_iter().map(f32::to_bits).collect(),
        )
    });
    bits.collect()
}

fn current(visit: &Visit) -> BertForSequenceClassification {
    visit.session.run.as_ref().unwrap().trainer.model().unwrap()
}

/// The steps and the numbers of logs of every event, and the error that ends the run.
fn run_to_error(visit: &mut Visit) -> (Vec<(usize, usize)>, Error) {
    let mut steps = Vec::new();
    loop {
        match block_on(visit.session.step_run()) {
            Ok(RunEvent::Step { logs, step, .. }) => steps.push((step, logs.len())),
            Ok(RunEvent::Finished) => panic!("the run does not diverge"),
            Ok(_) => {}
            Err(error) => return (steps, error),
        }
    }
}

#[test]
fn a_diverged_run_keeps_the_weights_and_the_log_of_its_last_finite_step() {
    let mut visit = poisoned();
    visit.start(json!({})).unwrap();
    // Losses are read at the end of the epoch, after step 4.
    visit.session.set_log_every(20);
    let (steps, error) = run_to_error(&mut visit);
    assert_eq!(steps, [(1, 0), (2, 0), (3, 0), (2, 2)]);
    let expected = Error::Diverged {
        what: "loss",
        value: "NaN".into(),
        step: 3,
    };
    assert_eq!(error, expected);
    let trained = visit.session.state().trained.unwrap();
    assert_eq!((trained.global_step, trained.epoch), (2, 0.5));

    let mut stopped = poisoned();
    stopped.start(json!({})).unwrap();
    stopped.session.set_log_every(20);
    stopped.run(2, true).unwrap();
    assert_eq!(bits(&current(&visit)), bits(&current(&stopped)));
    assert_eq!(visit.predict(), stopped.predict());
    let flos = |visit: &Visit| visit.session.run.as_ref().unwrap().trainer.total_flos();
    assert_eq!(flos(&visit), flos(&stopped));
    let evaluated = answered!(visit, Evaluation, json!({"type": "evaluate"}));
    assert_eq!(evaluated.step, 2);

    assert!(visit.export().is_ok());
    let state = visit.exported_trainer_state();
    assert_eq!(state["global_step"], 2);
    assert_eq!(state["log_history"].as_array().unwrap().len(), 2);
    assert!(visit.exported_text("README.md").contains("2 updates"));
}

#[test]
fn a_divergence_that_is_read_when_the_run_is_stopped_is_reported() {
    let mut visit = poisoned();
    visit.start(json!({})).unwrap();
    visit.session.set_log_every(20);
    for _ in 0..3 {
        block_on(visit.session.step_run()).unwrap();
    }
    let error = block_on(visit.session.finish_run(true, 1.5, 20.0)).unwrap_err();
    assert!(matches!(error, Error::Diverged { step: 3, .. }), "{error}");
    let trained = visit.session.state().trained.unwrap();
    assert_eq!(trained.global_step, 2);
}

#[test]
fn a_run_that_fails_later_keeps_the_model_that_was_trained_before_it() {
    let mut visit = poisoned();
    visit.start(json!({})).unwrap();
    visit.run(1, true).unwrap();
    let (before, first) = (visit.predict(), visit.session.state().trained);
    visit.start(json!({"learning_rate": 1e-3})).unwrap();
    let (_, error) = run_to_error(&mut visit);
    assert_eq!(error.code(), "diverged");
    let state = visit.session.state();
    assert_eq!(state.previous, first);
    assert_eq!(state.trained.map(|trained| trained.global_step), Some(2));
    assert_ne!(visit.predict(), before);

    let restored = answered!(visit, Restored, json!({"type": "restore_previous"}));
    assert_eq!(Some(restored), first);
    assert_eq!(visit.predict(), before);
    assert!(visit.export().is_ok());
}

#[test]
fn a_run_that_fails_in_its_first_step_restores_the_model_that_was_trained_before_it() {
    for log_every in [1, 20] {
        let mut visit = Visit::ready();
        visit.start(json!({})).unwrap();
        visit.run(3, false).unwrap();
        let (state, predicted) = (visit.session.state(), visit.predict());
        poison_model(&mut visit);
        visit.start(json!({})).unwrap();
        visit.session.set_log_every(log_every);
        let (steps, error) = run_to_error(&mut visit);
        assert_eq!(steps.len(), if log_every == 1 { 0 } else { 1 });
        assert!(matches!(error, Error::Diverged { step: 1, .. }), "{error}");
        assert_eq!(visit.session.state(), state);
        assert_eq!(visit.predict(), predicted);
        assert!(visit.export().is_ok());
    }
}

#[test]
fn a_run_that_fails_in_its_evaluation_keeps_its_weights() {
    let mut visit = Visit::ready();
    visit.start(json!({})).unwrap();
    visit.run(3, false).unwrap();
    let first = visit.session.state().trained;
    let mut values = object(json!({"max_steps": 2}));
    values.extend(poison_text(&mut visit));
    visit.start(Value::Object(values)).unwrap();
    let (steps, error) = run_to_error(&mut visit);
    assert_eq!(steps.last().map(|(step, _)| *step), Some(1));
    assert_eq!(error.code(), "not_finite");
    let state = visit.session.state();
    assert_eq!(state.trained.map(|trained| trained.global_step), Some(1));
    assert_eq!(state.previous, first);
    let event = block_on(visit.session.step_run()).unwrap();
    assert_eq!(event, RunEvent::Finished);
    assert!(visit.export().is_ok());
}

#[test]
fn without_a_model_before_a_run_that_fails_in_its_first_step_leaves_none() {
    let mut visit = Visit::ready();
    let state = visit.session.state();
    poison_model(&mut visit);
    visit.start(json!({})).unwrap();
    run_to_error(&mut visit);
    assert_eq!(visit.session.state(), state);
    assert_eq!(refusal(visit.export()).0, "not_ready");
}

#[test]
fn logits_that_are_not_finite_are_no_prediction_and_no_accuracy() {
    let mut visit = poisoned();
    let (code, sentence) = refusal(visit.ask(json!({"type": "predict", "text": POISON})));
    assert_eq!(code, "not_finite");
    assert!(sentence.contains("for this text"), "{sentence}");
    poison_model(&mut visit);
    let (code, sentence) = refusal(visit.ask(json!({"type": "evaluate"})));
    assert_eq!(code, "not_finite");
    assert!(sentence.contains("row 1 of the test part"), "{sentence}");
}
