//! The best epoch: chosen on a validation part, restored at the end, and evaluated on the test part.

use super::*;
use crate::session::protocol::{EvaluatedPart, EvaluationReport};

/// A session with 12 training and 6 test rows.
pub(super) fn with_rows() -> Visit {
    let mut visit = Visit::new();
    let words = [
        "a lovely film",
        "an awful film",
        "a good watch",
        "so boring",
    ];
    let row =
        |at: usize| json!({"text": format!("{} of {at} minutes", words[at % 4]), "label": at % 2});
    let rows = |range: std::ops::Range<usize>| range.map(row).collect::<Vec<Value>>();
    visit.load_tiny().unwrap();
    let request = json!({"type": "rows", "train": rows(0..12), "test": rows(12..18), "labels": ["good", "bad"]});
    visit.ask(request).unwrap();
    visit.ask(json!({"type": "tokenize"})).unwrap();
    visit.values.extend(object(json!({
        "per_device_train_batch_size": 3, "max_steps": 0, "num_train_epochs": 6, "learning_rate": 0.05,
        "lr_scheduler_type": "constant", "load_best_model_at_end": true, "validation_size": 0.25,
    })));
    visit
}

/// The evaluations of a run to its end.
fn evaluations(visit: &mut Visit) -> Vec<(EvaluatedPart, EvaluationReport)> {
    let mut evaluations = Vec::new();
    loop {
        match block_on(visit.session.step_run()).unwrap() {
            RunEvent::Evaluation { report, part } => evaluations.push((part, report)),
            RunEvent::Finished => return evaluations,
            _ => {}
        }
    }
}

/// The position of the lowest loss; the first of equal ones.
fn best(evaluations: &[(EvaluatedPart, EvaluationReport)]) -> usize {
    let loss = |at: usize| evaluations[at].1.eval_loss;
    let better = |best, at| if loss(at) < loss(best) { at } else { best };
    (0..evaluations.len()).fold(0, better)
}

#[test]
fn the_best_epoch_of_the_validation_part_is_restored_and_tested() {
    let mut visit = with_rows();
    visit.start(json!({})).unwrap();
    let all = evaluations(&mut visit);
    let result = block_on(visit.session.finish_run(false, 1.5, 20.0)).unwrap();
    // Nine rows are trained on, in three batches, and three are the validation part.
    let (last, epochs) = all.split_last().unwrap();
    assert_eq!(epochs.len(), 6);
    for (at, (part, report)) in epochs.iter().enumerate() {
        assert_eq!(
            (*part, report.step),
            (EvaluatedPart::Validation, 3 * at + 3)
        );
        let support: usize = report.classes.iter().map(|class| class.support).sum();
        assert_eq!(support, 3);
    }
    let at = best(epochs);
    assert!(
        at + 1 < epochs.len(),
        "the last epoch is the best: nothing is restored"
    );
    let found = result.best.unwrap();
    assert_eq!((found.best_step, found.restored), (3 * at + 3, true));
    assert_eq!(found.best_metric, epochs[at].1.eval_loss);
    assert_eq!((result.global_step, result.stopped_early), (18, false));

    // The test part, once, with the restored weights: an evaluation by hand gives the same.
    assert_eq!(last.0, EvaluatedPart::Test);
    let report = answered!(visit, Evaluation, json!({"type": "evaluate"}));
    assert_eq!(report.eval_loss, last.1.eval_loss);
    assert_eq!(result.evaluation.unwrap().eval_loss, last.1.eval_loss);

    visit.export().unwrap();
    let card = visit.exported_text("README.md");
    assert!(
        card.contains("| all | 9 | 3 | 6 |") && card.contains("## Results"),
        "{card}"
    );
    let state = visit.exported_trainer_state();
    assert_eq!(state["best_global_step"], found.best_step);
    assert_eq!(state["best_metric"], found.best_metric);
    let log = state["log_history"].as_array().unwrap();
    assert!(log[log.len() - 2].get("train_loss").is_some());
    assert_eq!(log[log.len() - 1]["eval_loss"], last.1.eval_loss);
}

#[test]
fn without_a_validation_part_the_weights_of_the_best_test_evaluation_are_restored() {
    let mut visit = with_rows();
    // It stops early, so that the last epoch is not the best.
    visit
        .start(
            json!({"validation_size": 0.0, "num_train_epochs": 30, "early_stopping_patience": 2}),
        )
        .unwrap();
    let all = evaluations(&mut visit);
    assert!(all.iter().all(|(part, _)| *part == EvaluatedPart::Test));
    let (last, epochs) = all.split_last().unwrap();
    let at = best(epochs);
    assert_eq!(epochs.len(), at + 3);
    // Restored to the last bit.
    assert_eq!(last.1.eval_loss, epochs[at].1.eval_loss);
    let result = block_on(visit.session.finish_run(false, 1.5, 20.0)).unwrap();
    assert_eq!(result.evaluation.unwrap().eval_loss, last.1.eval_loss);
}

#[test]
fn a_run_that_does_not_improve_stops_early() {
    let mut visit = with_rows();
    let settings = json!({
        "early_stopping_patience": 2, "load_best_model_at_end": false, "validation_size": 0.0, "num_train_epochs": 30,
    });
    visit.start(settings).unwrap();
    let epochs = evaluations(&mut visit);
    let at = best(&epochs);
    assert_eq!(epochs.len(), at + 3);
    let result = block_on(visit.session.finish_run(false, 1.5, 20.0)).unwrap();
    assert!(result.stopped_early && !result.stopped);
    assert_eq!((result.global_step, result.max_steps), (4 * (at + 3), 120));
    let found = result.best.unwrap();
    assert_eq!((found.best_step, found.restored), (4 * (at + 1), false));
    // The weights are those of the last step.
    assert_eq!(
        result.evaluation.unwrap().eval_loss,
        epochs[at + 2].1.eval_loss
    );
}

#[test]
fn a_run_that_ends_during_an_evaluation_has_the_best_weights_so_far() {
    let mut visit = with_rows();
    visit
        .start(json!({"per_device_eval_batch_size": 1}))
        .unwrap();
    let mut first = None;
    while first.is_none() {
        if let RunEvent::Evaluation { report, .. } = block_on(visit.session.step_run()).unwrap() {
            first = Some(report);
        }
    }
    let predicted = visit.predict();
    while !matches!(
        block_on(visit.session.step_run()).unwrap(),
        RunEvent::Evaluating { .. }
    ) {}
    visit.session.stop_run();
    let result = block_on(visit.session.finish_run(true, 1.5, 20.0)).unwrap();
    let found = result.best.unwrap();
    assert_eq!(
        (found.best_step, found.restored, result.global_step),
        (3, true, 6)
    );
    // The test part was never evaluated.
    assert_eq!(result.evaluation, None);
    assert_eq!(visit.predict(), predicted);
}

#[test]
fn a_validation_part_that_lacks_a_class_is_refused() {
    let mut visit = with_rows();
    let (code, sentence) = refusal(visit.start(json!({"validation_size": 0.05})));
    assert_eq!(code, "settings");
    assert!(sentence.contains("validation_size = 0.05"), "{sentence}");
    let plan = answered!(visit, Plan, json!({"type": "plan"}));
    assert_eq!((plan.steps_per_epoch, plan.max_steps), (3, 18));
}
