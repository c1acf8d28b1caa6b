// A recorded run: its file, its type, and what it shows at a position between two steps.
//
// tests/browser/cpu.spec.js writes default-job.json and compares every run of the default job with it.

/** @typedef {import('../protocol.js').StepLog} StepLog */
/** @typedef {Pick<import('../protocol.js').EvaluationReport, 'step'|'epoch'|'eval_loss'|'eval_accuracy'>} Evaluation */

/**
 * The file. Its lists are columns, because they are shorter than rows.
 * @typedef {object} Recording
 * @property {string} version                of the crate
 * @property {string} date                   e.g. `2026-11-28`
 * @property {string} browser                e.g. `Chromium 150`
 * @property {string} device                 its name, as the header shows it
 * @property {number} self_test_ms           of that device on that day
 * @property {{name: string, parameters: number, encoder_parameters: number}} model
 * @property {import('../protocol.js').Values} settings
 * @property {{train_rows: number, test_rows: number, distinct_texts: number, tokens_per_row: number}} data
 *   `tokens_per_row` is the mean of a training row, padding included
 * @property {{train_runtime: number, first_step_ms: number, step_ms: number, eval_ms: number}} times
 *   seconds of the run; milliseconds of its first step, of the mean of the others, and of the mean evaluation
 * @property {string[]} labels
 * @property {Record<keyof StepLog, number[]>} logs
 * @property {Evaluation[]} evaluations
 * @property {{text: string, step: number[], by_label: number[][]}} sentence  probabilities after these steps
 */

/**
 * What a recording shows at one position.
 * @typedef {object} Frame
 * @property {number} progress                     from 0 to 1
 * @property {number} step                         steps done
 * @property {number} max_steps
 * @property {StepLog|null} log                    of the latest step; null before the first
 * @property {[number, number][]} points           step and loss; the last point moves from step to step
 * @property {Evaluation[]} evaluations            so far
 * @property {number[]} probabilities              of the sentence, by label id
 */

/** @type {Promise<Recording>|null} */
let loaded = null;

/**
 * Loads the recording of the default job once.
 * @returns {Promise<Recording>}
 */
export function loadRecording() {
  loaded ??= fetch(new URL('./default-job.json', import.meta.url)).then((response) => {
    if (!response.ok) throw new Error(`the recorded run could not be loaded: ${response.status}`);
    return response.json();
  });
  return loaded;
}

/** @param {Recording} recording */
export const maxSteps = ({ logs }) => logs.step.at(-1) ?? 0;

/**
 * The highest loss of a recording, for an axis that keeps its scale.
 * @param {Recording} recording
 */
export const highestLoss = ({ logs, evaluations }) =>
  Math.max(...logs.loss, ...evaluations.map(({ eval_loss }) => eval_loss));

/**
 * @param {Recording} recording
 * @param {number} position  steps, with a fraction
 * @returns {Frame}
 */
export function frameAt(recording, position) {
  const { logs, evaluations, sentence } = recording;
  const max_steps = maxSteps(recording);
  const at = Math.min(max_steps, Math.max(0, position));
  const done = logs.step.filter((step) => step <= at).length;
  /** @type {[number, number][]} */
  const points = logs.step.slice(0, done).map((step, index) => [step, logs.loss[index] ?? NaN]);
  const last = points.at(-1);
  if (last && last[0] < at) points.push([at, between(logs.step, logs.loss, at)]);
  return {
    progress: max_steps > 0 ? at / max_steps : 1,
    step: last?.[0] ?? 0,
    max_steps,
    log: done > 0 ? logOf(logs, done - 1) : null,
    points,
    evaluations: evaluations.filter(({ step }) => step <= at),
    probabilities: sentence.by_label.map((values) => between(sentence.step, values, at)),
  };
}

/**
 * @param {Recording['logs']} logs
 * @param {number} index
 * @returns {StepLog}
 */
function logOf(logs, index) {
  const value = (/** @type {keyof StepLog} */ name) => logs[name][index] ?? NaN;
  return {
    step: value('step'),
    epoch: value('epoch'),
    loss: value('loss'),
    learning_rate: value('learning_rate'),
    grad_norm: value('grad_norm'),
  };
}

/**
 * The value at `at`, on straight lines between the given points; outside of them the nearest value.
 * @param {number[]} xs  in ascending order
 * @param {number[]} ys
 * @param {number} at
 */
export function between(xs, ys, at) {
  const next = xs.findIndex((x) => x >= at);
  if (next < 0) return ys.at(-1) ?? NaN;
  const [x1 = 0, y1 = NaN] = [xs[next], ys[next]];
  const [x0, y0] = [xs[next - 1], ys[next - 1]];
  if (x0 === undefined || y0 === undefined || x1 === at) return y1;
  return y0 + ((y1 - y0) * (at - x0)) / (x1 - x0);
}
