//! Saved checkpoints: which steps, what is in them, and a disk that fails.

use super::best::with_rows;
use super::divergence::poisoned;
use super::*;
use crate::hub::Folder;
use crate::session::protocol::{EvaluatedPart, NotSavedReason};

/// The texts that every folder of a checkpoint repeats.
fn shared() -> Vec<(&'static str, String)> {
    vec![("config.json", "{}\n".into())]
}

/// Does the steps of a run to its end.
pub(super) fn events(visit: &mut Visit) -> Vec<RunEvent> {
    let mut events = Vec::new();
    loop {
        match block_on(visit.session.step_run()).unwrap() {
            RunEvent::Finished => return events,
            event => events.push(event),
        }
    }
}

pub(super) fn finish(visit: &mut Visit, stopped: bool) -> TrainResult {
    block_on(visit.session.finish_run(stopped, 1.5, 20.0)).unwrap()
}

/// The steps that were saved, each with those that were kept then.
fn saved(events: &[RunEvent]) -> Vec<(usize, Vec<usize>)> {
    let saved = events.iter().filter_map(|event| match event {
        RunEvent::Saved { step, kept, .. } => Some((*step, kept.clone())),
        _ => None,
    });
    saved.collect()
}

fn not_saved(events: &[RunEvent]) -> Vec<(usize, NotSavedReason)> {
    let refused = events.iter().filter_map(|event| match event {
        RunEvent::NotSaved { step, reason } => Some((*step, *reason)),
        _ => None,
    });
    refused.collect()
}

/// The files of the current run's checkpoints, by name, after the lengths were compared.
pub(super) fn files(visit: &Visit) -> Vec<(String, Vec<u8>)> {
    let files = visit.session.checkpoint_files(&shared()).into_iter();
    let read = files.map(|file| {
        let mut bytes = Vec::new();
        let mut sink = |piece: &[u8]| {
            assert!(piece.len() <= 1 << 20);
            bytes.extend_from_slice(piece);
            Ok(())
        };
        block_on(file.write(&mut sink)).unwrap();
        assert_eq!(bytes.len() as u64, file.bytes, "{}", file.name);
        (file.name, bytes)
    });
    read.collect()
}

/// The steps of the current run's checkpoints whose files can be read.
pub(super) fn steps(visit: &Visit) -> Vec<usize> {
    let files = files(visit).into_iter().filter_map(|(name, _)| {
        let folder = name.strip_suffix("/model.safetensors")?;
        folder.strip_prefix("results/checkpoint-")?.parse().ok()
    });
    files.collect()
}

fn content(visit: &Visit, name: &str) -> Vec<u8> {
    let mut files = files(visit).into_iter();
    let found = files.find(|(of, _)| of == name);
    found.unwrap_or_else(|| panic!("no {name}")).1
}

