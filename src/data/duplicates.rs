//! Groups of rows whose texts are the same or nearly the same.

mod lsh;
mod normalize;
mod search;
#[cfg(test)]
mod tests;
mod union_find;

pub use search::DuplicateSearch;

use crate::Result;

/// The groups of rows with the same text and with nearly the same text.
///
/// Two texts are **the same** if they are equal in lower case, with one blank for each run of blanks and punctuation,
/// full-width characters as ASCII and decomposed Hangul composed. A text of nothing but punctuation keeps it, so that
/// ":)" and ":(" differ; a blank text has no duplicates.
///
/// Two texts are **nearly the same** if both have at least 24 characters then and the Jaccard similarity of their sets
/// of shingles (four consecutive characters) is at least 0.8: in a sentence of 30 words about 2 words may differ. If
/// half of the characters are Hangul, Han or Kana, the bounds are 12 characters and shingles of two. If A resembles B
/// and B resembles C, the three are one group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DuplicateGroups {
    /// The group of each row. Groups are numbered in the order of their first rows; a row without duplicates has a
    /// group of its own.
    pub group: Vec<usize>,
    /// Rows of the same text, ascending: groups of at least two rows, in the order of their first rows.
    pub exact: Vec<Vec<usize>>,
    /// Rows of nearly the same text, ascending: groups of at least two different texts, with all rows of each, in the
    /// order of their first rows.
    pub near: Vec<Vec<usize>>,
}

impl DuplicateGroups {
    /// Returns the number of groups: of distinct texts, where near duplicates count once.
    pub fn num_groups(&self) -> usize {
        self.group.iter().max().map_or(0, |last| last + 1)
    }
}

/// Returns the groups of `texts`.
pub fn duplicate_groups(texts: &[&str]) -> DuplicateGroups {
    let mut search = DuplicateSearch::new();
    while !search.step(texts) {}
    search.finish()
}

/// Returns the groups of `texts`. After each of its steps it calls `tick` with the work that is done and all work.
///
/// # Errors
/// The errors of `tick`, which stop the search.
pub fn find_duplicates(
    texts: &[&str],
    tick: &mut dyn FnMut(usize, usize) -> Result<()>,
) -> Result<DuplicateGroups> {
    let mut search = DuplicateSearch::new();
    while !search.step(texts) {
        tick(search.done(), 2 * texts.len())?;
    }
    Ok(search.finish())
}
