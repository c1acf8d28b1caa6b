//! The times of a layer, with a clock of the test and with that of the machine.

use super::*;
use crate::hub::testing::FakeClock;
use crate::selftest::largest;
use pollster::block_on;
use std::cell::{Cell, RefCell};
use std::time::Instant;

/// A layer whose passes take given times of a clock.
struct Scripted {
    clock: FakeClock,
    batch: usize,
    /// Milliseconds that a pass adds for each sequence, of a layer and of its largest product.
    of_sequence: [f64; 2],
    /// Milliseconds of a read-back.
    read: f64,
    /// Milliseconds that the first pass of a part takes longer.
    compile: f64,
    /// Milliseconds by which the passes after it take longer, once each.
    delays: RefCell<Vec<f64>>,
    computed: RefCell<Vec<Part>>,
    elapsed: Cell<f64>,
}

impl Scripted {
    fn new(clock: &FakeClock, layer: f64, product: f64) -> Self {
        Self {
            clock: clock.clone(),
            batch: 1,
            of_sequence: [layer, product],
            read: 0.0,
            compile: 5000.0,
            delays: RefCell::default(),
            computed: RefCell::default(),
            elapsed: Cell::new(0.0),
        }
    }

    fn count(&self, part: Part) -> usize {
        self.computed
            .borrow()
            .iter()
            .filter(|&&it| it == part)
            .count()
    }
}

impl TimedLayer for Scripted {
    fn resize(&mut self, batch: usize) {
        self.batch = batch;
    }

    fn products(&self) -> usize {
        9
    }

    async fn compute(&self, part: Part, passes: usize) -> Result<()> {
        let of_sequence = self.of_sequence[usize::from(part == Part::Product)];
        let extra = match self.count(part) {
            0 => self.compile,
            _ => self.delays.borrow_mut().pop().unwrap_or_default(),
        };
        let ms = (passes * self.batch) as f64 * of_sequence + self.read + extra;
        self.clock.advance(ms);
        self.elapsed.set(self.elapsed.get() + ms);
        self.computed.borrow_mut().extend(vec![part; passes]);
        Ok(())
    }
}

fn cpu(of_sequence: f64) -> (usize, f64, f64) {
    let clock = FakeClock::default();
    let mut layer = Scripted::new(&clock, of_sequence, of_sequence / 2.0);
    let (batch, ms) = block_on(cpu_speed(&mut layer, &clock)).unwrap();
    (batch, ms, layer.elapsed.get() - layer.compile)
}

#[test]
fn the_cpu_takes_as_many_sequences_as_fit_and_a_third_of_a_second() {
    for (of_sequence, batch) in [(0.5, 8), (7.5, 8), (13.0, 4), (45.0, 1), (300.0, 1)] {
        let (found, ms, elapsed) = cpu(of_sequence);
        assert_eq!((found, ms), (batch, batch as f64 * of_sequence));
        assert!(
            elapsed < TIMED_MS + 5.0 * CPU_PASS_MS.max(of_sequence),
            "{elapsed}"
        );
    }
}

/// The time of an adapter beside a CPU whose layer takes `cpu_ms`.
fn timed(adapter: &impl TimedLayer, mut cpu_ms: f64, clock: &FakeClock) -> (f64, TimedPart) {
    let mut cpu = Scripted::new(clock, cpu_ms, 1.0);
    cpu.compile = 0.0;
    block_on(adapter_speed(adapter, &cpu, &mut cpu_ms, clock)).unwrap()
}

#[test]
fn a_cpu_that_another_program_had_is_timed_again_before_an_adapter_is_taken() {
    let clock = FakeClock::default();
    let mut cpu = Scripted::new(&clock, 40.0, 1.0);
    cpu.compile = 0.0;
    let adapter = Scripted::new(&clock, 130.0, 10.0);
    let mut cpu_ms = 190.0;
    let found = block_on(adapter_speed(&adapter, &cpu, &mut cpu_ms, &clock)).unwrap();
    assert_eq!((found, cpu_ms), ((90.0, TimedPart::Products), 40.0));
    assert_eq!(adapter.count(Part::Layer), 0);
}

#[test]
fn what_is_compiled_is_not_timed() {
    let clock = FakeClock::default();
    let adapter = Scripted::new(&clock, 4.0, 0.5);
    let found = timed(&adapter, 100.0, &clock);
    assert_eq!(found, (4.0, TimedPart::Layer));
    assert!(adapter.elapsed.get() > 2.0 * adapter.compile);
}

#[test]
fn an_adapter_whose_products_are_too_slow_computes_no_layer() {
    let clock = FakeClock::default();
    let adapter = Scripted::new(&clock, 600.0, 40.0);
    let found = timed(&adapter, 100.0, &clock);
    assert_eq!(found, (360.0, TimedPart::Products));
    assert_eq!(
        (adapter.count(Part::Product), adapter.count(Part::Layer)),
        (1 + 2 * 9, 0)
    );
}

