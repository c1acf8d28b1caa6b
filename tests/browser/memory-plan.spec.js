// The memory plan: the planned bytes match the peak of WebGPU's buffers, a run that does not fit is refused and
// existing results stay, and the suggested settings fit.

import { MODELS, work } from '../../bench/cases.js';
import { openBare, randomFiles } from './bare.js';
import { expect, test } from './fixtures.js';
import { expectAsPlanned } from './planned.js';
import { tinyBert } from './tiny-bert.js';
import { QUICK } from './webtune.js';

const GPU = { ...QUICK, device: 'webgpu', num_train_epochs: 1 };
/** Large enough that weights and activations dominate the memory. */
const SIZES = { vocab: 4000, hidden: 256, layers: 4, heads: 4, inner: 1024, positions: 128 };
/** Two, because the peak is in the second step: in the first, the memory of the parameters holds gradients. */
const STEPS = 2;
const CONFIGURATIONS = [
  { name: 'full fine-tuning', values: {} },
  { name: 'LoRA', values: { tuning: 'lora', lora_r: 8 } },
  { name: 'gradient checkpointing', values: { gradient_checkpointing: true } },
];

for (const { name, values } of CONFIGURATIONS) {
  test(`the plan matches the peak of the buffers, with the widest batch at every step: ${name}`, async ({
    page,
    server,
  }) => {
    await openBare(page, server, randomFiles(SIZES));
    const given = { ...work({ batch: 8, seq: 128 }, [200, SIZES.vocab]), arguments: values };
    const { plan, peak, adapter } = await page.evaluate(measure, { given, steps: STEPS });
    expectAsPlanned(`${name} on ${adapter}`, plan.total, peak);
  });
}

// In these shapes the weight gradients of MiniLM have as many rows (384) as a narrow batch has tokens.
const NARROW = [
  { batch: 8, widths: [48, 128], seq: 128, compared: true },
  { batch: 16, widths: [24, 64], seq: 64, compared: false },
];
/** The width of MiniLM with fewer layers and words: activations and gradients have a larger share of the memory. */
const NARROW_MODEL = { ...MODELS.minilm, vocab: SIZES.vocab, layers: 2 };

for (const shape of NARROW) {
  test(`the plan matches the peak of the buffers, two layers of MiniLM: ${nameOf(shape)}`, async ({ page, server }) => {
    const { plan, peak, adapter } = await measured(page, server, NARROW_MODEL, shape);
    expectAsPlanned(`two layers of MiniLM, ${nameOf(shape)} on ${adapter}`, plan.total, peak);
    if (!shape.compared) return;
    // Narrow batches take no more memory than the widest one. Token ids and masks have the width of their batch.
    const { batch, seq } = shape;
    const widest = await measured(page, server, NARROW_MODEL, { batch, widths: [seq, seq], seq });
    expect(peak / widest.peak - 1, `${peak} against ${widest.peak} bytes`).toBeLessThan(0.01);
  });

  test(
    `the plan matches the peak of the buffers, MiniLM: ${nameOf(shape)}`,
    { tag: '@full' },
    async ({ page, server }) => {
      const { plan, peak, adapter } = await measured(page, server, MODELS.minilm, shape);
      expectAsPlanned(`MiniLM, ${nameOf(shape)} on ${adapter}`, plan.total, peak);
    },
  );
}

/**
 * Batches of several widths, one after the other; `seq` is the largest.
 * @typedef {{batch: number, widths: number[], seq: number}} Batches
 */

/** @param {Batches} batches */
function nameOf({ batch, widths, seq }) {
  return `batches of ${batch} × ${widths[0]}, the widest ${batch} × ${seq}`;
}

/**
 * The plan of a run, and the peak of its buffers.
 * @param {import('@playwright/test').Page} page
 * @param {import('./server.js').TestServer} server
 * @param {import('../../bench/cases.js').Sizes} sizes
 * @param {Batches} batches
 */
async function measured(page, server, sizes, { batch, widths, seq }) {
  await openBare(page, server, randomFiles(sizes));
  const given = ofWidths(batch, seq, widths, [200, sizes.vocab]);
  return page.evaluate(measure, { given, steps: widths.length });
}

/**
 * The work of a run whose batches have these widths, one after the other.
 * @param {number} batch
 * @param {number} seq  the largest width
 * @param {number[]} widths
 * @param {[number, number]} [ids]
 */
function ofWidths(batch, seq, widths, ids) {
  const lengths = widths.flatMap((width) => Array.from({ length: batch }, () => width));
  return { ...work({ batch, seq }, ids), lengths, arguments: {} };
}

