//! The model that was trained before: restored, discarded, and counted in the memory of the next run.

use super::*;
use crate::session::protocol::TrainedState;
use crate::train::DeviceMemory;

fn steps(state: Option<TrainedState>) -> Option<usize> {
    state.map(|state| state.global_step)
}

/// The probabilities of a sentence before and after training.
type Predicted = (Vec<f32>, Option<Vec<f32>>);

/// A session with two trained models, of 3 and of 2 steps, and their predictions.
fn trained_twice() -> (Visit, [Predicted; 2]) {
    let mut visit = Visit::ready();
    visit.start(json!({})).unwrap();
    visit.run(3, false).unwrap();
    let first = visit.predict();
    visit.start(json!({"learning_rate": 1e-3})).unwrap();
    visit.run(2, true).unwrap();
    let second = visit.predict();
    assert_ne!(first, second);
    (visit, [first, second])
}

#[test]
fn a_new_run_keeps_the_model_that_was_trained_last() {
    let (mut visit, [first, second]) = trained_twice();
    let state = visit.session.state();
    assert_eq!(
        (steps(state.trained), steps(state.previous)),
        (Some(2), Some(3))
    );
    for (predicted, trained, previous) in [(&first, 3, 2), (&second, 2, 3), (&first, 3, 2)] {
        let restored = answered!(visit, Restored, json!({"type": "restore_previous"}));
        assert_eq!(restored.global_step, trained);
        assert_eq!(&visit.predict(), predicted);
        let state = visit.session.state();
        assert_eq!(steps(state.trained), Some(trained));
        assert_eq!(steps(state.previous), Some(previous));
        assert!(visit.export().is_ok());
        let report = answered!(visit, Evaluation, json!({"type": "evaluate"}));
        assert_eq!(report.step, trained);
    }
    visit.start(json!({})).unwrap();
    let state = visit.session.state();
    assert_eq!(
        (steps(state.trained), steps(state.previous)),
        (None, Some(3))
    );
    visit.run(1, true).unwrap();
    let state = visit.session.state();
    assert_eq!(
        (steps(state.trained), steps(state.previous)),
        (Some(1), Some(3))
    );
}

#[test]
fn a_run_that_is_stopped_before_its_first_step_restores_the_model_before() {
    let (mut visit, [_, second]) = trained_twice();
    let trained = visit.session.state().trained;
    visit.start(json!({})).unwrap();
    let result = visit.run(0, true).unwrap();
    assert_eq!((result.global_step, result.evaluation), (0, None));
    assert_eq!(visit.session.state().trained, trained);
    assert_eq!(visit.predict(), second);
}

#[test]
fn a_model_is_discarded() {
    let (mut visit, [first, _]) = trained_twice();
    let discard = |model: &str| json!({"type": "discard", "model": model});
    visit.ask(discard("trained")).unwrap();
    let state = visit.session.state();
    assert_eq!(
        (steps(state.trained), steps(state.previous)),
        (None, Some(3))
    );
    assert_eq!(refusal(visit.ask(discard("trained"))).0, "not_ready");
    assert_eq!(refusal(visit.export()).0, "not_ready");
    assert_eq!(visit.predict().1, None);
    visit.ask(json!({"type": "restore_previous"})).unwrap();
    assert_eq!(visit.predict(), first);
    let (code, sentence) = refusal(visit.ask(json!({"type": "restore_previous"})));
    assert_eq!(code, "not_ready");
    assert!(
        sentence.contains("No other model was trained"),
        "{sentence}"
    );
    assert_eq!(visit.predict(), first);

    let (mut visit, [_, second]) = trained_twice();
    visit.ask(discard("previous")).unwrap();
    assert_eq!(visit.session.state().previous, None);
    assert_eq!(refusal(visit.ask(discard("previous"))).0, "not_ready");
    assert_eq!(visit.predict(), second);
}

