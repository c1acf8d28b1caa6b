//! The labels of the rows while they are read, their order, and names that may mean the same label.

use super::profile::number;
use super::{MAX_COUNTED_LABEL_BYTES, MAX_COUNTED_LABELS, MAX_LABELS, MIN_LABELS};
use crate::{Error, Result};
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

/// Label names in the order of their first row.
#[derive(Debug, Default)]
pub struct LabelIndex {
    ids: HashMap<String, usize>,
    names: Vec<String>,
    /// The length of all names, in bytes.
    size: usize,
}

impl LabelIndex {
    /// Returns the id of `name`. Beyond [`MAX_COUNTED_LABELS`] or
    /// [`MAX_COUNTED_LABEL_BYTES`] all new names share an id.
    pub fn id(&mut self, name: &str) -> usize {
        if let Some(&id) = self.ids.get(name) {
            return id;
        }
        let id = self.names.len();
        if id < MAX_COUNTED_LABELS && self.size < MAX_COUNTED_LABEL_BYTES {
            self.size += name.len();
            self.ids.insert(name.to_owned(), id);
            self.names.push(name.to_owned());
        }
        id
    }

    /// Returns whether there are more labels than a classifier can have here.
    pub fn too_many(&self) -> bool {
        self.names.len() > MAX_LABELS
    }

    /// Returns the names in their final order, and the new id of each old one.
    ///
    /// # Errors
    /// [`Error::Dataset`] for too many labels. `place` names the column or the folder.
    pub fn into_names(self, place: &str) -> Result<(Vec<String>, Vec<usize>)> {
        let found = self.names.len();
        if found > MAX_LABELS {
            let counted = found == MAX_COUNTED_LABELS || self.size >= MAX_COUNTED_LABEL_BYTES;
            let more = if counted { " or more" } else { "" };
            return Err(Error::Dataset(format!(
                "{place} has {found}{more} distinct labels. A classifier can have {MIN_LABELS} to {MAX_LABELS} classes \
                 here: choose the column with the label, or put rare labels together."
            )));
        }
        let mut order: Vec<usize> = (0..found).collect();
        let kind = Kind::of(&self.names);
        order.sort_by(|&a, &b| kind.compare(&self.names[a], &self.names[b]));
        let mut ids = vec![0; found];
        for (new, &old) in order.iter().enumerate() {
            ids[old] = new;
        }
        let names = order.iter().map(|&old| self.names[old].clone()).collect();
        Ok((names, ids))
    }
}

enum Kind {
    Numbers,
    Booleans,
    Names,
}

fn boolean(name: &str) -> Option<bool> {
    match name.trim().to_lowercase().as_str() {
        "false" => Some(false),
        "true" => Some(true),
        _ => None,
    }
}

impl Kind {
    fn of(names: &[String]) -> Self {
        if names.iter().all(|name| number(name).is_some()) {
            Kind::Numbers
        } else if names.iter().all(|name| boolean(name).is_some()) {
            Kind::Booleans
        } else {
            Kind::Names
        }
    }

    fn compare(&self, a: &str, b: &str) -> Ordering {
        let first = match self {
            Kind::Numbers => number(a).partial_cmp(&number(b)).unwrap_or(Ordering::Equal),
            Kind::Booleans => boolean(a).cmp(&boolean(b)),
            Kind::Names => Ordering::Equal,
        };
        // The bytes of UTF-8 are in the order of the code points.
        first.then_with(|| a.cmp(b))
    }
}

/// Returns the groups of labels whose names differ only in blanks, characters without width, case, or the format of a
/// number.
pub fn same_labels(names: &[String]) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (label, name) in names.iter().enumerate() {
        groups.entry(normalized(name)).or_default().push(label);
    }
    let mut groups: Vec<Vec<usize>> = groups
        .into_values()
        .filter(|group| group.len() > 1)
        .collect();
    groups.sort();
    groups
}

fn normalized(name: &str) -> String {
    let visible: String = name
        .chars()
        .filter(|letter| {
            !matches!(
                letter,
                '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}' | '\u{AD}'
            )
        })
        .collect();
    match number(&visible) {
        Some(number) => format!("{}", number + 0.0),
        None => visible
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(names: &[&str]) -> Vec<String> {
        let mut index = LabelIndex::default();
        for name in names {
            index.id(name);
        }
        index.into_names("column \"label\" of x.csv").unwrap().0
    }

    fn same(names: &[&str]) -> Vec<Vec<usize>> {
        same_labels(
            &names
                .iter()
                .map(|name| name.to_string())
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn the_order_is_that_of_numbers_booleans_or_code_points() {
        assert_eq!(sorted(&["10", "2", "-1", "1.5"]), ["-1", "1.5", "2", "10"]);
        assert_eq!(sorted(&["4,5", "10", "4,25"]), ["4,25", "4,5", "10"]);
        assert_eq!(sorted(&["TRUE", "FALSE"]), ["FALSE", "TRUE"]);
        assert_eq!(
            sorted(&["true", "x", "false", "X"]),
            ["X", "false", "true", "x"]
        );
        assert_eq!(sorted(&["긍정", "부정", "a"]), ["a", "긍정", "부정"]);
    }

    #[test]
    fn ids_follow_the_order() {
        let mut index = LabelIndex::default();
        assert_eq!(
            ["b", "a", "b", "c"].map(|name| index.id(name)),
            [0, 1, 0, 2]
        );
        let (names, ids) = index.into_names("x").unwrap();
        assert_eq!(
            (names, ids),
            (vec!["a".into(), "b".into(), "c".into()], vec![1, 0, 2])
        );
    }

    #[test]
    fn too_many_labels_are_refused_with_their_number() {
        let refused = |count: usize| {
            let mut index = LabelIndex::default();
            for label in 0..count {
                index.id(&format!("label {label}"));
            }
            index
                .into_names("column \"topic\" of x.csv")
                .map_err(|error| error.to_string())
        };
        assert!(refused(1).is_ok() && refused(100).is_ok());
        let message = refused(101).unwrap_err();
        assert!(message.contains("101 distinct labels") && message.contains("\"topic\""));
        assert!(refused(20_000).unwrap_err().contains("10000 or more"));
    }

    #[test]
    fn names_that_may_mean_the_same_are_grouped() {
        assert_eq!(
            same(&["Spam ", "ham", "spam", "s\u{200B}pam"]),
            [vec![0, 2, 3]]
        );
        assert_eq!(
            same(&["0", "0.0", "1", "1.0", "01"]),
            [vec![0, 1], vec![2, 3, 4]]
        );
        assert_eq!(same(&["not  good", "Not good", "good"]), [vec![0, 1]]);
        assert!(same(&["1", "2", "one", "12"]).is_empty());
    }
}
