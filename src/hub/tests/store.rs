//! Pins that are replaced, and files that are removed: on a full disk, after a crash, without locks, and refused.

use super::super::testing::{Schedule, Trouble};
use super::super::{Disk, NoticeCode, OpenFile, Pin, Store, forget_model, stored_models};
use super::*;

fn offered() -> Fakes {
    let fakes = Fakes::default();
    let files: [(&str, &[u8]); 2] = [("config.json", b"{}"), (WEIGHTS, &bytes(1, 100))];
    fakes.network.offer_repo(REPO, &files);
    fakes
}

fn pin(fakes: &Fakes) -> Pin {
    block_on(Store::new(fakes.disk.clone()).pins()).remove(0)
}

/// The bytes of the only pin.
fn pin_bytes(fakes: &Fakes) -> Vec<u8> {
    let names = fakes.disk.list(Folder::Pins);
    assert_eq!(names.len(), 1, "{names:?}");
    fakes.disk.content(Folder::Pins, &names[0]).borrow().clone()
}

#[test]
fn a_pin_that_does_not_fit_leaves_the_old_one() {
    let fakes = offered();
    load(&fakes).unwrap();
    let (before, mut changed) = (pin_bytes(&fakes), pin(&fakes));
    changed.license = Some("another".into());
    let store = Store::new(fakes.disk.clone());
    fakes.disk.set_full(true);
    assert_eq!(block_on(store.save(&changed)), Err(NoticeCode::StorageFull));
    assert_eq!(pin_bytes(&fakes), before);
    fakes.disk.set_full(false);
    assert_eq!(block_on(store.save(&changed)), Ok(()));
    assert_eq!(pin(&fakes), changed);
}

#[test]
fn a_disk_without_room_for_a_pin_is_reported_and_the_model_loads() {
    let fakes = offered();
    fakes.disk.set_full(true);
    assert_eq!(load(&fakes).unwrap(), bytes(1, 100));
    let notices = notices(&fakes.take_events());
    assert!(notices.contains(&NoticeCode::StorageFull), "{notices:?}");
    assert!(fakes.disk.list(Folder::Pins).is_empty());
}

#[test]
fn a_tab_that_crashes_at_any_operation_leaves_the_stored_model() {
    for operation in 1.. {
        let fakes = offered();
        load(&fakes).unwrap();
        let other: [(&str, &[u8]); 1] = [(WEIGHTS, &bytes(2, 24))];
        fakes.network.offer_repo("tests/other", &other);
        let schedule = Schedule::seeded(operation);
        fakes.set_schedule(Some(schedule.clone()));
        let tab = fakes.another_tab();
        schedule.add(Some(operation), async move {
            let source = Source::hub(ENDPOINT, "tests/other", tab.services(), |_| true).await;
            let read = async |source: &mut FakeSource| read(source, WEIGHTS).await;
            source.unwrap().0.build(read).await.unwrap();
        });
        let crashed = schedule.run();
        fakes.set_schedule(None);
        fakes.network.set_offline(true);
        assert_eq!(
            load(&fakes).unwrap(),
            bytes(1, 100),
            "operation {operation}"
        );
        if crashed == 0 {
            assert!(operation > 30, "only {operation} operations");
            return;
        }
        // The next tab that has built a model removes what the crash left.
        let store = Store::new(fakes.disk.clone());
        block_on(store.sweep());
        assert_eq!(
            block_on(store.pins()).len(),
            fakes.disk.list(Folder::Pins).len()
        );
    }
}

#[test]
fn a_pin_that_cannot_be_read_stops_the_removal_of_files() {
    let fakes = offered();
    load(&fakes).unwrap();
    let files = fakes.disk.list(Folder::Files);
    let key = fakes.disk.list(Folder::Pins).remove(0);
    let text = fakes.disk.content(Folder::Pins, &key).take();
    let other: [(&str, &[u8]); 1] = [(WEIGHTS, &bytes(2, 24))];
    fakes.network.offer_repo("tests/other", &other);
    let load_other = || {
        let source = block_on(Source::hub(
            ENDPOINT,
            "tests/other",
            fakes.services(),
            |_| true,
        ));
        build(&mut source.unwrap().0).unwrap()
    };
    load_other();
    let stored = block_on(stored_models(Some(fakes.disk.clone()))).models;
    block_on(forget_model(Some(fakes.disk.clone()), &stored[0].key)).unwrap();
    for name in &files {
        assert!(fakes.disk.list(Folder::Files).contains(name));
    }
    fakes.disk.content(Folder::Pins, &key).replace(text);
    block_on(Store::new(fakes.disk.clone()).sweep());
    assert_eq!(fakes.disk.list(Folder::Files), files);
}

