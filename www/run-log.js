// The log of a run as files: a row for each log and each evaluation, under the Trainer's names.
//
// The page keeps every log of a run of up to 1,024 steps, and of a longer one the extremes of each part of it.

/** @typedef {import('./state.js').AppState} AppState */
/** @typedef {Pick<AppState, 'logs'|'evaluations'|'model'|'trained'|'run'>} Logged */
/** @typedef {Record<string, number|string|null>} Row */

const COLUMNS = /** @type {const} */ ([
  'step',
  'epoch',
  'loss',
  'grad_norm',
  'learning_rate',
  'eval_part',
  'eval_loss',
  'eval_accuracy',
  'eval_f1_macro',
]);

/**
 * The logs and evaluations by step; an evaluation follows the log of its step.
 * @param {Pick<Logged, 'logs'|'evaluations'>} logged
 * @returns {Row[]}
 */
export function logRows({ logs, evaluations }) {
  const rows = [
    ...logs.points().map(({ step, epoch, loss, grad_norm, learning_rate }) => ({
      step,
      epoch,
      loss,
      grad_norm,
      learning_rate,
    })),
    ...evaluations.map(({ step, epoch, part, eval_loss, eval_accuracy, macro }) => ({
      step,
      epoch,
      eval_part: part,
      eval_loss,
      eval_accuracy,
      eval_f1_macro: macro.f1,
    })),
  ];
  return rows.sort((a, b) => a.step - b.step);
}

/** Whether the page has thinned the logs. @param {Pick<Logged, 'logs'>} logged */
export const isThinned = ({ logs }) => logs.points().length < logs.length;

/** @param {Logged} logged */
export function runCsv(logged) {
  const rows = logRows(logged).map((row) => COLUMNS.map((name) => cell(row[name])).join(','));
  return [COLUMNS.join(','), ...rows, ''].join('\r\n');
}

/** What is not finite has pandas' names. @param {Row[string]|undefined} value */
function cell(value) {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string' || Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}

/** @param {Logged} logged */
export function runJson(logged) {
  const { model, trained, run, logs } = logged;
  const position = positionOf(run);
  const content = {
    model: model?.name ?? null,
    seed: trained?.seed ?? null,
    ...position,
    steps_logged: logs.length,
    // A value that is not finite becomes null, as JSON has no other word for it.
    log_history: logRows(logged),
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/**
 * How far a run has come.
 * @param {AppState['run']} run
 * @returns {{global_step: number, max_steps: number}}
 */
function positionOf(run) {
  switch (run.kind) {
    case 'idle':
      return { global_step: 0, max_steps: 0 };
    case 'done':
      return { global_step: run.result.global_step, max_steps: run.result.max_steps };
    default:
      return { global_step: run.step, max_steps: run.max_steps };
  }
}

/**
 * The name of a file of a run: its model, its steps, and what it contains.
 * @param {Logged} logged
 * @param {string} what       e.g. `loss`
 * @param {string} extension
 */
export function runFileName({ model, run }, what, extension) {
  const { global_step, max_steps } = positionOf(run);
  const steps = global_step > 0 && global_step < max_steps ? `${global_step}-of-${max_steps}` : `${max_steps}`;
  const parts = [model?.name ?? 'webtune', max_steps > 0 && `${steps}-steps`, what].filter((part) => part !== false);
  return `${parts.map(slug).join('-')}.${extension}`;
}

/** Letters that every file system takes. @param {string} name */
const slug = (name) => name.replace(/[^\p{Letter}\p{Number}._-]+/gu, '-').replace(/^[-.]+|-+$/g, '') || 'run';
