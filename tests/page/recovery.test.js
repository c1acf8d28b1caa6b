// Interrupted runs in the workflow: one that the visitor continues, and one that continues by itself after its device
// or worker has failed.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { RequestError } from '../../www/session.js';
import { diverge, page, step, trainToTheEnd } from './workflow-page.js';

// The timer of the preview would start requests of its own.
beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
afterEach(() => mock.timers.reset());

const DATA = {
  dataset: { source: 'import', edited: false, name: 'mine.csv', num_rows: 4 },
  split: { train_rows: 3, test_rows: 1, warnings: [] },
  values: { num_rows: 4, max_length: 16, seed: 7 },
  locator: { kind: 'site', base: 'https://site.test/model/' },
};

/**
 * A run that is stored and loses its device after its second step.
 * @param {string} code
 * @returns {import('./workflow-page.js').Answer}
 */
const loseDevice = (code) => async (_body, onEvent) => {
  onEvent({ kind: 'state_saved', run: 3, step: 0, bytes: 0, seconds: 0 });
  onEvent(step(1));
  onEvent({ kind: 'state_saved', run: 3, step: 1, bytes: 9, seconds: 0.1 });
  onEvent(step(2));
  throw new RequestError({ code, message: 'The device is lost.', field: null });
};

/**
 * Continues from a step, and then does what `next` does.
 * @param {number} from
 * @param {import('./workflow-page.js').Answer} next
 * @returns {import('./workflow-page.js').Answer}
 */
const resumeFrom = (from, next) => (body, onEvent) => {
  onEvent({ kind: 'resumed', run: 3, step: from, max_steps: 6, epoch: 0, bytes: 9, logs: [], evaluations: [] });
  return next(body, onEvent);
};

test('an interrupted run brings its rows and settings, loads its model and continues', async () => {
  const { workflow, store, settings, session, answers } = page();
  answers.resume_data = async () => DATA;
  answers.resume = resumeFrom(2, trainToTheEnd);
  await workflow.resume(3);
  assert.deepEqual(session.types(), ['resume_data', 'load_model', 'tokenize', 'resume']);
  assert.equal(settings.text('seed'), '7');
  assert.equal(store.state.source.kind, 'own');
  assert.equal(store.state.run.kind, 'done');
  assert.ok(workflow.missing('training').length === 0);
});

test('a run whose device is lost continues by itself from its saved state', async () => {
  for (const code of ['fatal', 'device']) {
    const { workflow, store, session, answers, reopened } = page();
    answers.train = loseDevice(code);
    answers.resume_data = async () => DATA;
    answers.resume = resumeFrom(1, trainToTheEnd);
    await workflow.run('training');
    assert.deepEqual(session.types().slice(-5), ['train', 'resume_data', 'load_model', 'tokenize', 'resume']);
    assert.deepEqual(reopened, [null]);
    assert.equal(store.state.run.kind, 'done');
    assert.deepEqual([store.state.recovered?.step, store.state.recovered?.from], [2, 1]);
  }
});

test('a device that fails twice at a step is replaced by the CPU, and at last the run stays interrupted', async () => {
  const { workflow, store, answers, reopened } = page();
  answers.train = loseDevice('device');
  answers.resume_data = async () => DATA;
  answers.resume = resumeFrom(1, loseDevice('device'));
  await workflow.run('training');
  assert.deepEqual(reopened, [null, 'cpu', 'cpu', 'cpu']);
  assert.equal(store.state.stages.training.state, 'error');
  assert.equal(store.state.busy, false);
});

test('a run that diverges, or that is not stored, is not continued', async () => {
  const { workflow, answers, reopened } = page();
  answers.train = diverge;
  await workflow.run('training');
  answers.train = async () => {
    throw new RequestError({ code: 'device', message: 'The device is lost.', field: null });
  };
  await workflow.run('training');
  assert.deepEqual(reopened, []);
});