#[test]
fn without_locks_nothing_is_removed_and_everything_else_works() {
    let fakes = offered();
    fakes.disk.remove_locks();
    let stray = block_on(fakes.disk.open(Folder::Files, "stray")).unwrap();
    stray.write(b"x", 0).unwrap();
    drop(stray);
    assert_eq!(load(&fakes).unwrap(), bytes(1, 100));
    assert_eq!(notices(&fakes.take_events()), []);
    let stored = block_on(stored_models(Some(fakes.disk.clone()))).models;
    let left = block_on(forget_model(Some(fakes.disk.clone()), &stored[0].key)).unwrap();
    assert!(left.models.is_empty());
    assert!(fakes.disk.list(Folder::Files).contains(&"stray".into()));
}

/// Loads a repository whose model is refused with an error, or cannot be loaded.
fn fails(fakes: &Fakes, repo: &str, error: Error) {
    let source = block_on(Source::<FakeEnvironment>::hub(
        ENDPOINT,
        repo,
        fakes.services(),
        |_| true,
    ));
    let read = async |source: &mut FakeSource| -> Result<()> {
        if let Some(config) = source.open_if_there("config.json").await? {
            config.text().await?;
        }
        Err(error.clone())
    };
    assert_eq!(block_on(source.unwrap().0.build(read)), Err(error));
}

#[test]
fn a_refused_model_leaves_the_storage_as_it_was() {
    let fakes = offered();
    load(&fakes).unwrap();
    let before = (
        fakes.disk.list(Folder::Pins),
        fakes.disk.list(Folder::Files),
        pin_bytes(&fakes),
    );
    let other: [(&str, &[u8]); 1] = [("config.json", b"{\"model_type\": \"gpt2\"}")];
    fakes.network.offer_repo("tests/other", &other);
    fails(
        &fakes,
        "tests/other",
        Error::Config("it is no BERT.".into()),
    );
    let missing = block_on(async {
        let source = FakeSource::hub(ENDPOINT, "tests/other", fakes.services(), |_| true).await;
        let read = async |source: &mut FakeSource| {
            source.open("config.json").await?.text().await?;
            read(source, WEIGHTS).await
        };
        source.unwrap().0.build(read).await
    });
    assert!(problem(missing.unwrap_err()).contains("it is not there"));
    let refused = Trouble {
        status: Some(403),
        ..Trouble::default()
    };
    fakes
        .network
        .trouble_repo("tests/other", "config.json", vec![refused]);
    let source = block_on(FakeSource::hub(
        ENDPOINT,
        "tests/other",
        fakes.services(),
        |_| true,
    ));
    let config = async |source: &mut FakeSource| source.open("config.json").await?.text().await;
    let error = block_on(source.unwrap().0.build(config)).unwrap_err();
    assert!(problem(error).contains("403"));
    let after = (
        fakes.disk.list(Folder::Pins),
        fakes.disk.list(Folder::Files),
        pin_bytes(&fakes),
    );
    assert_eq!(after, before);
    // A model that is stored already stays, also when this device refuses it.
    fails(&fakes, REPO, Error::Config("it is no BERT.".into()));
    assert_eq!(fakes.disk.list(Folder::Pins), before.0);
}

#[test]
fn a_model_that_was_deleted_while_it_was_built_stays_deleted() {
    let fakes = offered();
    load(&fakes).unwrap();
    let mut source = open(&fakes);
    let key = pin(&fakes).key();
    let found = block_on(source.build(async |source: &mut FakeSource| {
        let weights = read(source, WEIGHTS).await?;
        forget_model(Some(fakes.disk.clone()), &key).await?;
        Ok(weights)
    }));
    assert_eq!(found.unwrap(), bytes(1, 100));
    assert!(fakes.disk.list(Folder::Pins).is_empty());
    assert!(fakes.disk.list(Folder::Files).is_empty());
}

#[test]
fn another_commit_replaces_a_complete_model_only_when_it_is_complete() {
    let fakes = offered();
    load(&fakes).unwrap();
    let store = Store::new(fakes.disk.clone());
    let before = pin(&fakes);
    let next = Pin::bare(ENDPOINT, &before.repo(), "another");
    assert_eq!(block_on(store.save(&next)), Ok(()));
    assert_eq!(pin(&fakes), before);
    let mut built = Pin {
        commit: "another".into(),
        ..before
    };
    assert_eq!(block_on(store.save(&built)), Ok(()));
    assert_eq!(pin(&fakes), built);
    // It was lost from the disk: whoever comes next replaces it.
    let name = fakes.disk.list(Folder::Files).remove(0);
    fakes
        .disk
        .content(Folder::Files, &name)
        .borrow_mut()
        .clear();
    assert_eq!(block_on(store.save(&next)), Ok(()));
    built = pin(&fakes);
    assert!(!built.complete && built.commit == "another");
}
