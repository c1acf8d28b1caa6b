//! Findings on the tokens of the rows.

use super::{Finding, Remedy, Severity};
use crate::data::Dataset;
use serde_json::json;

/// Share of truncated rows above which they are a warning: the 95th percentile is above `max_length` then.
const MANY_TRUNCATED: f64 = 0.05;

/// Share of unknown tokens above which the vocabulary does not suit the texts.
pub(crate) const MANY_UNKNOWN: f64 = 0.05;

/// Share of unknown tokens above which a row is unreadable for the model.
const UNREADABLE: f64 = 0.2;

/// The tokens that begin and end each row, `[CLS]` and `[SEP]`.
const SPECIAL: usize = 2;

/// Proposed lengths are multiples of this.
const STEP: usize = 8;

/// What the tokenizer has found in each row.
#[derive(Debug, Clone, Copy)]
pub struct TokenFacts<'a> {
    /// Tokens of each row before truncation, with the two special tokens.
    pub lengths: &'a [usize],
    /// `[UNK]` tokens of each row.
    pub unknown: &'a [usize],
    /// The setting `max_length`.
    pub max_length: usize,
    /// Positions of the model: its largest `max_length`.
    pub positions: usize,
}

/// Returns the findings on the tokens of the rows.
///
/// - `truncated`: rows of more than `max_length` tokens, whose end the model does not see; a warning if they are more
///   than 5 % of the rows. The remedy then raises `max_length` to the 95th percentile of the lengths, rounded up to a
///   multiple of 8, as far as the model's positions allow.
/// - `unknown_tokens`: more than 5 % of the tokens (special ones aside) are `[UNK]`: the vocabulary is one of another
///   language or script.
/// - `unknown_rows`: otherwise, rows of which more than 20 % are `[UNK]`. The remedy deletes them, unless a class would
///   keep fewer than two rows.
pub fn audit_tokens(dataset: &Dataset, facts: &TokenFacts) -> Vec<Finding> {
    let unknown = unknown_tokens(dataset, facts).or_else(|| unknown_rows(dataset, facts));
    truncated(dataset, facts)
        .into_iter()
        .chain(unknown)
        .collect()
}

fn truncated(dataset: &Dataset, facts: &TokenFacts) -> Option<Finding> {
    let lengths = facts.lengths.iter().enumerate();
    let mut rows: Vec<(usize, usize)> = lengths
        .map(|(row, &length)| (row, length))
        .filter(|(_, length)| *length > facts.max_length)
        .collect();
    if rows.is_empty() {
        return None;
    }
    // The longest first; stable, so that rows of one length stay in order.
    rows.sort_by_key(|&(_, length)| std::cmp::Reverse(length));
    let share = rows.len() as f64 / facts.lengths.len() as f64;
    let p95 = percentile_95(facts.lengths);
    let proposed = p95.next_multiple_of(STEP).min(facts.positions);
    let raises = p95 > facts.max_length && proposed > facts.max_length;
    let mut params = json!({
        "max_length": facts.max_length,
        "share": share,
        "p95": p95,
        "longest": rows[0].1,
        "positions": facts.positions,
    });
    if raises {
        params["proposed"] = json!(proposed);
    }
    let severity = match share > MANY_TRUNCATED {
        true => Severity::Warning,
        false => Severity::Note,
    };
    let counts = [rows.len(), facts.lengths.len()];
    let values = rows.iter().map(|&(row, length)| (row, length as f64));
    let finding = Finding::new("truncated", severity, counts, params);
    let finding = finding.with_values(dataset, values);
    let remedy = raises.then(|| Remedy::settings(json!({"max_length": proposed})));
    Some(finding.with_remedy(remedy))
}

