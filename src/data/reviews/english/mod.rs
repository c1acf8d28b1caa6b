//! English reviews: articles, agreement in number, and the word lists.

mod facts;
mod products;
mod skeletons;
mod verdicts;

use super::grammar::{Grammar, Review};

/// The grammar of the English reviews.
pub const GRAMMAR: Grammar = Grammar {
    products: &[products::PRODUCTS],
    rules: &[
        skeletons::RULES,
        verdicts::RULES,
        facts::GENERAL,
        facts::BY_KIND,
    ],
    inflect,
    finish,
};

/// The names of 2 or 5 classes, from bad to good.
pub fn label_names(num_classes: usize) -> &'static [&'static str] {
    match num_classes {
        2 => &["negative", "positive"],
        5 => &["1 star", "2 stars", "3 stars", "4 stars", "5 stars"],
        _ => panic!("reviews have 2 or 5 classes, not {num_classes}"),
    }
}

/// Names that end in a single `s` are plural.
fn is_plural(name: &str) -> bool {
    name.ends_with('s') && !name.ends_with("ss")
}

/// Inflections that agree with the product (`{this} {product} {is}`), with the aspect that was mentioned last (`the
/// {aspect} {aspect_is}`), and the article of a product (`{a new}`).
fn inflect(slot: &str, review: &Review) -> Option<String> {
    let product = review.product.name;
    if let Some(adjective) = slot.strip_prefix("a ") {
        return Some(if is_plural(product) {
            format!("{adjective} {product}")
        } else {
            format!("{} {adjective} {product}", article(adjective))
        });
    }
    if slot == "a" {
        return Some(if is_plural(product) {
            product.into()
        } else {
            format!("{} {product}", article(product))
        });
    }
    // A product that the review has named already is "it".
    let named = review.text.contains(product);
    if !named && (slot == "subject" || slot == "object") {
        let this = if is_plural(product) { "these" } else { "this" };
        return Some(format!("{this} {product}"));
    }
    let (slot, plural) = match slot.strip_prefix("aspect_") {
        Some(slot) => (slot, is_plural(review.aspect)),
        None => (slot, is_plural(product)),
    };
    let (singular_form, plural_form) = match slot {
        "this" => ("this", "these"),
        "that" => ("that", "those"),
        "it" | "subject" => ("it", "they"),
        "obj" | "object" => ("it", "them"),
        "one" => ("one", "ones"),
        "a_new_one" => ("a new one", "new ones"),
        "is" => ("is", "are"),
        "was" => ("was", "were"),
        "has" => ("has", "have"),
        "does" => ("does", "do"),
        "s" => ("s", ""),
        "es" => ("es", ""),
        "ies" => ("ies", "y"),
        _ => return None,
    };
    Some(if plural { plural_form } else { singular_form }.into())
}

/// The indefinite article before a word. The words here that begin with a vowel letter begin with a vowel sound.
fn article(word: &str) -> &'static str {
    let vowel = word.starts_with(['a', 'e', 'i', 'o', 'u']);
    if vowel || word.starts_with("honest") {
        "an"
    } else {
        "a"
    }
}

/// Begins each sentence with a capital letter.
fn finish(text: String) -> String {
    let mut starts = true;
    text.chars()
        .map(|c| {
            let written = if starts { c.to_ascii_uppercase() } else { c };
            starts = match c {
                '.' | '!' | '?' => true,
                ' ' => starts,
                _ => false,
            };
            written
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_agree_with_the_product_and_the_aspect() {
        let write = |name: &str, slot: &str| {
            let product = products::PRODUCTS.iter().find(|p| p.name == name).unwrap();
            let mut review = Review::of(product);
            review.aspect = "buttons";
            inflect(slot, &review).unwrap()
        };
        assert_eq!(write("air fryer", "a"), "an air fryer");
        assert_eq!(write("air fryer", "a new"), "a new air fryer");
        assert_eq!(write("tent", "a honest"), "an honest tent");
        assert_eq!(write("gloves", "a new"), "new gloves");
        assert_eq!(write("gloves", "this"), "these");
        assert_eq!(write("tent", "does"), "does");
        assert_eq!(write("tent", "aspect_is"), "are");
    }

    #[test]
    fn sentences_begin_with_a_capital_letter() {
        assert_eq!(finish("so good! i am 1. a".into()), "So good! I am 1. A");
    }
}
