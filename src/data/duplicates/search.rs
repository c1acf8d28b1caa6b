//! The search for duplicates in steps, so that a worker can report progress and hear Stop between them.

use super::DuplicateGroups;
use super::lsh::{BANDS, Shingles, Sketches};
use super::normalize::normalized;
use super::union_find::UnionFind;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};
use std::ops::Range;

/// The smallest Jaccard similarity of the shingles of near duplicates.
const MIN_SIMILARITY: f64 = 0.8;

/// Near duplicates have at least this many normalized characters, or half as many if they are syllables: in a shorter
/// text one other character is another word ("good", "goods").
const MIN_CHARS: usize = 24;

/// Texts of a step.
const STEP: usize = 256;

/// Texts of a bucket with which each later text of the bucket is compared: the first ones and the latest ones. A group
/// of near duplicates needs no more, and a bucket of thousands of texts of one template stays fast.
const COMPARED: usize = 16;

/// A search for the duplicates of some texts, done in steps.
#[derive(Debug, Default)]
pub struct DuplicateSearch {
    /// The first row of each normalized text, by a hash of 128 bits; the texts themselves are not kept.
    first_rows: HashMap<[u64; 2], u32>,
    /// The first row with the same text, by row.
    same: Vec<u32>,
    sets: UnionFind,
    /// The rows that have a sketch.
    sketched: Vec<u32>,
    sketches: Sketches,
    /// The band of the pass, its texts by bucket, and the next of them.
    band: usize,
    sorted: Vec<(u32, u32)>,
    next: usize,
}

impl DuplicateSearch {
    /// A search that has done nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Does the next step. Every step needs the same `texts`. Returns whether the search is complete.
    pub fn step(&mut self, texts: &[&str]) -> bool {
        if self.same.len() < texts.len() {
            let end = (self.same.len() + STEP).min(texts.len());
            for text in &texts[self.same.len()..end] {
                self.read(text);
            }
            return false;
        }
        if self.band == BANDS || self.sketched.len() < 2 {
            return true;
        }
        if self.next == 0 {
            self.sorted = self.sketches.sorted(self.band);
        }
        let end = self.next + STEP;
        while self.next < end.min(self.sorted.len()) {
            let bucket = self.bucket();
            self.next = bucket.end;
            self.compare(bucket, texts);
        }
        if self.next == self.sorted.len() {
            (self.band, self.next) = (self.band + 1, 0);
        }
        self.band == BANDS
    }

    /// The work that is done, of twice the number of texts: one half is to read them, one half to compare them.
    pub fn done(&self) -> usize {
        let texts = self.same.len();
        let passes = self.band as f64 + self.next as f64 / self.sorted.len().max(1) as f64;
        texts + (texts as f64 * passes / BANDS as f64) as usize
    }

    /// Returns the groups of the texts that the steps have read.
    pub fn finish(mut self) -> DuplicateGroups {
        let rows = self.same.len();
        let mut groups = DuplicateGroups::default();
        let mut ids: HashMap<u32, usize> = HashMap::new();
        let mut members: Vec<Vec<usize>> = Vec::new();
        let mut exact: Vec<Vec<usize>> = vec![Vec::new(); rows];
        for row in 0..rows {
            let id = *ids.entry(self.sets.find(row as u32)).or_insert_with(|| {
                members.push(Vec::new());
                members.len() - 1
            });
            groups.group.push(id);
            members[id].push(row);
            exact[self.same[row] as usize].push(row);
        }
        exact.retain(|rows| rows.len() > 1);
        let distinct =
            |rows: &[usize]| rows.iter().any(|&row| self.same[row] != self.same[rows[0]]);
        members.retain(|rows| distinct(rows));
        (groups.exact, groups.near) = (exact, members);
        groups
    }

    /// Finds the first row with the same text, or makes a sketch.
    fn read(&mut self, text: &str) {
        let row = self.same.len() as u32;
        let normalized = normalized(text);
        self.sets.add();
        // A blank text has no duplicates.
        let first = match normalized.is_empty() {
            true => row,
            false => *self.first_rows.entry(hash(&normalized)).or_insert(row),
        };
        self.same.push(first);
        if first != row {
            self.sets.join(first, row);
        } else if let Some(shingles) = Shingles::new(&normalized, MIN_CHARS) {
            self.sketched.push(row);
            self.sketches.push(&shingles);
        }
    }

    /// The texts of the next bucket.
    fn bucket(&self) -> Range<usize> {
        let rest = &self.sorted[self.next..];
        let equal = rest.iter().take_while(|(hash, _)| *hash == rest[0].0);
        self.next..self.next + equal.count()
    }

    /// Joins the near duplicates of a bucket.
    fn compare(&mut self, bucket: Range<usize>, texts: &[&str]) {
        for at in bucket.clone().skip(1) {
            let first = bucket.start..at.min(bucket.start + COMPARED);
            let latest = at.saturating_sub(COMPARED).max(first.end)..at;
            for other in first.chain(latest) {
                self.join_if_similar(self.sorted[other].1, self.sorted[at].1, texts);
            }
        }
    }

    fn join_if_similar(&mut self, a: u32, b: u32, texts: &[&str]) {
        let rows = [a, b].map(|text| self.sketched[text as usize]);
        if self.sets.find(rows[0]) == self.sets.find(rows[1]) || !self.sketches.may_be_similar(a, b)
        {
            return;
        }
        let shingles = rows.map(|row| Shingles::new(&normalized(texts[row as usize]), MIN_CHARS));
        if let [Some(a), Some(b)] = shingles
            && a.similarity(&b) >= MIN_SIMILARITY
        {
            self.sets.join(rows[0], rows[1]);
        }
    }
}

/// A hash of 128 bits, so that two texts of a dataset do not collide.
fn hash(text: &str) -> [u64; 2] {
    [0, 1].map(|half| {
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(half);
        hasher.write(text.as_bytes());
        hasher.finish()
    })
}
