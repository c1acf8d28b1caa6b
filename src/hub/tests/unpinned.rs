//! A Hub that does not name commits, and parts that are complete but have not been renamed.

use super::super::testing::Trouble;
use super::super::{Disk, NoticeCode, OpenFile, Pin, Repo, Store};
use super::*;

const CONFIG: &str = "config.json";

/// A Hub that has no list of files and names no commit.
fn offered(weights: &[u8]) -> Fakes {
    let fakes = Fakes::default();
    let files: [(&str, &[u8]); 2] = [(CONFIG, b"{}"), (WEIGHTS, weights)];
    fakes.network.offer_unlisted(REPO, &files);
    fakes.network.set_names_no_commit(true);
    fakes
}

fn offer(fakes: &Fakes, weights: &[u8]) {
    let files: [(&str, &[u8]); 2] = [(CONFIG, b"{}"), (WEIGHTS, weights)];
    fakes.network.offer_unlisted(REPO, &files);
}

fn pin(fakes: &Fakes) -> Pin {
    block_on(Store::new(fakes.disk.clone()).pins()).remove(0)
}

#[test]
fn a_revision_without_a_commit_is_asked_for_each_time() {
    let (old, new) = (bytes(1, 100), bytes(2, 100));
    let fakes = offered(&old);
    assert_eq!(load(&fakes).unwrap(), old);
    assert_eq!(notices(&fakes.take_events()), [NoticeCode::NotPinned]);
    assert!(pin(&fakes).complete && !pin(&fakes).is_pinned());

    // The same file: its etag is asked for, and the stored one is read.
    let stored = fakes.disk.list(Folder::Files);
    assert_eq!(load(&fakes).unwrap(), old);
    assert_eq!(fakes.network.ranges(WEIGHTS), [None, None]);
    assert_eq!(fakes.disk.list(Folder::Files), stored);
    assert!(pin(&fakes).complete);

    // The branch moves on.
    offer(&fakes, &new);
    assert_eq!(load(&fakes).unwrap(), new);
    assert!(pin(&fakes).complete);
    assert_eq!(fakes.disk.list(Folder::Files).len(), 1);
    fakes.take_events();
    fakes.network.set_offline(true);
    fakes.network.take_waits();
    assert_eq!(load(&fakes).unwrap(), new);
    assert_eq!(notices(&fakes.take_events()), [NoticeCode::NotPinned]);
    assert_eq!(
        fakes.network.take_waits(),
        [0; 0],
        "a stored model does not wait"
    );
}

#[test]
fn a_revision_without_a_commit_that_changes_midway_leaves_the_stored_model() {
    let (old, new) = (bytes(1, 100), bytes(2, 100));
    let fakes = offered(&old);
    load(&fakes).unwrap();
    offer(&fakes, &new);
    let stops =
        |event: &LoadEvent| matches!(event, LoadEvent::Download { file, .. } if file == WEIGHTS);
    let services = fakes.services_stopped_at(stops);
    let mut source = block_on(Source::hub(ENDPOINT, REPO, services, |_| true))
        .unwrap()
        .0;
    assert_eq!(build(&mut source).unwrap_err().code(), "stopped");
    drop(source);
    fakes.network.set_offline(true);
    assert_eq!(load(&fakes).unwrap(), old);
    // A part of a file that may have changed again is not continued.
    fakes.network.set_offline(false);
    assert_eq!(load(&fakes).unwrap(), new);
    assert_eq!(fakes.network.ranges(WEIGHTS), [None, None, None]);
}

#[test]
fn a_part_of_a_revision_without_a_commit_is_no_model_without_a_network() {
    let fakes = offered(&bytes(1, 100));
    let stops =
        |event: &LoadEvent| matches!(event, LoadEvent::Download { file, .. } if file == WEIGHTS);
    let services = fakes.services_stopped_at(stops);
    let mut source = block_on(Source::hub(ENDPOINT, REPO, services, |_| true))
        .unwrap()
        .0;
    block_on(async { source.open(CONFIG).await?.text().await }).unwrap();
    build(&mut source).unwrap_err();
    drop(source);
    fakes.network.set_offline(true);
    let error = block_on(Source::<FakeEnvironment>::hub(
        ENDPOINT,
        REPO,
        fakes.services(),
        |_| true,
    ));
    assert!(problem(error.err().unwrap()).contains("cannot be reached"));
}

#[test]
fn a_hub_that_names_the_commit_later_is_pinned_then() {
    let weights = bytes(1, 100);
    let fakes = offered(&weights);
    load(&fakes).unwrap();
    fakes.network.set_names_no_commit(false);
    assert_eq!(load(&fakes).unwrap(), weights);
    assert!(pin(&fakes).complete && pin(&fakes).is_pinned());
    fakes.network.set_offline(true);
    assert_eq!(load(&fakes).unwrap(), weights);
}

/// A part with all or some bytes of the file and others, as after a crash, beside a pin that knows no size.
fn with_part(fakes: &Fakes, part: &[u8]) {
    let repo = Repo::parse(REPO).unwrap();
    let pin = Pin::bare(ENDPOINT, &repo, super::super::testing::COMMIT);
    block_on(Store::new(fakes.disk.clone()).save(&pin)).unwrap();
    let file = block_on(fakes.disk.open(Folder::Files, &pin.part_name(WEIGHTS))).unwrap();
    file.write(part, 0).unwrap();
}

/// A Hub without a list of files.
fn unlisted(weights: &[u8]) -> Fakes {
    let fakes = offered(weights);
    fakes.network.set_names_no_commit(false);
    fakes
}

/// Loads weights of which the server states the size only when they are complete.
fn load_without_size(fakes: &Fakes) -> Result<Vec<u8>> {
    let mut source = open(fakes);
    block_on(
        source.build(async |source: &mut FakeSource| source.open(WEIGHTS).await?.bytes().await),
    )
}

#[test]
fn a_complete_part_is_not_downloaded_again() {
    let weights = bytes(1, 100);
    let fakes = unlisted(&weights);
    with_part(&fakes, &weights);
    assert_eq!(load_without_size(&fakes).unwrap(), weights);
    assert_eq!(fakes.network.ranges(WEIGHTS), [Some("bytes=100-".into())]);
    assert!(pin(&fakes).complete && parts(&fakes).is_empty());
}

#[test]
fn a_part_that_is_longer_than_the_file_is_downloaded_again() {
    let weights = bytes(1, 100);
    let fakes = unlisted(&weights);
    with_part(&fakes, &bytes(1, 101));
    assert_eq!(load_without_size(&fakes).unwrap(), weights);
    assert_eq!(
        fakes.network.ranges(WEIGHTS),
        [Some("bytes=101-".into()), None]
    );
}

#[test]
fn what_a_server_says_of_a_file_is_stored_with_its_part() {
    let weights = bytes(1, 100);
    let fakes = unlisted(&weights);
    let breaks = Trouble {
        breaks_after: Some(40),
        ..Trouble::default()
    };
    fakes.network.trouble_repo(REPO, WEIGHTS, vec![breaks]);
    let services = fakes.services_stopped_at(|event| matches!(event, LoadEvent::Retry { .. }));
    let mut source = block_on(Source::hub(ENDPOINT, REPO, services, |_| true))
        .unwrap()
        .0;
    assert_eq!(build(&mut source).unwrap_err().code(), "stopped");
    let size = pin(&fakes).file(WEIGHTS).unwrap().remote.size;
    assert_eq!(size, Some(100));
}
