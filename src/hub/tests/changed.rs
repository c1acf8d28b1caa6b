//! Files that change on the server while they are read.

use super::super::MOST_READINGS;
use super::super::testing::Trouble;
use super::*;

/// The first 40 bytes of another file, and then the connection breaks.
fn begins_as(other: &[u8]) -> Trouble {
    Trouble {
        body: Some(other.into()),
        breaks_after: Some(40),
        ..Trouble::default()
    }
}

/// A repository without a list, so that no hash is known beforehand.
fn offered(weights: &[u8], troubles: Vec<Trouble>) -> Fakes {
    let fakes = Fakes::default();
    let files: [(&str, &[u8]); 2] = [("config.json", b"{}"), (WEIGHTS, weights)];
    fakes.network.offer_unlisted(REPO, &files);
    fakes.network.trouble_repo(REPO, WEIGHTS, troubles);
    fakes
}

#[test]
fn a_file_with_another_etag_is_read_again_from_its_start() {
    let (old, new) = (bytes(1, 100), bytes(2, 100));
    let fakes = offered(&new, vec![begins_as(&old)]);
    assert_eq!(load(&fakes).unwrap(), new);
    let ranges = fakes.network.ranges(WEIGHTS);
    assert_eq!(ranges, [None, Some("bytes=40-".into()), None]);
}

#[test]
fn a_file_that_starts_over_with_other_bytes_is_read_again() {
    let (old, new) = (bytes(1, 100), bytes(2, 100));
    let starts_over = Trouble {
        ignores_range: true,
        ..Trouble::default()
    };
    let fakes = offered(&new, vec![begins_as(&old), starts_over]);
    assert_eq!(load(&fakes).unwrap(), new);
}

#[test]
fn a_file_that_changes_each_time_is_an_error() {
    let new = bytes(2, 100);
    let troubles = (10..20).map(|seed| begins_as(&bytes(seed, 100)));
    let fakes = offered(&new, troubles.collect());
    let mut source = open(&fakes);
    let mut readings = 0;
    let read = async |source: &mut FakeSource| {
        readings += 1;
        read(source, WEIGHTS).await
    };
    let error = problem(block_on(source.build(read)).unwrap_err());
    assert!(
        error.contains("exchanged while it was being downloaded"),
        "{error}"
    );
    assert_eq!(readings, MOST_READINGS);
}

#[test]
fn a_failure_without_a_change_is_not_read_again() {
    let fakes = offered(&bytes(2, 100), Vec::new());
    let mut source = open(&fakes);
    let mut readings = 0;
    let fails = async |_: &mut FakeSource| -> Result<()> {
        readings += 1;
        Err(Error::Config("it is no BERT.".into()))
    };
    assert!(block_on(source.build(fails)).is_err());
    assert_eq!(readings, 1);
}
