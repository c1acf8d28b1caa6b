//! The checks on a device with a number of free bytes.

use super::*;
use crate::bert::{BertConfig, ClassifierPooling, LoadLimits, LoraConfig, TargetModules};
use crate::train::{SuggestionKind, Tuning, TuningMethod};
use pollster::block_on;

const MB: u64 = 1 << 20;

/// A device with a number of free bytes.
struct Device {
    free: Cell<u64>,
    allocations: Cell<usize>,
    /// Bytes of the trial in progress.
    trial: Cell<u64>,
    largest_trial: Cell<u64>,
}

impl Device {
    fn new(free: u64) -> Self {
        Self {
            free: Cell::new(free),
            allocations: Cell::new(0),
            trial: Cell::new(0),
            largest_trial: Cell::new(0),
        }
    }
}

impl MemoryProbe for &Device {
    type Buffer = u64;

    fn max_buffer_size(&self) -> u64 {
        256 * MB
    }

    async fn allocate(&self, bytes: u64) -> Option<u64> {
        assert!(bytes.is_multiple_of(4) && bytes <= self.max_buffer_size());
        self.allocations.set(self.allocations.get() + 1);
        self.free.set(self.free.get().checked_sub(bytes)?);
        self.trial.set(self.trial.get() + bytes);
        self.largest_trial
            .set(self.largest_trial.get().max(self.trial.get()));
        Some(bytes)
    }

    fn free(&self, buffer: u64) {
        self.free.set(self.free.get() + buffer);
        self.trial.set(self.trial.get() - buffer);
    }
}

fn plan(total: u64) -> MemoryPlan {
    MemoryPlan {
        parameters: 0,
        original: 0,
        kept: 0,
        gradients: 0,
        optimizer: 0,
        activations: 0,
        runtime: 0,
        total,
        largest: 8 * MB,
    }
}

fn budget(device: &Device) -> MemoryBudget<&Device> {
    MemoryBudget::new(DeviceMemory::Probe(device), Some(128 * MB))
}

#[test]
fn an_exact_fit_fits_and_4_bytes_more_do_not() {
    for total in [100 * MB, 5000 * MB] {
        let device = Device::new(total);
        assert_eq!(block_on(budget(&device).check(&plan(total))), Ok(()));
        assert_eq!(device.free.get(), total, "every buffer is freed");

        let error = block_on(budget(&device).check(&plan(total + 4))).unwrap_err();
        let Error::Memory {
            what,
            needs,
            offered,
            ..
        } = error
        else {
            panic!("{error:?}");
        };
        assert_eq!((what, needs), ("this run", total + 4));
        // A trial is exact to a part of its first buffer.
        assert!(offered <= total && offered + 20 * MB > total, "{offered}");
        assert_eq!(device.free.get(), total, "every buffer is freed");
    }
}

#[test]
fn a_refused_run_is_not_tried_twice() {
    let device = Device::new(1000 * MB);
    let budget = budget(&device);
    budget.set_in_use(200 * MB);
    // 1000 MB are free beside the 200 MB that the run reuses.
    assert!(block_on(budget.check(&plan(1300 * MB))).is_err());
    let tried = device.allocations.get();
    let Some(Shortage::Memory { offered, .. }) = block_on(budget.shortage(&plan(1300 * MB))) else {
        panic!("the second trial finds the memory");
    };
    assert_eq!(device.allocations.get(), tried);
    assert!(!budget.may_fit(&plan(offered + 4)) && budget.may_fit(&plan(offered)));
    assert_eq!(block_on(budget.shortage(&plan(offered))), None);
    assert_eq!(device.allocations.get(), tried);

    // What is in use changes when a model is loaded: the device is asked again.
    device.free.set(1200 * MB);
    budget.set_in_use(100 * MB);
    assert_eq!(block_on(budget.check(&plan(1300 * MB))), Ok(()));
    assert!(device.allocations.get() > tried);
}

#[test]
fn a_run_that_fits_in_what_is_in_use_needs_no_trial() {
    let device = Device::new(0);
    let budget = budget(&device);
    budget.set_in_use(300 * MB);
    assert_eq!(block_on(budget.check(&plan(300 * MB))), Ok(()));
    assert_eq!(block_on(budget.check(&plan(200 * MB))), Ok(()));
    assert_eq!(device.allocations.get(), 0);
}

#[test]
fn a_tensor_above_the_binding_limit_is_refused_without_a_trial() {
    let device = Device::new(1000 * MB);
    let budget = budget(&device);
    let plan = MemoryPlan {
        largest: 128 * MB + 4,
        ..plan(500 * MB)
    };
    let shortage = Shortage::Binding {
        needs: 128 * MB + 4,
        offered: 128 * MB,
    };
    assert_eq!(block_on(budget.shortage(&plan)), Some(shortage));
    assert!(!budget.may_fit(&plan));
    let error = block_on(budget.check(&plan)).unwrap_err();
    assert_eq!(error.code(), "memory");
    assert!(error.to_string().contains("its largest tensor takes"));
    assert_eq!(device.allocations.get(), 0);
}

#[test]
fn fixed_memory_is_a_limit() {
    let huge = plan(1 << 50);
    let fixed = MemoryBudget::<&Device>::new(DeviceMemory::Fixed(1 << 32), None);
    assert_eq!(block_on(fixed.check(&plan(1 << 32))), Ok(()));
    let shortage = Shortage::Memory {
        needs: 1 << 50,
        offered: 1 << 32,
    };
    assert_eq!(block_on(fixed.shortage(&huge)), Some(shortage));
    assert!(!fixed.may_fit(&huge));
}

