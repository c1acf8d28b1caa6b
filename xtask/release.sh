#!/usr/bin/env bash
# Makes the files of a release from dist/: the archive, its checksum, and the notes. `xtask/release.sh v0.2.0`
# The archive has the same bytes wherever it is made from the same dist/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tag="$1"
version="${tag#v}"
if ! grep -q "^version = \"$version\"$" Cargo.toml; then
  echo "The tag is $tag, but Cargo.toml has another version." >&2
  exit 1
fi
mkdir -p target
node xtask/release-notes.js "$version" <CHANGELOG.md >target/release-notes.md
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -cf - dist |
  gzip -9 -n >"target/webtune-$tag.tar.gz"
cd target
sha256sum "webtune-$tag.tar.gz" | tee SHA256SUMS
