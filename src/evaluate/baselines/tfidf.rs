//! scikit-learn's [`TfidfVectorizer`][sklearn] with its defaults: the same vocabulary and the same values.
//!
//! [sklearn]: https://scikit-learn.org/stable/modules/generated/sklearn.feature_extraction.text.TfidfVectorizer.html

use super::features::SparseRows;
use super::tick::{Progress, Tick};
use super::word::words;
use crate::Result;
use std::collections::HashMap;

/// What a byte of text costs in multiply-adds, about.
const WORK_PER_BYTE: usize = 50;

/// Arguments of [`TfidfVectorizer::fit_transform`], under scikit-learn's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TfidfOptions {
    /// The fewest and the most words of a term.
    pub ngram_range: (usize, usize),
    /// Only so many terms are kept, the most frequent ones.
    pub max_features: Option<usize>,
}

impl Default for TfidfOptions {
    /// scikit-learn's defaults.
    fn default() -> Self {
        Self {
            ngram_range: (1, 1),
            max_features: None,
        }
    }
}

/// Texts to rows of term weights: lowercase words of two characters or more, their count times the smooth inverse
/// document frequency, normalized to length 1. Without any word a row is empty; scikit-learn refuses a vocabulary
/// without terms, this one has no columns then.
#[derive(Debug, Clone, PartialEq)]
pub struct TfidfVectorizer {
    /// The column of each term.
    vocabulary: HashMap<String, u32>,
    idf: Vec<f64>,
    ngram_range: (usize, usize),
}

impl TfidfVectorizer {
    /// Learns the terms of the texts.
    ///
    /// # Errors
    /// Those of `tick`, which is called with the texts done and all texts.
    pub async fn fit(texts: &[&str], options: &TfidfOptions, tick: &dyn Tick) -> Result<Self> {
        Ok(Self::fit_transform(texts, options, tick).await?.0)
    }

    /// Learns the terms of the texts, and returns their rows too.
    ///
    /// # Errors
    /// Those of `tick`, which is called with the texts done and all texts.
    pub async fn fit_transform(
        texts: &[&str],
        options: &TfidfOptions,
        tick: &dyn Tick,
    ) -> Result<(Self, SparseRows)> {
        let mut progress = Progress::new(tick, texts.len());
        let mut numbers = Numbers::default();
        let mut counts = Counts::default();
        for (row, text) in texts.iter().enumerate() {
            for_each_term(text, options.ngram_range, |term| {
                counts.add(numbers.of(term))
            });
            counts.end_row();
            progress.set(row + 1);
            progress
                .add(text.len().saturating_mul(WORK_PER_BYTE))
                .await?;
        }
        let (vocabulary, columns) = numbers.sorted(&counts, options.max_features);
        let mut rows = counts.rows(&columns, vocabulary.len());
        let mut frequency = vec![0usize; rows.columns];
        for &column in &rows.indices {
            frequency[column as usize] += 1;
        }
        let documents = (1 + texts.len()) as f64;
        let idf = |&rows: &usize| (documents / (1 + rows) as f64).ln() + 1.0;
        let vectorizer = Self {
            vocabulary,
            idf: frequency.iter().map(idf).collect(),
            ngram_range: options.ngram_range,
        };
        vectorizer.weight(&mut rows);
        Ok((vectorizer, rows))
    }

    /// Returns the rows of the texts. Terms that are not in the vocabulary do not count.
    ///
    /// # Errors
    /// Those of `tick`, which is called with the texts done and all texts.
    pub async fn transform(&self, texts: &[&str], tick: &dyn Tick) -> Result<SparseRows> {
        let mut progress = Progress::new(tick, texts.len());
        let mut counts = Counts::default();
        for (row, text) in texts.iter().enumerate() {
            for_each_term(text, self.ngram_range, |term| {
                if let Some(&column) = self.vocabulary.get(term) {
                    counts.add(column);
                }
            });
            counts.end_row();
            progress.set(row + 1);
            progress
                .add(text.len().saturating_mul(WORK_PER_BYTE))
                .await?;
        }
        let columns: Vec<Option<u32>> = (0..self.idf.len() as u32).map(Some).collect();
        let mut rows = counts.rows(&columns, self.idf.len());
        self.weight(&mut rows);
        Ok(rows)
    }

    /// The column of a term, if it has one.
    pub fn column(&self, term: &str) -> Option<usize> {
        self.vocabulary.get(term).map(|&column| column as usize)
    }

    /// The inverse document frequency of each column (`idf_`).
    pub fn idf(&self) -> &[f64] {
        &self.idf
    }

    /// Multiplies counts by the inverse document frequency and normalizes the rows.
    fn weight(&self, rows: &mut SparseRows) {
        for row in 0..rows.num_rows() {
            let range = rows.indptr[row]..rows.indptr[row + 1];
            let columns = &rows.indices[range.clone()];
            let values = &mut rows.values[range];
            let weighted =
                |(&column, &count): (&u32, &f32)| f64::from(count) * self.idf[column as usize];
            let weights: Vec<f64> = columns.iter().zip(&*values).map(weighted).collect();
            let length = weights.iter().map(|w| w * w).sum::<f64>().sqrt();
            for (value, weight) in values.iter_mut().zip(weights) {
                *value = (weight / length) as f32;
            }
        }
    }
}

