//! Times the matrix products of BERT's linear layers on the adapter of this machine, in every tile, and whole training
//! steps: `cargo xtask bench --native`.

use burn::tensor::Device;
use std::process::ExitCode;
use std::time::Instant;
use std::{env, error, fs};
use webtune::benchmark::{LinearProduct, Timing, linear_products, networks, training_steps};
use webtune::kernels::{BlockTile, GpuTile, KernelForm, KernelFormOverride};

const USAGE: &str = "\
Usage: cargo run --release --features gpu --example native_bench -- [--quick] [--no-steps] [--json FILE]

Times the matrix products of BERT's linear layers in every tile on the Vulkan, Metal or DirectX 12 adapter of this
machine, then training steps. Prints the rows of MEASURED in src/kernels/cube/matmul/selection.rs.

  --quick      MiniLM at 8 × 16 tokens only
  --no-steps   no training steps
  --json FILE  also writes every time to a file";

type Result<T> = std::result::Result<T, Box<dyn error::Error>>;

/// Numbers of parts of `k` that are tried.
const SPLITS: [usize; 3] = [2, 4, 8];
/// Tokens of a batch: 8 rows of 16 and of 128.
const BATCHES: [[usize; 2]; 2] = [[8, 16], [8, 128]];
/// Milliseconds that a product is repeated for.
const BUDGET_MS: f64 = 100.0;
/// Training steps after the first one.
const STEPS: usize = 5;

/// The options of the command line.
#[derive(Debug, Default)]
struct Options {
    quick: bool,
    no_steps: bool,
    json: Option<String>,
}

impl Options {
    fn new(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => options.quick = true,
                "--no-steps" => options.no_steps = true,
                "--help" => {
                    println!("{USAGE}");
                    std::process::exit(0);
                }
                "--json" => options.json = Some(arguments.next().ok_or(USAGE)?),
                _ => return Err(USAGE.into()),
            }
        }
        Ok(options)
    }
}

/// The adapter.
struct Adapter {
    device: Device,
    name: String,
    subgroups: [u32; 2],
}

impl Adapter {
    fn open() -> Result<Self> {
        let (device, setup) = Device::wgpu_options().init_with_setup()?;
        let info = setup.adapter.get_info();
        Ok(Self {
            device,
            name: format!(
                "{} ({:?}, {} {})",
                info.name, info.backend, info.driver, info.driver_info
            ),
            subgroups: [info.subgroup_min_size, info.subgroup_max_size],
        })
    }

    /// Whether the kernels take it for a CPU.
    fn is_software(&self) -> bool {
        self.subgroups[1] <= 8
    }
}

/// The times of one product: one for each form, the default one first.
struct Row {
    network: &'static str,
    product: LinearProduct,
    default: Timing,
    tiles: Vec<(GpuTile, Timing)>,
}

impl Row {
    /// The fastest tile.
    fn best(&self) -> (GpuTile, Timing) {
        let fastest = self
            .tiles
            .iter()
            .min_by(|(_, a), (_, b)| a.ms.total_cmp(&b.ms));
        fastest.copied().unwrap_or((GpuTile::Two, self.default))
    }

    fn gflops(&self, timing: Timing) -> f64 {
        self.product.flop() / timing.ms / 1e6
    }

    fn print(&self) {
        println!("{} {}", self.network, self.product);
        let line = |name: String, timing: Timing| {
            println!(
                "  {name:<26} {:>9.1} GFLOP/s  {:>9.3} ms (best {:.3}, {} runs)",
                self.gflops(timing),
                timing.ms,
                timing.best_ms,
                timing.runs
            );
        };
        line("default".into(), self.default);
        for &(tile, timing) in &self.tiles {
            line(tile.to_string(), timing);
        }
    }

    fn json(&self) -> serde_json::Value {
        let timing = |name: String, timing: Timing| {
            serde_json::json!({
                "tile": name,
                "ms": timing.ms,
                "bestMs": timing.best_ms,
                "runs": timing.runs,
                "timestamps": timing.timestamps,
                "gflops": self.gflops(timing),
            })
        };
        let tiles = self
            .tiles
            .iter()
            .map(|&(tile, at)| timing(tile.to_string(), at));
        serde_json::json!({
            "network": self.network,
            "layer": self.product.layer,
            "pass": self.product.pass.to_string(),
            "shape": self.product.shape(),
            "default": timing("default".into(), self.default),
            "tiles": tiles.collect::<Vec<_>>(),
        })
    }
}

async fn time_products(adapter: &Adapter, options: &Options) -> Result<Vec<Row>> {
    let splits: &[usize] = if options.quick { &[4] } else { &SPLITS };
    let mut rows: Vec<Row> = Vec::new();
    for (network, config) in networks()
        .into_iter()
        .take(if options.quick { 1 } else { 2 })
    {
        for [batch, seq] in BATCHES.into_iter().take(if options.quick { 1 } else { 2 }) {
            for product in linear_products(&config, batch * seq) {
                let operands = product.operands(&adapter.device);
                let default = operands.time(BUDGET_MS).await?;
                let mut tiles = Vec::new();
                for tile in GpuTile::candidates(splits) {
                    let _form = KernelFormOverride::new(KernelForm::GpuTile(tile));
                    tiles.push((tile, operands.time(BUDGET_MS).await?));
                }
                let row = Row {
                    network,
                    product,
                    default,
                    tiles,
                };
                row.print();
                rows.push(row);
                drop(operands);
                adapter.device.memory_cleanup();
            }
        }
    }
    Ok(rows)
}

