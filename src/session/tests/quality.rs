//! Audit, baselines and recommendation of a session.

use super::*;
use crate::session::protocol::{AuditView, WorkEvent};

fn ids(view: &AuditView) -> Vec<&'static str> {
    view.findings.iter().map(|finding| finding.id).collect()
}

#[test]
fn the_audit_of_the_articles_rows_finds_every_test_row_in_the_training_part() {
    let mut visit = Visit::new();
    visit.values.insert("num_rows".into(), json!(100));
    visit.ask(json!({"type": "dataset"})).unwrap();
    let first = answered!(visit, Audit, json!({"type": "audit"}));
    assert!(!first.has_split && ids(&first).contains(&"duplicates"));
    visit.ask(json!({"type": "split"})).unwrap();
    visit.values.insert("warmup_steps".into(), json!(500));
    visit.values.insert("max_length".into(), json!(8));
    visit.load_tiny().unwrap();
    visit.ask(json!({"type": "tokenize"})).unwrap();
    let view = answered!(visit, Audit, json!({"type": "audit"}));
    assert!(view.has_split && view.has_tokens);
    let across = view
        .findings
        .iter()
        .find(|finding| finding.id == "duplicates_across_split")
        .unwrap();
    assert_eq!((across.count, across.of), (20, 20));
    assert!(ids(&view).contains(&"warmup_longer_than_run"));
    // The tiny checkpoint has few words, and 16 tokens are too few for the longer sentence.
    assert!(
        ids(&view)
            .iter()
            .any(|id| ["unknown_tokens", "truncated"].contains(id))
    );
}

#[test]
fn baselines_come_with_and_without_embeddings() {
    let mut visit = Visit::ready();
    let request = json!({"type": "baselines", "embeddings": false});
    let view = answered!(visit, Baselines, request);
    let ids: Vec<_> = view.baselines.iter().map(|one| one.id).collect();
    assert_eq!(ids, ["majority", "tfidf"]);
    assert_eq!((view.train_rows, view.test_rows), (16, 4));
    // Two sentences are told apart by their words.
    assert_eq!(view.baselines[1].eval_accuracy, 1.0);
    let request = json!({"type": "baselines", "embeddings": true});
    let view = answered!(visit, Baselines, request.clone());
    assert_eq!(view.baselines[2].id, "embeddings");
    assert_eq!(view.baselines[2].eval_accuracy, 1.0);
    let times_done = |visit: &Visit| {
        let done = SessionEvent::Work(WorkEvent::Embedding {
            done: 20,
            total: 20,
        });
        let events = visit.recorder.events.borrow();
        events.iter().filter(|event| **event == done).count()
    };
    assert_eq!(times_done(&visit), 1);
    // The embeddings are computed once for the tokens.
    visit.ask(request).unwrap();
    assert_eq!(times_done(&visit), 1);
}

#[test]
fn embeddings_are_the_means_of_the_hidden_states() {
    let mut visit = Visit::ready();
    visit
        .ask(json!({"type": "baselines", "embeddings": true}))
        .unwrap();
    let session = &visit.session;
    let tokens = session.require_tokens().unwrap();
    let embeddings = tokens.embeddings().unwrap();
    let (network, size) = (
        &session.model.as_ref().unwrap().network,
        embeddings.hidden_size,
    );
    for (at, row) in tokens.train.iter().enumerate().take(3) {
        let batch = crate::tokens::DataCollator::longest(0, 0).collate(&[&row.encoding]);
        let mean = network
            .mean_pooled(&batch)
            .into_data()
            .try_into_vec::<f32>()
            .unwrap();
        let norm = mean.iter().map(|value| value * value).sum::<f32>().sqrt();
        for (value, from) in embeddings.train[at * size..(at + 1) * size]
            .iter()
            .zip(&mean)
        {
            assert!((value - from / norm).abs() < 1e-5);
        }
    }
}

#[test]
fn long_work_is_stopped_and_leaves_the_session_as_it_was() {
    let mut visit = Visit::ready();
    let network = visit.fakes.network.clone();
    visit
        .fakes
        .clock
        .on_task(move |_| network.set_stopped(true));
    for request in [
        json!({"type": "baselines", "embeddings": true}),
        json!({"type": "audit_labels"}),
    ] {
        visit.fakes.network.set_stopped(false);
        assert_eq!(refusal(visit.ask(request)).0, "stopped");
    }
    let state = visit.session.state();
    assert!(state.split && state.tokenized);
}

#[test]
fn a_recommendation_is_a_valid_run() {
    let mut visit = Visit::new();
    visit.ask(json!({"type": "dataset"})).unwrap();
    visit.ask(json!({"type": "split"})).unwrap();
    let request = json!({"type": "recommend", "budget_seconds": null, "seconds_per_unit": null});
    let found = answered!(visit, Recommendation, request.clone());
    assert!(!found.reasons.is_empty() && found.num_steps > 0);
    visit.values.extend(found.values);
    visit.values.insert("max_steps".into(), json!(0));
    let plan = answered!(visit, Plan, json!({"type": "plan"}));
    assert_eq!(plan.max_steps, found.num_steps);
    visit.load_tiny().unwrap();
    visit.ask(json!({"type": "tokenize"})).unwrap();
    assert!(visit.ask(request).is_ok());
}

#[test]
fn a_recommended_length_is_one_that_the_model_has() {
    let mut visit = Visit::new();
    visit.load_tiny().unwrap();
    let positions = visit
        .session
        .model
        .as_ref()
        .unwrap()
        .config
        .max_position_embeddings;
    let long = |label: usize| json!({"text": "so good ".repeat(positions), "label": label});
    let rows = json!({"type": "rows", "train": [long(0), long(1)], "test": [long(0)], "labels": ["x", "y"]});
    visit.ask(rows).unwrap();
    let request = json!({"type": "recommend", "budget_seconds": null, "seconds_per_unit": null});
    let found = answered!(visit, Recommendation, request);
    let max_length = found.values["max_length"].as_u64().unwrap() as usize;
    assert!(
        max_length <= positions && max_length + 8 > positions,
        "{max_length} of {positions}"
    );
    visit.values.extend(found.values);
    visit.ask(json!({"type": "tokenize"})).unwrap();
}
