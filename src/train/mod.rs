//! Training as transformers' `Trainer` does it: [`TrainingArguments`], the learning rate schedule, AdamW with parameter
//! groups and global norm clipping, and the [`Trainer`], a machine that is stepped.

mod arguments;
mod backward;
mod events;
mod grad_scaler;
mod gradients;
mod history;
mod memory;
mod optimizer;
mod plan;
mod trainer;
mod tuning;
mod ways_out;

pub use arguments::{LrSchedulerType, TrainingArguments};
pub use events::{Event, StepLog, TrainerState};
pub use grad_scaler::{GradScaler, INIT_SCALE};
pub use gradients::{norm_and_clip, sum_of_squares};
pub use history::History;
pub use memory::{MemoryDemand, MemoryPlan};
pub use optimizer::AdamW;
pub use plan::TrainPlan;
pub use trainer::{Trainer, TrainerOptions, epoch_order};
pub use tuning::{Tuning, TuningMethod};
pub use ways_out::{Way, WayOut, ways_out};