#[test]
fn a_report_suggests_what_fits_and_has_the_fields_of_the_page() {
    let config = BertConfig::default();
    let arguments = TrainingArguments::default();
    let demand = MemoryDemand {
        config: &config,
        num_labels: 2,
        batch: 8,
        seq: 128,
        evaluation: [8, 128],
        accumulates: false,
        gradient_checkpointing: false,
        tuning: Tuning {
            method: TuningMethod::Full,
            lora: LoraConfig {
                r: 8,
                lora_alpha: 8,
                target_modules: TargetModules::QueryValue,
            },
            freeze_embeddings: false,
            freeze_layers: 0,
        },
        keeps_original: true,
        keeps_best: false,
        classifier_pooling: ClassifierPooling::Cls,
        kept: 0,
        limits: LoadLimits::default(),
        word_rows: None,
    };
    // The activations of the whole batch do not fit, all else does.
    let plan = MemoryPlan::new(&demand);
    let device = Device::new(400 * MB);
    let budget = budget(&device);
    budget.set_in_use(plan.total - 512 * MB);
    let untried = block_on(budget.report(&demand, &arguments, false));
    assert_eq!((untried.shortage, device.allocations.get()), (None, 0));

    let report = block_on(budget.report(&demand, &arguments, true));
    assert!(matches!(report.shortage, Some(Shortage::Memory { .. })));
    assert!(!report.suggestions.is_empty());
    for suggestion in &report.suggestions {
        assert!(budget.may_fit(&suggestion.plan), "{suggestion:?}");
    }
    let kinds: Vec<SuggestionKind> = report.suggestions.iter().map(|one| one.kind).collect();
    assert!(kinds.contains(&SuggestionKind::Lora), "{kinds:?}");

    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["shortage"]["kind"], "memory");
    assert_eq!(json["shortage"]["needs"], plan.total);
    assert_eq!(json["total"], plan.total);
    assert_eq!((&json["rows"], &json["tokens"]), (&8.into(), &128.into()));
    assert!(json["suggestions"][0]["kind"].is_string());
}

#[test]
fn a_hint_allocates_little_and_only_when_the_need_has_grown() {
    let device = Device::new(6000 * MB);
    let budget = budget(&device);
    budget.set_in_use(200 * MB);
    let most = Cell::new(0);
    let hint = |total| {
        let before = device.allocations.get();
        let shortage = block_on(budget.hint(&plan(total)));
        most.set(most.get().max(device.largest_trial.take()));
        (shortage, device.allocations.get() - before)
    };
    assert!(matches!(hint(500 * MB), (None, 1..)));
    for edited in [500 * MB, 400 * MB, 501 * MB, 503 * MB] {
        assert_eq!(hint(edited), (None, 0), "{edited}");
    }
    assert!(matches!(hint(600 * MB), (None, 1..)));
    assert!(
        most.get() <= 400 * MB,
        "no more than the plan minus what is in use"
    );
    assert!(matches!(hint(5000 * MB), (None, 1..)));
    assert_eq!(hint(5500 * MB), (None, 0));
    assert!(most.get() <= MAX_HINT, "{}", most.get());

    // The start of the run asks for all of it.
    assert!(block_on(budget.check(&plan(6300 * MB))).is_err());
    assert!(matches!(
        hint(6300 * MB),
        (Some(Shortage::Memory { .. }), 0)
    ));
    assert_eq!(block_on(budget.check(&plan(5500 * MB))), Ok(()));
}

#[test]
fn what_a_run_has_freed_stays_available() {
    let device = Device::new(0);
    let budget = budget(&device);
    budget.set_in_use(300 * MB);
    budget.free_down_to(100 * MB);
    assert_eq!(block_on(budget.check(&plan(300 * MB))), Ok(()));
    assert_eq!(device.allocations.get(), 0);
    assert!(block_on(budget.check(&plan(301 * MB))).is_err());
}

#[test]
fn a_run_that_fits_only_without_the_kept_model_says_so() {
    let budget = MemoryBudget::<&Device>::new(DeviceMemory::Fixed(500 * MB), None);
    let with = |total, kept| MemoryPlan {
        kept,
        ..plan(total)
    };
    assert_eq!(block_on(budget.check(&with(500 * MB, 100 * MB))), Ok(()));
    let error = block_on(budget.check(&with(600 * MB, 100 * MB))).unwrap_err();
    assert_eq!(error.code(), "memory_kept");
    let sentence = error.to_string();
    assert!(
        sentence.contains("takes 525 MB beside the 105 MB"),
        "{sentence}"
    );
    assert!(sentence.contains("discard it"), "{sentence}");
    let error = block_on(budget.check(&with(700 * MB, 100 * MB))).unwrap_err();
    assert_eq!(error.code(), "memory");
}

#[test]
fn another_model_is_checked_beside_what_is_in_use() {
    let budget = MemoryBudget::<&Device>::new(DeviceMemory::Fixed(500 * MB), None);
    budget.set_in_use(300 * MB);
    assert_eq!(block_on(budget.check_model(200 * MB)), Ok(()));
    let error = block_on(budget.check_model(201 * MB)).unwrap_err();
    assert_eq!(error.code(), "memory");
    let sentence = error.to_string();
    assert!(sentence.contains("the model, beside those"), "{sentence}");
    assert!(sentence.contains("offers 209 MB"), "{sentence}");
}
