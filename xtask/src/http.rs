//! The parts of HTTP that a static server must get right: addresses, types, ranges, encodings, caching.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The path that a request's target names, decoded, without a slash at its start; `None` if it tries to leave the site.
pub fn address(target: &str) -> Option<String> {
    let path = target.split(['?', '#']).next()?;
    let decoded = decode(path.strip_prefix('/')?)?;
    let harmless =
        |segment: &str| !segment.starts_with('.') && !segment.contains(['\\', ':', '\0']);
    let inner = decoded.strip_suffix('/').unwrap_or(&decoded);
    let safe = decoded.is_empty()
        || inner
            .split('/')
            .all(|segment| !segment.is_empty() && harmless(segment));
    safe.then_some(decoded)
}

fn decode(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// The Content-Type of a file.
pub fn content_type(path: &Path) -> &'static str {
    match path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .as_ref()
    {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "csv" => "text/csv; charset=utf-8",
        "txt" | "md" | "" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// What a Range header asks of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// All of it.
    Whole,
    /// The bytes from `first` to `last`, both included.
    Part {
        /// The first byte.
        first: u64,
        /// The last byte.
        last: u64,
    },
    /// Bytes that it does not have.
    Unsatisfiable,
}

/// Reads a Range header for a file of `length` bytes. Several ranges, other units and nonsense mean the whole file,
/// as RFC 9110 allows.
pub fn range(header: &str, length: u64) -> Range {
    let Some((first, last)) = header
        .trim()
        .strip_prefix("bytes=")
        .and_then(|spec| spec.split_once('-'))
    else {
        return Range::Whole;
    };
    let bound = |text: &str| match text.trim() {
        "" => Some(None),
        digits => digits.parse::<u64>().ok().map(Some),
    };
    let (Some(first), Some(last)) = (bound(first), bound(last)) else {
        return Range::Whole;
    };
    match (first, last) {
        (None, None) => Range::Whole,
        (Some(first), Some(last)) if first > last => Range::Whole,
        (Some(first), _) if first >= length => Range::Unsatisfiable,
        (Some(first), last) => Range::Part {
            first,
            last: last.unwrap_or(u64::MAX).min(length - 1),
        },
        (None, Some(count)) if count == 0 || length == 0 => Range::Unsatisfiable,
        (None, Some(count)) => Range::Part {
            first: length.saturating_sub(count),
            last: length - 1,
        },
    }
}

/// A way in which a file was compressed beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// Its name in HTTP.
    pub name: &'static str,
    /// What the compressed file's name ends with.
    pub suffix: &'static str,
}

/// The encodings that an Accept-Encoding header allows, the best first.
pub fn encodings(accept: &str) -> impl Iterator<Item = Encoding> {
    let known = [
        Encoding {
            name: "br",
            suffix: ".br",
        },
        Encoding {
            name: "gzip",
            suffix: ".gz",
        },
    ];
    known
        .into_iter()
        .filter(move |encoding| accepts(accept, encoding.name))
}

fn accepts(accept: &str, name: &str) -> bool {
    accept.split(',').any(|offer| {
        let mut parts = offer.split(';').map(str::trim);
        let named = parts
            .next()
            .is_some_and(|offered| offered.eq_ignore_ascii_case(name));
        let refused = parts.any(|part| {
            part.strip_prefix("q=")
                .is_some_and(|weight| weight.parse() == Ok(0.0_f32))
        });
        named && !refused
    })
}

/// How long a browser may keep what is at an address of the published site without asking again.
pub fn cache_control(address: &str) -> &'static str {
    let unchanging = address.starts_with("v/") || address.starts_with("models/");
    if unchanging {
        "public, max-age=31536000, immutable"
    } else {
        "public, max-age=300, stale-while-revalidate=604800"
    }
}

/// A validator for one state of a file in one encoding.
pub fn etag(length: u64, modified: SystemTime, encoding: Option<Encoding>) -> String {
    let age = modified
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
        .as_nanos();
    let encoding = encoding.map_or("", |encoding| encoding.suffix);
    format!("\"{length:x}-{age:x}{encoding}\"")
}

