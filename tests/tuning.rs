//! Trainable parameters and gradient checkpointing: LoRA's adapters, frozen layers, the classifier alone. `parity/`
//! compares them with the reference.

mod common;

use burn::module::Module;
use burn::tensor::Tensor;
use common::{Run, options, parameters, random_model, rows, tiny_config, train};
use std::collections::BTreeMap;
use webtune::bert::{BertConfig, BertForSequenceClassification, LoraConfig, TargetModules};
use webtune::tokens::{DataCollator, Encoding};
use webtune::train::{TrainingArguments, Tuning, TuningMethod};

const NUM_LABELS: usize = 3;

/// A network with all dropouts: a recomputed layer must use the masks of the forward pass.
fn config() -> BertConfig {
    BertConfig {
        hidden_dropout_prob: 0.1,
        attention_probs_dropout_prob: 0.2,
        ..tiny_config()
    }
}

fn lora(target_modules: TargetModules) -> LoraConfig {
    LoraConfig {
        r: 3,
        lora_alpha: 6,
        target_modules,
    }
}

fn tuning(method: TuningMethod) -> Tuning {
    Tuning {
        method,
        lora: lora(TargetModules::AllLinear),
        freeze_embeddings: false,
        freeze_layers: 0,
    }
}

/// Four steps, of two batches each.
fn run(tuning: &Tuning, gradient_checkpointing: bool) -> Run {
    let model = random_model(&config(), NUM_LABELS, 3);
    let model = tuning.apply(model, 8).unwrap();
    let arguments = TrainingArguments {
        per_device_train_batch_size: 3,
        gradient_accumulation_steps: 2,
        learning_rate: 0.01,
        max_steps: 4,
        gradient_checkpointing,
        ..TrainingArguments::default()
    };
    train(
        model,
        rows(14, NUM_LABELS, 5),
        rows(3, NUM_LABELS, 6),
        options(arguments),
    )
}

/// Parameters and adapters by name.
fn everything(model: &BertForSequenceClassification) -> BTreeMap<String, Vec<f32>> {
    let mut all = parameters(model);
    for adapter in model.adapter_parameters() {
        let values = pollster::block_on(adapter.read()).unwrap();
        all.insert(adapter.name, values);
    }
    all
}

fn logits(model: &BertForSequenceClassification) -> Vec<f32> {
    let rows = rows(5, NUM_LABELS, 9);
    let rows: Vec<&Encoding> = rows.iter().map(|row| &row.encoding).collect();
    let logits: Tensor<2> = model.forward(&DataCollator::longest(0, 0).collate(&rows));
    logits.into_data().try_into_vec().unwrap()
}

#[test]
fn checkpointing_gives_the_same_run_to_the_last_bit() {
    let frozen = Tuning {
        freeze_layers: 1,
        ..tuning(TuningMethod::Full)
    };
    let without_embeddings = Tuning {
        freeze_embeddings: true,
        ..tuning(TuningMethod::Full)
    };
    for tuning in [
        tuning(TuningMethod::Full),
        tuning(TuningMethod::Lora),
        tuning(TuningMethod::Head),
        frozen,
        without_embeddings,
    ] {
        let (kept, again) = (run(&tuning, false), run(&tuning, true));
        let losses = |run: &Run| -> Vec<(f64, f64)> {
            let logs = run.logs.iter();
            logs.map(|log| (log.loss, log.grad_norm)).collect()
        };
        assert_eq!(losses(&kept), losses(&again), "{tuning:?}");
        let [kept, again] = [kept, again].map(|run| everything(&run.trainer.model().unwrap()));
        assert_eq!(kept, again, "{tuning:?}");
    }
}

#[test]
fn only_trainable_parameters_change() {
    let before = parameters(&random_model(&config(), NUM_LABELS, 3));
    let changed = |tuning: &Tuning| -> Vec<String> {
        let run = run(tuning, false);
        let after = parameters(&run.trainer.model().unwrap());
        let names = before.keys().filter(|name| before[*name] != after[*name]);
        names.cloned().collect()
    };
    let head = ["classifier.bias", "classifier.weight"];
    assert_eq!(changed(&tuning(TuningMethod::Head)), head);
    assert_eq!(changed(&tuning(TuningMethod::Lora)), head);
    assert_eq!(changed(&tuning(TuningMethod::Full)).len(), before.len());
    let frozen = Tuning {
        freeze_layers: 1,
        ..tuning(TuningMethod::Full)
    };
    let stays = |name: &String| name.contains("embeddings") || name.contains("layer.0");
    let expected: Vec<String> = before.keys().filter(|name| !stays(name)).cloned().collect();
    assert_eq!(changed(&frozen), expected);
}

