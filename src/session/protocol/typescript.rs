//! Writes `www/protocol.d.ts` from the types of this module.

use super::*;
use crate::data::audit::{Finding, FindingRow, Remedy, Severity};
use crate::data::import::{
    Detected, ImportOptions, SkipReason, SkippedRow, TableFormat, TextEncoding,
};
use crate::data::{DownloadFormat, Edit, Row};
use crate::export::{ExportPart, UnavailableReason};
use crate::hub::{DatasetConfig, LoadEvent, NoticeCode, StoredModel, StoredModels};
use crate::selftest::{Check, DeviceSpeed, TimedPart};
use crate::settings::{Group, Kind, Preset, Reason, Recommendation, Setting};
use crate::train::{
    MemoryPlan, MemoryReport, Schedule, Shortage, StepLog, Suggestion, SuggestionKind,
};
use crate::warning::Warning;
use ts_rs::{Config, TS};

/// Set to any value, it makes the test write the file.
const UPDATE: &str = "WEBTUNE_UPDATE_PROTOCOL";

const HEAD: &str = "\
// Every message between the page and its worker. Generated from `src/session/protocol/`; do not edit.
// `WEBTUNE_UPDATE_PROTOCOL=1 cargo test --lib protocol` writes it, prettier formats it, and `cargo xtask test` fails
// when it is stale.

/** One value per setting, by name. */
export type Values = Record<string, number | boolean | string>;

";

/// The messages that `www/worker.js` and `www/run.js` make of the types above it.
const TAIL: &str = "\
/** A file of the visitor's disk; `path` is its path inside its folder. */
export type VisitorFile = { path: string; blob: Blob };

/** A file of the demo, which is written to `demo/` under its name. */
export type LibraryFile = { name: string; file: Blob };

/** What the visitor does to a run. `stop` also stops the loading of a model, an import and other long work. */
export type ControlAction = 'pause' | 'resume' | 'step' | 'stop';

export type RunState = 'running' | 'paused' | 'stopped';

/** A request that the worker answers with more than one call of the session, or before there is one. */
export type WorkerRequest =
  | { type: 'describe' }
  | { type: 'open'; device: 'auto' | 'webgpu' | 'cpu'; threads?: number }
  | { type: 'load_files'; name: string; files: VisitorFile[]; folder?: string }
  | { type: 'import_files'; name: string; files: VisitorFile[]; options: Partial<ImportOptions> }
  | { type: 'export'; parts: ExportPart[]; library: LibraryFile[] }
  | { type: 'train'; values: Values; paused: boolean }
  | { type: 'resume'; run: number; paused: boolean }
  | { type: 'control'; action: ControlAction };

/** `control` is answered at once; every other request waits for the one before it. */
export type RequestBody = SessionRequest | WorkerRequest;

export type Request = RequestBody & { id: number };

/** One update, or several of which only the last is reported, with the rate of the run. */
export type StepEvent = Omit<Extract<RunEvent, { kind: 'step' }>, 'tokens'> & {
  tokens_per_second: number;
  step_ms: number;
  eta_ms: number;
};

/** Progress of the request with the same id. */
export type ProgressEvent =
  | SessionEvent
  | StepEvent
  | Extract<RunEvent, { kind: 'evaluation' | 'saved' | 'not_saved' | 'state_saved' | 'state_not_saved' }>
  | ({ kind: 'resumed' } & ResumedRun)
  | { kind: 'run'; state: RunState }
  | { kind: 'piece'; bytes: Uint8Array<ArrayBuffer> };

/** What each request resolves to. */
export type Results = {
  describe: DescribeResult;
  open: OpenResult;
  dataset: DatasetView;
  dataset_rows: DatasetRows;
  import_files: ImportView;
  import_hub: ImportView;
  use_import: DatasetView;
  new_dataset: DatasetView;
  edit: DatasetView;
  undo: DatasetView;
  redo: DatasetView;
  download_dataset: DownloadResult;
  audit: AuditView;
  audit_labels: AuditView;
  baselines: BaselinesView;
  recommend: Recommendation;
  split: SplitView;
  rows: RowsResult;
  load_model: ModelView;
  load_hub: ModelView;
  load_files: ModelView;
  stored: StoredView;
  forget: StoredView;
  tokenize: TokensView;
  tokens: TokenRows;
  plan: PlanView;
  train: TrainResult;
  resume: TrainResult;
  evaluate: EvaluationReport;
  predict: PredictResult;
  plan_export: ExportPlan;
  export: ExportResult;
  restore_previous: TrainedState;
  interrupted: InterruptedRun[];
  resume_data: ResumeData;
  discard_interrupted: InterruptedRun[];
  discard: null;
  compare: SelfTest;
  control: { state: RunState };
};