#[test]
fn models_are_not_exchanged_or_discarded_during_a_run() {
    let (mut visit, _) = trained_twice();
    visit.start(json!({})).unwrap();
    block_on(visit.session.step_run()).unwrap();
    let state = visit.session.state();
    for request in [
        json!({"type": "restore_previous"}),
        json!({"type": "discard", "model": "trained"}),
        json!({"type": "discard", "model": "previous"}),
    ] {
        let (code, sentence) = refusal(visit.ask(request));
        assert_eq!(code, "not_ready");
        assert!(sentence.contains("in progress"), "{sentence}");
    }
    assert_eq!(visit.session.state(), state);
    assert_eq!(visit.run(1, true).unwrap().global_step, 2);
}

#[test]
fn a_run_that_fits_only_without_the_kept_model_asks_to_discard_it() {
    let (mut visit, [_, second]) = trained_twice();
    let plan = answered!(visit, Plan, json!({"type": "plan"}))
        .memory
        .unwrap()
        .plan;
    let parameters = visit.session.model.as_ref().unwrap().parameter_bytes();
    assert_eq!(plan.kept, parameters);
    visit.session.compute.memory =
        MemoryBudget::new(DeviceMemory::Fixed(plan.total - plan.kept), None);
    let state = visit.session.state();
    let (code, sentence) = refusal(visit.start(json!({})));
    assert_eq!(code, "memory_kept");
    assert!(sentence.contains("discard it"), "{sentence}");
    assert_eq!(visit.session.state(), state);
    assert_eq!(visit.predict(), second);
    let report = answered!(visit, Plan, json!({"type": "plan"}))
        .memory
        .unwrap();
    let kind = serde_json::to_value(report.shortage).unwrap();
    assert_eq!(kind["kind"], "kept");

    // The model of the run before would be freed, so that it does not count beside the current one.
    visit
        .ask(json!({"type": "discard", "model": "trained"}))
        .unwrap();
    assert_eq!(refusal(visit.start(json!({}))).0, "memory_kept");
    visit
        .ask(json!({"type": "discard", "model": "previous"}))
        .unwrap();
    visit.start(json!({})).unwrap();
}

#[test]
fn a_run_books_its_memory_only_when_it_has_been_built() {
    let (mut visit, [_, second]) = trained_twice();
    let in_use = |visit: &Visit| visit.session.compute.memory.in_use();
    let before = in_use(&visit);
    // More layers than the model has: found out when the network is built.
    let (code, _) =
        refusal(visit.start(json!({"freeze_layers": 3, "per_device_train_batch_size": 1})));
    assert_eq!(code, "settings");
    assert_eq!(in_use(&visit), before);
    assert_eq!(visit.predict(), second);

    let memory = answered!(visit, Plan, json!({"type": "plan"})).memory;
    visit.start(json!({})).unwrap();
    assert_eq!(in_use(&visit), memory.unwrap().plan.total);
    // A run that is dropped returns its buffers: those of the checkpoint and of one trained network
    // are left.
    visit.run(0, true).unwrap();
    let parameters = visit.session.model.as_ref().unwrap().parameter_bytes();
    assert_eq!(in_use(&visit), 2 * parameters);
}

#[test]
fn another_model_is_refused_while_the_trained_ones_leave_no_memory() {
    let (mut visit, [_, second]) = trained_twice();
    let parameters = visit.session.model.as_ref().unwrap().parameter_bytes();
    visit.session.compute.memory = MemoryBudget::new(DeviceMemory::Fixed(4 * parameters - 4), None);
    visit.session.compute.memory.set_in_use(3 * parameters);
    let state = visit.session.state();
    let (code, sentence) = refusal(visit.load_tiny());
    assert_eq!(code, "memory");
    assert!(sentence.contains("discard them"), "{sentence}");
    assert_eq!(visit.session.state(), state);
    assert_eq!(visit.predict(), second);
    visit
        .ask(json!({"type": "discard", "model": "previous"}))
        .unwrap();
    visit.load_tiny().unwrap();
    let state = visit.session.state();
    assert_eq!((state.trained, state.previous), (None, None));
}
