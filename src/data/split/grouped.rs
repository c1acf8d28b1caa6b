//! A split that keeps duplicates and near duplicates in one part.

use super::{Split, SplitOptions, approximate_mode, num_test_rows, shuffled, split_rows};
use crate::data::{Dataset, DuplicateGroups};
use crate::random::RandomState;
use crate::{Error, Result};

/// Splits the rows of `dataset` so that all rows of one of the `groups` are in one part.
///
/// The size of the test part is as near to `ceil(test_size * rows)` as the groups allow; with `stratify` this holds for
/// each class. Groups are drawn at random, the largest ones first, so that the small ones fill what is left. Both parts
/// have a row of each class that has at least two groups. Rows without duplicates are split as scikit-learn does.
///
/// # Errors
/// [`Error::Split`] if a part would be empty, if the training part would have a single class, or if a class has a
/// single group to stratify.
pub fn grouped_split(
    dataset: &Dataset,
    groups: &DuplicateGroups,
    options: SplitOptions,
) -> Result<Split> {
    if groups.num_groups() == dataset.rows.len() {
        return split_rows(dataset, options);
    }
    let num_test = num_test_rows(dataset, options.test_size)?;
    let members = members(groups);
    check(dataset, groups, options.stratify)?;
    let mut random = RandomState::new(options.random_state);
    let num_labels = dataset.labels.len();
    let (class_of, num_classes): (&dyn Fn(usize) -> usize, usize) = match options.stratify {
        true => (&|row| dataset.rows[row].label, num_labels),
        false => (&|_| 0, 1),
    };
    let mut counts = vec![0; num_classes];
    (0..dataset.rows.len()).for_each(|row| counts[class_of(row)] += 1);
    let mut draw = Draw {
        wanted: approximate_mode(&counts, num_test, &mut random),
        rest: counts,
    };
    let mut order = random.permutation(members.len());
    // Stable, so that groups of one size stay in random order.
    order.sort_by_key(|&group| std::cmp::Reverse(members[group].len()));
    let mut in_test = vec![false; members.len()];
    for group in order {
        in_test[group] = draw.takes(&tally(&members[group], class_of), &mut random);
    }
    keep_every_class(dataset, &members, &mut in_test);
    let part = |test: bool, random: &mut RandomState| {
        let groups = members.iter().zip(&in_test);
        let groups = groups.filter(|(_, in_test)| **in_test == test);
        shuffled(groups.flat_map(|(rows, _)| rows.clone()).collect(), random)
    };
    let train = part(false, &mut random);
    let test = part(true, &mut random);
    let split = Split { train, test };
    let first = split.train.first().map(|&row| dataset.rows[row].label);
    let classes = split.train.iter().map(|&row| Some(dataset.rows[row].label));
    if split.test.is_empty() || classes.into_iter().all(|label| label == first) {
        return Err(too_few_texts(dataset, groups));
    }
    Ok(split)
}

/// Whether [`grouped_split`] can give both parts rows of each class that has rows.
pub fn groups_can_be_split(dataset: &Dataset, groups: &DuplicateGroups) -> bool {
    check(dataset, groups, true).is_ok()
}

/// The rows of each group.
fn members(groups: &DuplicateGroups) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); groups.num_groups()];
    for (row, &group) in groups.group.iter().enumerate() {
        members[group].push(row);
    }
    members
}

fn check(dataset: &Dataset, groups: &DuplicateGroups, stratify: bool) -> Result<()> {
    let mut groups_of: Vec<Vec<usize>> = vec![Vec::new(); dataset.labels.len()];
    for (row, &group) in dataset.rows.iter().zip(&groups.group) {
        groups_of[row.label].push(group);
    }
    let rows: Vec<usize> = groups_of.iter().map(Vec::len).collect();
    for groups in &mut groups_of {
        groups.sort_unstable();
        groups.dedup();
    }
    // A class with several texts can be in both parts; without one, no class of the test part is one that was trained.
    if groups_of.iter().all(|groups| groups.len() < 2) {
        return Err(too_few_texts(dataset, groups));
    }
    let single = groups_of.iter().position(|groups| groups.len() == 1);
    let Some(label) = single.filter(|_| stratify) else {
        return Ok(());
    };
    let name = &dataset.labels[label];
    Err(Error::Split(match rows[label] {
        1 => format!(
            "class \"{name}\" has a single row, which cannot be in both parts of a stratified split. Add rows of it, \
             or turn stratify off."
        ),
        rows => format!(
            "all {rows} rows of class \"{name}\" have the same or nearly the same text, which group_duplicates keeps \
             in one part, so that the other one has no row of this class. Add different texts of it, or turn \
             group_duplicates or stratify off."
        ),
    }))
}

