//! The crate's error type. The `Display` text of a variant states the problem, its location, the expected value and a
//! remedy; the page shows it unchanged.

use thiserror::Error;

/// `Result` with this crate's [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The failures that a user, a file, a network or a GPU can cause.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Error {
    /// A hyper-parameter is out of bounds, of another type, or unknown.
    #[error("{field} = {value}: {expected}.")]
    Setting {
        /// The setting's name, as in `TrainingArguments`.
        field: String,
        /// The rejected value.
        value: String,
        /// The accepted values.
        expected: String,
    },
    /// The table of rows cannot be used.
    #[error("The dataset cannot be used: {0}")]
    Dataset(String),
    /// An edit of the dataset is refused.
    #[error("The edit cannot be made: {0}")]
    Edit(String),
    /// The split has an unusable part.
    #[error("The split cannot be made: {0}")]
    Split(String),
    /// `tokenizer.json` or `vocab.txt` cannot be used.
    #[error("The tokenizer cannot be loaded from {file}: {problem}")]
    Tokenizer {
        /// File name inside the model folder.
        file: String,
        /// The problem.
        problem: String,
    },
    /// `config.json` cannot be used.
    #[error("The model cannot be built from config.json: {0}")]
    Config(String),
    /// Several folders have a model, and either could be meant.
    #[error(
        "There are {} models, {}, and either could be meant. Choose one of them.",
        folders.len(),
        folders.join(" and ")
    )]
    ModelFolder {
        /// Their paths.
        folders: Vec<String>,
    },
    /// A weights file violates its format.
    #[error("{file} cannot be read as safetensors: {problem}")]
    WeightsFile {
        /// File name inside the model folder.
        file: String,
        /// The problem.
        problem: String,
    },
    /// One tensor of a weights file does not fit the model.
    #[error("{file}: tensor `{tensor}` {problem}")]
    Tensor {
        /// File name inside the model folder.
        file: String,
        /// The tensor's name in the file.
        tensor: String,
        /// Missing, unexpected, or the found and the expected shape or dtype.
        problem: String,
    },
    /// A file could not be fetched or read completely.
    #[error("{file} could not be downloaded: {problem}")]
    Download {
        /// File name or address.
        file: String,
        /// The HTTP status, or the number of bytes that arrived.
        problem: String,
    },
    /// The visitor stopped the request.
    #[error("{0}")]
    Stopped(String),
    /// The trained model could not be written.
    #[error("The model cannot be exported: {0}")]
    Export(String),
    /// A stored run cannot be continued.
    #[error("The stored run cannot be continued: {0}. Start it again.")]
    Resume(String),
    /// The device refused or failed.
    #[error("{0}")]
    Device(String),
    /// A run exceeds the memory of the device.
    #[error(
        "Not enough memory: {what} takes {} MB, and this device offers {} MB. Nothing was started and nothing is lost. \
         {remedy}",
        needs.div_ceil(1_000_000), offered / 1_000_000
    )]
    Memory {
        /// `this run`, `its largest tensor` or the model.
        what: &'static str,
        /// Required bytes.
        needs: u64,
        /// Available bytes.
        offered: u64,
        /// What needs less memory.
        remedy: &'static str,
    },
    /// A run exceeds the memory of the device together with the trained model that is kept beside it.
    #[error(
        "Not enough memory: this run takes {} MB beside the {} MB of the model that was trained before, and this \
         device offers {} MB for both. Nothing was started and nothing is lost. Export that model if you need it and \
         discard it, or use a smaller per_device_train_batch_size, gradient_checkpointing, or tuning = lora.",
        (needs - kept).div_ceil(1_000_000), kept.div_ceil(1_000_000), offered / 1_000_000
    )]
    MemoryKept {
        /// Required bytes of both.
        needs: u64,
        /// Bytes of the trained model.
        kept: u64,
        /// Available bytes.
        offered: u64,
    },
    /// Logits are not finite, so that they are no prediction.
    #[error(
        "The model's logits are not finite ({value}) for {what}, so that there is no prediction. Its weights or their \
         products exceed what a 32-bit number holds (16 bits with fp16): load the model again, or train it with a \
         lower learning_rate."
    )]
    NotFinite {
        /// `row 3 of the test part` or `this text`.
        what: String,
        /// `NaN` or `inf`.
        value: String,
    },
    /// The device has lost an update, so that the values that were read for it are old.
    #[error(
        "The device has lost update {step} (it has done {done}), so the run has ended. Train again; if it happens \
         again, update the browser or the graphics driver, or open the page with ?device=cpu."
    )]
    LostUpdate {
        /// The optimizer step, counted from 1.
        step: usize,
        /// The number of updates that the device has counted.
        done: usize,
    },
    /// A value is not finite: training has diverged.
    #[error(
        "The {what} became {value} at step {step}: the run has diverged. Lower learning_rate, or raise warmup_steps, \
         and train again."
    )]
    Diverged {
        /// `loss` or `gradient norm`.
        what: &'static str,
        /// `NaN` or `inf`.
        value: String,
        /// The optimizer step, counted from 1.
        step: usize,
    },
    /// A request requires an earlier stage of the workflow.
    #[error("{0}")]
    NotReady(String),
}

impl Error {
    /// Returns the short name of the variant in the protocol of the page: `settings`, `dataset`, `split`, `tokenizer`,
    /// `model_file`, `download`, `stopped`, `export`, `device`, `memory`, `memory_kept`, `diverged`, `not_finite` or
    /// `not_ready`.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Setting { .. } => "settings",
            Error::Dataset(_) | Error::Edit(_) => "dataset",
            Error::Split(_) => "split",
            Error::Tokenizer { .. } => "tokenizer",
            Error::Config(_)
            | Error::ModelFolder { .. }
            | Error::WeightsFile { .. }
            | Error::Tensor { .. } => "model_file",
            Error::Download { .. } => "download",
            Error::Stopped(_) => "stopped",
            Error::Export(_) => "export",
            Error::Resume(_) => "resume",
            Error::Device(_) | Error::LostUpdate { .. } => "device",
            Error::Memory { .. } => "memory",
            Error::MemoryKept { .. } => "memory_kept",
            Error::NotFinite { .. } => "not_finite",
            Error::Diverged { .. } => "diverged",
            Error::NotReady(_) => "not_ready",
        }
    }

    /// Returns the name of the rejected setting, if the error is about one.
    pub fn field(&self) -> Option<&str> {
        match self {
            Error::Setting { field, .. } => Some(field),
            _ => None,
        }
    }
}

impl Error {
    /// Returns the folders among which the visitor has to choose, if the error is about them.
    pub fn folders(&self) -> &[String] {
        match self {
            Error::ModelFolder { folders } => folders,
            _ => &[],
        }
    }
}

impl From<burn::tensor::ExecutionError> for Error {
    fn from(error: burn::tensor::ExecutionError) -> Self {
        Error::Device(format!(
            "The device failed while computing: {error}. Reload the page; if it happens again, use a smaller batch or \
             max_length."
        ))
    }
}

impl From<burn::tensor::DataError> for Error {
    fn from(error: burn::tensor::DataError) -> Self {
        Error::Device(format!(
            "The device returned data of an unexpected type: {error:?}."
        ))
    }
}
