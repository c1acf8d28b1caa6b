//! The rows of a run, with the validation part taken out of the training part.

use crate::data::Split;
use crate::tokens::{EncodedSplit, Example};
use crate::train::HeldOut;
use std::rc::Rc;

/// The rows of a run.
pub(super) struct RunRows {
    pub split: Rc<Split>,
    /// Row indices of the validation part.
    pub validation_rows: Vec<usize>,
    pub train: Rc<[Example]>,
    /// None if the epochs are evaluated on the test part.
    pub validation: Option<Rc<[Example]>>,
}

impl RunRows {
    /// Those of the session, without copies if there is no validation part.
    pub(super) fn new(held_out: Option<HeldOut>, split: &Rc<Split>, tokens: &EncodedSplit) -> Self {
        let Some(HeldOut { train, validation }) = held_out else {
            return Self {
                split: split.clone(),
                validation_rows: Vec::new(),
                train: tokens.train.clone(),
                validation: None,
            };
        };
        let rows = |part: &[usize]| part.iter().map(|&at| split.train[at]).collect();
        let examples = |part: &[usize]| part.iter().map(|&at| tokens.train[at].clone()).collect();
        let (train_rows, test) = (rows(&train), split.test.clone());
        Self {
            split: Rc::new(Split {
                train: train_rows,
                test,
            }),
            validation_rows: rows(&validation),
            train: examples(&train),
            validation: Some(examples(&validation)),
        }
    }
}
