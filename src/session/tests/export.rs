//! The parts of an export: their sizes before it, a stop, and the files of the demo.

use super::*;
use crate::export::UnavailableReason;
use crate::hub::testing::FakeNetwork;

/// A session with a trained model.
fn trained(changes: Value) -> Visit {
    let mut visit = Visit::ready();
    visit.start(changes).unwrap();
    visit.run(4, false).unwrap();
    visit
}

/// Names and sizes of the files of the last exported archive.
fn archived(visit: &Visit) -> Vec<(String, u64)> {
    let bytes = visit.recorder.bytes.borrow().clone();
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let entries = 0..archive.len();
    let mut files: Vec<_> = entries
        .map(|at| {
            let file = archive.by_index(at).unwrap();
            (file.name().unwrap().into_owned(), file.size())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn the_plan_has_every_part_with_the_sizes_of_the_archive() {
    for tuning in ["full", "lora"] {
        let changes = json!({"tuning": tuning, "validation_size": 0.25, "save_strategy": "epoch"});
        let mut visit = trained(changes);
        let plan = visit.plan_export().unwrap();
        let parts: Vec<_> = plan.parts.iter().map(|part| part.part).collect();
        assert_eq!(parts, ExportPart::ALL);
        let available = plan
            .parts
            .iter()
            .filter(|part| part.unavailable.is_none() && part.part != ExportPart::Demo);
        let chosen: Vec<_> = available.clone().map(|part| part.part).collect();
        let mut planned: Vec<_> = available
            .flat_map(|part| &part.files)
            .map(|file| (file.name.clone(), file.bytes))
            .collect();
        planned.sort();
        let result = visit.export_parts(&chosen, Vec::new()).unwrap();
        assert_eq!(result.file, plan.file);
        assert_eq!(archived(&visit), planned);
        for name in [
            "onnx/model_quantized.onnx",
            "data/validation.jsonl",
            "logs/events.out.tfevents.0.webtune",
            "results/checkpoint-3/model.safetensors",
            "results/checkpoint-3/config.json",
        ] {
            assert!(planned.iter().any(|(planned, _)| planned == name), "{name}");
        }
        let adapter = &plan.parts[1];
        match tuning {
            "lora" => assert!(!adapter.files.is_empty()),
            _ => assert_eq!(adapter.unavailable, Some(UnavailableReason::NoAdapters)),
        }
    }
}

#[test]
fn a_part_that_is_not_available_is_refused() {
    let mut visit = trained(json!({}));
    let refused = visit.export_parts(&[ExportPart::Adapter], Vec::new());
    let (code, sentence) = refusal(refused);
    assert_eq!(code, "export");
    assert!(sentence.contains("trained no adapters"), "{sentence}");
    assert!(visit.recorder.bytes.borrow().is_empty());
}

/// Stops the request once it has given some bytes.
struct Stopping<'a> {
    network: &'a FakeNetwork,
    after: usize,
    bytes: Cell<usize>,
}

impl Listener for Stopping<'_> {
    fn event(&self, _: SessionEvent) {}

    fn piece(&self, bytes: &[u8]) -> Result<()> {
        self.bytes.set(self.bytes.get() + bytes.len());
        if self.bytes.get() > self.after {
            self.network.set_stopped(true);
        }
        Ok(())
    }
}

#[test]
fn an_export_stops_between_two_pieces_and_can_be_repeated() {
    let mut visit = trained(json!({}));
    let (state, predicted) = (visit.session.state(), visit.predict());
    let whole = visit.export().unwrap();
    for after in [0, whole.bytes as usize / 2] {
        let network = FakeNetwork::default();
        let listener = Stopping {
            network: &network,
            after,
            bytes: Cell::new(0),
        };
        if after == 0 {
            network.set_stopped(true);
        }
        let parts = [ExportPart::Model];
        let export = visit
            .session
            .export_folder(&parts, Vec::new(), &network, &listener);
        assert_eq!(refusal(block_on(export)).0, "stopped");
        assert!((listener.bytes.get() as u64) < whole.bytes);
        assert_eq!(visit.session.state(), state);
        assert_eq!(visit.predict(), predicted);
        assert_eq!(visit.export().unwrap(), whole);
    }
}

fn library(names: &[&str]) -> Vec<(String, FakeBlob)> {
    let files = names
        .iter()
        .map(|name| (name.to_string(), FakeBlob::new(name.as_bytes())));
    files.collect()
}

#[test]
fn the_files_of_the_demo_are_written_beside_a_model() {
    let mut visit = trained(json!({}));
    let parts = [ExportPart::Demo, ExportPart::OnnxQuantized];
    let files = library(&["index.html", "lib/runtime.wasm"]);
    let result = visit.export_parts(&parts, files).unwrap();
    assert_eq!(visit.exported_text("demo/index.html"), "index.html");
    assert_eq!(
        visit.exported_text("demo/lib/runtime.wasm"),
        "lib/runtime.wasm"
    );
    let mut reported: Vec<_> = result
        .files
        .into_iter()
        .map(|file| (file.name, file.bytes))
        .collect();
    reported.sort();
    assert_eq!(archived(&visit), reported);
    let names: Vec<&str> = reported.iter().map(|(name, _)| name.as_str()).collect();
    assert!(names.contains(&"onnx/model_quantized.onnx") && !names.contains(&"onnx/model.onnx"));
}

#[test]
fn a_demo_without_a_model_or_without_files_is_refused() {
    let mut visit = trained(json!({}));
    for (parts, files, problem) in [
        (
            vec![ExportPart::Demo],
            library(&["index.html"]),
            "needs one of the ONNX models",
        ),
        (
            vec![ExportPart::Demo, ExportPart::Onnx],
            library(&[]),
            "are missing",
        ),
        (
            vec![ExportPart::Onnx],
            library(&["index.html"]),
            "without the demo",
        ),
        (
            vec![ExportPart::Demo, ExportPart::Onnx],
            library(&["../evil.html"]),
            "no name of a file",
        ),
    ] {
        let (code, sentence) = refusal(visit.export_parts(&parts, files));
        assert_eq!(code, "export");
        assert!(sentence.contains(problem), "{sentence}");
    }
}

#[test]
fn the_card_has_the_findings_and_baselines_of_its_own_rows() {
    let mut visit = trained(json!({}));
    visit.export().unwrap();
    let card = visit.exported_text("README.md");
    assert!(!card.contains("## Checks of the data") && !card.contains("TF-IDF"));
    visit.ask(json!({"type": "audit"})).unwrap();
    visit
        .ask(json!({"type": "baselines", "embeddings": false}))
        .unwrap();
    visit.export().unwrap();
    let card = visit.exported_text("README.md");
    // The article's rows are copies of two sentences.
    assert!(
        card.contains("test rows are also in the training part (warning)"),
        "{card}"
    );
    assert!(card.contains("| logistic regression on TF-IDF |"), "{card}");
    // The reports on other rows are not those of the model.
    visit.ask(json!({"type": "dataset"})).unwrap();
    visit.ask(json!({"type": "split"})).unwrap();
    visit.ask(json!({"type": "audit"})).unwrap();
    visit.export().unwrap();
    assert!(
        !visit
            .exported_text("README.md")
            .contains("## Checks of the data")
    );
}
