//! Evaluations: stepped, stopped, and with the arguments of the run.

use super::*;
use crate::session::protocol::WorkEvent;

/// A session with six test rows that are evaluated one by one.
fn with_test_rows() -> Visit {
    let mut visit = Visit::new();
    let row = |at| json!({"text": format!("a film of {at} minutes"), "label": at % 2});
    let rows = |count| (0..count).map(row).collect::<Vec<Value>>();
    visit.load_tiny().unwrap();
    let request =
        json!({"type": "rows", "train": rows(8), "test": rows(6), "labels": ["bad", "good"]});
    visit.ask(request).unwrap();
    visit.ask(json!({"type": "tokenize"})).unwrap();
    visit.values.extend(object(json!({
        "per_device_eval_batch_size": 1, "per_device_train_batch_size": 2, "max_steps": 8,
    })));
    visit
}

fn evaluating(visit: &Visit) -> Vec<usize> {
    let events = visit.recorder.events.take();
    let done = events.into_iter().filter_map(|event| match event {
        SessionEvent::Work(WorkEvent::Evaluating { done, total: 6 }) => Some(done),
        _ => None,
    });
    done.collect()
}

#[test]
fn the_evaluation_at_the_end_of_an_epoch_is_done_batch_by_batch() {
    let mut visit = with_test_rows();
    visit.start(json!({})).unwrap();
    let mut kinds = Vec::new();
    loop {
        match block_on(visit.session.step_run()).unwrap() {
            RunEvent::Step { step, .. } => kinds.push(format!("step {step}")),
            RunEvent::Evaluating { done, total } => kinds.push(format!("{done} of {total}")),
            RunEvent::Evaluation { report, .. } => kinds.push(format!("after {}", report.step)),
            RunEvent::Finished => break,
            other => panic!("{other:?}"),
        }
    }
    // Results of four batches are read back together.
    let evaluation = ["0 of 6", "0 of 6", "0 of 6", "4 of 6", "4 of 6"];
    let mut expected: Vec<String> = Vec::new();
    for epoch in [0, 1] {
        expected.extend((1..=4).map(|step| format!("step {}", 4 * epoch + step)));
        expected.extend(evaluation.map(String::from));
        expected.push(format!("after {}", 4 * epoch + 4));
    }
    assert_eq!(kinds, expected);
}

#[test]
fn a_stopped_run_is_evaluated_batch_by_batch_and_once() {
    let mut visit = with_test_rows();
    visit.start(json!({})).unwrap();
    visit.session.set_log_every(20);
    for _ in 0..2 {
        block_on(visit.session.step_run()).unwrap();
    }
    visit.session.stop_run();
    let mut kinds = Vec::new();
    loop {
        match block_on(visit.session.step_run()).unwrap() {
            RunEvent::Step { logs, tokens, .. } => kinds.push((tokens, logs.len())),
            RunEvent::Evaluating { .. } => kinds.push((1, 1)),
            RunEvent::Evaluation { report, .. } => kinds.push((2, report.step)),
            RunEvent::Finished => break,
            other => panic!("{other:?}"),
        }
    }
    let batch = (1, 1);
    assert_eq!(kinds, [(0, 2), batch, batch, batch, batch, batch, (2, 2)]);
    visit.session.stop_run();
    let event = block_on(visit.session.step_run()).unwrap();
    assert_eq!(
        event,
        RunEvent::Finished,
        "the weights are evaluated already"
    );
    let result = block_on(visit.session.finish_run(true, 1.5, 20.0)).unwrap();
    assert_eq!(result.evaluation.unwrap().step, 2);
}