fn json_of(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

/// The files on the disk, without those that mark a session.
pub(super) fn on_disk(visit: &Visit) -> Vec<String> {
    let mut names = visit.fakes.disk.list(Folder::Checkpoints);
    names.retain(|name| !name.ends_with(".lock"));
    names
}

/// `model.safetensors` of the exported folder.
fn exported_weights(visit: &mut Visit) -> Vec<u8> {
    visit.export().unwrap();
    let bytes = visit.recorder.bytes.borrow().clone();
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut file = archive.by_name("model.safetensors").unwrap();
    let mut weights = Vec::new();
    file.read_to_end(&mut weights).unwrap();
    weights
}

#[test]
fn the_saved_steps_are_those_of_the_trainer() {
    let text = include_str!("../../../tests/fixtures/reference/checkpoints.json");
    let cases: Vec<Value> = serde_json::from_str(text).unwrap();
    // The evaluations decide nothing: those of this network are others than the recorded ones.
    let cases: Vec<Value> = cases
        .into_iter()
        .filter(|case| {
            let of = &case["arguments"];
            of["save_strategy"] != "best"
                && of["load_best_model_at_end"] == false
                && of["early_stopping_patience"] == 0
        })
        .collect();
    assert!(cases.len() >= 10);
    let mut visit = Visit::new();
    let row = |at: usize| json!({"text": format!("a film of {at} minutes"), "label": at % 2});
    let rows = |range: std::ops::Range<usize>| range.map(row).collect::<Vec<Value>>();
    visit.load_tiny().unwrap();
    let request =
        json!({"type": "rows", "train": rows(0..20), "test": rows(20..24), "labels": ["a", "b"]});
    visit.ask(request).unwrap();
    visit.ask(json!({"type": "tokenize"})).unwrap();
    for case in cases {
        visit.start(case["arguments"].clone()).unwrap();
        // A read-back is due at a step that is saved, whatever the caller asks for.
        visit.session.set_log_every(1000);
        let recorded = case["events"].as_array().unwrap().iter();
        let recorded: Vec<(usize, Vec<usize>)> = recorded
            .map(|event| serde_json::from_value(json!([event["step"], event["kept"]])).unwrap())
            .collect();
        assert_eq!(saved(&events(&mut visit)), recorded, "{case}");
        finish(&mut visit, false);
        assert_eq!(json!(steps(&visit)), case["finished"], "{case}");
        for step in steps(&visit) {
            let state = format!("results/checkpoint-{step}/trainer_state.json");
            let state = json_of(&content(&visit, &state));
            let log = state["log_history"].as_array().unwrap().iter();
            let losses = log.filter(|entry| entry.get("loss").is_some()).count();
            assert_eq!((losses, &state["global_step"]), (step, &json!(step)));
        }
    }
}

#[test]
fn a_checkpoint_is_the_exported_model_of_its_step() {
    for tuning in ["full", "lora"] {
        let mut visit = Visit::ready();
        let settings = json!({"tuning": tuning, "learning_rate": 1e-2, "save_strategy": "steps", "save_steps": 2});
        visit.start(settings.clone()).unwrap();
        let events = events(&mut visit);
        assert_eq!(saved(&events), [(2, vec![2]), (3, vec![2, 3])]);
        finish(&mut visit, false);
        let [second, third] = [2, 3].map(|step| {
            content(
                &visit,
                &format!("results/checkpoint-{step}/model.safetensors"),
            )
        });
        let state = json_of(&content(&visit, "results/checkpoint-2/trainer_state.json"));
        assert_eq!(exported_weights(&mut visit), third);
        let names: Vec<String> = files(&visit).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), 6);
        assert_eq!(names[0], "results/checkpoint-2/config.json");
        assert_eq!(content(&visit, "results/checkpoint-3/config.json"), b"{}\n");
        let bytes = events.iter().find_map(|event| match event {
            RunEvent::Saved { bytes, .. } => Some(*bytes),
            _ => None,
        });
        let on_disk = visit.fakes.disk.list(Folder::Checkpoints);
        let first = |name: &&String| name.contains(".checkpoint-2.");
        let lengths = on_disk.iter().filter(first).map(|name| {
            let content = visit.fakes.disk.content(Folder::Checkpoints, name);
            content.borrow().len() as u64
        });
        assert_eq!(bytes, Some(lengths.sum()));

        // The same run, stopped after this step.
        let mut stopped = Visit::ready();
        stopped.start(settings).unwrap();
        stopped.run(2, true).unwrap();
        assert_eq!(exported_weights(&mut stopped), second);
        assert_ne!(second, third);
        let expected = stopped.exported_trainer_state();
        let log = expected["log_history"].as_array().unwrap();
        assert_eq!(state["log_history"], json!(log[..2]));
        for field in [
            "global_step",
            "epoch",
            "max_steps",
            "total_flos",
            "num_train_epochs",
        ] {
            assert_eq!(state[field], expected[field], "{field}");
        }
        assert_eq!(state["save_steps"], 2);
    }
}

#[test]
fn the_best_checkpoints_are_saved_and_the_last_of_them_stays() {
    let mut visit = with_rows();
    visit
        .start(json!({"save_strategy": "best", "save_total_limit": 1}))
        .unwrap();
    let events = events(&mut visit);
    let mut lowest = f64::INFINITY;
    let mut better = Vec::new();
    for event in &events {
        if let RunEvent::Evaluation { report, part } = event
            && *part == EvaluatedPart::Validation
            && report.eval_loss < lowest
        {
            lowest = report.eval_loss;
            better.push((report.step, vec![report.step]));
        }
    }
    assert_eq!(saved(&events), better);
    assert!(
        better.len() < 6,
        "every epoch is better: nothing is left out"
    );
    let result = finish(&mut visit, false);
    let best = result.best.unwrap();
    assert_eq!(steps(&visit), [best.best_step]);
    let folder = format!("results/checkpoint-{}", best.best_step);
    let state = json_of(&content(&visit, &format!("{folder}/trainer_state.json")));
    assert_eq!(state["best_model_checkpoint"], json!(folder));
    assert_eq!(state["best_global_step"], best.best_step);
    assert_eq!(
        state["log_history"].as_array().unwrap().last().unwrap()["eval_loss"],
        lowest
    );
    // The restored weights are those of the checkpoint.
    let weights = content(&visit, &format!("{folder}/model.safetensors"));
    assert_eq!(exported_weights(&mut visit), weights);
    assert_eq!(
        visit.exported_trainer_state()["best_model_checkpoint"],
        json!(folder)
    );
}

