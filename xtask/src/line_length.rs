//! The check that no line of the sources is longer than a screen is wide, in any language.

use std::path::Path;

use crate::error::{Error, Result};
use crate::{process, project};

/// The greatest number of characters in a line.
const LIMIT: usize = 120;
const KINDS: [&str; 10] = [
    "css", "html", "js", "json", "md", "mjs", "py", "rs", "toml", "ts",
];
/// Recorded or generated data, and texts that are not wrapped.
const EXCLUDED: [&str; 4] = [
    "tests/fixtures/",
    "bench/results/",
    "www/i18n/",
    "package-lock.json",
];
const GIT: &str = "git's message is above. This check needs the repository, not only its files.";

/// Fails with the places of all lines that are too long.
pub fn check() -> Result<()> {
    let mut git = process::git();
    let tracked = process::output(git.args(["ls-files", "-z"]), GIT)?;
    let mut places = Vec::new();
    for file in tracked.trim().split('\0').filter(|file| applies_to(file)) {
        let path = project::at(file);
        // A deleted file is tracked until the commit.
        if path.is_file() {
            places.extend(
                long_lines(&project::read_text(&path)?).map(|line| format!("{file}:{line}")),
            );
        }
    }
    if places.is_empty() {
        return Ok(());
    }
    Err(Error::LongLines {
        limit: LIMIT,
        places,
    })
}

fn applies_to(file: &str) -> bool {
    let kind = Path::new(file).extension().unwrap_or_default();
    KINDS.contains(&kind.to_string_lossy().as_ref())
        && !EXCLUDED.iter().any(|excluded| file.contains(excluded))
}

/// The numbers of the lines above the limit.
/// Rows of a table in Markdown may be longer, because Markdown cannot break them.
fn long_lines(text: &str) -> impl Iterator<Item = usize> {
    let too_long = |line: &str| line.chars().count() > LIMIT && !line.starts_with('|');
    text.lines()
        .enumerate()
        .filter(move |(_, line)| too_long(line))
        .map(|(index, _)| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_above_the_limit_is_found_by_its_number() {
        let (longest, too_long) = ("한".repeat(LIMIT), "a".repeat(LIMIT + 1));
        let text = format!("{longest}\n{too_long}\n\n{too_long}");
        assert_eq!(long_lines(&text).collect::<Vec<_>>(), [2, 4]);
    }

    #[test]
    fn a_row_of_a_table_may_be_long() {
        let row = format!("| {} |", "a".repeat(LIMIT));
        assert_eq!(long_lines(&row).count(), 0);
    }

    #[test]
    fn data_is_excluded() {
        for file in ["src/lib.rs", "www/styles/page.css", "README.md"] {
            assert!(applies_to(file), "{file}");
        }
        for file in [
            "Cargo.lock",
            "bench/package-lock.json",
            "tests/fixtures/parity/a.json",
            "www/i18n/en.json",
            "LICENSE-MIT",
        ] {
            assert!(!applies_to(file), "{file}");
        }
    }
}
