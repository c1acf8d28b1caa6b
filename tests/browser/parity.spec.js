// Parity on WebGPU: recordings of the Hugging Face Trainer, repeated through the page's worker. The native tests
// (tests/parity/) run every case completely; here `tiny-3-class` runs completely and `article` for its first steps.

import { recorded, settings } from './cases.js';
import { expect, test } from './fixtures.js';
import { QUICK, madeModel } from './webtune.js';

/** @typedef {import('../../www/protocol.js').StepLog} StepLog */
/** @typedef {import('../../www/protocol.js').EvaluationReport} EvaluationReport */

/**
 * The results of a case, as reported by the worker.
 * @typedef {object} Outcome
 * @property {number[][]} ids       of the test rows
 * @property {number[][]} initial   logits before the first step
 * @property {number[][]} final     logits after the last step of a complete run
 * @property {StepLog[]} logs
 * @property {EvaluationReport[]} evaluations
 * @property {import('../../www/protocol.js').TrainResult} result
 */

/** Allowed deviations, by the name that is printed. */
const TOLERANCES = {
  'initial logits': 1e-4,
  'learning rate (relative)': 1e-6,
  loss: 2e-4,
  'gradient norm (relative)': 1e-3,
  'eval loss': 5e-4,
  'final logits': 2e-3,
};

test('tiny-3-class: every step, evaluation and logit agrees with the Trainer', async ({ webtune }) => {
  const { found, expected, worst } = await replay(webtune, 'tiny-3-class', null);
  expect(found.logs.length).toBe(expected.steps.length);
  expect(found.evaluations.map(({ eval_accuracy }) => eval_accuracy)).toEqual(
    expected.epochs.map(({ eval_accuracy }) => eval_accuracy),
  );
  for (const [at, { eval_loss }] of expected.epochs.entries())
    worst.add('eval loss', Math.abs((found.evaluations[at]?.eval_loss ?? NaN) - eval_loss));
  worst.addLogits('final logits', found.final, expected.final_logits);
  worst.check();
});

test('article: the first 3 steps agree with the Trainer, real checkpoint', async ({ webtune }) => {
  const { found, worst } = await replay(webtune, 'article', 3);
  expect(found.logs.map(({ step }) => step)).toEqual([1, 2, 3]);
  expect(found.result).toMatchObject({ stopped: true, global_step: 3, max_steps: 30 });
  worst.check();
});

/**
 * Runs a case completely, or its first `steps` one by one: a run with a smaller max_steps would have another schedule.
 * @param {import('./webtune.js').Webtune} webtune
 * @param {string} name
 * @param {number|null} steps
 */
async function replay(webtune, name, steps) {
  const { given, expected, folder } = recorded(name);
  webtune.server.offer(name, folder);
  await webtune.open({ ...QUICK, device: 'webgpu' });
  // The page first makes its own dataset and split; afterwards it sends no request by itself.
  await webtune.show('training');
  await expect(webtune.page.locator('#training .plan-sentence')).toBeVisible();
  const defaults = await webtune.page.evaluate(() => /** @type {any} */ (window).__webtune.settings.values());
  const work = {
    rows: { train: given.train, test: given.eval, labels: given.labels },
    base: madeModel(name),
    values: settings(given, defaults),
    steps,
  };
  const found = await webtune.page.evaluate(drive, work);

  const worst = new Worst(name);
  expect(found.ids, 'token ids').toEqual(expected.eval_input_ids);
  worst.addLogits('initial logits', found.initial, expected.initial_logits);
  for (const [at, log] of found.logs.entries()) {
    const { loss, learning_rate, grad_norm } = expected.steps[at] ?? { loss: NaN, learning_rate: NaN, grad_norm: NaN };
    worst.add(
      'learning rate (relative)',
      Math.abs(log.learning_rate - learning_rate) / Math.max(learning_rate, Number.MIN_VALUE),
    );
    worst.add('loss', Math.abs(log.loss - loss));
    worst.add('gradient norm (relative)', Math.abs(log.grad_norm - grad_norm) / grad_norm);
  }
  return { found, expected, worst };
}