#[test]
fn one_slow_pass_does_not_stop_the_adapter() {
    let clock = FakeClock::default();
    let adapter = Scripted::new(&clock, 60.0, 4.0);
    adapter.delays.replace(vec![500.0]);
    let found = timed(&adapter, 100.0, &clock);
    assert_eq!(found, (60.0, TimedPart::Layer));
}

#[test]
fn a_layer_that_is_clearly_slower_is_timed_once() {
    let clock = FakeClock::default();
    let adapter = Scripted::new(&clock, 250.0, 10.0);
    let found = timed(&adapter, 100.0, &clock);
    assert_eq!(found, (250.0, TimedPart::Layer));
    assert_eq!(adapter.count(Part::Layer), 2);
}

#[test]
fn the_median_ignores_a_pass_that_another_program_delays() {
    let clock = FakeClock::default();
    let layer = Scripted::new(&clock, 40.0, 4.0);
    block_on(layer.compute(Part::Layer, 1)).unwrap();
    // The second pass that is timed.
    layer.delays.replace(vec![70.0, 0.0]);
    assert_eq!(block_on(layer_time(&layer, 1000.0, &clock)).unwrap(), 40.0);
}

#[test]
fn passes_of_a_fast_device_share_a_read_back() {
    let clock = FakeClock::default();
    let mut layer = Scripted::new(&clock, 1.0, 0.5);
    layer.read = 3.0;
    layer.compile = 0.0;
    // A pass alone takes 4 ms, so that 5 share a read-back.
    assert_eq!(block_on(layer_time(&layer, 1000.0, &clock)).unwrap(), 1.6);
    assert_eq!(layer.count(Part::Layer), 1 + MAX_REPETITIONS * 5);
    // A clock that is too coarse for one pass.
    let mut layer = Scripted::new(&clock, 0.0, 0.0);
    layer.compile = 0.0;
    assert_eq!(block_on(layer_time(&layer, 1000.0, &clock)).unwrap(), 0.0);
    assert_eq!(layer.count(Part::Layer), 1 + MAX_REPETITIONS * MAX_PASSES);
}

#[test]
fn both_parts_depend_on_every_sequence_and_the_products_are_those_of_a_layer() {
    let config = BertConfig {
        hidden_size: 24,
        num_attention_heads: 3,
        intermediate_size: 40,
        ..timed_config()
    };
    let mut layer = DeviceLayer::new(&config, Device::flex(), None);
    // The gradient of the bias of query, key and value; a row of the intermediate layer for each token.
    for (part, lens) in [(Part::Layer, [72, 72]), (Part::Product, [640, 1920])] {
        let values = [1, 3].map(|batch| {
            layer.resize(batch);
            let last = layer.pass(part).expect("the bias is trainable");
            block_on(crate::selftest::read(last)).unwrap()
        });
        assert_eq!([values[0].len(), values[1].len()], lens);
        assert!(values.iter().all(|values| largest(values) > 0.0));
        assert_ne!(values[0], values[1]);
    }
    // 3 (4 · 24 · 24 + 2 · 24 · 40) / (24 · 40), rounded down.
    assert_eq!(layer.products(), 13);
}

/// A layer of which one part is never computed.
struct Silent(Part);

impl TimedLayer for Silent {
    fn resize(&mut self, _batch: usize) {}

    fn products(&self) -> usize {
        9
    }

    async fn compute(&self, part: Part, _passes: usize) -> Result<()> {
        if part == self.0 {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

#[test]
fn an_adapter_that_does_not_answer_is_waited_for_until_the_time_is_over() {
    for (part, ms) in [
        (Part::Product, PRODUCTS_WAIT_MS),
        (Part::Layer, LAYER_WAIT_MS),
    ] {
        let clock = FakeClock::default();
        let found = timed(&Silent(part), 50.0, &clock);
        assert_eq!(found, (ms, TimedPart::Nothing));
        assert!(clock.now() >= ms);
    }
}

/// The clock of this machine.
#[derive(Clone)]
struct Real(Instant);

impl Clock for Real {
    fn now(&self) -> f64 {
        self.0.elapsed().as_secs_f64() * 1e3
    }

    async fn next_task(&self) {}

    async fn sleep(&self, _milliseconds: f64) {
        std::future::pending().await
    }
}

#[test]
fn a_real_device_is_timed() {
    let (device, clock) = (Device::flex(), Real(Instant::now()));
    let speed = block_on(device_speed(&device, false, &clock));
    let speed = speed.unwrap().unwrap();
    assert_eq!(speed.seq, SEQ);
    assert!((1..=MAX_BATCH).contains(&speed.batch), "{speed:?}");
    // How the two times compare depends on what else the machine does.
    assert!(speed.adapter_ms > 0.0 && speed.cpu_ms > 0.0, "{speed:?}");
}
