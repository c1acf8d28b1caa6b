//! Damaged and hostile files for the parsers: no panic, no hang, and no allocation beyond a multiple of the input.
//!
//! [`attack`] changes files that are read at random, from a fixed seed, for some seconds on stable Rust.
//! `WEBTUNE_HOSTILE_SECONDS` sets the time of each parser; `WEBTUNE_HOSTILE_SEED` another sequence.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// Counts the bytes that a thread has allocated.
struct Counting;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    // A thread that ends has no counters any more.
    let _ = LIVE.try_with(|live| {
        live.set(live.get() + bytes);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(live.get())));
    });
}

// SAFETY: every call is that of the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes that a parser may allocate beside a multiple of its input: its own tables and messages.
const BASE: usize = 8 << 20;

/// The longest time that a parser may take for one input of these sizes.
const LONGEST: Duration = Duration::from_secs(5);

/// The longest input.
const LONGEST_INPUT: usize = 1 << 16;

const SECONDS: f64 = 2.0;

/// Numbers and texts that parsers handle in a branch of their own.
const TOKENS: [&str; 16] = [
    "9223372036854775807",
    "18446744073709551616",
    "-1",
    "0",
    "1e400",
    "NaN",
    "null",
    "true",
    "[]",
    "{}",
    "\"\"",
    "\u{0}",
    "../",
    "__proto__",
    "\u{feff}",
    "\u{202e}",
];

/// Reads damaged forms of `seeds` with `parse`, which may allocate `multiple` bytes for each byte of its input.
///
/// # Panics
/// With the input, if the parser panics, takes too long or allocates too much.
pub(crate) fn attack(name: &str, seeds: &[Vec<u8>], multiple: usize, parse: impl Fn(&[u8])) {
    let variable = |name: &str| std::env::var(name).ok()?.parse::<f64>().ok();
    let seconds = variable("WEBTUNE_HOSTILE_SECONDS").unwrap_or(SECONDS);
    let seed = variable("WEBTUNE_HOSTILE_SEED").unwrap_or(1.0) as u64;
    let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ seed);
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let (mut inputs, mut most) = (0, 0.0_f64);
    while Instant::now() < end {
        let input = match inputs < seeds.len() {
            true => seeds[inputs].clone(),
            false => damaged(seeds, &mut random),
        };
        let allowed = BASE + multiple * input.len();
        let started = Instant::now();
        let before = LIVE.get();
        PEAK.set(before);
        let outcome = catch_unwind(AssertUnwindSafe(|| parse(&input)));
        let peak = (PEAK.get() - before).max(0) as usize;
        most = most.max(peak.saturating_sub(BASE) as f64 / input.len().max(1) as f64);
        let problem = match outcome {
            Err(_) => Some("it panics".to_owned()),
            Ok(()) if started.elapsed() > LONGEST => {
                Some(format!("it takes {:?}", started.elapsed()))
            }
            Ok(()) if peak > allowed => {
                Some(format!("it allocates {peak} bytes for {}", input.len()))
            }
            Ok(()) => None,
        };
        if let Some(problem) = problem {
            let text = String::from_utf8_lossy(&input);
            panic!("{name}, input {inputs} of seed {seed}: {problem}: {text:?}");
        }
        inputs += 1;
    }
    println!("{name}: {inputs} inputs, {most:.1} bytes for each beyond the base");
    assert!(inputs > seeds.len(), "{name}: too slow to be tested");
}

/// One of the files with some changes.
fn damaged(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(4) {
        change(&mut input, seeds, random);
    }
    input.truncate(LONGEST_INPUT);
    input
}

fn change(input: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    let at = random.below(input.len() + 1);
    let end = at + random.below((input.len() - at).min(64) + 1);
    match random.below(9) {
        0 => drop(input.drain(at..end)),
        1 => input.truncate(at),
        2 if at < input.len() => input[at] ^= 1 << random.below(8),
        3 if at < input.len() => {
            input[at] = [0, 0xff, b'"', b'{', b',', b'\n', 0x80][random.below(7)]
        }
        4 => {
            let token = TOKENS[random.below(TOKENS.len())];
            input.splice(at..end, token.bytes());
        }
        5 => {
            let copy = input[at..end].repeat(1 + random.below(64));
            input.splice(at..at, copy);
        }
        6 => {
            let other = &seeds[random.below(seeds.len())];
            let from = random.below(other.len() + 1);
            let to = from + random.below((other.len() - from).min(256) + 1);
            input.splice(at..end, other[from..to].iter().copied());
        }
        7 => {
            let opening = [b'[', b'{', b'"', b'(', b'<'][random.below(5)];
            let deep = vec![opening; random.below(4096)];
            input.splice(at..at, deep);
        }
        _ => {
            let number = [u64::MAX, 1 << 63, 1 << 32, 0][random.below(4)].to_le_bytes();
            let end = input.len().min(at + 8);
            input.splice(at..end, number);
        }
    }
}