test('the page shows the memory of a run beforehand and suggests settings that need less', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open(GPU);
  await webtune.press('run-tokens');
  const memory = page.getByTestId('memory');
  await webtune.show('training');
  await expect(memory).toBeVisible();
  await expect(memory).toHaveAttribute('data-shortage', '');
  const before = await total(memory);
  const { memory: plan, opened } = await webtune.page.evaluate(() => {
    const { plan, opened } = /** @type {any} */ (window).__webtune.store.state;
    return { memory: plan.memory, opened };
  });
  expect(opened.device.max_storage_buffer_binding_size).toBeGreaterThanOrEqual(128 << 20);
  expect(plan.largest).toBeLessThan(opened.device.max_storage_buffer_binding_size);
  // A gradient has the size of its parameter, and AdamW keeps two moments per parameter, but none of the whole table of
  // word embeddings: only the rows that the texts select are trained.
  const { vocab_size, hidden_size } = /** @type {Record<string, number>} */ (tinyBert().config);
  expect(plan.gradients).toBe(plan.parameters);
  expect(plan.optimizer).toBe(2 * (plan.parameters - 4 * vocab_size * hidden_size));
  await page.getByTestId('memory-less').locator('summary').click();
  await webtune.click('suggestion-smaller_batch');
  await expect(webtune.field('per_device_train_batch_size')).toHaveValue('4');
  await expect(webtune.field('gradient_accumulation_steps')).toHaveValue('2');
  await expect.poll(() => total(memory)).not.toBe(before);
  await webtune.click('suggestion-lora');
  await expect(webtune.field('tuning')).toHaveValue('lora');
  await expect.poll(() => total(memory)).toBeLessThan(before);
  expect(new URL(page.url()).searchParams.get('tuning')).toBe('lora');
  await webtune.press('run-training');
  await expectFinished(webtune);
});

test('a tensor above the binding limit is refused, and a batch size that fits is suggested', async ({ webtune }) => {
  const { page } = webtune;
  // 160 rows × 32 tokens × 192 values of query, key and value: 3.9 MB; the limit of this adapter is 2 MB.
  await webtune.open(
    { ...GPU, num_rows: 200, per_device_train_batch_size: 160, padding: 'max_length', max_length: 32 },
    'small-bindings',
  );
  await webtune.press('run-tokens');
  const memory = page.getByTestId('memory');
  await expect(memory).toHaveAttribute('data-shortage', 'binding');
  await webtune.press('run-training');
  await expect(webtune.alert('training')).toHaveAttribute('data-code', 'memory');
  await webtune.click('suggestion-smaller_batch');
  await expect(memory).toHaveAttribute('data-shortage', '');
  const [rows, batches] = await Promise.all(
    ['per_device_train_batch_size', 'gradient_accumulation_steps'].map((name) => webtune.field(name).inputValue()),
  );
  expect(Number(rows) * Number(batches), 'the same effective batch').toBe(160);
  await webtune.press('run-training');
  await expectFinished(webtune);
});

test('a run without enough memory is refused, and the previous trained model stays', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open(GPU, 'little-memory');
  await webtune.press('run-training');
  await expectFinished(webtune);
  const result = await webtune.result();
  await webtune.fill('per_device_train_batch_size', '64');
  const memory = page.getByTestId('memory');
  await expect(memory).toHaveAttribute('data-shortage', 'memory');
  await expect(page.getByTestId('memory-shortage')).toContainText('in a trial the device gave');
  await webtune.press('run-training');
  await expect(webtune.alert('training')).toHaveAttribute('data-code', 'memory');
  expect(await webtune.result()).toEqual(result);
  await webtune.classify('I love this movie');
  expect(await webtune.probabilities('try-after'), 'the previous trained model answers').toHaveLength(2);
  // The worker refuses a direct request, too.
  const refusal = await page.evaluate(async () => {
    const { session, settings } = /** @type {any} */ (window).__webtune;
    return session.request({ type: 'train', values: settings.values(), paused: false }).then(
      () => null,
      (/** @type {any} */ error) => ({ code: error.code, message: error.message }),
    );
  });
  expect(refusal).toMatchObject({ code: 'memory', message: expect.stringContaining('Not enough memory') });
  await webtune.click('suggestion-smaller_batch');
  await expect(memory).toHaveAttribute('data-shortage', '');
  await webtune.press('run-training');
  await expectFinished(webtune);
});

/** Expects that the run has finished. @param {import('./webtune.js').Webtune} webtune */
async function expectFinished(webtune) {
  expect((await webtune.read('stages')).training.error).toBeNull();
  await expect(webtune.stage('training')).toHaveAttribute('data-state', 'done');
  await expect(webtune.page.getByTestId('summary')).toHaveAttribute('data-stopped', 'false');
}

/** @param {import('@playwright/test').Locator} memory */
const total = async (memory) => Number(await memory.getAttribute('data-total'));

/**
 * Runs in the page: the plan of a run, and the peak bytes of buffers during its first steps.
 * @param {{given: object, steps: number}} wanted
 */
async function measure({ given, steps }) {
  const scope = /** @type {{counters: import('../../bench/counters.js').Counters, bare: import('./bare.js').Bare}} */ (
    /** @type {unknown} */ (globalThis)
  );
  const {
    counters,
    bare: { benchmark, files },
  } = scope;
  await benchmark.load(...(await files()));
  const asked = JSON.stringify(given);
  const plan = await benchmark.memory(asked);
  benchmark.start(asked);
  for (let step = 0; step < steps; step += 1) await benchmark.step();
  await counters.drained();
  const { vendor, architecture } = counters.adapter ?? {};
  return { plan, peak: counters.counts.peakBytes, adapter: `${vendor} ${architecture}` };
}
