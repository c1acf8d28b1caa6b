//! The workflow on the CPU, with a fake network and disk: the code that the page runs, its failures included.

mod best;
mod checkpoint_files;
mod checkpoints;
mod device_errors;
mod divergence;
mod edits;
mod evaluation;
mod export;
mod failures;
mod hostile;
mod import;
mod kept;
mod model_cases;
mod models;
mod quality;
mod resume;
mod scale;
mod workflow;

use super::protocol::{
    Answer, DeviceInfo, DeviceReason, ExportPlan, ExportResult, ImportView, ModelView, PlannedPart,
    Request, RunEvent, SessionEvent, TrainResult,
};
use super::{Compute, Listener, Missing, NoDeviceErrors, Session};
use crate::data::import::ImportOptions;
use crate::export::ExportPart;
use crate::hub::Fetch;
use crate::hub::testing::{FakeBlob, FakeEnvironment, Fakes};
use crate::selftest::SelfTest;
use crate::settings::Values;
use crate::train::{DeviceMemory, MemoryBudget, MemoryProbe};
use crate::{Error, Result};
use burn::tensor::Device;
use pollster::block_on;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::io::{Cursor, Read};
use std::rc::Rc;

/// Asks for something that must be answered, and returns the answer of this kind.
macro_rules! answered {
    ($visit:expr, $kind:ident, $request:expr) => {
        match $visit.ask($request) {
            Ok(Answer::$kind(answer)) => answer,
            other => panic!("{other:?}"),
        }
    };
}
pub(crate) use answered;

/// Files of the tiny checkpoint.
const TINY: [&str; 3] = ["config.json", "tokenizer.json", "model.safetensors"];

/// A device whose memory is a fixed number of bytes.
struct NoProbe;

impl MemoryProbe for NoProbe {
    type Buffer = ();

    fn max_buffer_size(&self) -> u64 {
        u64::MAX
    }

    async fn allocate(&self, _bytes: u64) -> Option<()> {
        Some(())
    }

    fn free(&self, (): ()) {}
}

/// Records what a request reports. It refuses the bytes of an export after those that a test names.
#[derive(Default)]
struct Recorder {
    events: RefCell<Vec<SessionEvent>>,
    bytes: RefCell<Vec<u8>>,
    refuses_after: Cell<Option<usize>>,
}

impl Listener for Recorder {
    fn event(&self, event: SessionEvent) {
        self.events.borrow_mut().push(event);
    }

    fn piece(&self, bytes: &[u8]) -> Result<()> {
        let mut all = self.bytes.borrow_mut();
        if self
            .refuses_after
            .get()
            .is_some_and(|most| all.len() + bytes.len() > most)
        {
            return Err(Error::Export("the test does not take it.".into()));
        }
        all.extend_from_slice(bytes);
        Ok(())
    }
}

/// A session and its surroundings.
struct Visit {
    session: Session<FakeEnvironment, NoProbe>,
    fakes: Fakes,
    recorder: Rc<Recorder>,
    values: Values,
}

impl Visit {
    /// An empty session on a CPU that has passed its self-test, with settings for a short run.
    fn new() -> Self {
        let fakes = Fakes::default();
        let compute = Compute {
            device: Device::flex(),
            info: cpu(),
            memory: MemoryBudget::new(DeviceMemory::Fixed(1 << 32), None),
            errors: Rc::new(NoDeviceErrors),
            tested: None,
        };
        let mut session = Session::new(compute, Some(fakes.disk.clone()), fakes.clock.clone());
        session.self_test = Some(SelfTest {
            passed: true,
            checks: Vec::new(),
        });
        let values = json!({"toy_dataset": "article", "group_duplicates": false, "num_rows": 20, "test_size": 0.2,
            "max_length": 16, "max_steps": 3, "warmup_ratio": 0.0, "num_train_epochs": 3, "learning_rate": 5e-5,
            "head_learning_rate": 0});
        Self {
            session,
            fakes,
            recorder: Rc::default(),
            values: object(values),
        }
    }

    /// A session with rows, a model and tokens.
    fn ready() -> Self {
        let mut visit = Self::new();
        visit.ask(json!({"type": "dataset"})).unwrap();
        visit.ask(json!({"type": "split"})).unwrap();
        visit.load_tiny().unwrap();
        visit.ask(json!({"type": "tokenize"})).unwrap();
        visit
    }

    /// Sends a request of the page. A request that needs settings gets the session's.
    fn ask(&mut self, mut request: Value) -> Result<Answer> {
        self.recorder.bytes.take();
        let needs_values = ["dataset", "split", "tokenize", "plan", "audit"];
        if needs_values.iter().any(|name| request["type"] == *name)
            && request.get("values").is_none()
        {
            request["values"] = Value::Object(self.values.clone());
        }
        let request = Request::from_json(request)?;
        let listener: Rc<dyn Listener> = self.recorder.clone();
        let network = self.fakes.network.clone();
        block_on(self.session.answer(request, network, &listener))
    }