/// Calls `take` with each term of a text, once for each time that it occurs.
fn for_each_term(text: &str, (min, max): (usize, usize), mut take: impl FnMut(&str)) {
    let text = text.to_lowercase();
    if max == 1 {
        return words(&text).for_each(take);
    }
    let words: Vec<&str> = words(&text).collect();
    for n in min..=max {
        for words in words.windows(n) {
            take(&words.join(" "));
        }
    }
}

/// Terms, numbered in the order of their first occurrence.
#[derive(Default)]
struct Numbers(HashMap<String, u32>);

impl Numbers {
    fn of(&mut self, term: &str) -> u32 {
        if let Some(&number) = self.0.get(term) {
            return number;
        }
        let number = self.0.len() as u32;
        self.0.insert(term.to_owned(), number);
        number
    }

    /// Renumbers the terms in the order of their code points. Returns the new number of each old one, which is `None`
    /// for a term that `max_features` drops.
    fn sorted(
        mut self,
        counts: &Counts,
        max_features: Option<usize>,
    ) -> (HashMap<String, u32>, Vec<Option<u32>>) {
        let mut columns = vec![None; self.0.len()];
        let mut terms: Vec<(&str, u32)> = self.0.iter().map(|(t, &n)| (t.as_str(), n)).collect();
        terms.sort_unstable();
        if let Some(limit) = max_features.filter(|&limit| limit < terms.len()) {
            let totals = counts.totals(terms.len());
            // A stable sort: of two terms that are as frequent the first in the order of the code points stays.
            terms.sort_by_key(|&(_, number)| std::cmp::Reverse(totals[number as usize]));
            terms.truncate(limit);
            terms.sort_unstable();
        }
        for (column, &(_, number)) in terms.iter().enumerate() {
            columns[number as usize] = Some(column as u32);
        }
        self.0.retain(|_, number| match columns[*number as usize] {
            Some(column) => {
                *number = column;
                true
            }
            None => false,
        });
        (self.0, columns)
    }
}

/// The terms of rows of texts with their counts.
struct Counts {
    indptr: Vec<usize>,
    terms: Vec<u32>,
    counts: Vec<u32>,
    /// The terms of the row that is being read.
    row: Vec<u32>,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            indptr: vec![0],
            terms: Vec::new(),
            counts: Vec::new(),
            row: Vec::new(),
        }
    }
}

impl Counts {
    fn add(&mut self, term: u32) {
        self.row.push(term);
    }

    fn end_row(&mut self) {
        self.row.sort_unstable();
        for same in self.row.chunk_by(|a, b| a == b) {
            self.terms.push(same[0]);
            self.counts.push(same.len() as u32);
        }
        self.row.clear();
        self.indptr.push(self.terms.len());
    }

    /// How often each of `terms` terms occurs.
    fn totals(&self, terms: usize) -> Vec<usize> {
        let mut totals = vec![0; terms];
        for (&term, &count) in self.terms.iter().zip(&self.counts) {
            totals[term as usize] += count as usize;
        }
        totals
    }

    /// The rows with the columns of the terms in ascending order.
    fn rows(&self, columns: &[Option<u32>], num_columns: usize) -> SparseRows {
        let mut rows = SparseRows {
            indptr: vec![0],
            columns: num_columns,
            ..SparseRows::default()
        };
        let mut row: Vec<(u32, u32)> = Vec::new();
        for bounds in self.indptr.windows(2) {
            let range = bounds[0]..bounds[1];
            let counted = self.terms[range.clone()].iter().zip(&self.counts[range]);
            row.clear();
            row.extend(counted.filter_map(|(&t, &count)| Some((columns[t as usize]?, count))));
            row.sort_unstable();
            rows.indices.extend(row.iter().map(|&(column, _)| column));
            rows.values
                .extend(row.iter().map(|&(_, count)| count as f32));
            rows.indptr.push(rows.indices.len());
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(texts: &[&str], options: &TfidfOptions) -> (TfidfVectorizer, SparseRows) {
        let tick = async |_: usize, _: usize| Ok(());
        pollster::block_on(TfidfVectorizer::fit_transform(texts, options, &tick)).unwrap()
    }

    #[test]
    fn texts_without_words_have_no_columns() {
        let (_, rows) = fit(&["", "a", "😀"], &TfidfOptions::default());
        assert_eq!(rows.columns, 0);
        assert_eq!(rows.num_rows(), 3);
        assert!(rows.values.is_empty());
    }

    #[test]
    fn the_most_frequent_terms_are_kept() {
        let texts = ["red red blue", "blue green red", "green green green"];
        let options = TfidfOptions {
            max_features: Some(2),
            ..TfidfOptions::default()
        };
        let (vectorizer, rows) = fit(&texts, &options);
        assert_eq!(vectorizer.column("blue"), None);
        assert_eq!(vectorizer.column("green"), Some(0));
        assert_eq!(vectorizer.column("red"), Some(1));
        assert_eq!(rows.row(0), (&[1][..], &[1.0][..]));
    }

    #[test]
    fn the_rows_of_new_texts_ignore_unknown_terms() {
        let (vectorizer, rows) = fit(&["good bag", "bad bag"], &TfidfOptions::default());
        let tick = async |_: usize, _: usize| Ok(());
        let new = pollster::block_on(vectorizer.transform(&["Bag, GOOD!", "lamp"], &tick)).unwrap();
        assert_eq!(new.row(0), rows.row(0));
        assert_eq!(new.row(1), (&[][..], &[][..]));
    }
}
