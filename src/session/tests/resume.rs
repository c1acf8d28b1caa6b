//! Runs that are continued after a crash: their losses are those of a run that was not interrupted.

use super::best::with_rows;
use super::*;
use crate::hub::Folder;
use crate::session::protocol::{InterruptedRun, NotSavedReason, ResumedRun};
use crate::train::StepLog;

/// Settings whose state has all that a run can have: accumulation, weight decay, dropout, the best weights.
fn settings() -> Value {
    json!({"state_save_seconds": 1, "gradient_accumulation_steps": 2, "per_device_train_batch_size": 2,
        "weight_decay": 0.1, "learning_rate": 0.01, "lr_scheduler_type": "cosine", "warmup_ratio": 0.2})
}

/// What a run ends with.
#[derive(Debug, PartialEq)]
struct Outcome {
    logs: Vec<StepLog>,
    train_loss: f64,
    weights: Vec<f32>,
    best: Option<(usize, f64)>,
}

/// Does the events of a run to its end, with a second between two of them.
fn finish(visit: &mut Visit) -> Outcome {
    steps(visit, usize::MAX);
    let result = block_on(visit.session.finish_run(false, 1.5, 20.0)).unwrap();
    let run = visit.session.run.as_ref().unwrap();
    let parameters = run.trainer.model().unwrap().named_parameters().into_iter();
    Outcome {
        logs: run.history.step_logs().to_vec(),
        train_loss: result.train_loss,
        weights: parameters
            .flat_map(|parameter| block_on(parameter.read()).unwrap())
            .collect(),
        best: result.best.map(|best| (best.best_step, best.best_metric)),
    }
}

/// Does at most `most` updates; returns the steps whose state was saved, and why others were not.
fn steps(visit: &mut Visit, most: usize) -> (Vec<usize>, Vec<NotSavedReason>) {
    let (mut saved, mut refused, mut done) = (Vec::new(), Vec::new(), 0);
    while done < most {
        visit.fakes.clock.advance(1000.0);
        match block_on(visit.session.step_run()).unwrap() {
            RunEvent::Step { tokens, .. } if tokens > 0 => done += 1,
            RunEvent::StateSaved { step, bytes, .. } => {
                assert!(bytes > 0);
                saved.push(step);
            }
            RunEvent::StateNotSaved { reason, .. } => refused.push(reason),
            RunEvent::Finished => break,
            _ => {}
        }
    }
    (saved, refused)
}

/// Another tab on the same disk, whose session holds nothing.
fn next_visit(fakes: &Fakes) -> Visit {
    let mut visit = Visit::new();
    let compute = std::mem::replace(&mut visit.session, Visit::new().session).compute;
    let fakes = fakes.another_tab();
    visit.session = Session::new(compute, Some(fakes.disk.clone()), fakes.clock.clone());
    visit.session.self_test = Some(SelfTest {
        passed: true,
        checks: Vec::new(),
    });
    visit.fakes = fakes;
    visit
}

fn interrupted(visit: &mut Visit) -> Vec<InterruptedRun> {
    answered!(visit, Interrupted, json!({"type": "interrupted"}))
}

/// Continues the only interrupted run as the page does.
fn resume(visit: &mut Visit) -> Result<ResumedRun> {
    let [run] = interrupted(visit).try_into().unwrap();
    let data = answered!(
        visit,
        ResumeData,
        json!({"type": "resume_data", "run": run.id})
    );
    visit.load_tiny().unwrap();
    let tokenize = json!({"type": "tokenize", "values": data.values});
    visit.ask(tokenize).unwrap();
    block_on(visit.session.resume_run(run.id))
}

/// A session with rows that ends without a sign after `most` updates, and what is left of it.
fn crashed(changes: Value, most: usize) -> Fakes {
    let mut visit = with_rows();
    visit.values.extend(object(settings()));
    visit.start(changes).unwrap();
    steps(&mut visit, most);
    visit.fakes.clone()
}

