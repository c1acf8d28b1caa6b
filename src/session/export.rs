//! The trained model as an archive, in the parts that the visitor chooses.

use super::checkpoints::CheckpointFile;
use super::model::LoadedModel;
use super::protocol::{ExportPlan, ExportResult, ExportedFile, PlannedPart};
use super::run::Run;
use super::{Listener, Session, VisitorFile, check_stop};
use crate::bert::BertForSequenceClassification;
use crate::data::Row;
use crate::data::audit::Finding;
use crate::export::{Archive, Baseline, Card, Entry, ExportPart, Folder, RunRows};
use crate::hub::{Blob, Environment, Fetch};
use crate::settings::RunSettings;
use crate::train::MemoryProbe;
use crate::{Error, Result};

/// Bytes of the demo's library that are read at a time.
const LIBRARY_PIECE: u64 = 1 << 20;

/// What a stop says of an export.
const EXPORT_STOPPED: &str = "The export was stopped. The model can be exported again.";

impl<E: Environment, M: MemoryProbe> Session<E, M> {
    /// Lists every part with the sizes of its files. Nothing is read back from the device.
    ///
    /// # Errors
    /// [`Error::NotReady`] when nothing was trained, [`Error::Export`], [`Error::Config`] or [`Error::Tokenizer`] when
    /// a file cannot be made.
    pub(super) fn plan_export(&self) -> Result<ExportPlan> {
        let content = self.export_content()?;
        let folder = content.folder()?;
        let planned = |part| {
            let unavailable = folder.unavailable(part);
            let files = match (part, unavailable) {
                (_, Some(_)) => Vec::new(),
                (ExportPart::Results, None) => {
                    let saved = self.checkpoint_files(&folder.shared_files()?).into_iter();
                    let exported =
                        |CheckpointFile { name, bytes, .. }| ExportedFile { name, bytes };
                    saved.map(exported).collect()
                }
                (_, None) => folder.part(part)?.iter().map(exported).collect(),
            };
            Ok(PlannedPart {
                part,
                files,
                unavailable,
            })
        };
        let parts = ExportPart::ALL.into_iter().map(planned);
        Ok(ExportPlan {
            file: content.archive_name(),
            parts: parts.collect::<Result<_>>()?,
        })
    }

    /// Writes the chosen parts of the trained model's folder as a `.zip`, piece by piece to the listener. `library` are
    /// the files of the demo.
    ///
    /// # Errors
    /// [`Error::NotReady`] when nothing was trained, [`Error::Export`] for parts that do not go together,
    /// [`Error::Stopped`], [`Error::Device`], and the listener's error.
    pub async fn export_folder(
        &self,
        parts: &[ExportPart],
        library: Vec<VisitorFile<E>>,
        fetch: &E::Fetch,
        listener: &dyn Listener,
    ) -> Result<ExportResult> {
        let written = self.write_folder(parts, library, fetch, listener).await;
        self.checked(written).await
    }

    async fn write_folder(
        &self,
        parts: &[ExportPart],
        library: Vec<VisitorFile<E>>,
        fetch: &E::Fetch,
        listener: &dyn Listener,
    ) -> Result<ExportResult> {
        check_demo(parts, &library)?;
        let mut bytes = 0;
        let mut sink = |piece: &[u8]| {
            if fetch.is_stopped() {
                return Err(Error::Stopped(EXPORT_STOPPED.into()));
            }
            bytes += piece.len() as u64;
            listener.piece(piece)
        };
        let content = self.export_content()?;
        let folder = content.folder()?;
        let entries = folder.files(parts)?;
        let mut files: Vec<ExportedFile> = entries.iter().map(exported).collect();
        let mut archive = Archive::new(&mut sink);
        for entry in entries {
            check_stop(&self.clock, fetch, EXPORT_STOPPED).await?;
            entry.write(&mut archive).await?;
        }
        for file in self.chosen_checkpoints(parts, &folder)? {
            check_stop(&self.clock, fetch, EXPORT_STOPPED).await?;
            archive.start(&file.name, file.bytes)?;
            file.write(&mut |piece| archive.write(piece)).await?;
            let CheckpointFile { name, bytes, .. } = file;
            files.push(ExportedFile { name, bytes });
        }
        for (name, blob) in library {
            check_stop(&self.clock, fetch, EXPORT_STOPPED).await?;
            let name = format!("demo/{name}");
            write_blob(&mut archive, &name, &blob)?;
            let bytes = blob.size();
            files.push(ExportedFile { name, bytes });
        }
        archive.finish()?;
        Ok(ExportResult {
            file: content.archive_name(),
            files,
            bytes,
        })
    }