    /// Exports the model, and the adapters if there are any.
    fn export(&mut self) -> Result<ExportResult> {
        let adapter =
            |part: &PlannedPart| part.part == ExportPart::Adapter && part.unavailable.is_none();
        let mut parts = vec![ExportPart::Model];
        if self.plan_export()?.parts.iter().any(adapter) {
            parts.push(ExportPart::Adapter);
        }
        self.export_parts(&parts, Vec::new())
    }

    fn plan_export(&mut self) -> Result<ExportPlan> {
        match self.ask(json!({"type": "plan_export"}))? {
            Answer::ExportPlan(plan) => Ok(plan),
            other => panic!("{other:?}"),
        }
    }

    fn export_parts(
        &mut self,
        parts: &[ExportPart],
        library: Vec<(String, FakeBlob)>,
    ) -> Result<ExportResult> {
        self.recorder.bytes.take();
        let (network, listener) = (&self.fakes.network, self.recorder.as_ref());
        block_on(
            self.session
                .export_folder(parts, library, network, listener),
        )
    }

    /// Offers the tiny checkpoint as a repository of the Hub.
    fn offer_tiny(&self, repo: &str) {
        let files = TINY.map(|name| (name, tiny(name)));
        let files: Vec<(&str, &[u8])> = files
            .iter()
            .map(|(name, bytes)| (*name, bytes.as_slice()))
            .collect();
        self.fakes.network.offer_repo(repo, &files);
    }

    /// Loads the tiny checkpoint from files of the visitor's disk.
    fn load_tiny(&mut self) -> Result<ModelView> {
        self.load_files(TINY.map(|name| (name, tiny(name))).to_vec())
    }

    fn load_files(&mut self, files: Vec<(&str, Vec<u8>)>) -> Result<ModelView> {
        let files = files
            .iter()
            .map(|(name, bytes)| (format!("tiny/{name}"), FakeBlob::new(bytes)));
        let listener: Rc<dyn Listener> = self.recorder.clone();
        block_on(
            self.session
                .load_files("tiny", files.collect(), None, &listener),
        )
    }

    /// Reads files of the visitor's disk as a table.
    fn import(&mut self, files: &[(&str, &[u8])], options: Value) -> Result<ImportView> {
        let options = ImportOptions::from_json(options)?;
        let (name, _) = files[0];
        let files = files
            .iter()
            .map(|(path, bytes)| (path.to_string(), FakeBlob::new(bytes)));
        let listener: Rc<dyn Listener> = self.recorder.clone();
        let network = self.fakes.network.clone();
        let view = self
            .session
            .import_files(name, files.collect(), options, network, &listener);
        block_on(view)
    }

    /// Starts a run with the session's settings and `changes` of them.
    fn start(&mut self, changes: Value) -> Result<()> {
        let mut values = self.values.clone();
        values.extend(object(changes));
        block_on(self.session.start_run(values)).map(drop)
    }

    /// Does `steps` events of a run and ends it. A run that is stopped is evaluated first.
    fn run(&mut self, steps: usize, stopped: bool) -> Result<TrainResult> {
        for _ in 0..steps {
            block_on(self.session.step_run())?;
        }
        if stopped {
            self.session.stop_run();
        }
        while block_on(self.session.step_run())? != RunEvent::Finished {}
        block_on(self.session.finish_run(stopped, 1.5, 20.0))
    }

    /// A text file of the last exported archive.
    fn exported_text(&self, name: &str) -> String {
        let bytes = self.recorder.bytes.borrow().clone();
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut text = String::new();
        let mut file = archive.by_name(name).unwrap();
        file.read_to_string(&mut text).unwrap();
        text
    }

    fn exported_trainer_state(&self) -> Value {
        serde_json::from_str(&self.exported_text("trainer_state.json")).unwrap()
    }

    /// The probabilities of a sentence before and after training.
    fn predict(&mut self) -> (Vec<f32>, Option<Vec<f32>>) {
        match self.ask(json!({"type": "predict", "text": "what a lovely film"})) {
            Ok(Answer::Prediction(result)) => (result.before, result.after),
            other => panic!("{other:?}"),
        }
    }
}

fn cpu() -> DeviceInfo {
    DeviceInfo::cpu(DeviceReason::Requested, Err(&Missing::WebGpu))
}

fn object(value: Value) -> Values {
    match value {
        Value::Object(values) => values,
        other => panic!("{other} is no object"),
    }
}

/// A file of the tiny checkpoint.
fn tiny(name: &str) -> Vec<u8> {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/parity/models/tiny"
    );
    std::fs::read(format!("{folder}/{name}")).unwrap()
}

/// The code and the sentence of an error.
fn refusal<T: std::fmt::Debug>(result: Result<T>) -> (&'static str, String) {
    let error = result.unwrap_err();
    (error.code(), error.to_string())
}