fn uninterrupted(changes: Value) -> Outcome {
    let mut visit = with_rows();
    visit.values.extend(object(settings()));
    visit.start(changes).unwrap();
    finish(&mut visit)
}

#[test]
fn a_run_continues_with_equal_losses_and_ends_with_equal_weights() {
    let tunings = [
        json!({}),
        json!({"tuning": "lora", "load_best_model_at_end": false}),
        json!({"tuning": "head", "early_stopping_patience": 4}),
        json!({"max_steps": 9, "validation_size": 0.0, "gradient_checkpointing": true}),
    ];
    for changes in tunings {
        let expected = uninterrupted(changes.clone());
        for most in [1, 2, 4, 7] {
            let fakes = crashed(changes.clone(), most);
            let mut visit = next_visit(&fakes);
            let resumed = resume(&mut visit).unwrap();
            assert!(resumed.step + 1 >= most && resumed.step <= most, "{most}");
            assert_eq!(resumed.logs[..], expected.logs[..resumed.step]);
            assert_eq!(finish(&mut visit), expected, "{changes} after {most}");
            assert!(
                fakes
                    .disk
                    .list(Folder::Runs)
                    .iter()
                    .all(|name| name.ends_with(".lock"))
            );
        }
    }
}

#[test]
fn a_run_that_is_interrupted_twice_continues_twice() {
    let expected = uninterrupted(json!({}));
    let fakes = crashed(json!({}), 3);
    let mut second = next_visit(&fakes);
    let from = resume(&mut second).unwrap().step;
    steps(&mut second, 4);
    drop(second);
    let mut third = next_visit(&fakes);
    assert!(resume(&mut third).unwrap().step > from + 2);
    assert_eq!(finish(&mut third), expected);
}

#[test]
fn a_run_without_a_saved_state_starts_again() {
    let expected = uninterrupted(json!({}));
    let fakes = crashed(json!({"state_save_seconds": 3600}), 3);
    let mut visit = next_visit(&fakes);
    assert_eq!(interrupted(&mut visit)[0].summary.as_ref().unwrap().step, 0);
    assert_eq!(resume(&mut visit).unwrap().step, 0);
    assert_eq!(finish(&mut visit), expected);
}

#[test]
fn without_an_interval_nothing_is_stored() {
    let fakes = crashed(json!({"state_save_seconds": 0}), 3);
    assert!(fakes.disk.list(Folder::Runs).is_empty());
}

#[test]
fn a_damaged_state_is_left_for_the_one_before_it_and_then_for_the_start() {
    let expected = uninterrupted(json!({}));
    let fakes = crashed(json!({}), 6);
    let mut states = fakes.disk.list(Folder::Runs);
    states.retain(|name| name.ends_with(".state"));
    assert_eq!(states.len(), 2);
    let mut steps = Vec::new();
    for damaged in [None, Some(1), Some(0)] {
        if let Some(at) = damaged {
            let content = fakes.disk.content(Folder::Runs, &states[at]);
            let middle = content.borrow().len() / 2;
            content.borrow_mut()[middle] ^= 1;
        }
        let mut visit = next_visit(&fakes);
        steps.push(resume(&mut visit).unwrap().step);
        if damaged == Some(0) {
            assert_eq!(finish(&mut visit), expected);
        }
    }
    assert_eq!(steps, [5, 4, 0]);
}

#[test]
fn another_model_or_tokenizer_is_refused_and_the_run_stays() {
    let fakes = crashed(json!({}), 3);
    let mut visit = next_visit(&fakes);
    let [run] = interrupted(&mut visit).try_into().unwrap();
    let request = json!({"type": "resume_data", "run": run.id});
    let data = answered!(visit, ResumeData, request.clone());
    let mut files = TINY.map(|name| (name, tiny(name))).to_vec();
    files[0].1.push(b' ');
    visit.load_files(files).unwrap();
    visit
        .ask(json!({"type": "tokenize", "values": data.values}))
        .unwrap();
    let (code, message) = refusal(block_on(visit.session.resume_run(run.id)));
    assert_eq!(code, "resume");
    assert!(
        message.contains("config.json of the model differs"),
        "{message}"
    );

    answered!(visit, ResumeData, request);
    visit.load_tiny().unwrap();
    let mut shorter = data.values.clone();
    shorter.insert("max_length".into(), json!(4));
    visit
        .ask(json!({"type": "tokenize", "values": shorter}))
        .unwrap();
    let (_, message) = refusal(block_on(visit.session.resume_run(run.id)));
    assert!(
        message.contains("the tokenizer of the model differs"),
        "{message}"
    );
    assert_eq!(interrupted(&mut visit).len(), 1);
    assert!(resume(&mut visit).is_ok());
}