/** What the worker sends. `state` is what the session holds after the request; null before a device is open. */
export type Reply =
  | { type: 'result'; id: number; result: any; state: SessionState | null }
  | { type: 'error'; id: number; error: WorkerError; state: SessionState | null }
  | { type: 'event'; id: number; event: ProgressEvent }
  | { type: 'log'; level: 'log' | 'info' | 'warn' | 'error'; text: string }
  | { type: 'fatal'; error: WorkerError };
";

/// The text of `www/protocol.d.ts`.
fn declarations() -> String {
    // Sizes in bytes are far below 2^53, where numbers of JavaScript are exact.
    let config = Config::new().with_large_int("number");
    let mut text = HEAD.to_string();
    macro_rules! declare {
        ($($type:ty),* $(,)?) => {
            $(
                text.push_str(&<$type as TS>::docs().unwrap_or_default());
                text.push_str(&format!("export {}\n\n", <$type as TS>::decl(&config)));
            )*
        };
    }
    declare!(
        Group,
        Kind,
        Setting,
        Preset,
        DescribeResult,
        DeviceKind,
        DeviceReason,
        TimedPart,
        DeviceSpeed,
        DeviceInfo,
        Check,
        SelfTestView,
        OpenResult,
        Warning,
        Row,
        DatasetSource,
        DatasetView,
        DatasetRow,
        DatasetRows,
        DownloadFormat,
        DownloadResult,
        Edit,
        TextEncoding,
        TableFormat,
        ImportOptions,
        Detected,
        SkipReason,
        SkippedRow,
        LabelCount,
        DatasetConfig,
        HubImportView,
        ImportView,
        Severity,
        FindingRow,
        Remedy,
        Finding,
        AuditView,
        BaselineView,
        BaselinesView,
        Reason,
        Recommendation,
        SplitView,
        RowsView,
        HeadUse,
        ModelView,
        Part,
        TokenRow,
        TokensView,
        TokenRows,
        MemoryPlan,
        Shortage,
        SuggestionKind,
        Suggestion,
        MemoryReport,
        Schedule,
        PlanView,
        StepLog,
        ClassView,
        MacroView,
        MisclassifiedView,
        EvaluationReport,
        BestView,
        EvaluatedPart,
        NotSavedReason,
        RunEvent,
        ModelLocator,
        InterruptedSummary,
        InterruptedRun,
        ResumeData,
        ReportedEvaluation,
        ResumedRun,
        TrainResult,
        PredictResult,
        ExportedFile,
        ExportPart,
        UnavailableReason,
        PlannedPart,
        ExportPlan,
        ExportResult,
        StoredModel,
        StoredModels,
        NoticeCode,
        LoadEvent,
        WorkEvent,
        SessionEvent,
        TrainedState,
        SessionState,
        WorkerError,
        KeptModel,
        Request,
    );
    on_one_line(&(text + TAIL))
}

/// Puts a comment of one sentence on one line.
fn on_one_line(text: &str) -> String {
    let mut comments = text.split("/**\n * ");
    let mut compact = comments.next().unwrap_or_default().to_string();
    for comment in comments {
        let is_short = comment
            .find("\n */")
            .is_some_and(|end| !comment[..end].contains('\n'));
        match is_short {
            true => compact += &format!("/** {}", comment.replacen("\n */", " */", 1)),
            false => compact += &format!("/**\n * {comment}"),
        }
    }
    compact
}

#[test]
fn the_page_has_the_types_of_this_crate() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/www/protocol.d.ts");
    let expected = declarations();
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(path, &expected).expect("www is writable");
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        without_format(&written) == without_format(&expected),
        "www/protocol.d.ts is stale. Run `{UPDATE}=1 cargo test --lib protocol`, format the file with \
         `npx prettier --write www/protocol.d.ts`, and commit it."
    );
}

/// A text without what prettier changes: whitespace, commas, quotes, parentheses, semicolons and leading bars.
fn without_format(text: &str) -> String {
    let format = |character: char| character.is_whitespace() || ",;|()'\"".contains(character);
    text.chars()
        .filter(|&character| !format(character))
        .collect()
}
