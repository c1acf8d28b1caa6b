//! The kernels on a native GPU (Vulkan, Metal or DirectX 12), compared with the CPU device:
//! `cargo test --features gpu --test gpu -- --nocapture`. A missing adapter is a failure.
//!
//! All tests share one device, because a process can open it only once.

use burn::tensor::Device;
use std::sync::LazyLock;
use std::time::Instant;
use webtune::Result;
use webtune::benchmark::{linear_products, networks, training_steps};
use webtune::bert::{BertConfig, LoadLimits, random_network};
use webtune::kernels::{
    BlockSize, BlockTile, GpuTile, KernelForm, KernelFormOverride, ProductTimer,
};
use webtune::selftest::{self, FormsOptions, SelfTest};

static DEVICE: LazyLock<Device> = LazyLock::new(|| {
    let opened = Device::wgpu_options().init_with_setup();
    let (device, setup) = opened.expect("a Vulkan, Metal or DirectX 12 adapter");
    let info = setup.adapter.get_info();
    println!(
        "adapter: {} ({:?}), {} {}",
        info.name, info.backend, info.driver, info.driver_info
    );
    device
});

/// Runs a comparison, prints its largest deviations, and fails with the checks that fail.
fn passes(name: &str, compare: impl AsyncFnOnce(&Device) -> Result<SelfTest>) {
    let device = &*DEVICE;
    let started = Instant::now();
    let report = pollster::block_on(compare(device)).expect(name);
    println!(
        "{name}: {} checks in {:.1} s",
        report.checks.len(),
        started.elapsed().as_secs_f64()
    );
    let mut checks: Vec<_> = report.checks.iter().collect();
    checks.sort_by(|a, b| (b.deviation / b.tolerance).total_cmp(&(a.deviation / a.tolerance)));
    for check in checks.iter().take(5) {
        println!(
            "  {:.2e} (allowed {:.0e}) {}",
            check.deviation, check.tolerance, check.name
        );
    }
    let failed: Vec<_> = checks.iter().filter(|check| !check.passed).collect();
    assert!(report.passed && failed.is_empty(), "{failed:#?}");
}

#[test]
fn the_start_up_self_test_passes() {
    passes("self-test", selftest::run);
}

#[test]
fn the_self_test_in_f16_passes() {
    passes("self-test in f16", selftest::run_fp16);
}

#[test]
fn every_gradient_agrees_with_the_cpu() {
    passes("comparison of a network", selftest::compare);
}

fn all_forms(fp16: bool) -> FormsOptions {
    FormsOptions { fp16, blocks: true }
}

#[test]
fn every_form_of_the_kernels_agrees_with_the_cpu() {
    passes("forms in f32", async |device| {
        selftest::forms(device, all_forms(false)).await
    });
}

#[test]
fn every_form_of_the_kernels_agrees_with_the_cpu_in_f16() {
    passes("forms in f16", async |device| {
        selftest::forms(device, all_forms(true)).await
    });
}

/// Compares a layer of MiniLM's dimensions at a batch of 8 × 19 tokens.
async fn compare_layer(device: &Device, form: Option<KernelForm>, fp16: bool) -> Result<SelfTest> {
    let config = BertConfig {
        vocab_size: 30,
        hidden_size: 384,
        num_hidden_layers: 1,
        num_attention_heads: 12,
        intermediate_size: 1536,
        max_position_embeddings: 20,
        ..BertConfig::default()
    };
    let device = device.clone().autodiff();
    let model = random_network(&config, 2, 2, &device, LoadLimits::chunked()).await?;
    let _form = form.map(KernelFormOverride::new);
    selftest::layer(&model, [8, 19], fp16).await
}

#[test]
fn a_layer_at_the_shapes_of_a_run_agrees_with_the_cpu() {
    passes("layer", async |device| {
        compare_layer(device, None, false).await
    });
    passes("layer, forms of a GPU", async |device| {
        compare_layer(device, Some(KernelForm::Gpu), false).await
    });
    for (name, size, splits) in [
        ("layer, 64 × 64 blocks", BlockSize::Large, 1),
        ("layer, 32 × 64 blocks in 4 parts", BlockSize::Wide, 4),
        ("layer, 32 × 32 blocks in 2 parts", BlockSize::Small, 2),
    ] {
        let form = KernelForm::GpuTile(GpuTile::Block(BlockTile { size, splits }));
        passes(name, async |device| {
            compare_layer(device, Some(form), false).await
        });
    }
    passes("layer in f16", async |device| {
        compare_layer(device, Some(KernelForm::GpuTile(GpuTile::Eight)), true).await
    });
}

/// Computes a product twice in parts of `k`, whose order could differ if it were not fixed.
#[test]
fn a_product_in_parts_is_deterministic() {
    let [(_, config), _] = networks();
    let product = linear_products(&config, 128)[1];
    let form = KernelForm::GpuTile(GpuTile::Block(BlockTile {
        size: BlockSize::Wide,
        splits: 8,
    }));
    let operands = product.operands(&DEVICE);
    let compute = || {
        let _form = KernelFormOverride::new(form);
        let values = pollster::block_on(operands.result().into_data_async());
        values.unwrap().try_into_vec::<f32>().unwrap()
    };
    let first = compute();
    assert!(first.iter().any(|&value| value != 0.0));
    assert!((0..5).all(|_| compute() == first));
}

#[test]
fn every_product_of_a_training_step_is_timed() {
    let config = BertConfig {
        vocab_size: 60,
        hidden_size: 32,
        num_hidden_layers: 2,
        num_attention_heads: 4,
        intermediate_size: 64,
        max_position_embeddings: 16,
        ..BertConfig::default()
    };
    let started = Instant::now();
    let now_ms = || started.elapsed().as_secs_f64() * 1e3;
    let steps = pollster::block_on(training_steps(&config, &DEVICE, [4, 12], 3, now_ms)).unwrap();
    // A layer has 4 linear layers with 3 products each and 6 products of attention, forward and backward; pooler and
    // classifier have 3 products each.
    assert_eq!(steps.products, 2 * (4 * 3 + 6) + 2 * 3);
    assert!(steps.products_ms > 0.0 && steps.best_ms <= steps.ms);
    assert!((0.3..2.0).contains(&steps.loss), "{steps:?}");
    // Nothing is timed without a timer, and nothing is left of one.
    let timer = ProductTimer::new();
    assert!(pollster::block_on(timer.finish()).milliseconds.is_empty());
}
