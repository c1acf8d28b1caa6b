//! The kernels on a native GPU (Vulkan, Metal or DirectX 12), compared with the CPU device:
//! `cargo test --features gpu --test gpu -- --nocapture`. A missing adapter is a failure.
//!
//! All tests share one device, because a process can open it only once.

use burn::tensor::Device;
use std::sync::LazyLock;
use std::time::Instant;
use webtune::Result;
use webtune::bert::{BertConfig, LoadLimits, random_network};
use webtune::kernels::{GpuTile, KernelForm, KernelFormOverride};
use webtune::selftest::{self, SelfTest};

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

#[test]
fn every_form_of_the_kernels_agrees_with_the_cpu() {
    passes("forms in f32", async |device| {
        selftest::forms(device, false).await
    });
}

#[test]
fn every_form_of_the_kernels_agrees_with_the_cpu_in_f16() {
    passes("forms in f16", async |device| {
        selftest::forms(device, true).await
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
    passes("layer in f16", async |device| {
        compare_layer(device, Some(KernelForm::GpuTile(GpuTile::Eight)), true).await
    });
}
