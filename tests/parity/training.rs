//! A recorded case, trained with this crate.

use crate::recording::{Case, Expected, head, model_folder, read, settings, tensors, weights};
use burn::tensor::Device;
use pollster::block_on;
use std::path::Path;
use webtune::bert::{BertConfig, BertForSequenceClassification, LoadLimits, WeightsLoader};
use webtune::evaluate::Evaluation;
use webtune::tokens::{Example, Padding, Tokenizer};
use webtune::train::{Event, History, StepLog, Trainer, TrainerOptions};

/// A case before its first step.
pub struct Prepared {
    pub model: BertForSequenceClassification,
    pub train: Vec<Example>,
    pub eval: Vec<Example>,
    pub options: TrainerOptions,
}

/// Tokenizes the rows, checks their ids, and loads the network of a case.
pub fn prepare(folder: &Path, case: &Case, expected: &Expected, fp16: bool) -> Prepared {
    let model_folder = model_folder(folder, &case.model);
    let settings = settings(&case.arguments);
    let text = |name: &str| String::from_utf8(read(&model_folder.join(name))).unwrap();
    let tokenizer = Tokenizer::from_json(&text("tokenizer.json")).unwrap();
    let config = BertConfig::from_json(&text("config.json"))
        .unwrap()
        .without_dropout();
    let mut options = settings.trainer_options(tokenizer.pad_token_id());
    options.arguments.fp16 = fp16;
    options.shuffle = case.shuffle;
    let examples = |rows: &[webtune::data::Row]| -> Vec<Example> {
        let example = |row: &webtune::data::Row| Example {
            encoding: tokenizer.encode(&row.text, settings.max_length).unwrap(),
            label: row.label,
        };
        rows.iter().map(example).collect()
    };
    let (train, eval) = (examples(&case.train), examples(&case.eval));
    for (row, ids) in eval.iter().zip(&expected.eval_input_ids) {
        let mut found = row.encoding.input_ids.clone();
        if options.collator.padding == Padding::MaxLength {
            found.resize(options.collator.max_length, options.collator.pad_token_id);
        }
        assert_eq!(&found, ids, "token ids");
    }

    let device = Device::flex().autodiff();
    let loader = WeightsLoader {
        config: &config,
        own_labels: case.labels.len(),
        num_labels: case.labels.len(),
        seed: 0,
        device: &device,
        limits: LoadLimits::default(),
    };
    let (model, _) = block_on(loader.load(&mut weights(&model_folder))).unwrap();
    let (weight, bias) = head(&folder.join("head.safetensors"));
    let model = model.with_head(weight, bias).unwrap();
    let model = model.with_pooling(settings.classifier_pooling);
    let model = settings.tuning.apply(model, 0).unwrap();
    let model = match folder.join("adapter_initial.safetensors") {
        file if file.exists() => model.with_adapter_values(&tensors(&file)).unwrap(),
        _ => model,
    };
    Prepared {
        model,
        train,
        eval,
        options,
    }
}

/// A run after its last step.
pub struct Trained {
    pub trainer: Trainer,
    pub history: History,
    pub steps: Vec<StepLog>,
    pub epochs: Vec<Evaluation>,
    /// The evaluation of restored weights.
    pub last: Option<Evaluation>,
}

/// Trains to the end.
pub fn train(prepared: Prepared) -> Trained {
    let Prepared {
        model,
        train,
        eval,
        options,
    } = prepared;
    let mut history = History::new(&options.arguments, train.len());
    let mut trainer = Trainer::new(model, train.into(), eval.into(), options).unwrap();
    let (mut steps, mut epochs): (Vec<StepLog>, Vec<Evaluation>) = (Vec::new(), Vec::new());
    let mut last = None;
    loop {
        match block_on(trainer.step()).unwrap() {
            Event::Step { logs, .. } => {
                history.steps(&logs);
                steps.extend(logs);
            }
            Event::Evaluating { .. } => {}
            Event::Evaluated(evaluation) => {
                history.evaluated(&evaluation, 1.0);
                epochs.push(evaluation);
            }
            Event::FinalEvaluation(evaluation) => last = Some(evaluation),
            Event::Finished => break,
        }
    }
    history.finished(&trainer, 1.0).unwrap();
    Trained {
        trainer,
        history,
        steps,
        epochs,
        last,
    }
}
