//! Models of the visitor's disk: which folder is the model, and whether its files belong together.

use super::*;

/// The files of the tiny checkpoint in folders.
fn folders<'a>(paths: &'a [(&'a str, &'a str)]) -> Vec<(&'a str, Vec<u8>)> {
    paths
        .iter()
        .map(|(path, file)| (*path, tiny(file)))
        .collect()
}

#[test]
fn the_topmost_bert_is_loaded_and_gives_its_name() {
    let mut visit = Visit::new();
    let mut files = folders(&[
        ("0_Transformer/config.json", "config.json"),
        ("0_Transformer/tokenizer.json", "tokenizer.json"),
        ("0_Transformer/model.safetensors", "model.safetensors"),
        ("0_Transformer/checkpoint-10/config.json", "config.json"),
    ]);
    files.push((
        "1_Pooling/config.json",
        b"{\"word_embedding_dimension\": 16}".to_vec(),
    ));
    assert_eq!(visit.load_files(files).unwrap().name, "0_Transformer");
}

#[test]
fn two_models_are_refused_and_the_loaded_one_stays() {
    let mut visit = Visit::ready();
    let files = folders(&[
        ("first/config.json", "config.json"),
        ("second/config.json", "config.json"),
    ]);
    let (code, message) = refusal(visit.load_files(files));
    assert_eq!(code, "model_file");
    assert!(message.contains("tiny/first and tiny/second"), "{message}");
    assert!(visit.session.state().model.is_some());
}

#[test]
fn a_tokenizer_with_more_tokens_than_word_embeddings_is_refused() {
    let mut tokenizer: Value = serde_json::from_slice(&tiny("tokenizer.json")).unwrap();
    let config: Value = serde_json::from_slice(&tiny("config.json")).unwrap();
    let size = config["vocab_size"].as_u64().unwrap();
    let mut token = tokenizer["added_tokens"][0].clone();
    (token["id"], token["content"]) = (json!(size), json!("[E1]"));
    tokenizer["added_tokens"]
        .as_array_mut()
        .unwrap()
        .push(token);
    let files = vec![
        ("config.json", tiny("config.json")),
        ("tokenizer.json", tokenizer.to_string().into_bytes()),
        ("model.safetensors", tiny("model.safetensors")),
    ];
    let (code, message) = refusal(Visit::new().load_files(files));
    assert_eq!(code, "tokenizer");
    assert!(message.contains(&format!("up to {size}")), "{message}");
}

/// The tiny checkpoint without its pooler.
fn tiny_without_pooler() -> Vec<(&'static str, Vec<u8>)> {
    let bytes = tiny("model.safetensors");
    let whole = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let tensors = whole.iter().filter(|(name, _)| !name.contains("pooler"));
    let weights = safetensors::serialize(tensors, None).unwrap();
    let mut files = TINY.map(|name| (name, tiny(name))).to_vec();
    files[2].1 = weights;
    files
}

#[test]
fn a_model_without_a_pooler_trains_with_a_new_one_that_is_named_and_exported() {
    for (tuning, has_adapters) in [("full", false), ("lora", true)] {
        let mut visit = Visit::ready();
        assert!(visit.load_tiny().unwrap().pooler);
        let view = visit.load_files(tiny_without_pooler()).unwrap();
        assert!(!view.pooler);
        visit.ask(json!({"type": "tokenize"})).unwrap();
        visit.start(json!({"tuning": tuning})).unwrap();
        visit.run(4, false).unwrap();
        let exported = visit.export().unwrap();
        // The adapters alone would be loaded beside another pooler each time.
        let names: Vec<_> = exported
            .files
            .iter()
            .map(|file| file.name.as_str())
            .collect();
        assert!(
            names.iter().all(|name| !name.starts_with("adapter/")),
            "{names:?}"
        );
        let bytes = visit.recorder.bytes.borrow();
        let has = |text: &str| {
            bytes
                .windows(text.len())
                .any(|found| found == text.as_bytes())
        };
        assert!(has("bert.pooler.dense.weight") && !has("peft"));
        assert_eq!(
            visit
                .session
                .run
                .as_ref()
                .unwrap()
                .trainer
                .model()
                .unwrap()
                .has_adapters(),
            has_adapters
        );
    }
}
