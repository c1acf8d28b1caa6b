// The estimate of a run's time: its basis, and how it grows with the work of the run.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test, { beforeEach } from 'node:test';
import { embeddingSeconds, estimateRun, rememberRuns, secondsPerUnit } from '../../www/estimate.js';
import { LogHistory } from '../../www/log-history.js';
import { Store, initialState } from '../../www/state.js';
import { recordedUnits, trainedRows, workOf } from '../../www/work.js';

/** @type {import('../../www/recording/recording.js').Recording} */
const recording = JSON.parse(readFileSync(new URL('../../www/recording/default-job.json', import.meta.url), 'utf8'));
const { settings: DEFAULTS, data, logs, model, times } = recording;
const STEPS = logs.step.length;
const VERSION = '1.0.0';
const RECORDED_MS = times.train_runtime * 1000;

/** What the browser stores for the site. @type {Map<string, string>} */
const storage = new Map();
Object.defineProperty(globalThis, 'localStorage', {
  value: {
    getItem: (/** @type {string} */ key) => storage.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => storage.set(key, value),
  },
});
beforeEach(() => storage.clear());

const GPU = { device: { kind: 'webgpu', name: 'some gpu' } };
const plan = (/** @type {number} */ max_steps, steps_per_epoch = STEPS / 2) => ({
  max_steps,
  steps_per_epoch,
  memory: null,
});
const LOADED = { name: model.name, parameters: model.parameters, config: config(6, 384) };

/** @param {number} num_hidden_layers @param {number} hidden_size */
function config(num_hidden_layers, hidden_size) {
  return { num_hidden_layers, hidden_size, intermediate_size: 4 * hidden_size };
}

/** The page as it is on the device of the recording before the default job. @param {any} [change] */
function page({ device = {}, self_test = {}, ...change } = {}) {
  return /** @type {import('../../www/state.js').AppState} */ ({
    ...initialState('en'),
    opened: /** @type {any} */ ({
      device: { kind: 'cpu', name: recording.device, ...device },
      self_test: { ms: recording.self_test_ms, passed: true, ...self_test },
    }),
    plan: plan(STEPS),
    split: { train_rows: data.train_rows, test_rows: data.test_rows },
    dataset: { distinct_texts: data.distinct_texts },
    ...change,
  });
}

const basis = (values = {}) => ({ values: { ...DEFAULTS, ...values }, recording, version: VERSION });

/** @param {any} [change] @param {any} [values] */
const estimate = (change, values) => estimateRun(page(change), basis(values));

/** The time of an estimate relative to that of the recorded run. @param {any} [change] @param {any} [values] */
function factor(change, values) {
  const { ms = NaN } = estimate(change, values) ?? {};
  return ms / RECORDED_MS;
}

/**
 * Runs a job to its end on a page that remembers runs.
 * @param {any} change     of the page
 * @param {number} seconds
 * @param {{first_step_ms?: number, stopped?: boolean, values?: object, later?: object}} [options]
 *   `later` are values of the form after the start
 */
async function run(
  change,
  seconds,
  { first_step_ms = (seconds * 1000) / STEPS, stopped = false, values = {}, later = {} } = {},
) {
  const store = new Store(page(change));
  let form = { ...DEFAULTS, ...values };
  const settings = { values: () => form };
  rememberRuns(/** @type {any} */ ({ store, settings }), { recording, version: VERSION });
  const running = /** @type {any} */ ({ kind: 'running', plan: store.state.plan });
  store.update({ run: running, logs: new LogHistory() });
  await null;
  form = { ...form, ...later };
  const { max_steps } = running.plan;
  const result = { stopped, global_step: max_steps, max_steps, train_runtime: seconds, first_step_ms };
  store.update({ run: /** @type {any} */ ({ kind: 'done', plan: running.plan, result }) });
  await null;
}

test('the default job on the device of the recording takes the time of the recording', () => {
  const found = estimate();
  assert.equal(found?.basis, 'recording');
  assert.ok(Math.abs(factor() - 1) < 0.01, `${factor()}`);
  assert.ok(Math.abs(factor({ model: LOADED }) - 1) < 0.01);
  const padding_tokens = 300;
  const real_tokens = data.tokens_per_row * data.train_rows - padding_tokens;
  const tokens = { real_tokens, padding_tokens, longest: 25 };
  assert.ok(Math.abs(factor({ model: LOADED, tokens }) - 1) < 0.01);
});

test('a device with a self-test of twice the time takes twice the time', () => {
  const found = factor({ self_test: { ms: 2 * recording.self_test_ms } });
  assert.ok(Math.abs(found - 2) < 0.02, `${found}`);
});

test('the time grows with steps and tokens, and less than the tokens because of the optimizer', () => {
  const longer = factor({ plan: plan(2 * STEPS) });
  assert.ok(longer > 1.9 && longer <= 2, `${longer}`);
  const padded = factor({}, { padding: 'max_length', max_length: 4 * Math.round(data.tokens_per_row) });
  assert.ok(padded > 2.5 && padded < 4, `${padded}`);
  assert.ok(factor({ plan: plan(STEPS / 2, STEPS / 4) }) < 0.9);
});

