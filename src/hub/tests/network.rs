//! Connections that break, servers that do not answer, and visitors who stop.

use super::super::testing::Trouble;
use super::*;

fn breaks_after(bytes: usize) -> Trouble {
    Trouble {
        breaks_after: Some(bytes),
        ..Trouble::default()
    }
}

fn status(status: u16) -> Trouble {
    Trouble {
        status: Some(status),
        ..Trouble::default()
    }
}

/// A repository of 100 bytes of weights, with troubles.
fn offered(troubles: Vec<Trouble>) -> (Fakes, Vec<u8>) {
    let fakes = Fakes::default();
    let weights = bytes(1, 100);
    fakes.network.offer_repo(REPO, &[(WEIGHTS, &weights)]);
    fakes.network.trouble_repo(REPO, WEIGHTS, troubles);
    (fakes, weights)
}

fn range(from: u64) -> Option<String> {
    Some(format!("bytes={from}-"))
}

#[test]
fn a_broken_connection_resumes_where_it_broke() {
    let (fakes, weights) = offered(vec![breaks_after(32), breaks_after(40)]);
    assert_eq!(load(&fakes).unwrap(), weights);
    assert_eq!(fakes.network.ranges(WEIGHTS), [None, range(32), range(72)]);
    // The second failure in a row would wait longer, but bytes arrived in between.
    assert_eq!(fakes.network.take_waits(), [500, 500]);
    let events = fakes.take_events();
    let retry = |event: &&LoadEvent| matches!(event, LoadEvent::Retry { .. });
    let first = LoadEvent::Retry {
        file: WEIGHTS.into(),
        attempt: 1,
        wait_ms: 500,
    };
    assert_eq!(events.iter().find(retry), Some(&first));
    let Some(LoadEvent::Download { loaded, total, .. }) = events.last() else {
        panic!("the last event is {:?}", events.last());
    };
    assert_eq!((*loaded, *total), (100, 100));
}

#[test]
fn an_unreachable_server_is_an_error_after_the_last_attempt() {
    let (fakes, _) = offered(Vec::new());
    let mut source = open(&fakes);
    fakes.network.set_offline(true);
    let error = problem(build(&mut source).unwrap_err());
    assert!(error.contains("the network cannot be reached"), "{error}");
    assert_eq!(
        fakes.network.take_waits(),
        [500, 1000, 2000, 4000, 8000],
        "milliseconds"
    );
}

#[test]
fn a_connection_that_always_stalls_at_one_byte_is_an_error_with_its_place() {
    let stalled = vec![breaks_after(0); 10];
    let (fakes, _) = offered([vec![breaks_after(48)], stalled].concat());
    let error = problem(load(&fakes).unwrap_err());
    assert!(
        error.contains("ended after 48 bytes, but at least 100"),
        "{error}"
    );
    assert_eq!(
        fakes.network.ranges(WEIGHTS).len(),
        6,
        "one and five retries"
    );
    assert_eq!(
        parts(&fakes).len(),
        1,
        "what arrived stays for the next time"
    );
}

#[test]
fn a_file_that_is_shorter_than_its_list_says_is_an_error_with_both_sizes() {
    let short = Trouble {
        body: Some(bytes(1, 48)),
        ..Trouble::default()
    };
    let (fakes, _) = offered(vec![short; 12]);
    let error = problem(load(&fakes).unwrap_err());
    assert!(
        error.contains("ended after 48 bytes, but at least 100"),
        "{error}"
    );
}

#[test]
fn a_server_that_ignores_ranges_sends_the_same_bytes_again() {
    let ignores_range = |breaks_after| Trouble {
        ignores_range: true,
        breaks_after,
        ..Trouble::default()
    };
    let troubles = vec![
        breaks_after(40),
        ignores_range(Some(16)),
        ignores_range(None),
    ];
    let (fakes, weights) = offered(troubles);
    assert_eq!(load(&fakes).unwrap(), weights);
    assert_eq!(fakes.network.ranges(WEIGHTS), [None, range(40), range(16)]);
    let stored = fakes.disk.list(Folder::Files);
    assert_eq!(stored.len(), 1);
    assert_eq!(
        *fakes.disk.content(Folder::Files, &stored[0]).borrow(),
        weights
    );
}

