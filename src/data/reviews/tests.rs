//! Tests of the generated reviews.

use super::grammar::{Grammar, Product, name_and_grade};
use super::{ReviewLanguage, ReviewOptions, english, korean, review_dataset};
use crate::data::{Dataset, NEGATIVE_SENTENCE, POSITIVE_SENTENCE};
use std::collections::HashSet;

const LANGUAGES: [(ReviewLanguage, Grammar); 2] = [
    (ReviewLanguage::En, english::GRAMMAR),
    (ReviewLanguage::Ko, korean::GRAMMAR),
];

fn reviews(num_rows: usize, language: ReviewLanguage, num_classes: usize, noise: f64) -> Dataset {
    review_dataset(&ReviewOptions {
        num_rows,
        seed: 42,
        language,
        num_classes,
        label_noise: noise,
    })
}

fn products(grammar: &Grammar) -> Vec<&'static Product> {
    grammar.products.iter().copied().flatten().collect()
}

#[test]
fn nearly_all_of_4000_reviews_differ() {
    for (language, _) in LANGUAGES {
        for num_classes in [2, 5] {
            let dataset = reviews(4000, language, num_classes, 0.0);
            let distinct: HashSet<_> = dataset.rows.iter().map(|row| &row.text).collect();
            assert!(distinct.len() >= 3800, "{language:?}: {}", distinct.len());
        }
    }
}

#[test]
fn classes_are_balanced_and_shuffled() {
    for (language, _) in LANGUAGES {
        assert_eq!(reviews(101, language, 2, 0.0).label_counts(), [51, 50]);
        let dataset = reviews(1000, language, 5, 0.0);
        assert_eq!(dataset.label_counts(), [200; 5]);
        assert!(dataset.check().is_ok());
        let runs = dataset.rows.chunk_by(|a, b| a.label == b.label).count();
        assert!(runs > 700, "{runs} runs of one class");
    }
    assert!(reviews(0, ReviewLanguage::En, 2, 0.1).rows.is_empty());
}

#[test]
fn the_seed_decides_the_rows() {
    let dataset = reviews(100, ReviewLanguage::En, 2, 0.1);
    assert_eq!(dataset, reviews(100, ReviewLanguage::En, 2, 0.1));
    let other = review_dataset(&ReviewOptions {
        num_rows: 100,
        seed: 43,
        language: ReviewLanguage::En,
        num_classes: 2,
        label_noise: 0.1,
    });
    assert_ne!(dataset, other);
}

#[test]
fn label_noise_gives_its_share_of_the_rows_another_class() {
    for (num_classes, noise, expected) in [(2, 0.1, 100), (5, 0.25, 250), (5, 0.0, 0)] {
        let clean = reviews(1000, ReviewLanguage::En, num_classes, 0.0);
        let noisy = reviews(1000, ReviewLanguage::En, num_classes, noise);
        let pairs = || clean.rows.iter().zip(&noisy.rows);
        assert!(pairs().all(|(a, b)| a.text == b.text));
        assert_eq!(
            pairs().filter(|(a, b)| a.label != b.label).count(),
            expected
        );
        assert!(noisy.rows.iter().all(|row| row.label < num_classes));
    }
}

/// The slots of a phrase that are not filled in by the grammar itself.
fn slots(phrase: &str) -> impl Iterator<Item = &str> {
    let slot = |part| {
        str::split_once(part, '}')
            .expect("a slot ends with a brace")
            .0
    };
    let own = |slot: &&str| !["product", "aspect"].contains(slot);
    phrase.split('{').skip(1).map(slot).filter(own)
}

#[test]
fn every_slot_has_several_phrases_for_every_product_and_grade() {
    for (_, grammar) in LANGUAGES {
        let kinds: HashSet<_> = products(&grammar).iter().map(|p| p.kind).collect();
        let review = super::grammar::Review::of(products(&grammar)[0]);
        let cases = kinds
            .iter()
            .flat_map(|&kind| (1..=5).map(move |grade| (kind, grade)));
        for (kind, grade) in cases {
            let mut open = vec![("review", grade)];
            let mut done = HashSet::new();
            while let Some((name, grade)) = open.pop() {
                if !done.insert((name, grade)) {
                    continue;
                }
                let phrases = grammar.phrases(name, kind, grade);
                let without_time = phrases.iter().filter(|p| !p.contains("{time}")).count();
                assert!(without_time > 0, "{name} {kind} {grade}");
                let rules = phrases
                    .into_iter()
                    .flat_map(slots)
                    .filter(|slot| (grammar.inflect)(slot, &review).is_none());
                open.extend(rules.map(|slot| name_and_grade(slot, grade)));
            }
        }
    }
}

#[test]
fn names_of_rules_and_products_occur_once() {
    for (_, grammar) in LANGUAGES {
        let rules: Vec<_> = grammar.rules.iter().copied().flatten().collect();
        let names: HashSet<_> = rules.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), rules.len());
        let all = products(&grammar);
        assert_eq!(all.len(), 48);
        assert_eq!(all.iter().map(|p| p.name).collect::<HashSet<_>>().len(), 48);
        let kinds: HashSet<_> = all.iter().map(|p| p.kind).collect();
        for part in names.iter().flat_map(|name| name.split('.').skip(1)) {
            assert!(part.parse::<u8>().is_ok() || kinds.contains(part), "{part}");
        }
    }
}

