// A page with an opened device and a fake session, for tests of the workflow.

import assert from 'node:assert/strict';
import { RequestError } from '../../www/session.js';
import { Settings } from '../../www/settings.js';
import { Store, initialState } from '../../www/state.js';
import { Workflow } from '../../www/workflow.js';

export const MODEL = { name: 'tiny', parameters: 100 };
export const PLAN = { max_steps: 6, schedule: { peak: 0, points: [] }, warnings: [], memory: null };
export const EVALUATION = { step: 6, eval_accuracy: 1 };
export const TRAINED = { seed: 42, global_step: 6, max_steps: 6, epoch: 2 };
export const RESULT = { stopped: false, global_step: 6, max_steps: 6, evaluation: EVALUATION };
export const step = (/** @type {number} */ at, loss = 0.5) => ({
  kind: 'step',
  logs: [{ step: at, loss }],
  step: at,
  max_steps: 6,
  epoch: at / 3,
  tokens_per_second: 1000,
  step_ms: 5,
  eta_ms: 0,
});
/** A run that ends as planned. @param {any} _body @param {(event: any) => void} onEvent */
export const trainToTheEnd = async (_body, onEvent) => {
  for (const at of [1, 2, 3, 4, 5, 6]) onEvent(step(at));
  onEvent({ kind: 'evaluation', report: EVALUATION, part: 'test' });
  return RESULT;
};
export const refuse = (/** @type {string} */ code) => async () => {
  throw new RequestError({ code, message: `refused: ${code}`, field: null });
};
/** A run that fails after its second step. @param {any} _body @param {(event: any) => void} onEvent */
export const diverge = async (_body, onEvent) => {
  onEvent(step(1));
  onEvent(step(2, NaN));
  onEvent({ kind: 'evaluating', done: 1, total: 2 });
  throw new RequestError({ code: 'diverged', message: 'The loss is NaN.', field: null });
};

/** @typedef {(body: any, onEvent: (event: any) => void) => Promise<any>} Answer */

/** A page with an opened device whose worker gives each type of request its answer. */
export function page() {
  const store = new Store({ ...initialState('en'), sentence: 'A sentence.' });
  const passed = /** @type {any} */ ({ device: { kind: 'cpu' }, self_test: { passed: true, checks: [], ms: 1 } });
  store.update({ opened: passed });
  /** @type {Record<string, Answer>} */
  const answers = {
    dataset: async () => ({ num_rows: 0 }),
    split: async () => ({ train_rows: 0, test_rows: 0, warnings: [] }),
    load_model: async () => MODEL,
    load_hub: async () => ({ ...MODEL, name: 'from the Hub' }),
    load_files: async () => ({ ...MODEL, name: 'from the disk' }),
    tokenize: async () => ({ num_rows: 0 }),
    plan: async () => PLAN,
    train: trainToTheEnd,
    evaluate: async () => ({ step: 0 }),
    predict: async () => ({ before: [0.5, 0.5], after: null }),
    control: async () => ({ state: 'paused' }),
    restore_previous: async () => TRAINED,
    discard: async () => null,
  };
  const session = {
    fatal: null,
    /** @type {any[]} */
    requests: [],
    /** @type {Answer} */
    request(body, onEvent = () => {}) {
      session.requests.push(body);
      return answers[body.type]?.(body, onEvent) ?? assert.fail(body.type);
    },
    /** The types of the requests since the last call, without plans. */
    types() {
      const types = session.requests.splice(0).map(({ type }) => type);
      return types.filter((type) => type !== 'plan');
    },
  };
  const table = [
    { name: 'num_rows', group: 'data', type: 'integer', default: 100, min: 0, max: 1000 },
    { name: 'max_length', group: 'tokens', type: 'integer', default: 128, min: 2, max: 512 },
    { name: 'seed', group: 'training', type: 'integer', default: 42, min: 0, max: 1000 },
  ];
  const settings = new Settings(/** @type {any} */ (table), []);
  const sources = { modelBase: 'https://site.test/model/', endpoint: '', datasets: '' };
  /** The devices that were opened after a failure. @type {(string|null)[]} */
  const reopened = [];
  const reopen = async (/** @type {string|null} */ device) => {
    reopened.push(device);
    store.update({ opened: passed, fatal: null });
  };
  const workflow = new Workflow(/** @type {any} */ (session), store, settings, sources, reopen);
  return { workflow, store, settings, session, answers, reopened };
}
