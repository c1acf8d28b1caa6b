//! Reads the headers of an answer that a download depends on.

use super::environment::Response;
use super::incoming::Answer;

impl<B> Response<B> {
    /// A header by its name in lower case, where the page may read it.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Bytes of the body as it is read; none where it is compressed, because its length is then that of the compressed
    /// bytes.
    pub(super) fn length(&self) -> Option<u64> {
        match self.header("content-encoding") {
            Some(encoding) if encoding != "identity" => None,
            _ => self.header("content-length")?.parse().ok(),
        }
    }

    /// What the download's state depends on.
    pub(super) fn answer(&self) -> Answer {
        let range = self.header("content-range");
        let range = range.and_then(|range| range.trim().strip_prefix("bytes "));
        let first = range.and_then(|range| range.split_once('-')?.0.parse().ok());
        let refused_of = range.and_then(|range| range.strip_prefix("*/")?.parse().ok());
        Answer {
            status: self.status,
            etag: self.header("etag").map(str::to_string),
            first,
            refused_of,
            retry_after: self
                .header("retry-after")
                .and_then(|seconds| seconds.trim().parse().ok()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(headers: &[(&str, &str)]) -> Response<()> {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        Response {
            status: 206,
            url: String::new(),
            headers: headers.collect(),
            body: None,
        }
    }

    #[test]
    fn reads_range_etag_and_delay() {
        let found = response(&[
            ("content-range", "bytes 6-10/11"),
            ("etag", "\"a\""),
            ("retry-after", " 7 "),
        ]);
        let expected = Answer {
            status: 206,
            etag: Some("\"a\"".into()),
            first: Some(6),
            refused_of: None,
            retry_after: Some(7),
        };
        assert_eq!(found.answer(), expected);
        let unreadable = response(&[
            ("content-range", "bytes */11"),
            ("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT"),
        ]);
        assert_eq!(unreadable.answer().first, None);
        assert_eq!(unreadable.answer().refused_of, Some(11));
        assert_eq!(unreadable.answer().retry_after, None);
    }

    #[test]
    fn a_compressed_body_has_no_length() {
        let length = |encoding| {
            response(&[("content-length", "5"), ("content-encoding", encoding)]).length()
        };
        assert_eq!(response(&[("content-length", "5")]).length(), Some(5));
        assert_eq!((length("identity"), length("gzip")), (Some(5), None));
    }
}