/// The smallest length that at least 95 % of the rows do not exceed.
fn percentile_95(lengths: &[usize]) -> usize {
    let mut sorted = lengths.to_vec();
    sorted.sort_unstable();
    // In whole numbers: 0.95 * 20 in f64 is not above 19, other products are.
    let rank = (sorted.len() * 95).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

/// The share of unknown tokens of each row that has some, the largest first.
fn unknown_shares(facts: &TokenFacts) -> Vec<(usize, f64)> {
    let rows = facts.lengths.iter().zip(facts.unknown).enumerate();
    let rows = rows.filter(|(_, (_, unknown))| **unknown > 0);
    let share = |(row, (&length, &unknown)): (usize, (&usize, &usize))| {
        let tokens = length.saturating_sub(SPECIAL).max(unknown);
        (row, unknown as f64 / tokens as f64)
    };
    let mut shares: Vec<(usize, f64)> = rows.map(share).collect();
    shares.sort_by(|a, b| b.1.total_cmp(&a.1));
    shares
}

fn unknown_tokens(dataset: &Dataset, facts: &TokenFacts) -> Option<Finding> {
    let lengths = facts.lengths.iter();
    let tokens: usize = lengths.map(|length| length.saturating_sub(SPECIAL)).sum();
    let unknown: usize = facts.unknown.iter().sum();
    let rate = unknown as f64 / tokens.max(1) as f64;
    if rate <= MANY_UNKNOWN {
        return None;
    }
    let shares = unknown_shares(facts);
    let params = json!({"rate": rate, "rows": shares.len()});
    let finding = Finding::new(
        "unknown_tokens",
        Severity::Warning,
        [unknown, tokens],
        params,
    );
    Some(finding.with_values(dataset, shares))
}

fn unknown_rows(dataset: &Dataset, facts: &TokenFacts) -> Option<Finding> {
    let mut shares = unknown_shares(facts);
    shares.retain(|&(_, share)| share > UNREADABLE);
    if shares.is_empty() {
        return None;
    }
    let rows: Vec<usize> = shares.iter().map(|&(row, _)| row).collect();
    let counts = [rows.len(), facts.lengths.len()];
    let params = json!({"threshold": UNREADABLE});
    let finding = Finding::new("unknown_rows", Severity::Note, counts, params);
    let finding = finding.with_values(dataset, shares);
    Some(finding.with_remedy(Remedy::delete_rows(dataset, &rows)))
}

#[cfg(test)]
mod tests {
    use super::super::finding::testing::{classes, ids};
    use super::*;

    fn audit(
        lengths: &[usize],
        unknown: &[usize],
        [max_length, positions]: [usize; 2],
    ) -> Vec<Finding> {
        let facts = TokenFacts {
            lengths,
            unknown,
            max_length,
            positions,
        };
        audit_tokens(
            &classes(&[lengths.len() / 2, lengths.len().div_ceil(2)]),
            &facts,
        )
    }

    fn truncated(lengths: &[usize], limits: [usize; 2]) -> Option<Finding> {
        audit(lengths, &vec![0; lengths.len()], limits).pop()
    }

    #[test]
    fn proposes_the_95th_percentile() {
        let lengths: Vec<usize> = (1..=100).collect();
        let finding = truncated(&lengths, [64, 512]).unwrap();
        assert_eq!(
            (finding.id, finding.severity),
            ("truncated", Severity::Warning)
        );
        assert_eq!([finding.count, finding.of], [36, 100]);
        assert_eq!(
            (&finding.params["p95"], &finding.params["longest"]),
            (&json!(95), &json!(100))
        );
        assert_eq!(
            (finding.rows[0].row, finding.rows[0].value),
            (99, Some(100.0))
        );
        let remedy = Remedy::settings(json!({"max_length": 96}));
        assert_eq!(finding.remedy, Some(remedy));
    }

    #[test]
    fn the_proposal_has_the_positions_of_the_model() {
        let lengths = [900; 20];
        let finding = truncated(&lengths, [128, 512]).unwrap();
        assert_eq!(
            finding.remedy,
            Some(Remedy::settings(json!({"max_length": 512})))
        );
        let finding = truncated(&lengths, [512, 512]).unwrap();
        assert_eq!(
            (finding.remedy, finding.params.get("proposed")),
            (None, None)
        );
    }

    #[test]
    fn few_long_rows_are_a_note() {
        let mut lengths = [10; 40];
        lengths[3] = 200;
        lengths[7] = 130;
        let finding = truncated(&lengths, [128, 512]).unwrap();
        assert_eq!((finding.severity, finding.remedy), (Severity::Note, None));
        assert_eq!(truncated(&lengths, [200, 512]), None);
        assert_eq!(truncated(&[], [128, 512]), None);
    }

    #[test]
    fn finds_a_vocabulary_that_does_not_suit() {
        let findings = audit(&[12, 12, 12], &[0, 2, 0], [64, 512]);
        assert_eq!(ids(&findings), ["unknown_tokens"]);
        assert_eq!([findings[0].count, findings[0].of], [2, 30]);
        assert_eq!(
            (findings[0].rows[0].row, findings[0].rows[0].value),
            (1, Some(0.2))
        );
        assert!(audit(&[12, 12, 12], &[0, 1, 0], [64, 512]).is_empty());
    }

    #[test]
    fn finds_rows_of_unknown_tokens() {
        let (lengths, mut unknown) = ([12; 40], [0; 40]);
        (unknown[4], unknown[9], unknown[20]) = (3, 10, 2);
        let findings = audit(&lengths, &unknown, [64, 512]);
        assert_eq!(ids(&findings), ["unknown_rows"]);
        let rows: Vec<usize> = findings[0].rows.iter().map(|row| row.row).collect();
        assert_eq!(rows, [9, 4]);
        let rows = vec![4, 9];
        assert_eq!(findings[0].remedy, Some(Remedy::DeleteRows { rows }));
    }
}
