//! Simple classifiers to compare a fine-tuned one with, and what they tell about labels and rows. The names and the
//! results are those of scikit-learn and cleanlab. Long calculations are `async`: they call a [`Tick`], so that the
//! worker reports progress and hears Stop.

mod cross_validation;
mod features;
mod label_issues;
mod lbfgs;
mod linear_loss;
mod logistic_regression;
mod outliers;
#[cfg(test)]
mod reference;
mod scores;
mod tfidf;
mod tick;
mod vector;
mod word;

pub use cross_validation::{cross_val_predict_proba, stratified_folds};
pub use features::{Features, SparseRows};
pub use label_issues::{LabelIssue, find_label_issues};
pub use logistic_regression::{LogisticRegression, LogisticRegressionOptions};
pub use outliers::{OutlierOptions, Outliers, outliers};
pub use scores::{
    BaselineOptions, BaselineScore, EMBEDDINGS_C, confidence_interval, embeddings, majority, tfidf,
};
pub use tfidf::{TfidfOptions, TfidfVectorizer};
pub use tick::Tick;
