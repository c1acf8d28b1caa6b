// Compares a run of the default job with the file that the page plays (www/recording/default-job.json), or writes that
// file with WEBTUNE_UPDATE_RECORDING=1. Times are written but not compared.

import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect } from '@playwright/test';
import { encoderParameters } from '../../www/work.js';

/** @typedef {import('./webtune.js').Webtune} Webtune */
/** @typedef {import('../../www/recording/recording.js').Recording} Recording */
/** @typedef {Map<number, number[]>} Probabilities  by label id, by the steps done before */

const FILE = fileURLToPath(new URL('../../www/recording/default-job.json', import.meta.url));
const UPDATE = 'WEBTUNE_UPDATE_RECORDING';
const STALE = `The recording differs from this run. \`${UPDATE}=1 npx playwright test \
--config=tests/browser/playwright.config.js cpu.spec.js\` writes it again, from the site in dist/.`;
/** Processors round sums differently, and each step carries the difference on. */
const RELATIVE = {
  loss: 1e-3,
  eval_loss: 1e-3,
  eval_accuracy: 1e-6,
  learning_rate: 1e-4,
  epoch: 1e-4,
  grad_norm: 1e-2,
};
const PROBABILITY = 1e-2;
const DIGITS = 5;

/**
 * Classifies a sentence again and again while the next run is in progress. The worker answers between two steps.
 * @param {Webtune} webtune
 * @param {string} text
 */
export async function watchSentence({ page }, text) {
  await page.evaluate((sentence) => {
    const { store, session } = /** @type {any} */ (window).__webtune;
    /** @type {[number, number[]][]} */
    const found = [];
    Object.assign(window, { __sentence: found });
    let watching = false;
    store.watch(['run'], async () => {
      if (watching || store.state.run.kind !== 'running') return;
      watching = true;
      for (;;) {
        const { before, after } = await session.request({ type: 'predict', text: sentence });
        const { run } = store.state;
        if (run.kind !== 'running') break;
        // The worker reports a step before it classifies with the weights of that step.
        if (found.length === 0) found.push([0, before]);
        if (after && run.step > 0) found.push([run.step, after]);
      }
    });
  }, text);
}

/** @param {Webtune} webtune @returns {Promise<Probabilities>} */
async function watched({ page }) {
  return new Map(await page.evaluate(() => /** @type {any} */ (window).__sentence));
}

/**
 * Compares the finished run with the file, or writes the file.
 * @param {Webtune} webtune
 * @param {string} text  the sentence that was watched
 */
export async function checkRecording(webtune, text) {
  const [made, probabilities] = [await record(webtune, text), await watched(webtune)];
  if (process.env[UPDATE]) return write({ ...made, sentence: columnsOf(text, probabilities, made.logs.step) });
  /** @type {Recording} */
  const file = JSON.parse(await readFile(FILE, 'utf8'));
  expect(file.settings, STALE).toEqual(made.settings);
  expect({ ...file.model, ...file.data, labels: file.labels, text: file.sentence.text }, STALE).toEqual({
    ...made.model,
    ...made.data,
    labels: made.labels,
    text,
  });
  expect(file.logs.step, STALE).toEqual(made.logs.step);
  for (const name of /** @type {const} */ (['epoch', 'loss', 'learning_rate', 'grad_norm']))
    expectNear(file.logs[name], made.logs[name], RELATIVE[name], name);
  expect(file.evaluations.map(({ step }) => step)).toEqual(made.evaluations.map(({ step }) => step));
  for (const name of /** @type {const} */ (['epoch', 'eval_loss', 'eval_accuracy'])) {
    const column = (/** @type {Recording} */ { evaluations }) => evaluations.map((evaluation) => evaluation[name]);
    expectNear(column(file), column(made), RELATIVE[name], name);
  }
  // Two answers may arrive between the same two steps, and then one step has none.
  const steps = file.sentence.step.filter((step) => probabilities.has(step));
  expect(steps.length, 'steps at which the sentence was classified').toBeGreaterThan(file.sentence.step.length / 2);
  for (const step of steps) {
    const recorded = file.sentence.by_label.map((column) => column[file.sentence.step.indexOf(step)] ?? NaN);
    const differences = recorded.map((value, label) => Math.abs(value - (probabilities.get(step)?.[label] ?? NaN)));
    expect(Math.max(...differences), `${STALE} Probabilities after step ${step}`).toBeLessThan(PROBABILITY);
  }
}

