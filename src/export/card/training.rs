//! The settings of the run, and the licence of the weights.

use super::words::inline;
use super::{Card, Content};

/// The settings of the run.
pub(super) fn section(content: &Content<'_>) -> String {
    let updates = content.updates;
    let mut text = format!(
        "## Training\n\n{updates} updates of AdamW. `training_args.json` has these settings and gives the same run \
         again on the same rows, of which `seed` draws the order, the new weights and the dropout masks; \
         `trainer_state.json` has its losses.\n\n| setting | value |\n| --- | --- |\n"
    );
    for (name, value) in content.settings {
        text += &format!("| `{name}` | {} |\n", inline(&value.to_string()));
    }
    text
}

/// The licence of the weights.
pub(super) fn licence(card: &Card<'_>) -> String {
    let base = card.base_model;
    let sentence = match card.license {
        "" => format!(
            "The licence of the base model, `{base}`, is not known here; it holds for these weights too."
        ),
        license => {
            format!("These weights are derived from `{base}`, whose licence is {license}.")
        }
    };
    format!("## Licence\n\n{sentence}\n")
}