/// Whether what the browser has kept is what the file is now.
pub fn unchanged(
    none_match: Option<&str>,
    modified_since: Option<&str>,
    etag: &str,
    modified: SystemTime,
) -> bool {
    if let Some(kept) = none_match {
        return kept
            .split(',')
            .map(|tag| tag.trim().trim_start_matches("W/"))
            .any(|tag| tag == etag || tag == "*");
    }
    let since = modified_since.and_then(|date| httpdate::parse_http_date(date).ok());
    since.is_some_and(|since| modified < since + Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_decoded() {
        assert_eq!(address("/").as_deref(), Some(""));
        assert_eq!(
            address("/www/main.js?x=1#y").as_deref(),
            Some("www/main.js")
        );
        assert_eq!(
            address("/www/%ED%95%9C.json").as_deref(),
            Some("www/한.json")
        );
    }

    #[test]
    fn no_address_leaves_the_site() {
        let attempts = [
            "/../Cargo.toml",
            "/www/../../x",
            "/%2e%2e/x",
            "/..%2fx",
            "/www//x",
            "//etc/passwd",
            "/.git/config",
            "/a\\..\\x",
            "/c:/x",
            "/a%00b",
            "/%",
            "/%zz",
            "x",
        ];
        for attempt in attempts {
            assert_eq!(address(attempt), None, "{attempt}");
        }
    }

    #[test]
    fn ranges_are_read() {
        let cases = [
            ("bytes=0-", Range::Part { first: 0, last: 99 }),
            (
                "bytes=10-19",
                Range::Part {
                    first: 10,
                    last: 19,
                },
            ),
            (
                "bytes=90-1000",
                Range::Part {
                    first: 90,
                    last: 99,
                },
            ),
            (
                "bytes=-10",
                Range::Part {
                    first: 90,
                    last: 99,
                },
            ),
            ("bytes=-1000", Range::Part { first: 0, last: 99 }),
            (
                "bytes=99-99",
                Range::Part {
                    first: 99,
                    last: 99,
                },
            ),
            ("bytes=100-", Range::Unsatisfiable),
            ("bytes=-0", Range::Unsatisfiable),
            ("bytes=20-10", Range::Whole),
            ("bytes=0-1,5-6", Range::Whole),
            ("bytes=-", Range::Whole),
            ("bytes=a-b", Range::Whole),
            ("bytes=5-b", Range::Whole),
            ("lines=0-1", Range::Whole),
        ];
        for (header, expected) in cases {
            assert_eq!(range(header, 100), expected, "{header}");
        }
        assert_eq!(range("bytes=0-", 0), Range::Unsatisfiable);
        assert_eq!(range("bytes=-5", 0), Range::Unsatisfiable);
    }

    #[test]
    fn a_module_must_have_the_type_that_browsers_compile_while_loading() {
        assert_eq!(
            content_type(Path::new("webtune_bg.wasm")),
            "application/wasm"
        );
        assert_eq!(
            content_type(Path::new("main.js")),
            "text/javascript; charset=utf-8"
        );
        assert_eq!(
            content_type(Path::new("model.safetensors")),
            "application/octet-stream"
        );
        assert_eq!(
            content_type(Path::new("LICENSE")),
            "text/plain; charset=utf-8"
        );
    }

    #[test]
    fn the_best_accepted_encoding_comes_first() {
        let names = |accept| {
            encodings(accept)
                .map(|encoding| encoding.name)
                .collect::<Vec<_>>()
        };
        assert_eq!(names("gzip, deflate, br, zstd"), ["br", "gzip"]);
        assert_eq!(names("br;q=0, gzip;q=0.5"), ["gzip"]);
        assert!(names("").is_empty());
    }

    #[test]
    fn only_addresses_that_never_change_their_content_are_kept_forever() {
        assert!(cache_control("v/12ab/www/main.js").contains("immutable"));
        assert!(cache_control("models/m/config.json").contains("immutable"));
        assert!(!cache_control("index.html").contains("immutable"));
    }

    #[test]
    fn a_kept_copy_is_recognised() {
        let modified = UNIX_EPOCH + Duration::new(1_000_000_000, 500);
        let tag = etag(7, modified, None);
        assert!(unchanged(
            Some(&format!("\"x\", W/{tag}")),
            None,
            &tag,
            modified
        ));
        assert!(!unchanged(
            Some("\"x\""),
            Some(&httpdate::fmt_http_date(modified)),
            &tag,
            modified
        ));
        assert!(unchanged(
            None,
            Some(&httpdate::fmt_http_date(modified)),
            &tag,
            modified
        ));
        assert!(!unchanged(
            None,
            Some("Sat, 01 Jan 2000 00:00:00 GMT"),
            &tag,
            modified
        ));
    }
}
