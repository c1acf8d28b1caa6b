//! A seeded generator of product reviews in English and Korean.
//!
//! Each review has a grade of one to five stars. The words that carry no opinion (products, occasions, openings,
//! durations) come from lists that all grades share, so that only the opinion decides the class.

mod english;
mod grammar;
mod korean;
#[cfg(test)]
mod tests;

use super::{Dataset, Row};
use crate::random::RandomState;
use grammar::Grammar;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The language of the reviews.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum ReviewLanguage {
    /// English.
    #[default]
    En,
    /// Korean.
    Ko,
}

/// Which reviews to generate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReviewOptions {
    /// Number of rows.
    pub num_rows: usize,
    /// Seed of the sentences, of the order and of the noise.
    pub seed: u32,
    /// Language of the texts and of the label names.
    pub language: ReviewLanguage,
    /// 2 (negative, positive) or 5 (one to five stars).
    pub num_classes: usize,
    /// Share of the rows, `0..=1`, that get the label of another class.
    pub label_noise: f64,
}

/// How often a sentence that is already in the dataset is drawn again before it is used twice.
const MAX_REDRAWS: usize = 50;

/// Generates the reviews: as many of each class as of the others (the first classes have one more if the number of
/// rows is not divisible), shuffled. Equal options give equal rows.
///
/// # Panics
/// For a number of classes other than 2 and 5.
pub fn review_dataset(options: &ReviewOptions) -> Dataset {
    let (grammar, names) = match options.language {
        ReviewLanguage::En => (english::GRAMMAR, english::label_names(options.num_classes)),
        ReviewLanguage::Ko => (korean::GRAMMAR, korean::label_names(options.num_classes)),
    };
    let mut random = RandomState::new(options.seed);
    let mut seen = HashSet::new();
    let mut rows: Vec<Row> = random
        .permutation(options.num_rows)
        .into_iter()
        .map(|at| {
            let label = at % names.len();
            let text = new_text(&grammar, label, names.len(), &mut random, &mut seen);
            Row { text, label }
        })
        .collect();
    add_label_noise(&mut rows, names.len(), options.label_noise, &mut random);
    let labels = names.iter().map(|&name| name.into()).collect();
    Dataset { rows, labels }
}

/// Writes a review of the class `label` that is not in `seen`, and adds it there.
fn new_text(
    grammar: &Grammar,
    label: usize,
    num_classes: usize,
    random: &mut RandomState,
    seen: &mut HashSet<String>,
) -> String {
    let mut text = String::new();
    for _ in 0..=MAX_REDRAWS {
        text = grammar.review(grade_of(label, num_classes, random), random);
        if seen.insert(text.clone()) {
            break;
        }
    }
    text
}

/// The grade of a review of the class: with two classes 1 or 2 for negative, 4 or 5 for positive.
fn grade_of(label: usize, num_classes: usize, random: &mut RandomState) -> u8 {
    match (num_classes, label) {
        (2, 0) => 1 + random.randint(2) as u8,
        (2, _) => 4 + random.randint(2) as u8,
        _ => label as u8 + 1,
    }
}

/// Gives the share `noise` of the rows the label of another class.
fn add_label_noise(rows: &mut [Row], num_classes: usize, noise: f64, random: &mut RandomState) {
    let num_noisy = (rows.len() as f64 * noise.clamp(0.0, 1.0)).round() as usize;
    for at in random.permutation(rows.len()).into_iter().take(num_noisy) {
        let distance = 1 + random.randint(num_classes as u32 - 1) as usize;
        rows[at].label = (rows[at].label + distance) % num_classes;
    }
}