/// Returns a tile as it is written in Rust.
fn source(tile: GpuTile) -> String {
    match tile {
        GpuTile::Block(BlockTile { size, splits }) => {
            format!("GpuTile::Block(BlockTile {{ size: BlockSize::{size:?}, splits: {splits} }})")
        }
        GpuTile::Two | GpuTile::Four | GpuTile::Eight => format!("GpuTile::{tile:?}"),
    }
}

/// Prints the speed of all products of a network's step, weighted by their work, and the rows of the table.
fn print_table(adapter: &Adapter, rows: &[Row]) {
    println!("\nRows for MEASURED in src/kernels/cube/matmul/selection.rs, if this is a GPU:");
    let mut shapes = Vec::new();
    for row in rows {
        let (pass, shape) = (row.product.pass, row.product.shape());
        if shapes.contains(&(pass, shape)) {
            continue;
        }
        shapes.push((pass, shape));
        let (tile, timing) = row.best();
        println!(
            "Measured {{ subgroups: {:?}, pass: LinearPass::{pass:?}, shape: {shape:?}, tile: {} }}, \
             // {:.0} GFLOP/s, default {:.0}",
            adapter.subgroups,
            source(tile),
            row.gflops(timing),
            row.gflops(row.default)
        );
    }
    for (network, _) in networks() {
        for [batch, seq] in BATCHES {
            let of_case = |row: &&Row| row.network == network && row.product.tokens == batch * seq;
            let of_case: Vec<&Row> = rows.iter().filter(of_case).collect();
            if of_case.is_empty() {
                continue;
            }
            let flop: f64 = of_case.iter().map(|row| row.product.flop()).sum();
            let speed = |ms: f64| flop / ms / 1e6;
            let default: f64 = of_case.iter().map(|row| row.default.ms).sum();
            let best: f64 = of_case.iter().map(|row| row.best().1.ms).sum();
            println!(
                "{network}, {batch} × {seq} tokens, products of a layer: default {:.1} GFLOP/s, best tiles {:.1}",
                speed(default),
                speed(best)
            );
        }
    }
}

async fn time_steps(adapter: &Adapter, options: &Options) -> Result<Vec<serde_json::Value>> {
    let started = Instant::now();
    let now_ms = || started.elapsed().as_secs_f64() * 1e3;
    let mut found = Vec::new();
    println!("\nTraining steps, AdamW on every parameter, with dropout, loss read back each step:");
    for (network, config) in networks()
        .into_iter()
        .take(if options.quick { 1 } else { 2 })
    {
        for shape in BATCHES.into_iter().take(if options.quick { 1 } else { 2 }) {
            let steps = training_steps(&config, &adapter.device, shape, STEPS, now_ms).await?;
            let [batch, seq] = shape;
            println!(
                "{network}, {batch} × {seq}: {:.1} ms (best {:.1}), first step {:.0} ms; its {} products take \
                 {:.1} ms; loss {:.4}",
                steps.ms,
                steps.best_ms,
                steps.first_ms,
                steps.products,
                steps.products_ms,
                steps.loss
            );
            found.push(serde_json::json!({
                "network": network,
                "shape": shape,
                "ms": steps.ms,
                "bestMs": steps.best_ms,
                "firstMs": steps.first_ms,
                "productsMs": steps.products_ms,
                "loss": steps.loss,
            }));
            adapter.device.memory_cleanup();
        }
    }
    Ok(found)
}

async fn run() -> Result<()> {
    let options = Options::new(env::args().skip(1))?;
    let adapter = Adapter::open()?;
    let [min, max] = adapter.subgroups;
    println!("adapter: {}, subgroups of {min} to {max}", adapter.name);
    if adapter.is_software() {
        println!(
            "A software adapter: its times say nothing about a GPU, and its form is not chosen by MEASURED."
        );
    }
    let rows = time_products(&adapter, &options).await?;
    let timestamps = rows.iter().all(|row| row.default.timestamps);
    println!(
        "\nTimes of products: {}",
        match timestamps {
            true => "timestamp queries of the device, median of the runs",
            false => "time until the host knew of the end, median of the runs",
        }
    );
    print_table(&adapter, &rows);
    let steps = match options.no_steps {
        true => Vec::new(),
        false => time_steps(&adapter, &options).await?,
    };
    if let Some(path) = &options.json {
        let products: Vec<_> = rows.iter().map(Row::json).collect();
        let report = serde_json::json!({
            "adapter": adapter.name,
            "subgroups": adapter.subgroups,
            "profile": if cfg!(debug_assertions) { "dev" } else { "release" },
            "products": products,
            "steps": steps,
        });
        fs::write(path, serde_json::to_string_pretty(&report)?)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    match pollster::block_on(run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
