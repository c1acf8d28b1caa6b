// A model of the article's size (bert-base) in a tab: its weights are downloaded from Hub URLs, LoRA and full
// fine-tuning take two steps each, and the memory stays within the plan. Every day with three of the twelve layers, in
// full width; memory.spec.js loads the 440 MB of all layers every day.

import { BERT_BASE, PARAMETERS, bertBase } from './bert-base.js';
import { expect, test } from './hub-fixtures.js';
import { expectAsPlanned, mb } from './planned.js';

const MINUTE = 60_000;
/** Two, because the peak is in the second step: in the first, the memory of the trained parameters holds gradients. */
const STEPS = 2;
const MODEL = 'tests/bert-base';
/** Limit of the wasm heap while a checkpoint of 440 MB is loaded, in bytes. */
const HEAP_LIMIT = 256 << 20;
/** Parameters of one layer. */
const LAYER = 7_087_872;
/** Parameters of a classifier of two labels. */
const CLASSIFIER = 2 * 768 + 2;

test('three layers of bert-base load with a small wasm heap and train within the memory plan', ({ webtune, hub }) =>
  loadAndTrain(webtune, hub, 3));

test(
  'bert-base loads within 256 MB of wasm heap and trains within the memory plan',
  { tag: '@full' },
  ({ webtune, hub }) => {
    test.setTimeout(20 * MINUTE);
    return loadAndTrain(webtune, hub, BERT_BASE.layers);
  },
);

/**
 * @param {import('./webtune.js').Webtune} webtune
 * @param {import('./hub-server.js').HubServer} hub
 * @param {number} layers
 */
async function loadAndTrain(webtune, hub, layers) {
  const { page } = webtune;
  const files = bertBase({ ...BERT_BASE, layers });
  const bytes = files['model.safetensors'].length;
  hub.offer(MODEL, files);
  await webtune.open(
    // The read-back of a state is not in the plan.
    {
      device: 'webgpu',
      model: MODEL,
      endpoint: hub.endpoint,
      max_steps: STEPS,
      num_rows: 40,
      state_save_seconds: 0,
    },
    'counted',
  );
  const worker = page.workers()[0];
  if (!worker) throw new Error('the page has no worker');
  /** @returns {Promise<{peak: number, binding: number, heap: number, errors: string[]}>} */
  const seen = () =>
    worker.evaluate(() => {
      const scope = /** @type {any} */ (globalThis);
      return {
        peak: scope.counters.counts.peakBytes,
        binding: scope.counters.counts.largestBinding,
        heap: scope.wasmBytes(),
        errors: scope.counters.errors,
      };
    });
  const adapter = (await webtune.read('opened'))?.device;
  const limit = adapter?.max_storage_buffer_binding_size ?? 0;

  const started = Date.now();
  await webtune.press('run-model', 5 * MINUTE);
  const loading = (Date.now() - started) / 1000;
  const model = await webtune.read('model');
  expect(model?.bytes).toBe(bytes);
  expect(model?.parameters).toBe(PARAMETERS - (BERT_BASE.layers - layers) * LAYER + CLASSIFIER);
  const { heap } = await seen();
  console.log(`  ${mb(bytes)} loaded in ${loading.toFixed(1)} s on ${adapter?.name}, the wasm heap at ${mb(heap)}`);
  // Far below the size of the file: the heap never holds a copy of it.
  expect(heap).toBeLessThan(Math.min(HEAP_LIMIT, bytes / 2));

  for (const tuning of ['lora', 'full']) {
    await webtune.select('tuning', tuning);
    await webtune.press('run-training', 10 * MINUTE);
    expect((await webtune.read('stages')).training.error).toBeNull();
    const [run, logs] = [await webtune.read('run'), await webtune.logs()];
    if (run.kind !== 'done') throw new Error(`no result: ${JSON.stringify(run)}`);
    const { result, plan } = run;
    expect(logs.map(({ step }) => step)).toEqual(Array.from({ length: STEPS }, (_, at) => at + 1));
    for (const { loss, grad_norm } of logs) {
      expect(loss).toBeGreaterThan(0.3);
      expect(loss).toBeLessThan(2);
      expect(grad_norm).toBeGreaterThan(0);
    }
    const { peak, binding, errors } = await seen();
    const planned = plan?.memory?.total ?? NaN;
    expectAsPlanned(
      `${tuning}: ${STEPS} steps of 8 rows and their evaluation in ` +
        `${result.train_runtime.toFixed(1)} s on ${adapter?.name}`,
      planned,
      peak,
    );
    expect(binding).toBeLessThanOrEqual(limit);
    expect(errors).toEqual([]);
  }

  const trained = (await seen()).heap;
  const written = await page.evaluate(async () => {
    const { session } = /** @type {any} */ (window).__webtune;
    let arrived = 0;
    const count = (/** @type {any} */ event) => void (arrived += event.kind === 'piece' ? event.bytes.byteLength : 0);
    const parts = ['onnx', 'onnx_fp16', 'onnx_quantized'];
    const result = await session.request({ type: 'export', parts, library: [] }, count);
    return { arrived, bytes: result.bytes };
  });
  expect(written.arrived).toBe(written.bytes);
  expect(written.bytes).toBeGreaterThan(2.5 * bytes);
  const after = (await seen()).heap;
  console.log(
    `  ${mb(written.bytes)} exported with ONNX in three precisions, ` +
      `the wasm heap at ${mb(trained)} before and at ${mb(after)} after it`,
  );
  expect(after).toBeLessThan(HEAP_LIMIT);
}