#[test]
fn only_one_tab_trains_a_run() {
    let mut first = with_rows();
    first.values.extend(object(settings()));
    first.start(json!({})).unwrap();
    steps(&mut first, 3);
    let fakes = first.fakes.clone();
    let mut second = next_visit(&fakes);
    assert!(interrupted(&mut second).is_empty());
    let request = json!({"type": "resume_data", "run": 0});
    let (code, message) = refusal(second.ask(request.clone()));
    assert_eq!(code, "resume");
    assert!(message.contains("another tab trains it"), "{message}");
    assert!(
        second
            .ask(json!({"type": "discard_interrupted", "run": 0}))
            .is_err()
    );
    drop(first);
    assert_eq!(interrupted(&mut second).len(), 1);
    answered!(second, ResumeData, request);
    let mut third = next_visit(&fakes);
    assert!(interrupted(&mut third).is_empty());
}

#[test]
fn a_full_disk_keeps_the_last_state_and_the_run_continues() {
    let expected = uninterrupted(json!({}));
    let mut visit = with_rows();
    visit.values.extend(object(settings()));
    visit.start(json!({})).unwrap();
    let (saved, _) = steps(&mut visit, 3);
    visit.fakes.disk.set_full(true);
    let (none, refused) = steps(&mut visit, 3);
    assert!(
        none.is_empty() && refused.contains(&NotSavedReason::StorageFull),
        "{refused:?}"
    );
    visit.fakes.disk.set_full(false);
    let fakes = visit.fakes.clone();
    drop(visit);
    let mut next = next_visit(&fakes);
    assert_eq!(resume(&mut next).unwrap().step, *saved.last().unwrap());
    assert_eq!(finish(&mut next), expected);
}

#[test]
fn a_discarded_run_leaves_no_file() {
    let fakes = crashed(json!({}), 3);
    let mut visit = next_visit(&fakes);
    let left = answered!(
        visit,
        Interrupted,
        json!({"type": "discard_interrupted", "run": 0})
    );
    assert!(left.is_empty());
    assert!(fakes.disk.list(Folder::Runs).is_empty());
    let (code, _) = refusal(visit.ask(json!({"type": "resume_data", "run": 0})));
    assert_eq!(code, "resume");
}

#[test]
fn a_run_of_another_format_is_named() {
    let fakes = crashed(json!({}), 3);
    let content = fakes.disk.content(Folder::Runs, "0.run");
    let text = String::from_utf8(content.borrow().clone()).unwrap();
    content.replace(
        text.replacen("\"format\":1", "\"format\":7", 1)
            .into_bytes(),
    );
    let mut visit = next_visit(&fakes);
    let [run] = interrupted(&mut visit).try_into().unwrap();
    let problem = run.problem.unwrap();
    assert!(
        problem.contains("format 7") && problem.contains("reads format 1"),
        "{problem}"
    );
    let (_, message) = refusal(visit.ask(json!({"type": "resume_data", "run": 0})));
    assert_eq!(message, problem);
}

#[test]
fn a_run_that_was_stopped_is_not_interrupted() {
    let mut visit = with_rows();
    visit.values.extend(object(settings()));
    visit.start(json!({})).unwrap();
    steps(&mut visit, 2);
    visit.session.stop_run();
    finish(&mut visit);
    assert!(interrupted(&mut visit).is_empty());
}