fn too_few_texts(dataset: &Dataset, groups: &DuplicateGroups) -> Error {
    let (rows, texts) = (dataset.rows.len(), groups.num_groups());
    Error::Split(format!(
        "the {rows} rows have {texts} distinct texts, and group_duplicates keeps the rows of one text in one part, so \
         that there is no test of what was trained. Add different texts to each class, or turn group_duplicates off: \
         the test then measures how well the model memorizes the texts."
    ))
}

/// The number of rows of each class among `rows`, the most frequent class first.
fn tally(rows: &[usize], class_of: &dyn Fn(usize) -> usize) -> Vec<(usize, usize)> {
    let mut tally: Vec<(usize, usize)> = Vec::new();
    for class in rows.iter().map(|&row| class_of(row)) {
        match tally.iter_mut().find(|(other, _)| *other == class) {
            Some((_, count)) => *count += 1,
            None => tally.push((class, 1)),
        }
    }
    tally.sort_by_key(|&(class, count)| (std::cmp::Reverse(count), class));
    tally
}

/// Draws groups for the test part.
struct Draw {
    /// Rows of each class that the test part still lacks.
    wanted: Vec<usize>,
    /// Rows of each class that are not drawn yet.
    rest: Vec<usize>,
}

impl Draw {
    /// Decides whether the next group is for the test part: the part that has room for it, or a random one with the
    /// probability of selection sampling, which fills both parts exactly if each group has one row.
    fn takes(&mut self, tally: &[(usize, usize)], random: &mut RandomState) -> bool {
        let (mut over_test, mut over_train) = (0, 0);
        for &(class, count) in tally {
            over_test += count.saturating_sub(self.wanted[class]);
            over_train += count.saturating_sub(self.rest[class] - self.wanted[class]);
        }
        let takes = match over_test.cmp(&over_train) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Greater => false,
            std::cmp::Ordering::Equal => {
                let class = tally[0].0;
                (random.interval(self.rest[class] as u32 - 1) as usize) < self.wanted[class]
            }
        };
        for &(class, count) in tally {
            self.rest[class] -= count;
            let wanted = self.wanted[class].saturating_sub(if takes { count } else { 0 });
            self.wanted[class] = wanted.min(self.rest[class]);
        }
        takes
    }
}

