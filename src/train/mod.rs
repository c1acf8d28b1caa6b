//! Training with the arithmetic of transformers' `Trainer`: [`TrainingArguments`], the learning rate schedule, AdamW
//! with parameter groups, clipping by the global norm, and the [`Trainer`], which its caller steps.

mod arguments;
mod backward;
mod events;
mod grad_scaler;
mod gradients;
mod history;
mod memory;
mod memory_budget;
mod memory_suggestions;
mod optimizer;
mod plan;
mod saving;
mod speed;
mod trainer;
mod tuning;
mod validation;

pub use arguments::{
    ClassWeight, LearningRates, LrSchedulerType, MetricForBestModel, SaveStrategy,
    TrainingArguments,
};
pub use events::{Event, StepLog, TrainerState};
pub use grad_scaler::{GradScaler, INIT_SCALE};
pub use gradients::{GradientClipper, partial_sums_of_squares};
pub use history::{History, HistoryState, TrainLog, checkpoint_folder};
pub use memory::{BatchShapes, MemoryDemand, MemoryPlan};
pub use memory_budget::{DeviceMemory, MemoryBudget, MemoryProbe, MemoryReport, Shortage};
pub use memory_suggestions::{Suggestion, SuggestionKind, memory_suggestions};
pub use optimizer::AdamW;
pub use plan::{MAX_RUN_STEPS, Schedule, TrainPlan};
pub use saving::CheckpointRotation;
pub use speed::SpeedMetrics;
pub use trainer::{
    BestEvaluation, ResumeProgress, ResumeTensors, Trainer, TrainerOptions, epoch_order,
    trained_word_rows,
};
pub use tuning::{Tuning, TuningMethod, trainable_parameters};
pub use validation::{HeldOut, hold_out, rows_after_hold_out};