#[test]
fn a_checkpoint_that_does_not_fit_is_reported_and_the_run_goes_on() {
    let settings = json!({"save_strategy": "steps", "save_steps": 1});
    let mut visit = Visit::ready();
    visit.start(settings.clone()).unwrap();
    let unlimited = events(&mut visit);
    let plain = finish(&mut visit, false);
    assert_eq!(saved(&unlimited).len(), 3);
    let len = |name: &str| content(&visit, &format!("results/checkpoint-1/{name}")).len() as u64;
    let (weights, state) = (len("model.safetensors"), len("trainer_state.json"));

    // The second checkpoint has no room; or its weights have none beside its log, which is there already.
    let full = NotSavedReason::StorageFull;
    for room in [weights / 2, weights + state / 2] {
        let mut visit = Visit::ready();
        visit.fakes.disk.set_quota(Some(weights + state + room));
        visit.start(settings.clone()).unwrap();
        let limited = events(&mut visit);
        assert_eq!(saved(&limited), [(1, vec![1])]);
        assert_eq!(not_saved(&limited), [(2, full), (3, full)]);
        let result = finish(&mut visit, false);
        assert_eq!(result.train_loss, plain.train_loss);
        assert_eq!((steps(&visit), on_disk(&visit).len()), (vec![1], 2));
    }

    // A disk that is fuller than it says.
    let mut visit = Visit::ready();
    visit.start(settings).unwrap();
    let mut seen = Vec::new();
    loop {
        let event = block_on(visit.session.step_run()).unwrap();
        if event == RunEvent::Finished {
            break;
        }
        if let RunEvent::Step { step, .. } = event {
            visit.fakes.disk.set_full(step == 2);
        }
        seen.push(event);
    }
    assert_eq!(saved(&seen), [(1, vec![1]), (3, vec![1, 3])]);
    assert_eq!(not_saved(&seen), [(2, full)]);
    finish(&mut visit, false);
    assert_eq!((steps(&visit), on_disk(&visit).len()), (vec![1, 3], 4));
}

#[test]
fn without_a_disk_nothing_is_saved_and_one_event_says_so() {
    let mut visit = Visit::ready();
    visit.session.checkpoints = None;
    visit
        .start(json!({"save_strategy": "steps", "save_steps": 1}))
        .unwrap();
    let events = events(&mut visit);
    assert!(saved(&events).is_empty());
    assert_eq!(not_saved(&events), [(1, NotSavedReason::NoStorage)]);
    assert_eq!(finish(&mut visit, false).global_step, 3);
    assert!(files(&visit).is_empty());
}

#[test]
fn runs_that_are_stopped_or_fail_keep_their_checkpoints() {
    let mut visit = Visit::ready();
    visit
        .start(json!({"save_strategy": "epoch", "max_steps": 9}))
        .unwrap();
    loop {
        let event = block_on(visit.session.step_run()).unwrap();
        if matches!(event, RunEvent::Step { step: 3, .. }) {
            break;
        }
    }
    visit.session.stop_run();
    // In the middle of the second epoch. As after a stop by a callback of the Trainer, the weights are evaluated and
    // saved.
    assert_eq!(saved(&events(&mut visit)), [(3, vec![2, 3])]);
    finish(&mut visit, true);
    assert_eq!(steps(&visit), [2, 3]);

    let mut visit = poisoned();
    visit
        .start(json!({"save_strategy": "steps", "save_steps": 2}))
        .unwrap();
    let error = loop {
        match block_on(visit.session.step_run()) {
            Err(error) => break error,
            Ok(event) => assert_ne!(event, RunEvent::Finished),
        }
    };
    assert_eq!(error.code(), "diverged");
    assert_eq!(steps(&visit), [2]);
    assert_eq!(
        exported_weights(&mut visit),
        content(&visit, "results/checkpoint-2/model.safetensors")
    );
}
