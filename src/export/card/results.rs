//! The metrics of the test rows, and those of simple classifiers.

use super::words::inline;
use super::{Baseline, Content};
use crate::evaluate::Evaluation;
use crate::evaluate::baselines::confidence_interval;

/// The metrics of the test rows; none if they were not evaluated.
pub(super) fn section(content: &Content<'_>) -> Option<String> {
    let evaluation = content.card.evaluation?;
    let mut text = of_the_model(evaluation, content.labels);
    if !content.card.baselines.is_empty() {
        text += &of_baselines(content.card.baselines);
    }
    Some(text)
}

fn of_the_model(evaluation: &Evaluation, labels: &[String]) -> String {
    let metrics = &evaluation.metrics;
    let rows = evaluation.probabilities.len();
    let correct = rows - metrics.misclassified.len();
    let mut text = format!(
        "## Results\n\nOn the test rows: accuracy {:.4} ({correct} of {rows}, 95 % interval {}), loss {:.4}. Intervals \
         are Wilson's: they hold for new rows of the same kind.\n\n",
        metrics.accuracy,
        interval(correct, rows),
        evaluation.loss
    );
    text += "| label | precision | recall | its 95 % interval | F1 | rows |\n";
    text += "| --- | ---: | ---: | ---: | ---: | ---: |\n";
    for (id, (label, class)) in labels.iter().zip(&metrics.classes).enumerate() {
        text += &format!(
            "| {} | {:.4} | {:.4} | {} | {:.4} | {} |\n",
            inline(label),
            class.precision,
            class.recall,
            interval(metrics.confusion[id][id], class.support),
            class.f1,
            class.support
        );
    }
    let average = &metrics.macro_average;
    text += &format!(
        "| macro average | {:.4} | {:.4} | | {:.4} | {} |\n",
        average.precision, average.recall, average.f1, average.support
    );
    text
}

/// Wilson's interval of a share.
fn interval(correct: usize, total: usize) -> String {
    let (low, high) = confidence_interval(correct, total);
    format!("{low:.3} to {high:.3}")
}

fn of_baselines(baselines: &[Baseline]) -> String {
    let mut text = String::from(
        "\nSimple classifiers, fitted on the same training rows and evaluated on the same test rows:\n\n| classifier | \
         accuracy | macro F1 |\n| --- | ---: | ---: |\n",
    );
    for baseline in baselines {
        let name = match baseline.id {
            "majority" => "the most frequent label",
            "tfidf" => "logistic regression on TF-IDF",
            "embeddings" => "logistic regression on the embeddings of the base model",
            other => other,
        };
        text += &format!(
            "| {name} | {:.4} | {:.4} |\n",
            baseline.accuracy, baseline.macro_f1
        );
    }
    text
}
