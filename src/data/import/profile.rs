//! What the cells of a column are like: the evidence from which the header and the columns are detected.

use std::collections::HashSet;

/// What the cells of a column are like. Shares are of the cells that are not blank.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    /// The number of cells that are not blank.
    pub filled: usize,
    /// The number of all cells.
    pub total: usize,
    /// The number of distinct cells that are not blank.
    pub distinct: usize,
    /// The mean length in characters.
    pub mean_chars: f64,
    /// The share of numbers, dates, times and ids: at least two fifths of the characters are digits.
    pub numeric: f64,
    /// The share of numbers with a fraction other than zero.
    pub fractions: f64,
    /// The share of cells of several words.
    pub worded: f64,
    /// The share of cells that are the address of a page or a mail address.
    pub addresses: f64,
}

impl Profile {
    /// Describes a column.
    pub fn of<'a>(cells: impl Iterator<Item = &'a str>) -> Self {
        let mut profile = Profile::default();
        let mut seen = HashSet::new();
        for cell in cells {
            profile.total += 1;
            let cell = cell.trim();
            if cell.is_empty() {
                continue;
            }
            profile.filled += 1;
            seen.insert(cell);
            let chars = cell.chars().count();
            profile.mean_chars += chars as f64;
            profile.numeric += f64::from(is_numeric(cell));
            profile.fractions +=
                f64::from(number(cell).is_some_and(|number| number.fract() != 0.0));
            profile.worded += f64::from(cell.contains(char::is_whitespace));
            let address = cell.starts_with("http://") || cell.starts_with("https://");
            let mail =
                cell.contains('@') && !cell.starts_with('@') && !cell.contains(char::is_whitespace);
            profile.addresses += f64::from(address && !cell.contains(' ') || mail);
        }
        profile.distinct = seen.len();
        let filled = profile.filled.max(1) as f64;
        for share in [
            &mut profile.mean_chars,
            &mut profile.numeric,
            &mut profile.fractions,
            &mut profile.worded,
            &mut profile.addresses,
        ] {
            *share /= filled;
        }
        profile
    }

    /// Returns the share of cells that are not blank.
    pub fn filled_share(&self) -> f64 {
        self.filled as f64 / self.total.max(1) as f64
    }

    /// Returns whether a value stands twice.
    pub fn repeats(&self) -> bool {
        self.distinct < self.filled
    }
}

/// Returns the number that a cell is, also one with a decimal comma.
pub fn number(cell: &str) -> Option<f64> {
    let cell = cell.trim();
    let parse = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    parse(cell).or_else(|| match cell.split_once(',') {
        Some((whole, fraction))
            if !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            parse(&format!("{whole}.{fraction}"))
        }
        _ => None,
    })
}

/// Returns whether a cell is a number, a date, a time or an id: two fifths of its characters are digits.
pub fn is_numeric(cell: &str) -> bool {
    let (mut digits, mut others) = (0, 0);
    for letter in cell.chars().filter(|letter| !letter.is_whitespace()) {
        if letter.is_ascii_digit() {
            digits += 1;
        } else {
            others += 1;
        }
    }
    digits * 3 >= others * 2 && digits > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_may_have_a_decimal_comma() {
        assert_eq!(
            (
                number("4,5"),
                number(" 1.0 "),
                number("x"),
                number("1,000,000"),
                number("nan")
            ),
            (Some(4.5), Some(1.0), None, None, None)
        );
        let profile: std::collections::HashMap<&str, bool> =
            ["2024-01-31", "Mon Apr 06 22:19:10 PDT 2009", "room 12"]
                .map(|cell| (cell, is_numeric(cell)))
                .into();
        assert_eq!(
            (
                profile["2024-01-31"],
                profile["Mon Apr 06 22:19:10 PDT 2009"],
                profile["room 12"]
            ),
            (true, true, false)
        );
    }
}
