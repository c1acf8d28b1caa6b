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
        let mut visit = trained(json!({"tuning": tuning, "validation_size": 0.25}));
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