test('held-out rows are not trained on, and are evaluated in place of the test rows', () => {
  const rows = { train_rows: 33, test_rows: 9 };
  assert.deepEqual(trainedRows(rows, { validation_size: 0.25 }), { train_rows: 24, validation_rows: 9 });
  assert.deepEqual(trainedRows(rows, { validation_size: 0 }), { train_rows: 33, validation_rows: 0 });
  const split = { train_rows: 80, test_rows: 20 };
  const work = (/** @type {object} */ values) =>
    workOf(page({ split, plan: plan(24, 8) }), basis(values).values, recording);
  const [all, held] = [work({ validation_size: 0 }), work({ validation_size: 0.2 })];
  const ratio = (held?.tokens_per_update ?? NaN) / (all?.tokens_per_update ?? NaN);
  assert.ok(Math.abs(ratio - 64 / 80) < 1e-9, `${ratio}`);
  // Three epochs of a test part of 20 rows, or of 16 held-out rows, and the test rows once.
  const tokens = Math.min(recording.data.tokens_per_row, 128);
  const { encoder_parameters: encoder } = recording.model;
  const passes = 1 + 1 + 0.75;
  const less = encoder * tokens * (passes * 3 * 16 + 60 - 68);
  assert.ok(Math.abs((all?.units ?? NaN) - (held?.units ?? NaN) - less) < 1e-6 * less);
});

test('the adapters of LoRA and the head alone take less time, and recomputing takes more', () => {
  const [head, lora] = [factor({}, { tuning: 'head' }), factor({}, { tuning: 'lora' })];
  const recomputed = factor({}, { gradient_checkpointing: true });
  assert.ok(head > 0.15 && head < 0.35, `${head}`);
  assert.ok(lora > head && lora < 0.7, `${lora}`);
  assert.ok(recomputed > 1.15 && recomputed < 1.5, `${recomputed}`);
  assert.ok(factor({}, { freeze_layers: 3 }) < 0.75);
});

test('a larger model takes more time', () => {
  const base = { kind: 'hub', repo: 'google-bert/bert-base-uncased' };
  const before = factor({ origin: base });
  assert.ok(before > 4 && before < 9, `${before}`);
  const loaded = factor({ origin: base, model: { parameters: 109.5e6, config: config(12, 768) } });
  assert.ok(Math.abs(loaded / before - 1) < 0.02, `${loaded}`);
});

test('the trainable parameters of the plan are used where it has them', () => {
  const memory = { optimizer: 8 * model.parameters };
  assert.ok(Math.abs(factor({ plan: { ...plan(STEPS), memory } }) - 1) < 0.01);
  assert.ok(factor({ plan: { ...plan(STEPS), memory: { optimizer: 0 } } }) < 0.8);
});

test('nothing is estimated where nothing is known', () => {
  assert.equal(estimate(GPU), null);
  assert.equal(estimate({ opened: null }), null);
  assert.equal(estimate({ plan: null }), null);
  assert.equal(estimate({ split: null }), null);
  assert.equal(estimate({ plan: plan(0) }), null);
  assert.equal(estimate({ self_test: { passed: false } }), null);
  assert.equal(estimate({ origin: { kind: 'hub', repo: 'someone/model' } }), null);
  assert.equal(estimate({ origin: { kind: 'disk', id: 1, name: 'a', files: [] } }), null);
  assert.equal(estimate({ dataset: { distinct_texts: 3 } }), null);
  assert.equal(estimateRun(page(), { ...basis(), ownFolder: true }), null);
});

test('the last run on this device and model is used before the recording', async () => {
  await run({ model: LOADED }, 12);
  assert.deepEqual(estimate({ model: LOADED }), { ms: 12_000, basis: 'last_run' });
  // Before the model is loaded again, its parameters are known approximately.
  const longer = estimate({ plan: plan(2 * STEPS) });
  assert.ok(Math.abs((longer?.ms ?? NaN) - 24_000) < 50, `${longer?.ms}`);
});

test('what the first step takes longer than the others is not multiplied', async () => {
  await run({ ...GPU, model: LOADED }, 3 + (STEPS - 1), { first_step_ms: 3000 });
  const { ms = NaN, basis: used } = estimate({ ...GPU, model: LOADED, plan: plan(2 * STEPS) }) ?? {};
  assert.equal(used, 'last_run');
  assert.ok(Math.abs(ms - (2000 + 2000 * STEPS)) < 1, `${ms}`);
});

test('a run of another device, model or version is not used', async () => {
  await run({ ...GPU, model: LOADED }, 5);
  assert.equal(estimate(GPU)?.basis, 'last_run');
  assert.equal(estimate({ device: { kind: 'webgpu', name: 'another gpu' } }), null);
  assert.equal(estimate({ ...GPU, origin: { kind: 'hub', repo: 'google-bert/bert-base-uncased' } }), null);
  assert.equal(estimateRun(page(GPU), { ...basis(), version: '1.0.1' }), null);
});

