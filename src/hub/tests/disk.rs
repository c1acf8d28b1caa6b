//! Damaged, full and missing storage.

use super::super::testing::{COMMIT, FakeDisk, Trouble};
use super::super::{Disk, OpenFile};
use super::*;

fn offered() -> (Fakes, Vec<u8>) {
    let fakes = Fakes::default();
    let weights = bytes(1, 100);
    fakes.network.offer_repo(REPO, &[(WEIGHTS, &weights)]);
    (fakes, weights)
}

fn breaks_after(bytes: usize) -> Trouble {
    Trouble {
        breaks_after: Some(bytes),
        ..Trouble::default()
    }
}

#[test]
fn a_damaged_beginning_is_thrown_away_and_downloaded_again() {
    let (fakes, weights) = offered();
    let stops = |event: &LoadEvent| matches!(event, LoadEvent::Download { .. });
    let services = fakes.services_stopped_at(stops);
    let mut source = block_on(Source::hub(ENDPOINT, REPO, services, |_| true))
        .unwrap()
        .0;
    build(&mut source).unwrap_err();
    drop(source);
    let part = parts(&fakes).remove(0);
    fakes.disk.content(Folder::Files, &part).borrow_mut()[3] ^= 1;

    let error = problem(load(&fakes).unwrap_err());
    assert!(error.contains("its SHA-256 is"), "{error}");
    assert!(fakes.disk.list(Folder::Files).is_empty());
    assert_eq!(load(&fakes).unwrap(), weights);
    assert_eq!(fakes.network.ranges(WEIGHTS).last(), Some(&None));
}

#[test]
fn a_stored_file_that_was_cut_short_is_downloaded_again() {
    let (fakes, weights) = offered();
    load(&fakes).unwrap();
    let name = fakes.disk.list(Folder::Files).remove(0);
    fakes
        .disk
        .content(Folder::Files, &name)
        .borrow_mut()
        .truncate(50);
    fakes.take_events();
    assert_eq!(load(&fakes).unwrap(), weights);
    assert_eq!(*fakes.disk.content(Folder::Files, &name).borrow(), weights);
    let pinned = LoadEvent::Pinned {
        commit: COMMIT.into(),
        stored: false,
    };
    assert_eq!(fakes.take_events().first(), Some(&pinned));
}

#[test]
fn a_full_disk_continues_in_memory_and_stores_nothing() {
    let (fakes, weights) = offered();
    let mut source = open(&fakes);
    fakes.disk.set_quota(Some(40));
    fakes
        .network
        .trouble_repo(REPO, WEIGHTS, vec![breaks_after(64)]);
    assert_eq!(build(&mut source).unwrap(), weights);
    assert_eq!(notices(&fakes.take_events()), [NoticeCode::StorageFull]);
    assert!(fakes.disk.list(Folder::Files).is_empty());
    fakes.disk.set_quota(None);
    assert_eq!(load(&fakes).unwrap(), weights);
    assert_eq!(fakes.disk.list(Folder::Files).len(), 1);
}

#[test]
fn a_full_disk_accepts_bytes_that_arrive_twice() {
    let (fakes, weights) = offered();
    let mut source = open(&fakes);
    fakes.disk.set_quota(Some(40));
    let starts_over = Trouble {
        ignores_range: true,
        ..Trouble::default()
    };
    let troubles = vec![breaks_after(64), starts_over];
    fakes.network.trouble_repo(REPO, WEIGHTS, troubles);
    assert_eq!(build(&mut source).unwrap(), weights);
}

#[test]
fn without_a_disk_a_model_loads_in_the_order_of_its_bytes() {
    let (fakes, weights) = offered();
    let mut services = fakes.services();
    services.disk = None;
    fakes
        .network
        .trouble_repo(REPO, WEIGHTS, vec![breaks_after(40)]);
    let mut source = block_on(Source::hub(ENDPOINT, REPO, services, |_| true))
        .unwrap()
        .0;
    assert_eq!(build(&mut source).unwrap(), weights);
    let ranges = fakes.network.ranges(WEIGHTS);
    assert_eq!(ranges, [None, Some("bytes=40-".into())]);
    assert_eq!(notices(&fakes.take_events()), [NoticeCode::NotStored]);

    let mut file = block_on(source.open(WEIGHTS)).unwrap();
    block_on(file.read(0..40)).unwrap();
    let error = problem(block_on(file.read(0..8)).unwrap_err());
    assert!(error.contains("not in the order of their bytes"), "{error}");
}

#[test]
fn a_file_that_another_tab_is_writing_is_not_stored() {
    let (fakes, weights) = offered();
    let mut source = open(&fakes);
    let part = source.pin().unwrap().part_name(WEIGHTS);
    let file = block_on(FakeDisk::open(&fakes.disk, Folder::Files, &part)).unwrap();
    file.write(&weights[..8], 0).unwrap();
    assert_eq!(build(&mut source).unwrap(), weights);
    assert_eq!(notices(&fakes.take_events()), [NoticeCode::NotStored]);
    assert_eq!(fakes.disk.list(Folder::Files), [part]);
    assert_eq!(file.size(), 8);
}
