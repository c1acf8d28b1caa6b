//! How long the files of saved checkpoints stay on the disk.

use super::checkpoints::{events, files, finish, on_disk, steps};
use super::*;
use crate::hub::Folder;

#[test]
fn checkpoints_stay_as_long_as_their_run() {
    let mut visit = Visit::ready();
    let run = |visit: &mut Visit, save_steps: usize| {
        visit
            .start(json!({"save_strategy": "steps", "save_steps": save_steps}))
            .unwrap();
        events(visit);
        finish(visit, false);
    };
    run(&mut visit, 1);
    let first = files(&visit);
    run(&mut visit, 2);
    let second = files(&visit);
    assert_eq!((steps(&visit), on_disk(&visit).len()), (vec![2, 3], 10));
    for expected in [&first, &second] {
        visit.ask(json!({"type": "restore_previous"})).unwrap();
        assert_eq!(&files(&visit), expected);
    }
    // The first run is freed for the third.
    visit.start(json!({})).unwrap();
    assert_eq!(on_disk(&visit).len(), 4);
    visit.run(3, false).unwrap();
    assert!(files(&visit).is_empty());
    visit
        .ask(json!({"type": "discard", "model": "previous"}))
        .unwrap();
    assert!(on_disk(&visit).is_empty());

    run(&mut visit, 1);
    assert_eq!(on_disk(&visit).len(), 6);
    visit.load_tiny().unwrap();
    visit.ask(json!({"type": "tokenize"})).unwrap();
    assert!(on_disk(&visit).is_empty());
}

#[test]
fn a_new_visit_removes_the_checkpoints_of_closed_tabs_only() {
    let settings = json!({"save_strategy": "steps", "save_steps": 3});
    let mut visit = Visit::ready();
    visit.start(settings.clone()).unwrap();
    events(&mut visit);
    finish(&mut visit, false);
    let mine = files(&visit);

    let beside = |visit: &Visit| {
        let fakes = visit.fakes.another_tab();
        let mut other = Visit::ready();
        let compute = std::mem::replace(&mut other.session, Visit::ready().session).compute;
        other.session = Session::new(compute, Some(fakes.disk.clone()), fakes.clock.clone());
        other.session.self_test = Some(SelfTest {
            passed: true,
            checks: Vec::new(),
        });
        other.fakes = fakes;
        other.ask(json!({"type": "dataset"})).unwrap();
        other.ask(json!({"type": "split"})).unwrap();
        other.load_tiny().unwrap();
        other.ask(json!({"type": "tokenize"})).unwrap();
        other
    };
    let mut other = beside(&visit);
    other.start(settings).unwrap();
    events(&mut other);
    finish(&mut other, false);
    assert_eq!(files(&visit), mine);
    assert_eq!((files(&other).len(), on_disk(&visit).len()), (3, 4));

    // The first tab is closed.
    let disk = visit.fakes.disk.clone();
    drop(visit);
    let third = beside(&other);
    assert_eq!(on_disk(&third).len(), 2);
    assert_eq!(steps(&other), [3]);
    drop(other);
    let last = beside(&third);
    assert!(on_disk(&last).is_empty());
    assert!(disk.list(Folder::Checkpoints).is_empty());
}