test('on a GPU a run with steps of another size or kind is not used, on the CPU it is', async () => {
  await run({ ...GPU, model: LOADED }, 5);
  await run({ model: LOADED }, 30);
  for (const values of [{ padding: 'max_length' }, { tuning: 'lora' }, { fp16: true }]) {
    assert.equal(estimate(GPU, values), null, JSON.stringify(values));
    assert.equal(estimate({}, values)?.basis, 'last_run', JSON.stringify(values));
  }
});

test('a run that was stopped is not stored, and a form that is changed during a run does not matter', async () => {
  await run({ model: LOADED }, 5, { stopped: true });
  assert.equal(estimate()?.basis, 'recording');
  await run({ model: LOADED }, 5, { later: { padding: 'max_length' } });
  assert.deepEqual(estimate({ model: LOADED }), { ms: 5000, basis: 'last_run' });
});

test('a run that is refused does not store the run before it, which the page shows again', async () => {
  const store = new Store(page({ model: LOADED }));
  const settings = { values: () => DEFAULTS };
  rememberRuns(/** @type {any} */ ({ store, settings }), { recording, version: VERSION });
  const show = async (/** @type {any} */ run) => {
    store.update({ run });
    await null;
  };
  const result = { stopped: false, global_step: STEPS, max_steps: STEPS, train_runtime: 5, first_step_ms: 100 };
  const done = { kind: 'done', plan: plan(STEPS), result };
  for (const run of [{ kind: 'running', plan: plan(STEPS) }, done]) await show(run);
  assert.equal(estimate()?.basis, 'last_run');
  storage.clear();
  for (const run of [{ kind: 'running', plan: plan(STEPS) }, done]) await show(run);
  assert.equal(estimate()?.basis, 'recording');
});

test('a run that begins and ends between two calls of the listener is stored', async () => {
  const store = new Store(page({ model: LOADED }));
  rememberRuns(/** @type {any} */ ({ store, settings: { values: () => DEFAULTS } }), { recording, version: VERSION });
  const result = { stopped: false, global_step: STEPS, max_steps: STEPS, train_runtime: 5, first_step_ms: 100 };
  store.update({ run: /** @type {any} */ ({ kind: 'running', plan: plan(STEPS) }) });
  store.update({ run: /** @type {any} */ ({ kind: 'done', plan: plan(STEPS), result }) });
  await null;
  assert.equal(estimate({ model: LOADED })?.basis, 'last_run');
});

test('a newer run replaces the older one of its key, and the number of runs is limited', async () => {
  await run({ model: LOADED }, 5);
  await run({ model: LOADED }, 7);
  assert.equal(estimate({ model: LOADED })?.ms, 7000);
  for (let gpu = 0; gpu < 30; gpu += 1) await run({ device: { kind: 'webgpu', name: `${gpu}` }, model: LOADED }, 1);
  assert.equal(JSON.parse(storage.get('webtune.last_runs') ?? '').length, 20);
  assert.equal(estimate()?.basis, 'recording');
});

test('a stored text that cannot be read is ignored', () => {
  for (const text of ['{', '{}', 'null', '[null, 1, {"key": "a"}]']) {
    storage.set('webtune.last_runs', text);
    assert.equal(estimate()?.basis, 'recording', text);
  }
});

test('the work of the recorded run is that of its settings', () => {
  const work = workOf(page({ model: LOADED }), DEFAULTS, recording);
  assert.ok(Math.abs((work?.units ?? NaN) / recordedUnits(recording) - 1) < 1e-9);
  const tokens = (data.tokens_per_row * data.train_rows) / (STEPS / 2);
  assert.deepEqual([work?.updates, work?.tokens_per_update], [STEPS, tokens]);
});

test('the seconds of a unit times the units of a run are its time', () => {
  const work = workOf(page(), basis().values, recording);
  const seconds = (secondsPerUnit(page(), basis()) ?? NaN) * (work?.units ?? NaN);
  assert.ok(Math.abs((seconds * 1000) / (estimate()?.ms ?? NaN) - 1) < 1e-9);
  const unknown = page({ ...GPU, self_test: {} });
  assert.equal(secondsPerUnit({ ...unknown, opened: null }, basis()), null);
});

test('one pass of the encoder over every row takes a small part of a run', () => {
  const share = (embeddingSeconds(page(), basis()) ?? NaN) / ((estimate()?.ms ?? NaN) / 1000);
  assert.ok(share > 0.02 && share < 0.15, `${share}`);
  const twice = page({
    split: { train_rows: 2 * data.train_rows, test_rows: 2 * data.test_rows },
    plan: plan(2 * STEPS, STEPS),
  });
  const ratio = (embeddingSeconds(twice, basis()) ?? NaN) / (embeddingSeconds(page(), basis()) ?? NaN);
  assert.ok(ratio > 1.8 && ratio <= 2.05, `${ratio}`);
});
