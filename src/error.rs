//! The crate's one error type. Each variant says what was wrong, where, what was expected and what to do:
//! its `Display` text is shown to the visitor as it is.

use thiserror::Error;

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that a user, a file, a network or a GPU can do wrong.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Error {
    /// A hyper-parameter is out of its bounds, of another type, or unknown.
    #[error("{field} = {value}: {expected}.")]
    Setting {
        /// The setting's name, as in `TrainingArguments`.
        field: String,
        /// The value as it was given.
        value: String,
        /// What would be accepted.
        expected: String,
    },
    /// The table of rows cannot be used.
    #[error("The dataset cannot be used: {0}")]
    Dataset(String),
    /// The split leaves a part that cannot be used.
    #[error("The split cannot be made: {0}")]
    Split(String),
    /// `tokenizer.json` or `vocab.txt` cannot be used.
    #[error("The tokenizer cannot be loaded from {file}: {problem}")]
    Tokenizer {
        /// File name inside the model folder.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// `config.json` cannot be used.
    #[error("The model cannot be built from config.json: {0}")]
    Config(String),
    /// A weights file is not what its format says.
    #[error("{file} cannot be read as safetensors: {problem}")]
    WeightsFile {
        /// File name inside the model folder.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// One tensor of a weights file does not fit the model.
    #[error("{file}: tensor `{tensor}` {problem}")]
    Tensor {
        /// File name inside the model folder.
        file: String,
        /// The tensor's name in the file.
        tensor: String,
        /// Missing, unexpected, or the shape and dtype that were found and expected.
        problem: String,
    },
    /// A file could not be fetched or read to its end.
    #[error("{file} could not be downloaded: {problem}")]
    Download {
        /// File name or address.
        file: String,
        /// Status, or how many bytes of how many arrived.
        problem: String,
    },
    /// The visitor stopped it.
    #[error("{0}")]
    Stopped(String),
    /// The trained model could not be written.
    #[error("The model cannot be exported: {0}")]
    Export(String),
    /// The device that computes refused or failed.
    #[error("{0}")]
    Device(String),
    /// A run that finds no room on the device.
    #[error(
        "There is no room: {what} takes {} MB, and this device offers {} MB. Nothing was started and nothing is lost. Use a smaller per_device_train_batch_size with gradient_accumulation_steps, gradient_checkpointing, or tuning = lora; the plan under Training lists what fits.",
        needs.div_ceil(1_000_000), offered / 1_000_000
    )]
    Memory {
        /// `this run` or `its largest tensor`.
        what: &'static str,
        /// Bytes.
        needs: u64,
        /// Bytes.
        offered: u64,
    },
    /// A value that must be finite is not: training has diverged.
    #[error(
        "The {what} became {value} at step {step}: the run has diverged. Lower learning_rate, or raise warmup_steps, and train again."
    )]
    Diverged {
        /// `loss` or `gradient norm`.
        what: &'static str,
        /// `NaN` or `inf`.
        value: String,
        /// Optimizer step, from 1.
        step: usize,
    },
    /// A stage was asked for before the one that it builds on.
    #[error("{0}")]
    NotReady(String),
}

impl Error {
    /// A short name of the variant for the page: `settings`, `dataset`, `split`, `tokenizer`, `model_file`, `download`, `stopped`,
    /// `export`, `device`, `memory`, `diverged`, `not_ready`.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Setting { .. } => "settings",
            Error::Dataset(_) => "dataset",
            Error::Split(_) => "split",
            Error::Tokenizer { .. } => "tokenizer",
            Error::Config(_) | Error::WeightsFile { .. } | Error::Tensor { .. } => "model_file",
            Error::Download { .. } => "download",
            Error::Stopped(_) => "stopped",
            Error::Export(_) => "export",
            Error::Device(_) => "device",
            Error::Memory { .. } => "memory",
            Error::Diverged { .. } => "diverged",
            Error::NotReady(_) => "not_ready",
        }
    }

    /// The name of the setting at fault, where one is.
    pub fn field(&self) -> Option<&str> {
        match self {
            Error::Setting { field, .. } => Some(field),
            _ => None,
        }
    }
}

impl From<burn::tensor::ExecutionError> for Error {
    fn from(error: burn::tensor::ExecutionError) -> Self {
        Error::Device(format!(
            "The device failed while computing: {error}. Reload the page; if it happens again, use a smaller batch or max_length."
        ))
    }
}

impl From<burn::tensor::DataError> for Error {
    fn from(error: burn::tensor::DataError) -> Self {
        Error::Device(format!(
            "The device returned data of another form than was asked for: {error:?}."
        ))
    }
}