#[test]
fn adapters_start_at_the_checkpoint_and_merge_into_it() {
    for target_modules in [
        TargetModules::QueryValue,
        TargetModules::QueryKeyValue,
        TargetModules::AllLinear,
    ] {
        let lora = lora(target_modules);
        let model = random_model(&config(), NUM_LABELS, 3);
        assert_eq!(logits(&model), logits(&model.clone().with_lora(&lora, 8)));
        let tuning = Tuning {
            lora,
            ..tuning(TuningMethod::Lora)
        };
        let run = run(&tuning, false);
        let trained = run.trainer.model().unwrap();
        let merged = trained.merged();
        assert!(trained.has_adapters() && !merged.has_adapters());
        let (before, after) = (logits(&model), logits(&trained.valid()));
        let worst = |a: &[f32], b: &[f32]| {
            let pairs = a.iter().zip(b);
            pairs.fold(0.0_f32, |worst, (a, b)| worst.max((a - b).abs()))
        };
        assert!(worst(&before, &after) > 1e-2, "nothing was learned");
        assert!(worst(&after, &logits(&merged)) < 2e-5);
        // Only the weights with adapters differ.
        let (kept, merged) = (parameters(&trained), parameters(&merged));
        let changed = kept.keys().filter(|name| kept[*name] != merged[*name]);
        assert_eq!(changed.count(), trained.adapter_parameters().len() / 2);
    }
}

#[test]
fn adapters_have_the_names_of_peft() {
    let model = random_model(&config(), NUM_LABELS, 3);
    let model = model.with_lora(&lora(TargetModules::QueryValue), 8);
    let found: Vec<(String, Vec<usize>)> = model
        .adapter_parameters()
        .into_iter()
        .map(|adapter| (adapter.name, adapter.shape))
        .collect();
    let mut expected = Vec::new();
    for layer in 0..2 {
        for part in ["query", "value"] {
            let name = format!("base_model.model.bert.encoder.layer.{layer}.attention.self.{part}");
            expected.push((format!("{name}.lora_A.weight"), vec![3, 16]));
            expected.push((format!("{name}.lora_B.weight"), vec![16, 3]));
        }
    }
    assert_eq!(found, expected);
}

#[test]
fn more_frozen_layers_than_the_network_has_are_refused() {
    let model = random_model(&config(), NUM_LABELS, 3);
    let tuning = Tuning {
        freeze_layers: 3,
        ..tuning(TuningMethod::Full)
    };
    let message = tuning.apply(model, 8).unwrap_err().to_string();
    assert_eq!(
        message,
        "freeze_layers = 3: this model has 2 encoder layers."
    );
}

/// Without a learning rate for the body, a run changes pooler and classifier alone, each by the same updates in any
/// run.
#[test]
fn the_head_has_its_own_learning_rate() {
    let model = || random_model(&config(), NUM_LABELS, 3);
    let before = parameters(&model());
    let run = |learning_rate, head_learning_rate| {
        let arguments = TrainingArguments {
            learning_rate,
            head_learning_rate,
            max_steps: 1,
            ..TrainingArguments::default()
        };
        let (rows, eval) = (rows(8, NUM_LABELS, 5), rows(3, NUM_LABELS, 6));
        let run = train(model(), rows, eval, options(arguments));
        assert_eq!(run.logs[0].learning_rate, learning_rate);
        parameters(&run.trainer.model().unwrap())
    };
    let (head_alone, same, other) = (run(0.0, 0.01), run(0.01, 0.0), run(0.001, 0.01));
    let is_head = |name: &str| name.contains("pooler") || name.contains("classifier");
    for (name, before) in &before {
        assert_eq!(&head_alone[name] != before, is_head(name), "{name}");
        assert_ne!(&same[name], before, "{name}");
        assert_eq!(same[name] == other[name], is_head(name), "{name}");
    }
}
