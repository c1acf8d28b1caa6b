//! A grammar of phrases that are filled in at random: the same for each language.
//!
//! A phrase has slots in braces. A slot names a rule, and one of the rule's phrases takes its place, or it is an
//! inflection that depends on what was written before it (see the `inflect` function of a language).
//!
//! The slot `fact` draws from the rules `fact`, `fact.<grade>`, `fact.<kind>` and `fact.<kind>.<grade>` together, for
//! the grade of the review and the kind of its product. The slot `fact.4` sets the grade of what is inside it.

use crate::random::RandomState;

/// A product that reviews are about.
pub struct Product {
    /// Its name as it is written within a sentence.
    pub name: &'static str,
    /// What it has in common with other products: the middle part of the names of rules.
    pub kind: &'static str,
    /// Parts and properties that a review of it can mention.
    pub aspects: &'static [&'static str],
}

/// Name and phrases of a rule.
pub type Rule = (&'static str, &'static [&'static str]);

/// The words of a language.
pub struct Grammar {
    /// Lists of products.
    pub products: &'static [&'static [Product]],
    /// Lists of rules. A name may occur once only.
    pub rules: &'static [&'static [Rule]],
    /// Writes the inflection that a slot stands for; `None` if the slot is not an inflection.
    pub inflect: fn(slot: &str, review: &Review) -> Option<String>,
    /// Completes the text, for example with capital letters.
    pub finish: fn(text: String) -> String,
}

/// A review that is being written.
pub struct Review {
    /// The product it is about.
    pub product: &'static Product,
    /// The aspect that was mentioned last.
    pub aspect: &'static str,
    /// What is written so far.
    pub text: String,
    used: Vec<&'static str>,
    has_time: bool,
}

impl Review {
    /// An empty review of `product`.
    pub fn of(product: &'static Product) -> Self {
        Self {
            product,
            aspect: "",
            text: String::new(),
            used: Vec::new(),
            has_time: false,
        }
    }
}

/// How often a phrase that the review already has is drawn again.
const MAX_REDRAWS: usize = 20;

impl Grammar {
    /// Writes a review of `grade` stars, 1 to 5.
    pub fn review(&self, grade: u8, random: &mut RandomState) -> String {
        let products: Vec<&'static Product> = self.products.iter().copied().flatten().collect();
        let mut review = Review::of(products[random.randint(products.len() as u32) as usize]);
        self.fill("{review}", grade, &mut review, random);
        (self.finish)(review.text)
    }

    /// Appends `phrase` to the review, with its slots filled in.
    fn fill(&self, phrase: &str, grade: u8, review: &mut Review, random: &mut RandomState) {
        let mut rest = phrase;
        while let Some((before, after)) = rest.split_once('{') {
            let (slot, after) = after.split_once('}').expect("a slot ends with a brace");
            review.text.push_str(before);
            self.fill_slot(slot, grade, review, random);
            rest = after;
        }
        review.text.push_str(rest);
    }

    fn fill_slot(&self, slot: &str, grade: u8, review: &mut Review, random: &mut RandomState) {
        if slot == "product" {
            review.text.push_str(review.product.name);
        } else if slot == "aspect" {
            review.aspect = draw(review.product.aspects, &mut review.used, random);
            review.text.push_str(review.aspect);
        } else if let Some(inflected) = (self.inflect)(slot, review) {
            review.text.push_str(&inflected);
        } else {
            let (name, grade) = name_and_grade(slot, grade);
            let mut phrases = self.phrases(name, review.product.kind, grade);
            // A second duration would contradict the first.
            if review.has_time {
                phrases.retain(|phrase| !phrase.contains("{time}"));
            }
            review.has_time |= name == "time";
            assert!(!phrases.is_empty(), "no phrase for the slot {slot}");
            let phrase = draw(&phrases, &mut review.used, random);
            self.fill(phrase, grade, review, random);
        }
    }

    /// The phrases that the slot `name` can have.
    pub fn phrases(&self, name: &str, kind: &str, grade: u8) -> Vec<&'static str> {
        let rules = self.rules.iter().copied().flatten();
        rules
            .filter(|(rule, _)| applies(rule, name, kind, grade))
            .flat_map(|(_, phrases)| *phrases)
            .copied()
            .collect()
    }
}

/// Splits `fact.4` into its name and its grade. A slot without a grade has that of its surroundings.
pub fn name_and_grade(slot: &str, grade: u8) -> (&str, u8) {
    match slot.split_once('.') {
        Some((name, own)) => (name, own.parse().expect("a grade is a digit")),
        None => (slot, grade),
    }
}

/// Whether the rule has the name, and no other kind and grade than these.
fn applies(rule: &str, name: &str, kind: &str, grade: u8) -> bool {
    let mut parts = rule.split('.');
    parts.next() == Some(name)
        && parts.all(|part| match part.parse::<u8>() {
            Ok(digit) => digit == grade,
            Err(_) => part == kind,
        })
}

/// Draws one of `phrases`, if possible one that is not in `used`.
fn draw(
    phrases: &[&'static str],
    used: &mut Vec<&'static str>,
    random: &mut RandomState,
) -> &'static str {
    let mut one = || phrases[random.randint(phrases.len() as u32) as usize];
    let mut phrase = one();
    for _ in 0..MAX_REDRAWS {
        if !used.contains(&phrase) {
            break;
        }
        phrase = one();
    }
    // Punctuation may occur again.
    if phrase.chars().any(char::is_alphabetic) {
        used.push(phrase);
    }
    phrase
}