/// [xorshift64*](https://doi.org/10.1145/2845077): the same inputs on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let value = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16;
        (value % end.max(1) as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bert::{
        BertConfig, HeadLabels, LoadLimits, ShardIndex, WeightsLoader, parameter_bytes,
        random_checkpoint,
    };
    use crate::data::import::{ImportOptions, TableImporter};
    use crate::hub::Listing;
    use crate::io::MemoryFile;
    use crate::session::protocol::Request;
    use crate::settings::{RunSettings, Values};
    use crate::tokens::TokenizerFiles;
    use burn::tensor::Device;
    use pollster::block_on;

    /// The vocabulary becomes a double array, of which a byte of a token takes up to a block of 256 units in the worst
    /// case; those of the published vocabularies take a few units.
    const TRIE: usize = 8192;

    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    fn tiny(name: &str) -> Vec<u8> {
        let folder = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/fixtures/parity/models/tiny"
        );
        std::fs::read(format!("{folder}/{name}")).unwrap()
    }

    #[test]
    fn config_json() {
        attack("config.json", &[tiny("config.json")], 64, |bytes| {
            let text = text(bytes);
            let _ = HeadLabels::from_json(&text);
            let _ = BertConfig::names_bert(&text);
            if let Ok(config) = BertConfig::from_json(&text) {
                parameter_bytes(&config, 2);
            }
        });
    }

    #[test]
    fn tokenizer_files() {
        let vocab = b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n##c\n".to_vec();
        attack("vocab.txt", &[vocab], TRIE, |bytes| {
            let files = TokenizerFiles {
                vocab: Some(text(bytes)),
                ..TokenizerFiles::default()
            };
            if let Ok(tokenizer) = files.load() {
                let _ = tokenizer.encode("a bc, [MASK] \u{202e}", 8);
            }
        });
        let json = br###"{"version":"1.0","truncation":null,"padding":null,"added_tokens":[{"id":0,"content":"[PAD]",
            "single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}],
            "normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,
            "lowercase":true},"pre_tokenizer":{"type":"BertPreTokenizer"},"post_processor":{"type":"TemplateProcessing",
            "single":[{"SpecialToken":{"id":"[CLS]","type_id":0}},{"Sequence":{"id":"A","type_id":0}},
            {"SpecialToken":{"id":"[SEP]","type_id":0}}],"pair":[{"Sequence":{"id":"A","type_id":0}}],
            "special_tokens":{"[CLS]":{"id":"[CLS]","ids":[2],"tokens":["[CLS]"]},"[SEP]":{"id":"[SEP]","ids":[3],
            "tokens":["[SEP]"]}}},"decoder":{"type":"WordPiece","prefix":"##"},"model":{"type":"WordPiece",
            "unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,
            "vocab":{"[PAD]":0,"[UNK]":1,"[CLS]":2,"[SEP]":3,"[MASK]":4,"a":5,"b":6,"##c":7}}}"###;
        attack("tokenizer.json", &[json.to_vec()], TRIE, |bytes| {
            let files = TokenizerFiles {
                tokenizer_json: Some(text(bytes)),
                ..TokenizerFiles::default()
            };
            if let Ok(tokenizer) = files.load() {
                let _ = tokenizer.encode("a bc, [MASK] \u{202e}", 8);
            }
        });
    }

    #[test]
    fn safetensors() {
        let config = crate::bert::random::tiny_config();
        let checkpoint = random_checkpoint(&config, 1).unwrap();
        let device = Device::flex();
        attack("model.safetensors", &[checkpoint], 64, |bytes| {
            let loader = WeightsLoader {
                config: &config,
                own_labels: 2,
                num_labels: 2,
                seed: 1,
                device: &device,
                limits: LoadLimits::default(),
            };
            let mut file = MemoryFile::new("model.safetensors", bytes.to_vec());
            let _ = block_on(loader.load(&mut file));
        });
        let index = br#"{"metadata":{"total_size":8},"weight_map":{"a":"1.safetensors","b":"2.safetensors"}}"#;
        attack("index", &[index.to_vec()], 64, |bytes| {
            let _ = ShardIndex::from_json(&text(bytes));
        });
    }

    #[test]
    fn tables() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tables");
        let files = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let mut seeds: Vec<Vec<u8>> = files
            .filter(|path| !path.to_string_lossy().ends_with(".expected.json"))
            .filter_map(|path| std::fs::read(path).ok())
            .filter(|bytes| bytes.len() < 4096)
            .collect();
        seeds.sort();
        for name in ["a.csv", "a.jsonl", "a.json", "a.txt"] {
            attack(name, &seeds, 512, |bytes| {
                let mut importer = TableImporter::new(name, ImportOptions::default());
                if bytes.chunks(1000).all(|piece| importer.push(piece).is_ok())
                    && let Ok(table) = importer.finish()
                {
                    let _ = table.check();
                }
            });
        }
    }

    #[test]
    fn requests_settings_and_listings() {
        let requests = [
            r#"{"type":"rows","train":[{"text":"a","label":0}],"test":[],"labels":["a","b"]}"#,
            r#"{"type":"dataset_rows","offset":0,"count":10,"query":"a","label":1}"#,
            r#"{"type":"edit","edit":{"type":"add_label","name":"x"}}"#,
        ];
        let seeds = requests.map(|request| request.as_bytes().to_vec());
        attack("request", &seeds, 64, |bytes| {
            if let Ok(json) = serde_json::from_slice(bytes) {
                let _ = Request::from_json(json);
            }
        });
        let settings =
            br#"{"num_rows":10,"seed":42,"learning_rate":5e-5,"tuning":"lora","shuffle":true}"#;
        attack("settings", &[settings.to_vec()], 64, |bytes| {
            if let Ok(values) = serde_json::from_slice::<Values>(bytes) {
                let _ = RunSettings::from_values(&values);
            }
        });
        let listing = br#"{"sha":"0123456789012345678901234567890123456789","siblings":[{"rfilename":"config.json",
            "size":10,"lfs":{"sha256":"aa","size":10}}],"tags":["license:mit"],"cardData":{"license":"mit"}}"#;
        attack("listing", &[listing.to_vec()], 64, |bytes| {
            let _ = Listing::from_json("owner/name", &text(bytes));
        });
    }
}
