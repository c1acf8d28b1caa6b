//! Damaged archives of models: no panic, no hang, and no allocation beyond a multiple of the file.

use super::*;
use std::io::Write;
use zip::write::SimpleFileOptions;

/// A deflated byte may become 1,032 bytes, and a text is held as a whole.
const INFLATED: usize = 4096;

fn archive(method: zip::CompressionMethod) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    // The weights are missing: they would be most of the bytes, and have a test of their own.
    for name in ["config.json", "vocab.txt"] {
        writer.start_file(format!("tiny/{name}"), options).unwrap();
        let text = match name {
            "config.json" => tiny(name),
            _ => b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n".to_vec(),
        };
        writer.write_all(&text).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn archives() {
    let seeds = [
        zip::CompressionMethod::Stored,
        zip::CompressionMethod::Deflated,
    ]
    .map(archive);
    let visit = RefCell::new(Visit::new());
    crate::hostile::attack("model.zip", &seeds, INFLATED, |bytes| {
        let files = vec![("model.zip".to_string(), FakeBlob::new(bytes))];
        let mut visit = visit.borrow_mut();
        let listener: Rc<dyn Listener> = visit.recorder.clone();
        assert!(
            block_on(
                visit
                    .session
                    .load_files("model.zip", files, None, &listener)
            )
            .is_err()
        );
        visit.recorder.events.take();
    });
}
