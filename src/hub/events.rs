//! What a source of files reports while it loads. The page receives these as JSON.

use serde::Serialize;

/// A report about a model that is being loaded.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LoadEvent {
    /// A new part of the work begins.
    Phase {
        /// A short name, such as `hub`, `config`, `tokenizer` or `weights`.
        phase: &'static str,
    },
    /// Bytes of a file have arrived.
    Download {
        /// File name inside the model folder.
        file: String,
        /// Bytes of it that are there.
        loaded: u64,
        /// Bytes of the whole file; 0 where the server does not say.
        total: u64,
        /// Mean rate since the connection was made.
        bytes_per_second: f64,
    },
    /// The connection broke, and the download waits before the next request.
    Retry {
        /// File name inside the model folder.
        file: String,
        /// Requests in a row that brought no new byte.
        attempt: u32,
        /// Milliseconds until the next request.
        wait_ms: u64,
    },
    /// Something that the visitor should know, which does not stop the download.
    Notice {
        /// What it is.
        code: NoticeCode,
    },
    /// The commit that a revision of the Hub stands for is known.
    Pinned {
        /// The commit's hash.
        commit: String,
        /// Whether every file of it is stored, so that no network is needed.
        stored: bool,
    },
}

/// What a [`LoadEvent::Notice`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum NoticeCode {
    /// The file is not stored: the browser has no storage for this page, or another tab is writing the file.
    NotStored,
    /// The storage is full; the rest of the download is kept in memory.
    StorageFull,
    /// The Hub does not name the commit of this revision, so its files may change: it is asked for them each time.
    NotPinned,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{json, to_value};

    #[test]
    fn events_serialize_to_the_protocol_of_the_page() {
        let download = LoadEvent::Download {
            file: "config.json".into(),
            loaded: 1,
            total: 2,
            bytes_per_second: 3.5,
        };
        let retry = LoadEvent::Retry {
            file: "config.json".into(),
            attempt: 1,
            wait_ms: 500,
        };
        let pinned = LoadEvent::Pinned {
            commit: "c0ffee".into(),
            stored: true,
        };
        let notice = |code| LoadEvent::Notice { code };
        let expected = [
            (
                LoadEvent::Phase { phase: "hub" },
                json!({"kind": "phase", "phase": "hub"}),
            ),
            (
                download,
                json!({"kind": "download", "file": "config.json", "loaded": 1, "total": 2, "bytes_per_second": 3.5}),
            ),
            (
                retry,
                json!({"kind": "retry", "file": "config.json", "attempt": 1, "wait_ms": 500}),
            ),
            (
                notice(NoticeCode::NotStored),
                json!({"kind": "notice", "code": "not_stored"}),
            ),
            (
                notice(NoticeCode::StorageFull),
                json!({"kind": "notice", "code": "storage_full"}),
            ),
            (
                notice(NoticeCode::NotPinned),
                json!({"kind": "notice", "code": "not_pinned"}),
            ),
            (
                pinned,
                json!({"kind": "pinned", "commit": "c0ffee", "stored": true}),
            ),
        ];
        for (event, expected) in expected {
            assert_eq!(to_value(&event).unwrap(), expected);
        }
    }
}
