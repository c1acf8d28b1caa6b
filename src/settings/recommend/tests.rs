//! Tests of the rule.

use super::*;

/// Rows of short texts, the same number in each class, for the built-in model.
fn balanced(per_class: usize, num_labels: usize) -> DataFacts {
    DataFacts {
        train_rows: per_class * num_labels,
        num_labels,
        smallest_class: per_class,
        largest_class: per_class,
        mean_tokens: 22.0,
        p95_tokens: 45,
        hidden_size: 384,
        num_hidden_layers: 6,
    }
}

fn code_of(recommendation: &Recommendation, setting: &str) -> &'static str {
    let mut reasons = recommendation.reasons.iter();
    let reason = reasons.find(|reason| reason.setting == setting);
    reason.expect("the setting has a reason").code
}

#[test]
fn every_value_has_one_reason_and_every_code_is_listed() {
    let rare = DataFacts {
        smallest_class: 9,
        ..balanced(400, 2)
    };
    let mut codes = std::collections::BTreeSet::new();
    let long = DataFacts {
        p95_tokens: 964,
        hidden_size: 768,
        ..balanced(16, 2)
    };
    for facts in [
        balanced(8, 2),
        balanced(200, 2),
        balanced(400, 5),
        rare,
        long,
    ] {
        for seconds in [None, Some(0.1), Some(20.0)] {
            let budget = Budget {
                seconds,
                seconds_per_unit: Some(1.6e-10),
            };
            let found = recommend(&facts, &budget);
            let mut named: Vec<_> = found.reasons.iter().map(|reason| reason.setting).collect();
            named.sort_unstable();
            let mut set: Vec<_> = found.values.keys().map(String::as_str).collect();
            set.sort_unstable();
            assert_eq!(named, set);
            codes.extend(found.reasons.iter().map(|reason| reason.code));
        }
    }
    assert_eq!(codes.into_iter().collect::<Vec<_>>(), REASON_CODES);
}

#[test]
fn few_rows_get_more_epochs() {
    let epochs = |per_class| {
        recommend(&balanced(per_class, 2), &Budget::default()).values["num_train_epochs"].clone()
    };
    assert_eq!(epochs(8), json!(20.0));
    assert_eq!(epochs(16), json!(10.0));
    assert_eq!(epochs(64), json!(4.0));
    assert_eq!(
        recommend(&balanced(16, 2), &Budget::default()).num_steps,
        40
    );
}

#[test]
fn a_budget_takes_epochs_away_and_says_so() {
    let facts = balanced(16, 2);
    let free = Budget {
        seconds: None,
        seconds_per_unit: Some(2e-10),
    };
    assert_eq!(
        code_of(&recommend(&facts, &free), "num_train_epochs"),
        "epochs_enough_steps"
    );
    let tight = Budget {
        seconds: Some(10.0),
        ..free
    };
    let found = recommend(&facts, &tight);
    assert_eq!(code_of(&found, "num_train_epochs"), "epochs_within_budget");
    let epochs = found.values["num_train_epochs"].as_f64().unwrap();
    assert!((1.0..10.0).contains(&epochs), "{epochs}");
    assert_eq!(found.num_steps, epochs as usize * 4);
    let tighter = Budget {
        seconds: Some(0.1),
        ..free
    };
    let found = recommend(&facts, &tighter);
    assert_eq!(code_of(&found, "num_train_epochs"), "epochs_over_budget");
    assert_eq!(found.values["num_train_epochs"], json!(1.0));
}

#[test]
fn an_unknown_speed_ignores_the_budget() {
    let budget = Budget {
        seconds: Some(0.1),
        seconds_per_unit: None,
    };
    let facts = balanced(16, 2);
    assert_eq!(
        recommend(&facts, &budget),
        recommend(&facts, &Budget::default())
    );
}

#[test]
fn class_weights_begin_beyond_one_to_three() {
    let of = |smallest, largest| {
        let facts = DataFacts {
            train_rows: smallest + largest,
            smallest_class: smallest,
            largest_class: largest,
            ..balanced(16, 2)
        };
        recommend(&facts, &Budget::default()).values["class_weight"].clone()
    };
    assert_eq!(of(10, 30), json!("none"));
    assert_eq!(of(10, 31), json!("balanced"));
    assert_eq!(of(0, 31), json!("balanced"));
}

#[test]
fn max_length_is_the_95th_percentile_in_eights() {
    let of = |p95_tokens| {
        let facts = DataFacts {
            p95_tokens,
            ..balanced(16, 2)
        };
        let found = recommend(&facts, &Budget::default());
        let code = code_of(&found, "max_length");
        (found.values["max_length"].as_u64().unwrap(), code)
    };
    assert_eq!(of(45), (48, "max_length_p95"));
    assert_eq!(of(48), (48, "max_length_p95"));
    assert_eq!(of(3), (8, "max_length_p95"));
    assert_eq!(of(964), (512, "max_length_limit"));
}

#[test]
fn the_best_epoch_is_chosen_where_rows_can_be_held_out() {
    let few = recommend(&balanced(200, 2), &Budget::default());
    assert_eq!(few.values["load_best_model_at_end"], json!(false));
    let many = recommend(&balanced(250, 2), &Budget::default());
    assert_eq!(many.values["validation_size"], json!(0.1));
    let rare = DataFacts {
        smallest_class: 9,
        ..balanced(250, 2)
    };
    let rare = recommend(&rare, &Budget::default());
    assert_eq!(
        code_of(&rare, "load_best_model_at_end"),
        "last_epoch_small_class"
    );
    // 450 rows are left, in batches of 8.
    assert_eq!(many.num_steps, 4 * 57);
}

#[test]
fn a_large_network_gets_a_lower_learning_rate() {
    let of = |hidden_size| {
        let facts = DataFacts {
            hidden_size,
            ..balanced(16, 2)
        };
        recommend(&facts, &Budget::default()).values["learning_rate"].clone()
    };
    assert_eq!(
        (of(384), of(768), of(1024)),
        (json!(1e-4), json!(5e-5), json!(2e-5))
    );
}

#[test]
fn no_rows_are_no_reason_to_stop() {
    let found = recommend(&balanced(0, 2), &Budget::default());
    assert_eq!(found.num_steps, 0);
}