    fn chosen_checkpoints(
        &self,
        parts: &[ExportPart],
        folder: &Folder<'_>,
    ) -> Result<Vec<CheckpointFile<E::Disk>>> {
        match parts.contains(&ExportPart::Results) {
            true => Ok(self.checkpoint_files(&folder.shared_files()?)),
            false => Ok(Vec::new()),
        }
    }

    fn export_content(&self) -> Result<Content<'_>> {
        let run = self.run.as_ref().filter(|run| run.trained().is_some());
        let run = run.ok_or_else(|| {
            Error::NotReady(
                "Nothing was trained yet, so there is no model to export. Train first.".into(),
            )
        })?;
        let mut content = Content::new(run, self.require_model()?)?;
        content.has_checkpoints = !self.checkpoint_files(&[]).is_empty();
        content.findings = self.reported.findings(run);
        content.baselines = self.reported.baselines(run);
        Ok(content)
    }
}

/// What the folder is made from.
struct Content<'a> {
    run: &'a Run,
    model: &'a LoadedModel,
    name: String,
    trained: BertForSequenceClassification,
    /// The network before the first step, with the adapters that the run has drawn.
    initial: BertForSequenceClassification,
    train: Vec<&'a Row>,
    validation: Vec<&'a Row>,
    test: Vec<&'a Row>,
    has_checkpoints: bool,
    findings: Option<Vec<Finding>>,
    baselines: Vec<Baseline>,
}

impl<'a> Content<'a> {
    fn new(run: &'a Run, model: &'a LoadedModel) -> Result<Self> {
        let tuning = RunSettings::from_values(&run.values)?.tuning;
        let rows = |part: &[usize]| part.iter().map(|&row| &run.dataset.rows[row]).collect();
        Ok(Self {
            name: format!("{}-{}", model.origin.name, run.dataset.labels.join("-")),
            trained: run.trainer.model()?,
            initial: tuning.apply(run.initial.clone(), run.arguments.seed)?,
            train: rows(&run.split.train),
            validation: rows(&run.validation),
            test: rows(&run.split.test),
            has_checkpoints: false,
            findings: None,
            baselines: Vec::new(),
            run,
            model,
        })
    }

    fn archive_name(&self) -> String {
        format!("{}.zip", self.name)
    }

    fn folder(&self) -> Result<Folder<'_>> {
        let (run, model) = (self.run, self.model);
        Ok(Folder {
            model: &self.trained,
            initial: &self.initial,
            config: &model.config_json,
            base_has_pooler: model.has_pooler(),
            tokenizer: &model.tokenizer,
            labels: &run.dataset.labels,
            rows: RunRows {
                train: &self.train,
                validation: &self.validation,
                test: &self.test,
            },
            settings: &run.values,
            history: &run.history,
            has_checkpoints: self.has_checkpoints,
            card: Card {
                name: &self.name,
                base_model: &model.origin.base_model,
                license: &model.origin.license,
                language: None,
                dataset: "Rows of text and label, divided into a training and a test part",
                evaluation: run.evaluation().map(|(_, evaluation)| evaluation),
                baselines: &self.baselines,
                findings: self.findings.as_deref(),
            },
        })
    }
}

fn exported(entry: &Entry<'_>) -> ExportedFile {
    ExportedFile {
        name: entry.name().into(),
        bytes: entry.len(),
    }
}

/// The demo needs a model for ONNX Runtime and the files of its library, which need the demo.
fn check_demo<B>(parts: &[ExportPart], library: &[(String, B)]) -> Result<()> {
    let problem = match (parts.contains(&ExportPart::Demo), library.is_empty()) {
        (true, true) => "the files of the demo are missing.",
        (false, false) => "files of the demo are there without the demo.",
        (true, false) if !parts.iter().any(|part| part.is_onnx()) => {
            "the demo needs one of the ONNX models."
        }
        _ => return check_names(library),
    };
    Err(Error::Export(problem.into()))
}

/// Refuses names that would be unpacked outside of the folder.
fn check_names<B>(library: &[(String, B)]) -> Result<()> {
    let is_plain = |part: &str| !part.is_empty() && !part.starts_with('.');
    let invalid = library
        .iter()
        .find(|(name, _)| name.contains('\\') || !name.split('/').all(is_plain));
    match invalid {
        Some((name, _)) => Err(Error::Export(format!("{name:?} is no name of a file."))),
        None => Ok(()),
    }
}

fn write_blob(archive: &mut Archive<'_>, name: &str, blob: &impl Blob) -> Result<()> {
    let size = blob.size();
    archive.start(name, size)?;
    let mut start = 0;
    while start < size {
        let end = size.min(start + LIBRARY_PIECE);
        let bytes = blob
            .read(start..end)
            .map_err(|problem| Error::Export(format!("{name} could not be read: {}", problem.0)))?;
        archive.write(&bytes)?;
        start = end;
    }
    Ok(())
}
