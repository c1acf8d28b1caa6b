// The trained models that the worker keeps, and what the page shows of their runs: whatever the end of a run, the page
// shows the run of the model that the worker reports as trained.

import assert from 'node:assert/strict';
import test from 'node:test';
import { RequestError } from '../../www/session.js';
import { Store, initialState, takeSessionState } from '../../www/state.js';
import { discard, restorePrevious, train } from '../../www/training.js';

/** @typedef {import('../../www/protocol.js').TrainedState|null} Model */

/** @returns {NonNullable<Model>} */
const model = (/** @type {number} */ global_step, seed = 42) => ({
  seed,
  global_step,
  max_steps: 6,
  epoch: global_step,
});
const step = (/** @type {number} */ at) => ({
  kind: 'step',
  logs: [{ step: at, loss: 1 / at }],
  step: at,
  max_steps: 6,
});
const evaluation = (/** @type {number} */ at) => ({ step: at, eval_accuracy: 1 });

/** A page whose worker holds these models. */
function page() {
  const store = new Store(initialState('en'));
  /** @type {{trained: Model, previous: Model}} */
  let held = { trained: null, previous: null };
  /** @type {any[]} */
  const requests = [];
  /** What the worker does to answer the next request. @type {(onEvent: (event: any) => void) => any} */
  let act = () => assert.fail();
  const session = /** @type {any} */ ({
    request: async (/** @type {any} */ body, /** @type {any} */ onEvent) => {
      requests.push(body);
      try {
        return await act(onEvent);
      } finally {
        takeSessionState(store, /** @type {any} */ (held));
      }
    },
  });
  const refuse = (/** @type {string} */ code) => {
    throw new RequestError({ code, message: code, field: null });
  };
  const body = /** @type {const} */ ({ type: 'train', values: {}, paused: false });
  return {
    store,
    requests,
    /** Trains to the last of some steps. */
    async run(steps = 6, inputs = '') {
      act = (onEvent) => {
        for (let at = 1; at <= steps; at += 1) onEvent(step(at));
        held = { trained: model(steps), previous: held.trained };
        return { stopped: steps < 6, global_step: steps, max_steps: 6, evaluation: evaluation(steps) };
      };
      await train(session, store, body, inputs);
    },
    /** Trains until an error after some steps; the worker then holds what `left` returns. */
    async fail(/** @type {string} */ code, steps = 0, left = () => held) {
      act = (onEvent) => {
        for (let at = 1; at <= steps; at += 1) onEvent(step(at));
        held = left();
        refuse(code);
      };
      await assert.rejects(train(session, store, body, 'failed'), new RegExp(code));
    },
    /** A run that is stopped before its first step. */
    async stopAtOnce() {
      act = () => {
        held = { trained: held.trained, previous: null };
        return { stopped: true, global_step: 0, max_steps: 6, evaluation: null };
      };
      await train(session, store, body, '');
    },
    restore() {
      act = () => {
        held = { trained: held.previous, previous: held.trained };
        return held.trained;
      };
      return restorePrevious(session, store);
    },
    async discard(/** @type {'trained'|'previous'} */ which) {
      act = () => {
        held = { ...held, [which]: null };
        return null;
      };
      await discard(session, store, which);
    },
  };
}

/** @param {Store<import('../../www/state.js').AppState>} store */
const shown = ({ state: { run, runInputs, logs, evaluations, archive, trained, previous } }) => ({
  run,
  runInputs,
  steps: logs.points().map(({ step: at }) => at),
  evaluations,
  archive,
  trained,
  previous,
});

test('two runs are exchanged with their logs, evaluations and archives, and back', async () => {
  const { store, run, restore } = page();
  await run(2, 'seed=1');
  const exported = /** @type {any} */ ({ kind: 'done', exported: { file: 'mine.zip' } });
  store.update({ archive: exported, shownEvaluation: 'test 2' });
  const first = shown(store);
  await run(6, 'seed=2');
  const second = shown(store);
  assert.deepEqual([second.trained, second.previous, second.archive.kind], [model(6), model(2), 'idle']);
  assert.equal(store.state.exchanged, false);

  await restore();
  assert.deepEqual(shown(store), { ...first, previous: model(6) });
  assert.deepEqual([store.state.shownEvaluation, store.state.runInputs], ['test 2', 'seed=1']);
  assert.equal(store.state.exchanged, true);
  assert.equal(store.state.stages.training.state, 'done');
  assert.equal(store.state.stages.evaluation.state, 'done');

  await restore();
  assert.deepEqual(shown(store), second);
  assert.equal(store.state.exchanged, false);
});

