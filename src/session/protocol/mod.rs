//! The types of every message between the page and its worker.
//!
//! The page sends a `Request` with a fresh `id`. The worker answers with any number of `event` messages and one
//! `result` or `error` with the same `id`. Fields that transformers or scikit-learn have are named as there and have
//! their units.
//!
//! `www/protocol.d.ts` is generated from these types by a test (`typescript.rs`), which fails when the file is stale.

mod answer;
mod audit;
mod data;
mod device;
mod event;
mod import;
mod model;
mod request;
mod resume;
mod run;
#[cfg(test)]
mod typescript;

pub use answer::{Answer, SessionState, TrainedState, WorkerError};
pub use audit::{AuditView, BaselineView, BaselinesView};
pub(crate) use data::page;
pub use data::{
    DatasetRow, DatasetRows, DatasetSource, DatasetView, DownloadResult, Part, RowsView, SplitView,
    TokenRow, TokenRows, TokensView,
};
pub use device::{DescribeResult, DeviceInfo, DeviceKind, DeviceReason, OpenResult, SelfTestView};
pub use event::{SessionEvent, WorkEvent};
pub use import::{HubImportView, ImportView, LabelCount};
pub use model::{HeadUse, ModelOrigin, ModelView};
pub use request::{KeptModel, Request, parts_of_export};
pub use resume::{
    InterruptedRun, InterruptedSummary, ModelLocator, ReportedEvaluation, ResumeData, ResumedRun,
};
pub(crate) use run::MAX_MISCLASSIFIED;
pub use run::{
    BestView, ClassView, EvaluatedPart, EvaluationReport, ExportPlan, ExportResult, ExportedFile,
    MacroView, MisclassifiedView, NotSavedReason, PlanView, PlannedPart, PredictResult, RunEvent,
    TrainResult,
};
