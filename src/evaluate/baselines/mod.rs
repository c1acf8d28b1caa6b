//! Simple classifiers to compare a fine-tuned one with, and what they tell about labels and rows. The names and the
//! results are those of scikit-learn and cleanlab. Long calculations are `async`: they call a [`Tick`], so that the
//! worker reports progress and hears Stop.

mod features;
mod lbfgs;
mod linear_loss;
mod logistic_regression;
#[cfg(test)]
mod reference;
mod tfidf;
mod tick;
mod word;

pub use features::{Features, SparseRows};
pub use logistic_regression::{LogisticRegression, LogisticRegressionOptions};
pub use tfidf::{TfidfOptions, TfidfVectorizer};
pub use tick::Tick;
