//! Simple classifiers on the same split, fitted in a moment, and the embeddings that one of them learns from.

use super::protocol::{BaselineView, BaselinesView, SessionEvent, WorkEvent};
use super::{Listener, STOPPED, Session, check_stop};
use crate::Result;
use crate::data::{Dataset, Split};
use crate::evaluate::Embedder;
use crate::evaluate::baselines::{self, BaselineOptions, BaselineScore, Features};
use crate::hub::{Clock, Environment};
use crate::tokens::{Encoding, Example};
use crate::train::MemoryProbe;
use burn::module::Module;
use std::rc::Rc;

/// The most training rows whose embeddings are computed. More rows change the baseline little.
pub(super) const MAX_TRAIN_EMBEDDINGS: usize = 2000;
/// The most test rows whose embeddings are computed.
pub(super) const MAX_TEST_EMBEDDINGS: usize = 1000;

/// Embeddings of the first rows of both parts.
pub(super) struct Embeddings {
    /// `[train_rows, hidden_size]`.
    pub train: Vec<f32>,
    /// `[test_rows, hidden_size]`.
    pub test: Vec<f32>,
    pub hidden_size: usize,
}

impl Embeddings {
    pub(super) fn train_rows(&self) -> usize {
        self.train.len() / self.hidden_size
    }

    pub(super) fn test_rows(&self) -> usize {
        self.test.len() / self.hidden_size
    }

    fn features<'a>(&self, values: &'a [f32]) -> Features<'a> {
        Features::Dense {
            values,
            columns: self.hidden_size,
        }
    }

    /// The training rows.
    pub(super) fn train_features(&self) -> Features<'_> {
        self.features(&self.train)
    }

    fn test_features(&self) -> Features<'_> {
        self.features(&self.test)
    }
}

/// The labels and texts of a part.
struct PartRows<'a> {
    texts: Vec<&'a str>,
    labels: Vec<usize>,
}

impl<'a> PartRows<'a> {
    fn new(dataset: &'a Dataset, rows: &[usize]) -> Self {
        let rows = rows.iter().map(|&row| &dataset.rows[row]);
        let (texts, labels) = rows.map(|row| (row.text.as_str(), row.label)).unzip();
        Self { texts, labels }
    }
}

impl<E: Environment, M: MemoryProbe> Session<E, M> {
    /// Fits the baselines on the training part and evaluates them on the test part. The one on embeddings needs the
    /// model and tokens, and a forward pass over at most [`MAX_TRAIN_EMBEDDINGS`] and [`MAX_TEST_EMBEDDINGS`] rows,
    /// which is done once for a split.
    ///
    /// # Errors
    /// [`Error::NotReady`] without a split, or for the embeddings without tokens; [`Error::Stopped`],
    /// [`Error::Device`].
    pub(super) async fn baselines(
        &mut self,
        embeddings: bool,
        fetch: &E::Fetch,
        listener: &dyn Listener,
    ) -> Result<BaselinesView> {
        let (dataset, split) = self.require_split()?;
        let (dataset, split): (Rc<Dataset>, Rc<Split>) = (dataset.clone(), split.clone());
        let num_labels = dataset.labels.len();
        let train = PartRows::new(&dataset, &split.train);
        let test = PartRows::new(&dataset, &split.test);
        let options = BaselineOptions::default();
        let tick = async |_, _| check_stop(&self.clock, fetch, STOPPED).await;
        let started = self.clock.now();
        let mut found = vec![timed(
            baselines::majority(&train.labels, &test.labels, num_labels)?,
            self.clock.now() - started,
        )];
        let started = self.clock.now();
        let tfidf = baselines::tfidf(
            (&train.texts, &train.labels),
            (&test.texts, &test.labels),
            num_labels,
            &options,
            &tick,
        );
        let tfidf = tfidf.await?;
        found.push(timed(tfidf, self.clock.now() - started));
        if embeddings {
            let started = self.clock.now();
            let embedded = self.embeddings(fetch, listener).await?;
            let tick = async |_, _| check_stop(&self.clock, fetch, STOPPED).await;
            let score = baselines::embeddings(
                (
                    embedded.train_features(),
                    &train.labels[..embedded.train_rows()],
                ),
                (
                    embedded.test_features(),
                    &test.labels[..embedded.test_rows()],
                ),
                num_labels,
                &options,
                &tick,
            );
            let score = score.await?;
            found.push(timed(score, self.clock.now() - started));
        }
        Ok(BaselinesView {
            baselines: found,
            train_rows: split.train.len(),
            test_rows: split.test.len(),
        })
    }

    /// The embeddings of the first rows of both parts, computed once for the tokens.
    ///
    /// # Errors
    /// [`Error::NotReady`] without tokens, [`Error::Stopped`], [`Error::Device`].
    pub(super) async fn embeddings(
        &mut self,
        fetch: &E::Fetch,
        listener: &dyn Listener,
    ) -> Result<Rc<Embeddings>> {
        let tokens = self.require_tokens()?;
        if let Some(embeddings) = tokens.embeddings() {
            return Ok(embeddings);
        }
        let model = self.require_model()?;
        let first = |rows: &Rc<[Example]>, most: usize| rows.len().min(most);
        let train_rows = first(&tokens.train, MAX_TRAIN_EMBEDDINGS);
        let test_rows = first(&tokens.test, MAX_TEST_EMBEDDINGS);
        let rows = tokens.train[..train_rows]
            .iter()
            .chain(&tokens.test[..test_rows]);
        let rows: Vec<&Encoding> = rows.map(|row| &row.encoding).collect();
        let total = rows.len();
        let network = model.network.valid();
        let hidden_size = network.hidden_size();
        let mut embedder = Embedder::new(network, rows, model.tokenizer.pad_token_id());
        loop {
            let done = embedder.step().await?;
            let event = WorkEvent::Embedding { done, total };
            listener.event(SessionEvent::Work(event));
            if done == total {
                break;
            }
            check_stop(&self.clock, fetch, STOPPED).await?;
        }
        let mut train = embedder.finish();
        let test = train.split_off(train_rows * hidden_size);
        let embeddings = Rc::new(Embeddings {
            train,
            test,
            hidden_size,
        });
        if let Some(tokens) = &mut self.tokens {
            tokens.set_embeddings(embeddings.clone());
        }
        Ok(embeddings)
    }
}

fn timed(score: BaselineScore, ms: f64) -> BaselineView {
    BaselineView {
        id: score.id,
        eval_accuracy: score.accuracy,
        macro_f1: score.macro_f1,
        eval_loss: score.loss,
        ms,
    }
}
