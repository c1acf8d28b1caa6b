//! How a review is built, and the words that carry no opinion. Rules without a grade serve all grades.

use super::super::grammar::Rule;

/// Skeletons, openings, occasions and durations.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    ("review", &[
        "{verdict}{end}", "{verdict}{end}", "{verdict}{end}", "{verdict}{end}", "{verdict}{end}", "{verdict}{end}",
        "{statement}{end}", "{statement}{end}", "{statement}{end}", "{statement}{end}", "{statement}{end}",
        "{opening} {verdict}{end}", "{opening} {statement}{end}", "{opening} {aspect_line}{end}",
        "{aspect_of}{end}", "{aspect_of}{end}", "{aspect_line}{end}", "{aspect_line}{end}", "{contrast}{end}",
        "{contrast}{end}", "{compare}{end}", "{service}{end}", "{service}{end}", "{brief}: {statement}{end}",
        "{brief}, because {reason}{end}", "{brief}. {statement}{end}", "{aspect_line}. {brief}{end}",
        "{service}. {brief}{end}", "{compare}. {brief}{end}", "{verdict}. {advice}{end}",
        "{statement}. {advice}{end}", "{occasion}. {brief}{end}", "{occasion}, and {reason}{end}",
    ]),
    ("statement", &["{it} {fact}", "{subject} {fact}", "{subject} {fact}", "{my} {product} {fact}"]),
    ("reason", &["{aspect_line}", "{it} {fact}", "{it} {fact}"]),
    ("aspect_of.5", &["the {aspect} of {object} {aspect_is} {great}"]),
    ("aspect_of.4", &["the {aspect} of {object} {aspect_is} {decent}"]),
    ("aspect_of.3", &["the {aspect} of {object} {aspect_is} {shrug}"]),
    ("aspect_of.2", &["the {aspect} of {object} {aspect_is} {poor}"]),
    ("aspect_of.1", &["the {aspect} of {object} {aspect_is} {bad}"]),
    ("end", &[".", ".", ".", ".", "!"]),
    ("opening", &[
        "honestly,", "after {time},", "so far,", "to be fair,", "all in all,", "overall,", "in short,", "for me,",
        "I must say,", "well,", "my honest opinion:", "update after {time}:", "as for me,",
    ]),
    ("occasion", &[
        "bought for {person}", "a gift from {person}", "a gift for {person}", "we use {obj} {often}",
        "I use {obj} {often}", "I have had {obj} for {time}", "I needed {a new}", "{person} needed {a new}",
        "{person} picked {object}", "ordered {object} {when}", "I tried {obj} for {time}",
        "I chose {object} for {place}",
    ]),
    ("person", &[
        "my mother", "my father", "my sister", "my brother", "my husband", "my wife", "my son", "my daughter",
        "a friend", "a colleague", "my grandmother", "my uncle",
    ]),
    ("often", &["every day", "every morning", "at weekends", "twice a week", "all the time", "now and then"]),
    ("time", &[
        "a week", "two weeks", "a month", "three months", "half a year", "a few days", "a whole summer",
        "four weeks", "a whole winter", "ten days", "a year",
    ]),
    ("when", &["last month", "in spring", "last week", "before the holidays", "in a sale", "on a whim"]),
    ("place", &["our flat", "the summer house", "a small room", "my student flat", "a long trip", "the office"]),
];