#[test]
fn a_run_that_ends_during_its_evaluation_keeps_its_weights_without_a_result() {
    let mut visit = with_test_rows();
    visit.start(json!({})).unwrap();
    // Four steps, the evaluation, two steps.
    for _ in 0..4 + 6 + 2 {
        block_on(visit.session.step_run()).unwrap();
    }
    visit.session.stop_run();
    let event = block_on(visit.session.step_run()).unwrap();
    assert_eq!(event, RunEvent::Evaluating { done: 0, total: 6 });
    let result = block_on(visit.session.finish_run(true, 1.5, 20.0)).unwrap();
    assert_eq!((result.global_step, result.evaluation), (6, None));
    assert_eq!(visit.session.state().trained.unwrap().global_step, 6);
    // The card does not show the evaluation after step 4 as that of the exported weights.
    visit.export().unwrap();
    assert!(!visit.exported_text("README.md").contains("## Results"));
    let event = block_on(visit.session.step_run()).unwrap();
    assert_eq!(event, RunEvent::Finished);
}

#[test]
fn a_stop_is_heard_between_two_batches_of_an_evaluation() {
    let mut visit = with_test_rows();
    visit.start(json!({})).unwrap();
    visit.run(3, true).unwrap();
    let (state, predicted) = (visit.session.state(), visit.predict());
    evaluating(&visit);
    let network = visit.fakes.network.clone();
    visit
        .fakes
        .clock
        .on_task(move |task| network.set_stopped(task == 2));
    let (code, sentence) = refusal(visit.ask(json!({"type": "evaluate"})));
    assert_eq!(
        (code, sentence.as_str()),
        ("stopped", "The evaluation was stopped.")
    );
    assert_eq!(evaluating(&visit), [0, 0]);
    visit.fakes.network.set_stopped(false);
    visit.fakes.clock.on_task(|_| ());
    assert_eq!(visit.session.state(), state);
    assert_eq!(visit.predict(), predicted);
    let request = json!({"type": "evaluate", "logits": true});
    let report = answered!(visit, Evaluation, request);
    assert_eq!(report.logits.unwrap().len(), 6);
    assert_eq!(evaluating(&visit), [0, 0, 0, 4, 4, 6]);
}

#[test]
fn an_evaluation_on_request_has_the_arguments_of_the_run() {
    let mut visit = with_test_rows();
    // With a learning rate of 0, both runs have the same weights.
    let settings = |smoothing: f64| {
        let mut settings = json!({"per_device_eval_batch_size": 4, "learning_rate": 0.0});
        settings["label_smoothing_factor"] = json!(smoothing);
        settings
    };
    visit.start(settings(0.25)).unwrap();
    let at_the_end = visit.run(4, true).unwrap().evaluation.unwrap();
    let request = json!({"type": "evaluate", "logits": true});
    let on_request = answered!(visit, Evaluation, request.clone());
    assert_eq!(on_request.eval_loss, at_the_end.eval_loss);
    visit.start(settings(0.0)).unwrap();
    let plain = visit.run(4, true).unwrap().evaluation.unwrap();
    assert_eq!(
        answered!(visit, Evaluation, request).logits,
        on_request.logits
    );
    assert_ne!(plain.eval_loss, at_the_end.eval_loss);
}

#[test]
fn the_result_of_a_run_and_its_history_have_the_rates_of_transformers() {
    let mut visit = Visit::new();
    let row = |at| json!({"text": format!("row {at}"), "label": at % 2});
    let rows = |count| (0..count).map(row).collect::<Vec<Value>>();
    visit.load_tiny().unwrap();
    let request = json!({"type": "rows", "train": rows(81), "test": rows(2), "labels": ["a", "b"]});
    visit.ask(request).unwrap();
    visit.ask(json!({"type": "tokenize"})).unwrap();
    visit
        .start(json!({"per_device_train_batch_size": 8, "max_steps": 11}))
        .unwrap();
    let result = visit.run(11, false).unwrap();
    // `max_steps * total_train_batch_size / runtime`
    assert_eq!(result.train_samples_per_second, 58.667);
    assert_eq!(result.train_steps_per_second, 7.333);
    visit.export().unwrap();
    let state = visit.exported_trainer_state();
    let summary = state["log_history"].as_array().unwrap().last().unwrap();
    assert_eq!(summary["train_samples_per_second"], 58.667);
    assert_eq!(summary["train_steps_per_second"], 7.333);
    assert_eq!(summary["train_runtime"], result.train_runtime);
    assert_eq!(summary["train_loss"], result.train_loss);
}