/**
 * Runs in the page: requests everything from the worker that a case compares.
 * @param {{rows: object, base: string, values: import('../../www/protocol.js').Values, steps: number|null}} work
 * @returns {Promise<Outcome>}
 */
async function drive({ rows, base, values, steps }) {
  /** @type {import('../../www/session.js').Session} */
  const session = /** @type {any} */ (window).__webtune.session;
  await session.request({ type: 'rows', .../** @type {any} */ (rows) });
  await session.request({ type: 'load_model', base: new URL(base, document.baseURI).href });
  const { num_rows } = await session.request({ type: 'tokenize', values });
  const tokens = [];
  while (tokens.length < num_rows)
    tokens.push(...(await session.request({ type: 'tokens', offset: tokens.length, count: 100 })).rows);
  const initial = await session.request({ type: 'evaluate', logits: true });
  /** @type {StepLog[]} */
  const logs = [];
  /** @type {EvaluationReport[]} */
  const evaluations = [];
  let started = false;
  const result = await session.request({ type: 'train', values, paused: steps !== null }, (event) => {
    if (event.kind === 'step') logs.push(...event.logs);
    if (event.kind === 'evaluation') evaluations.push(event.report);
    if (event.kind === 'run' && event.state === 'paused' && !started) {
      started = true;
      for (let step = 0; step < (steps ?? 0); step += 1) void session.request({ type: 'control', action: 'step' });
    }
    if (event.kind === 'step' && event.step === steps) void session.request({ type: 'control', action: 'stop' });
  });
  // Padding is recorded only with padding = max_length.
  const recordedToken = (/** @type {number[]} */ mask) => (/** @type {number} */ _, /** @type {number} */ at) =>
    values.padding === 'max_length' || mask[at] === 1;
  const ids = tokens
    .filter(({ part }) => part === 'test')
    .map(({ input_ids, attention_mask }) => input_ids.filter(recordedToken(attention_mask)));
  const final = steps === null ? await session.request({ type: 'evaluate', logits: true }) : null;
  return { ids, initial: initial.logits ?? [], final: final?.logits ?? [], logs, evaluations, result };
}

/** The largest deviation of each kind in a case. */
class Worst {
  /** @type {Map<string, number>} */
  #largest = new Map();

  /** @param {string} name of the case */
  constructor(name) {
    this.name = name;
  }

  /**
   * @param {keyof typeof TOLERANCES} kind
   * @param {number} deviation
   */
  add(kind, deviation) {
    // `Math.max` with NaN is NaN, which no comparison reports as larger.
    this.#largest.set(kind, Math.max(this.#largest.get(kind) ?? 0, Number.isNaN(deviation) ? Infinity : deviation));
  }

  /**
   * @param {keyof typeof TOLERANCES} kind
   * @param {number[][]} found
   * @param {number[][]} expected
   */
  addLogits(kind, found, expected) {
    expect(
      found.map((row) => row.length),
      kind,
    ).toEqual(expected.map((row) => row.length));
    for (const [row, values] of expected.entries())
      for (const [at, value] of values.entries()) this.add(kind, Math.abs((found[row]?.[at] ?? NaN) - value));
  }

  /** Prints the deviations and fails if one exceeds its tolerance. */
  check() {
    const allowed = (/** @type {string} */ kind) => TOLERANCES[/** @type {keyof typeof TOLERANCES} */ (kind)];
    const lines = [...this.#largest].map(
      ([kind, deviation]) =>
        `  ${kind.padEnd(26)} ${deviation.toExponential(2)}  (allowed ${allowed(kind).toExponential(0)})`,
    );
    console.log([`${this.name} on WebGPU`, ...lines].join('\n'));
    for (const [kind, deviation] of this.#largest) expect(deviation, kind).toBeLessThanOrEqual(allowed(kind));
  }
}