/// Moves the smallest suitable group for each class that a part lacks although the class has several groups.
fn keep_every_class(dataset: &Dataset, members: &[Vec<usize>], in_test: &mut [bool]) {
    let num_labels = dataset.labels.len();
    // Groups of each class in the training and in the test part.
    let mut present = [vec![0; num_labels], vec![0; num_labels]];
    let label_of = |row: usize| dataset.rows[row].label;
    let tallies: Vec<Vec<(usize, usize)>> =
        members.iter().map(|rows| tally(rows, &label_of)).collect();
    for (tally, &in_test) in tallies.iter().zip(&*in_test) {
        for &(label, _) in tally {
            present[usize::from(in_test)][label] += 1;
        }
    }
    for label in 0..num_labels {
        for side in [0, 1] {
            if present[side][label] > 0 || present[1 - side][label] < 2 {
                continue;
            }
            let movable = (0..members.len()).filter(|&group| {
                let leaves = |&(label, _): &(usize, usize)| present[1 - side][label] > 1;
                usize::from(in_test[group]) != side
                    && tallies[group].iter().any(|&(other, _)| other == label)
                    && tallies[group].iter().all(leaves)
            });
            let Some(group) = movable.min_by_key(|&group| members[group].len()) else {
                continue;
            };
            in_test[group] = side == 1;
            for &(label, _) in &tallies[group] {
                present[side][label] += 1;
                present[1 - side][label] -= 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Row, duplicate_groups, toy_dataset, train_test_split};

    /// Rows of the groups that `sizes` give, as `(label, rows)`.
    fn dataset(sizes: &[(usize, usize)]) -> Dataset {
        let rows = sizes.iter().enumerate().flat_map(|(at, &(label, rows))| {
            let text = format!("text {at}");
            std::iter::repeat_n(Row { text, label }, rows)
        });
        Dataset {
            rows: rows.collect(),
            labels: (0..3).map(|label| format!("class {label}")).collect(),
        }
    }

    fn options(stratify: bool, random_state: u32) -> SplitOptions {
        SplitOptions {
            test_size: 0.2,
            random_state,
            stratify,
            group_duplicates: true,
        }
    }

    fn counts(dataset: &Dataset, part: &[usize]) -> Vec<usize> {
        crate::data::count_labels(part.iter().map(|&row| &dataset.rows[row]), 3)
    }

    /// 300 rows: groups of 1 to 8 rows in two classes of 3 : 1, and a rare class of two groups.
    fn mixed() -> Dataset {
        let mut sizes: Vec<(usize, usize)> = (0..80)
            .map(|at| (usize::from(at % 4 == 0), 1 + at * 7 % 8))
            .collect();
        sizes.extend([(2, 1), (2, 3)]);
        dataset(&sizes)
    }

    #[test]
    fn groups_stay_in_one_part_and_sizes_are_kept() {
        let dataset = mixed();
        let num_test = dataset.rows.len().div_ceil(5);
        let all = counts(&dataset, &(0..dataset.rows.len()).collect::<Vec<_>>());
        let mut splits = Vec::new();
        for (stratify, seed) in [true, false]
            .into_iter()
            .flat_map(|s| (0..20).map(move |seed| (s, seed)))
        {
            let split = train_test_split(&dataset, options(stratify, seed)).unwrap();
            assert_eq!(
                split,
                train_test_split(&dataset, options(stratify, seed)).unwrap()
            );
            assert_eq!(split.test_rows_seen_in_train(&dataset), 0);
            let mut rows = [split.train.clone(), split.test.clone()].concat();
            rows.sort_unstable();
            assert!(rows.into_iter().eq(0..dataset.rows.len()));
            assert!(
                split.test.len().abs_diff(num_test) <= 3,
                "{}",
                split.test.len()
            );
            assert!(split.size_warning(0.2).is_none());
            let test = counts(&dataset, &split.test);
            assert!(
                test[2] > 0 && test[2] < all[2],
                "both parts have the rare class"
            );
            if stratify {
                assert!(
                    test[1].abs_diff(all[1].div_ceil(5)) <= 2,
                    "{test:?} of {all:?}"
                );
            }
            splits.push(split);
        }
        splits.dedup();
        assert_eq!(splits.len(), 40, "each seed gives another split");
    }

    #[test]
    fn large_groups_are_in_both_parts_in_turn() {
        let dataset = mixed();
        let mut large_in_test = 0;
        for seed in 0..50 {
            let split = train_test_split(&dataset, options(true, seed)).unwrap();
            let large = |&&row: &&usize| {
                dataset
                    .rows
                    .iter()
                    .filter(|other| other.text == dataset.rows[row].text)
                    .count()
                    > 6
            };
            large_in_test += split.test.iter().filter(large).count();
        }
        let large = 50 * dataset.rows.len() / 5 * 15 / 36;
        assert!(
            large_in_test.abs_diff(large) < large / 3,
            "{large_in_test}, {large}"
        );
    }

    #[test]
    fn refuses_data_of_a_text_a_class() {
        let article = toy_dataset(100, 42);
        for stratify in [true, false] {
            let error = train_test_split(&article, options(stratify, 42)).unwrap_err();
            assert!(
                error
                    .to_string()
                    .contains("the 100 rows have 2 distinct texts"),
                "{error}"
            );
            assert!(error.to_string().contains("turn group_duplicates off"));
        }
        let texts: Vec<&str> = article.rows.iter().map(|row| row.text.as_str()).collect();
        assert!(!groups_can_be_split(&article, &duplicate_groups(&texts)));
    }

    #[test]
    fn names_the_class_of_a_single_text() {
        let data = dataset(&[(0, 5), (0, 5), (1, 5), (1, 5), (2, 4)]);
        let error = train_test_split(&data, options(true, 42)).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("all 4 rows of class \"class 2\""),
            "{error}"
        );
        let split = train_test_split(&data, options(false, 42)).unwrap();
        assert_eq!(split.test_rows_seen_in_train(&data), 0);
        let data = dataset(&[(0, 5), (0, 5), (1, 5), (1, 5), (2, 1)]);
        let error = train_test_split(&data, options(true, 42)).unwrap_err();
        assert!(
            error.to_string().contains("\"class 2\" has a single row"),
            "{error}"
        );
    }

    #[test]
    fn warns_of_a_size_that_the_groups_do_not_allow() {
        let data = dataset(&[(0, 50), (0, 50), (1, 50), (1, 50)]);
        let split = train_test_split(&data, options(true, 1)).unwrap();
        assert_eq!((split.train.len(), split.test.len()), (100, 100));
        let warning = split.size_warning(0.2).unwrap();
        assert_eq!(warning.code, "test_size_not_reached");
        assert!(
            warning.message.contains("100 test rows instead of 40"),
            "{}",
            warning.message
        );
    }

    #[test]
    fn single_rows_fill_the_parts_exactly() {
        let mut sizes: Vec<(usize, usize)> = (0..97).map(|at| (at % 3, 1)).collect();
        sizes.push((1, 4));
        let data = dataset(&sizes);
        for (stratify, seed) in [(true, 3), (false, 3), (true, 4), (false, 4)] {
            let split = train_test_split(&data, options(stratify, seed)).unwrap();
            assert_eq!((split.train.len(), split.test.len()), (80, 21));
        }
    }

    #[test]
    fn rows_without_duplicates_are_split_as_without_groups() {
        let data = dataset(&(0..101).map(|at| (at % 3, 1)).collect::<Vec<_>>());
        for stratify in [true, false] {
            let split = |group_duplicates| {
                let options = SplitOptions {
                    group_duplicates,
                    ..options(stratify, 3)
                };
                train_test_split(&data, options).unwrap()
            };
            assert_eq!(split(true), split(false));
        }
    }
}