#[test]
fn words_without_an_opinion_do_not_give_the_class_away() {
    for (language, grammar) in LANGUAGES {
        let dataset = reviews(16_000, language, 2, 0.0);
        let share_of = |words: &[&str]| {
            let has_word = |text: &str| words.iter().any(|word| text.contains(word));
            let with = dataset.rows.iter().filter(|row| has_word(&row.text));
            let labels: Vec<_> = with.map(|row| row.label).collect();
            assert!(labels.len() >= 80, "{words:?}: {} rows", labels.len());
            labels.iter().sum::<usize>() as f64 / labels.len() as f64
        };
        for name in ["person", "often", "time", "when", "place"] {
            let share = share_of(&grammar.phrases(name, "", 0));
            assert!(
                (0.4..0.6).contains(&share),
                "{name}: {share:.2} are positive"
            );
        }
        for product in products(&grammar) {
            let share = share_of(&[product.name]);
            assert!(
                (0.35..0.65).contains(&share),
                "{}: {share:.2} are positive",
                product.name
            );
        }
    }
}

#[test]
fn english_articles_and_verbs_agree() {
    let dataset = reviews(4000, ReviewLanguage::En, 5, 0.0);
    for row in &dataset.rows {
        let text = row.text.to_lowercase();
        let words: Vec<_> = text.split_whitespace().collect();
        for pair in words.windows(2) {
            let vowel =
                pair[1].starts_with(['a', 'e', 'i', 'o', 'u']) && !pair[1].starts_with("use");
            match pair[0] {
                "a" => assert!(!vowel, "{text}"),
                "an" => assert!(vowel || pair[1].starts_with("hour"), "{text}"),
                "they" => assert!(!["is", "was", "has", "does"].contains(&pair[1]), "{text}"),
                "it" => assert!(!["are", "were", "have", "do"].contains(&pair[1]), "{text}"),
                _ => {}
            }
        }
        assert!(!text.contains(['{', '}']) && !text.contains("  "), "{text}");
        assert!(
            row.text.starts_with(char::is_uppercase) && text.ends_with(['.', '!']),
            "{text}"
        );
    }
}

#[test]
fn korean_particles_agree() {
    let dataset = reviews(4000, ReviewLanguage::Ko, 5, 0.0);
    let wrong: Vec<String> = products(&korean::GRAMMAR)
        .iter()
        .flat_map(|product| {
            let code = u32::from(product.name.chars().last().unwrap()) - u32::from('가');
            let particles = if code % 28 == 0 {
                ["은 ", "이 ", "을 ", "이에요"]
            } else {
                ["는 ", "가 ", "를 ", "예요"]
            };
            particles.map(|particle| format!("{}{particle}", product.name))
        })
        .collect();
    for row in &dataset.rows {
        let found = wrong.iter().find(|form| row.text.contains(*form));
        assert_eq!(found, None, "{}", row.text);
        assert!(
            !row.text.contains(['{', '}']) && !row.text.contains("  "),
            "{}",
            row.text
        );
    }
}

/// The sentences that the page offers to classify, and those of the article.
fn example_sentences() -> Vec<String> {
    let tables = [
        include_str!("../../../www/i18n/en.json"),
        include_str!("../../../www/i18n/ko.json"),
    ];
    let mut sentences = vec![POSITIVE_SENTENCE.to_string(), NEGATIVE_SENTENCE.to_string()];
    for table in tables {
        let texts: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(table).unwrap();
        let of_page = texts
            .iter()
            .filter(|(key, _)| *key == "try.first_sentence" || key.starts_with("try.example_"))
            .map(|(_, text)| text.as_str().unwrap().to_string());
        let before = sentences.len();
        sentences.extend(of_page);
        assert!(
            sentences.len() >= before + 5,
            "the page's example sentences are not found"
        );
    }
    sentences
}

/// Every run of `length` words, without case and punctuation.
fn runs(text: &str, length: usize) -> HashSet<Vec<String>> {
    let word = |word: &str| {
        let kept = word.chars().filter(|c| c.is_alphanumeric() || *c == '\'');
        kept.flat_map(char::to_lowercase).collect::<String>()
    };
    let words: Vec<_> = text.split_whitespace().map(word).collect();
    words.windows(length).map(<[String]>::to_vec).collect()
}

#[test]
fn no_review_shares_a_run_of_words_with_an_example_sentence() {
    let examples = example_sentences();
    for (language, length) in [(ReviewLanguage::En, 5), (ReviewLanguage::Ko, 4)] {
        let forbidden: HashSet<_> = examples
            .iter()
            .flat_map(|text| runs(text, length))
            .collect();
        assert!(forbidden.len() >= 15);
        for num_classes in [2, 5] {
            for row in reviews(4000, language, num_classes, 0.0).rows {
                assert!(
                    runs(&row.text, length).is_disjoint(&forbidden),
                    "{}",
                    row.text
                );
            }
        }
    }
}