test('a run that fails after finite steps keeps its model, and the one before can be used', async () => {
  const { store, run, fail, restore } = page();
  await run(6);
  const before = shown(store);
  await fail('diverged', 3, () => ({ trained: model(3, 7), previous: model(6) }));
  assert.ok(store.state.run.kind === 'failed');
  assert.deepEqual([store.state.run.step, store.state.logs.length], [3, 3]);
  assert.deepEqual([store.state.trained, store.state.previous], [model(3, 7), model(6)]);
  await restore();
  assert.deepEqual(shown(store), { ...before, previous: model(3, 7) });
  await restore();
  assert.equal(store.state.run.kind, 'failed');
  assert.equal(store.state.stages.training.error?.code, 'diverged');
});

test('a run that fails as far as the one before it, with the same seed, is another run', async () => {
  const { store, run, fail } = page();
  await run(3);
  await run(3);
  await fail('device', 3, () => ({ trained: model(3), previous: model(3) }));
  assert.equal(store.state.run.kind, 'failed');
});

test('a refused run leaves both models and both views', async () => {
  const { store, run, fail, restore } = page();
  await run(2);
  await run(6);
  await restore();
  const [before, view] = [shown(store), store.state.previousView];
  await fail('memory_kept');
  assert.deepEqual(shown(store), before);
  assert.equal(store.state.previousView, view);
  assert.equal(store.state.exchanged, true);
});

test('a run without a finite step leaves the model trained before it, and no other', async () => {
  const { store, run, fail, stopAtOnce } = page();
  await run(2);
  await run(6);
  const before = shown(store);
  await fail('diverged', 0, () => ({ trained: model(6), previous: null }));
  assert.deepEqual(shown(store), { ...before, previous: null });
  assert.equal(store.state.previousView, null);
  await stopAtOnce();
  assert.deepEqual(shown(store), { ...before, previous: null });
});

test('a run that is stopped before its first step is shown where no model was trained before', async () => {
  const { store, stopAtOnce } = page();
  await stopAtOnce();
  const { run } = store.state;
  assert.ok(run.kind === 'done' && run.result.global_step === 0);
});

test('the state of an earlier request does not remove the view of the run before', async () => {
  const { store, run, restore } = page();
  await run(2);
  const before = shown(store);
  const second = run(6);
  // The answer to a request that was sent before the run.
  takeSessionState(store, /** @type {any} */ ({ trained: model(2), previous: null }));
  await second;
  await restore();
  assert.deepEqual(shown(store), { ...before, previous: model(6) });
});

test('a discarded model takes its view with it', async () => {
  const { store, run, restore, discard: free } = page();
  await run(2);
  const first = shown(store);
  await run(6);
  store.update({ prediction: /** @type {any} */ ({ text: '' }) });
  await free('trained');
  const { run: left, trained, prediction, stages } = store.state;
  assert.deepEqual([left, trained, prediction, stages.training.state], [{ kind: 'idle' }, null, null, 'idle']);
  await restore();
  assert.deepEqual(shown(store), { ...first, previous: null });
  assert.deepEqual([store.state.previousView, store.state.exchanged], [null, false]);

  await run(6);
  await free('previous');
  assert.deepEqual([store.state.previous, store.state.previousView], [null, null]);
  assert.equal(store.state.run.kind, 'done');
});

test('a run that does not fit because of a kept model is refused with its own code', async () => {
  const { store, run, requests } = page();
  await run(2);
  requests.length = 0;
  const shortage = { kind: 'kept', needs: 3, kept: 1, offered: 2 };
  store.update({ plan: /** @type {any} */ ({ memory: { shortage }, schedule: { points: [] } }) });
  await assert.rejects(run(6), (error) => error instanceof RequestError && error.code === 'memory_kept');
  assert.deepEqual(requests, []);
});
