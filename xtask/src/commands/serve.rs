//! `cargo xtask serve`: builds what is missing and serves the page on this machine.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, empty};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::SystemTime;

use tiny_http::{Header, Method, Request, Response, Server, StatusCode};

use super::build;
use crate::error::{Error, Result};
use crate::http::{self, Encoding, Range};
use crate::site::{self, Mount};
use crate::wasm::{self, Profile};
use crate::{compress, progress, project, setup};

/// How many requests are answered at once. A browser opens six connections.
const THREADS: usize = 8;
const NOT_FOUND: &str = "<!doctype html><meta charset=utf-8><title>404</title><h1>Not here</h1><p>Nothing is at this address. <a href=\"/\">To the page</a></p>\n";

/// Sets up, builds and serves until the process is ended.
pub fn run(port: u16, release: bool) -> Result<()> {
    let server = listen(port)?;
    let port = server
        .server_addr()
        .to_ip()
        .map_or(port, |address| address.port());
    let site = if release { published()? } else { live()? };
    println!("==> http://127.0.0.1:{port}/ (Ctrl+C ends it)");
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Ok(request) = server.recv() {
                    site.answer(request);
                }
            });
        }
    });
    Ok(())
}

fn listen(port: u16) -> Result<Server> {
    Server::http(("127.0.0.1", port)).map_err(|reason| Error::Port {
        port,
        reason: reason.to_string(),
    })
}

/// The published form: `dist/` with its compressed files and its caching.
fn published() -> Result<Site> {
    let dist = build::run(Profile::Release)?;
    progress::note("serving dist/ as a visitor gets it");
    Ok(Site {
        mounts: vec![Mount {
            address: String::new(),
            source: dist,
        }],
        published: true,
    })
}

/// The development form: the page and its scripts as they are in the repository at each request.
fn live() -> Result<Site> {
    setup::npm()?;
    let pkg = wasm::build(Profile::Dev)?;
    site::write_vendor()?;
    let mut mounts = vec![Mount {
        address: site::INDEX.to_owned(),
        source: project::at(site::INDEX),
    }];
    mounts.extend(site::versioned(&pkg));
    mounts.extend(site::lasting());
    progress::note(
        "serving index.html and www/ as they are on disk: reload to see a change (a change in src/ needs a restart)",
    );
    Ok(Site {
        mounts,
        published: false,
    })
}

/// What is served, and how.
struct Site {
    mounts: Vec<Mount>,
    published: bool,
}

/// A file that answers a request.
struct Found {
    address: String,
    kind: &'static str,
    path: PathBuf,
    encoding: Option<Encoding>,
    length: u64,
    modified: SystemTime,
}

impl Site {
    fn answer(&self, request: Request) {
        if !matches!(request.method(), Method::Get | Method::Head) {
            let refusal = Response::from_string("only GET and HEAD\n").with_status_code(405);
            drop(request.respond(refusal.with_header(header("Allow", "GET, HEAD"))));
            return;
        }
        let found = http::address(request.url()).and_then(|address| self.find(&address, &request));
        let Some(found) = found else {
            progress::note(format_args!("404 {}", request.url()));
            let page = Response::from_string(NOT_FOUND).with_status_code(404);
            drop(
                request
                    .respond(page.with_header(header("Content-Type", "text/html; charset=utf-8"))),
            );
            return;
        };
        if let Err(error) = self.send(request, &found) {
            progress::note(format_args!("{}: {error}", found.address));
        }
    }

    fn find(&self, address: &str, request: &Request) -> Option<Found> {
        let address = if address.is_empty() || address.ends_with('/') {
            format!("{address}{}", site::INDEX)
        } else {
            address.to_owned()
        };
        let path = self
            .mounts
            .iter()
            .filter_map(|mount| mount.file_at(&address))
            .find(|path| path.is_file())?;
        let kind = http::content_type(Path::new(&address));
        let ranged = value(request, "Range").is_some();
        let accept = value(request, "Accept-Encoding")
            .filter(|_| self.published && !ranged)
            .unwrap_or_default();
        let packed = http::encodings(accept)
            .map(|encoding| (compress::with_suffix(&path, encoding.suffix), encoding));
        let (path, encoding) = match packed.into_iter().find(|(path, _)| path.is_file()) {
            Some((path, encoding)) => (path, Some(encoding)),
            None => (path, None),
        };
        let metadata = path.metadata().ok()?;
        let modified = metadata.modified().ok()?;
        Some(Found {
            address,
            kind,
            path,
            encoding,
            length: metadata.len(),
            modified,
        })
    }

    fn send(&self, request: Request, found: &Found) -> std::io::Result<()> {
        let etag = http::etag(found.length, found.modified, found.encoding);
        let caching = if self.published {
            http::cache_control(&found.address)
        } else {
            "no-cache"
        };
        let mut headers = vec![
            header("Content-Type", found.kind),
            header("ETag", &etag),
            header("Last-Modified", &httpdate::fmt_http_date(found.modified)),
            header("Cache-Control", caching),
            header("Accept-Ranges", "bytes"),
            header("Vary", "Accept-Encoding"),
        ];
        headers.extend(
            found
                .encoding
                .map(|encoding| header("Content-Encoding", encoding.name)),
        );
        if http::unchanged(
            value(&request, "If-None-Match"),
            value(&request, "If-Modified-Since"),
            &etag,
            found.modified,
        ) {
            return request.respond(Response::new(
                StatusCode(304),
                headers,
                empty(),
                Some(0),
                None,
            ));
        }
        let fresh = value(&request, "If-Range").is_none_or(|kept| kept == etag);
        let asked = value(&request, "Range")
            .filter(|_| fresh)
            .map_or(Range::Whole, |range| http::range(range, found.length));
        let (status, first, length) = match asked {
            Range::Whole => (200, 0, found.length),
            Range::Part { first, last } => {
                headers.push(header(
                    "Content-Range",
                    &format!("bytes {first}-{last}/{}", found.length),
                ));
                (206, first, last - first + 1)
            }
            Range::Unsatisfiable => {
                headers.push(header(
                    "Content-Range",
                    &format!("bytes */{}", found.length),
                ));
                return request.respond(Response::new(
                    StatusCode(416),
                    headers,
                    empty(),
                    Some(0),
                    None,
                ));
            }
        };
        let mut file = File::open(&found.path)?;
        file.seek(SeekFrom::Start(first))?;
        let body = Response::new(
            StatusCode(status),
            headers,
            file.take(length),
            usize::try_from(length).ok(),
            None,
        );
        request.respond(body.with_chunked_threshold(usize::MAX))
    }
}

fn value<'a>(request: &'a Request, name: &'static str) -> Option<&'a str> {
    request
        .headers()
        .iter()
        .find(|header| header.field.equiv(name))
        .map(|header| header.value.as_str())
}

fn header(name: &'static str, value: &str) -> Header {
    Header::from_bytes(name, value).expect("every header is made of printable ASCII here")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_is_named_with_the_way_out() {
        let first = listen(0).unwrap();
        let port = first.server_addr().to_ip().unwrap().port();
        let message = listen(port).err().unwrap().to_string();
        assert!(
            message.contains(&port.to_string()) && message.contains("--port"),
            "{message}"
        );
    }
}
