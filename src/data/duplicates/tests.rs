//! Tests of the search for duplicates.

use super::*;
use crate::Error;
use crate::random::RandomState;

const LONG: &str =
    "The blender is quiet, easy to clean, and it makes a smooth soup in less than two minutes.";

#[test]
fn finds_the_same_text_whatever_its_case_blanks_and_punctuation() {
    let texts = [
        "Good.", "bad", " good ", "GOOD!!", "goods", "", "  ", "bad?",
    ];
    let groups = duplicate_groups(&texts);
    assert_eq!(groups.exact, [vec![0, 2, 3], vec![1, 7]]);
    assert!(groups.near.is_empty());
    assert_eq!(groups.group, [0, 1, 0, 0, 2, 3, 4, 1]);
    assert_eq!(groups.num_groups(), 5);
}

#[test]
fn short_texts_are_no_near_duplicates() {
    let texts = [
        "good",
        "goods",
        "not good",
        "I love it",
        "I loved it",
        "좋아요",
        "좋았어요",
    ];
    assert!(duplicate_groups(&texts).near.is_empty());
}

#[test]
fn finds_nearly_the_same_text() {
    let changed = LONG.replace("two minutes", "ten minutes");
    let longer = format!("{LONG} Nice.");
    let other =
        "The kettle is loud and hard to clean, and it takes more than ten minutes to heat water.";
    let groups = duplicate_groups(&[LONG, other, &changed, &longer, LONG]);
    assert_eq!(groups.near, [vec![0, 2, 3, 4]]);
    assert_eq!(groups.exact, [vec![0, 4]]);
    assert_eq!(groups.group, [0, 1, 0, 0, 0]);
}

#[test]
fn finds_near_duplicates_in_korean_and_japanese() {
    let korean = "배송이 정말 빠르고 포장도 꼼꼼해서 다음에도 여기에서 다시 구매하려고 합니다";
    let japanese = "この商品はとても使いやすくて、値段も安いので友達にもおすすめしたいです。";
    let texts = [
        korean,
        "배송이 정말 빠르고 포장도 꼼꼼해서 다음에도 여기에서 또 구매하려고 합니다",
        "배송이 너무 느리고 포장도 엉망이라서 다시는 이 가게에서 구매하지 않을 겁니다",
        japanese,
        "この商品はとても使いやすくて、値段も安いので家族にもおすすめしたいです!",
        "この商品は壊れやすくて、値段も高いのでおすすめできません。",
    ];
    assert_eq!(duplicate_groups(&texts).near, [vec![0, 1], vec![3, 4]]);
}

#[test]
fn joins_chains_of_near_duplicates() {
    let words: Vec<String> = (0..60)
        .map(|at| format!("word{}", at * 7919 % 1000))
        .collect();
    let texts: Vec<String> = (0..5)
        .map(|at| words[4 * at..4 * at + 40].join(" "))
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let groups = duplicate_groups(&texts);
    assert_eq!(groups.near, [vec![0, 1, 2, 3, 4]]);
    let ends = duplicate_groups(&[texts[0], texts[4]]);
    assert!(ends.near.is_empty(), "the ends of the chain differ");
}

/// Rows of random words, of which every tenth repeats the row before it with one word changed.
fn random_texts(rows: usize) -> Vec<String> {
    let mut random = RandomState::new(7);
    let vocabulary: Vec<String> = (0..5000_u32)
        .map(|word| {
            let letters =
                (0..3 + word % 8).map(|at| word.wrapping_mul(2_654_435_761) >> (3 * at) & 15);
            letters
                .map(|letter| char::from(b'a' + letter as u8))
                .collect()
        })
        .collect();
    let mut order = Vec::new();
    let mut texts: Vec<Vec<usize>> = Vec::with_capacity(rows);
    for row in 0..rows {
        if order.len() < 30 {
            order = random.permutation(vocabulary.len());
        }
        let words = match texts.last() {
            Some(last) if row % 10 == 9 => {
                let mut words = last.clone();
                words[row % 30] = order[0];
                words
            }
            _ => order.split_off(order.len() - 30),
        };
        texts.push(words);
    }
    let text = |words: &Vec<usize>| {
        let words: Vec<&str> = words
            .iter()
            .map(|&word| vocabulary[word].as_str())
            .collect();
        words.join(" ")
    };
    texts.iter().map(text).collect()
}

#[test]
fn finds_the_pairs_that_an_exhaustive_comparison_finds() {
    let texts = random_texts(400);
    let shingles = |text: &str| lsh::Shingles::new(&normalize::normalized(text), 24).unwrap();
    let shingles: Vec<lsh::Shingles> = texts.iter().map(|text| shingles(text)).collect();
    let mut expected = Vec::new();
    for a in 0..texts.len() {
        for b in a + 1..texts.len() {
            if shingles[a].similarity(&shingles[b]) >= 0.8 {
                expected.push(vec![a, b]);
            }
        }
    }
    assert!(expected.len() > 30);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let groups = duplicate_groups(&texts);
    assert_eq!(groups.near, expected);
    assert_eq!(groups, duplicate_groups(&texts));
}

#[test]
fn reports_progress_and_stops() {
    let texts = random_texts(2000);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut ticks = Vec::new();
    let mut tick = |done, total| {
        ticks.push((done, total));
        Ok(())
    };
    let groups = find_duplicates(&texts, &mut tick).unwrap();
    assert_eq!(groups, duplicate_groups(&texts));
    assert!(ticks.len() > 20 && ticks.is_sorted());
    assert!(
        ticks
            .iter()
            .all(|&(done, total)| done <= total && total == 4000)
    );
    let mut calls = 0;
    let mut stop = |_, _| {
        calls += 1;
        match calls {
            3 => Err(Error::Stopped("Stopped.".into())),
            _ => Ok(()),
        }
    };
    let error = find_duplicates(&texts, &mut stop).unwrap_err();
    assert_eq!((error, calls), (Error::Stopped("Stopped.".into()), 3));
}

#[test]
fn no_texts_have_no_groups() {
    assert_eq!(duplicate_groups(&[]), DuplicateGroups::default());
    assert_eq!(duplicate_groups(&["a"]).group, [0]);
}