/**
 * @param {number[]} recorded
 * @param {number[]} found
 * @param {number} tolerance
 * @param {string} name
 */
function expectNear(recorded, found, tolerance, name) {
  expect(recorded.length, `${STALE} ${name}`).toBe(found.length);
  const differences = found.map(
    (value, at) => Math.abs(value - (recorded[at] ?? NaN)) / Math.max(Math.abs(value), 1e-9),
  );
  expect(Math.max(...differences), `${STALE} Largest relative difference of ${name}`).toBeLessThan(tolerance);
}

/**
 * The file without its sentence.
 * @param {Webtune} webtune
 * @param {string} text
 * @returns {Promise<Recording>}
 */
async function record(webtune, text) {
  const { page } = webtune;
  const { version, values } = await page.evaluate(async () => {
    const { session, settings } = /** @type {any} */ (window).__webtune;
    return { version: (await session.request({ type: 'describe' })).version, values: settings.values() };
  });
  const parts = await Promise.all(
    /** @type {const} */ (['opened', 'model', 'tokens', 'split', 'dataset']).map((part) => webtune.read(part)),
  );
  const [opened, model, tokens, split, dataset] = /** @type {any[]} */ (parts);
  const [logs, evaluations, result] = [await webtune.logs(), await webtune.read('evaluations'), await webtune.result()];
  if (!result) throw new Error('there is no result of a run');
  const { num_hidden_layers, hidden_size, intermediate_size } = model.config;
  const column = (/** @type {keyof typeof logs[number]} */ name) => logs.map((log) => rounded(log[name]));
  return {
    version,
    date: new Date().toISOString().slice(0, 10),
    browser: `Chromium ${page.context().browser()?.version().split('.')[0]}`,
    device: opened.device.name,
    self_test_ms: rounded(opened.self_test.ms),
    model: {
      name: model.name,
      parameters: model.parameters,
      encoder_parameters: encoderParameters({ layers: num_hidden_layers, hidden_size, intermediate_size }),
    },
    settings: values,
    data: {
      train_rows: split.train_rows,
      test_rows: split.test_rows,
      distinct_texts: dataset.distinct_texts,
      tokens_per_row: rounded((tokens.real_tokens + tokens.padding_tokens) / split.train_rows),
    },
    times: timesOf(result, evaluations),
    labels: dataset.labels,
    logs: {
      step: column('step'),
      epoch: column('epoch'),
      loss: column('loss'),
      learning_rate: column('learning_rate'),
      grad_norm: column('grad_norm'),
    },
    evaluations: evaluations.map(({ step, epoch, eval_loss, eval_accuracy }) => ({
      step,
      epoch,
      eval_loss: rounded(eval_loss),
      eval_accuracy: rounded(eval_accuracy),
    })),
    sentence: { text, step: [], by_label: [] },
  };
}

/**
 * @param {import('../../www/protocol.js').TrainResult} result
 * @param {import('../../www/protocol.js').EvaluationReport[]} evaluations
 * @returns {Recording['times']}
 */
function timesOf({ train_runtime, first_step_ms, global_step }, evaluations) {
  const eval_s = evaluations.reduce((sum, { eval_runtime }) => sum + eval_runtime, 0);
  const step_ms = (1000 * (train_runtime - eval_s) - first_step_ms) / (global_step - 1);
  return {
    train_runtime: rounded(train_runtime),
    first_step_ms: rounded(first_step_ms),
    step_ms: rounded(step_ms),
    eval_ms: rounded((1000 * eval_s) / evaluations.length),
  };
}

/**
 * @param {string} text
 * @param {Probabilities} probabilities
 * @param {number[]} steps  of the run
 * @returns {Recording['sentence']}
 */
function columnsOf(text, probabilities, steps) {
  const expected = [0, ...steps];
  expect([...probabilities.keys()], 'The sentence was not classified after each step; record again').toEqual(expected);
  const labels = probabilities.get(0)?.length ?? 0;
  const column = (/** @type {number} */ label) =>
    expected.map((step) => rounded(probabilities.get(step)?.[label] ?? NaN));
  return { text, step: expected, by_label: Array.from({ length: labels }, (_, label) => column(label)) };
}

/** @param {Recording} recording */
async function write(recording) {
  const prettier = await import('prettier');
  const options = await prettier.resolveConfig(FILE);
  await writeFile(FILE, await prettier.format(JSON.stringify(recording), { ...options, filepath: FILE }));
}

/** @param {number} value */
const rounded = (value) => Number(value.toPrecision(DIGITS));