#[test]
fn a_busy_server_is_asked_again_after_the_time_that_it_names() {
    let later = Trouble {
        retry_after: Some(7),
        ..status(429)
    };
    let (fakes, weights) = offered(vec![status(503), later]);
    assert_eq!(load(&fakes).unwrap(), weights);
    assert_eq!(fakes.network.take_waits(), [500, 7000]);
}

#[test]
fn a_refused_file_is_an_error_with_the_status() {
    let (fakes, _) = offered(vec![status(403)]);
    let error = problem(load(&fakes).unwrap_err());
    assert!(error.contains("the server answered 403"), "{error}");
    assert_eq!(fakes.network.take_waits(), [0; 0]);
}

#[test]
fn a_stopped_download_keeps_what_has_arrived() {
    let (fakes, weights) = offered(Vec::new());
    let services = fakes.services_stopped_at(
        |event| matches!(event, LoadEvent::Download { loaded, .. } if *loaded > 0),
    );
    let mut source = block_on(Source::hub(ENDPOINT, REPO, services, |_| true))
        .unwrap()
        .0;
    let stopped = build(&mut source).unwrap_err();
    assert_eq!(stopped.code(), "stopped");
    drop(source);
    assert_eq!(parts(&fakes).len(), 1);
    assert_eq!(load(&fakes).unwrap(), weights);
    assert_eq!(fakes.network.ranges(WEIGHTS), [None, range(8)]);
    assert!(parts(&fakes).is_empty());
}

#[test]
fn a_wait_between_two_attempts_can_be_stopped() {
    let (fakes, _) = offered(vec![status(503); 9]);
    let third = |event: &LoadEvent| matches!(event, LoadEvent::Retry { attempt: 3, .. });
    let services = fakes.services_stopped_at(third);
    let mut source = block_on(Source::hub(ENDPOINT, REPO, services, |_| true))
        .unwrap()
        .0;
    assert_eq!(build(&mut source).unwrap_err().code(), "stopped");
    assert_eq!(fakes.network.ranges(WEIGHTS).len(), 3);
}

#[test]
fn a_stopped_request_asks_for_nothing() {
    let (fakes, _) = offered(Vec::new());
    let services = fakes.services();
    fakes.network.set_stopped(true);
    let error = block_on(Source::<FakeEnvironment>::hub(
        ENDPOINT,
        REPO,
        services,
        |_| true,
    ));
    assert_eq!(error.err().unwrap().code(), "stopped");
    assert!(fakes.network.take_requests().is_empty());
}

#[test]
fn progress_is_reported_every_tenth_of_a_second_and_at_the_end() {
    let fakes = Fakes::default();
    let text = bytes(1, 64);
    fakes
        .network
        .offer("https://site.test/models/tiny/vocab.txt", &text);
    let services = fakes.services();
    let mut source = Source::site("https://site.test/models/tiny/".into(), services);
    let mut file = block_on(source.open("vocab.txt")).unwrap();
    for at in 0..8 {
        block_on(file.read(at * 8..at * 8 + 8)).unwrap();
        fakes.clock.advance(40.0);
    }
    block_on(file.finish()).unwrap();
    let loaded = fakes.take_events().into_iter().map(|event| match event {
        LoadEvent::Download {
            loaded,
            total: 64,
            bytes_per_second,
            ..
        } => (loaded, bytes_per_second),
        other => panic!("{other:?}"),
    });
    let expected = [
        (8, 8000.0),
        (32, 32.0 / 0.12),
        (56, 56.0 / 0.24),
        (64, 64.0 / 0.32),
    ];
    assert_eq!(loaded.collect::<Vec<_>>(), expected);
}
