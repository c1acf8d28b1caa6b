// The workflow against a fake session: the order of the stages, and what a run leaves in the state however it ends.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { lastOfTest } from '../../www/reports.js';
import { RequestError } from '../../www/session.js';
import { Store, takeSessionState } from '../../www/state.js';
import {
  EVALUATION,
  MODEL,
  PLAN,
  RESULT,
  TRAINED,
  diverge,
  page,
  refuse,
  step,
  trainToTheEnd,
} from './workflow-page.js';

// The timer of the preview would start requests of its own.
beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
afterEach(() => mock.timers.reset());

/** The parts of the state that belong to the last run. @param {Store<import('../../www/state.js').AppState>} store */
function runState({ state }) {
  const { run, logs, evaluations, stages } = state;
  return { run, logs: logs.points(), evaluations, evaluation: stages.evaluation };
}

test('a run trains after the stages that it needs, and only those that are out of date', async () => {
  const { workflow, store, settings, session } = page();
  await workflow.runAll();
  assert.deepEqual(session.types(), ['dataset', 'split', 'load_model', 'tokenize', 'train', 'predict']);
  const { run, logs, evaluations, stages, busy } = store.state;
  assert.deepEqual(run, { kind: 'done', plan: PLAN, result: RESULT, tokens_per_second: 1000 });
  assert.equal(logs.length, 6);
  assert.deepEqual(evaluations, [{ ...EVALUATION, part: 'test' }]);
  assert.equal(stages.evaluation.state, 'done');
  assert.equal(busy, false);

  settings.set('max_length', '64');
  assert.deepEqual(
    Object.entries(store.state.stages).flatMap(([stage, { stale }]) => (stale ? [stage] : [])),
    ['tokens', 'training'],
  );
  await workflow.run('training');
  assert.deepEqual(session.types(), ['tokenize', 'train']);
});

test('a run that is refused before its first step changes nothing of the run before', async () => {
  const { workflow, store, answers } = page();
  await workflow.run('training');
  const before = runState(store);
  answers.train = refuse('memory');
  await workflow.run('training');
  assert.deepEqual(runState(store), before);
  assert.equal(store.state.stages.training.state, 'error');
  assert.equal(store.state.stages.training.error?.code, 'memory');
  assert.equal(store.state.busy, false);
});

test('a run that does not fit into the memory is refused without a request to train', async () => {
  const { workflow, store, session, answers } = page();
  await workflow.run('training');
  const before = runState(store);
  session.types();
  answers.plan = async () => ({ ...PLAN, memory: { shortage: { kind: 'memory', needs: 2e9, offered: 1e9 } } });
  await workflow.run('training');
  assert.deepEqual(session.types(), []);
  assert.deepEqual(runState(store), before);
  assert.equal(store.state.stages.training.error?.code, 'memory');
});

test('a run that fails keeps its losses and its step', async () => {
  const { workflow, store, answers } = page();
  await workflow.run('training');
  answers.train = diverge;
  await workflow.run('training');
  const { run, logs, stages } = store.state;
  assert.ok(run.kind === 'failed');
  assert.deepEqual([run.error.code, run.step, run.max_steps], ['diverged', 2, 6]);
  assert.deepEqual(
    logs.points().map(({ step: at }) => at),
    [1, 2],
  );
  assert.equal(stages.training.state, 'error');
  assert.equal(stages.evaluation.state, 'idle');

  answers.train = trainToTheEnd;
  await workflow.run('training');
  assert.equal(store.state.run.kind, 'done');
});

test('a stopped run keeps its result', async () => {
  const { workflow, store, answers } = page();
  const evaluation = { step: 2, eval_accuracy: 0.5 };
  const stopped = { stopped: true, global_step: 2, max_steps: 6, evaluation };
  answers.train = async (_, onEvent) => {
    onEvent(step(1));
    await workflow.control('stop');
    onEvent(step(2));
    onEvent({ kind: 'run', state: 'stopped' });
    return stopped;
  };
  answers.control = async () => ({ state: 'stopped' });
  await workflow.run('training');
  const { run, evaluations, stages } = store.state;
  assert.deepEqual(run.kind === 'done' && run.result, stopped);
  assert.deepEqual(evaluations, [{ ...evaluation, part: 'test' }]);
  assert.equal(stages.training.state, 'done');
});

test('a sentence is classified during a run, and a control request changes its state', async () => {
  const { workflow, store, answers, session } = page();
  answers.train = async (_, onEvent) => {
    onEvent(step(1));
    assert.equal(store.state.busy, true);
    session.types();
    await workflow.predict();
    await workflow.control('pause');
    assert.deepEqual(session.types(), ['predict', 'control']);
    assert.equal(store.state.run.kind === 'running' && store.state.run.state, 'paused');
    return RESULT;
  };
  await workflow.run('training');
  assert.equal(store.state.run.kind, 'done');
  assert.equal(store.state.prediction?.text, 'A sentence.');
  await workflow.control('pause');
  assert.deepEqual(session.types(), []);
});

test('a new run discards the archive of the run before, a refused one does not', async () => {
  const { workflow, store, answers } = page();
  await workflow.run('training');
  const exported = { file: 'mine.zip', bytes: 0, files: [], blob: new Blob() };
  store.update({ archive: { kind: 'done', exported } });
  answers.train = refuse('settings');
  await workflow.run('training');
  assert.equal(store.state.archive.kind, 'done');
  answers.train = trainToTheEnd;
  await workflow.run('training');
  assert.equal(store.state.archive.kind, 'idle');
});

test('a model that cannot be loaded leaves the model of before', async () => {
  const { workflow, store, answers, session } = page();
  await workflow.run('training');
  session.types();
  answers.load_hub = refuse('model_file');
  const { model, origin, tokens } = store.state;
  for (const failing of [{ kind: 'hub', repo: 'a/b' }, refuse('model_file')()]) {
    await workflow.loadFrom(/** @type {any} */ (failing));
    assert.deepEqual([store.state.model, store.state.origin, store.state.tokens], [model, origin, tokens]);
    assert.equal(store.state.stages.model.state, 'done');
    assert.equal(store.state.stages.model.error?.code, 'model_file');
  }
  assert.deepEqual(workflow.missing('training'), []);
});

test('another model replaces the model and its origin', async () => {
  const { workflow, store } = page();
  await workflow.run('training');
  await workflow.loadFrom({ kind: 'disk', id: 1, name: 'mine', files: [] });
  assert.equal(store.state.model?.name, 'from the disk');
  assert.equal(store.state.origin.kind, 'disk');
  assert.deepEqual(workflow.missing('training'), ['tokens']);
  await workflow.loadFrom({ kind: 'site' });
  assert.equal(store.state.origin.kind, 'site');
});

test('one of several models of an archive is loaded by its folder', async () => {
  const { workflow, store, answers } = page();
  /** @type {any[]} */
  const asked = [];
  answers.load_files = async (body) => {
    asked.push(body.folder);
    if (body.folder) return { ...MODEL, name: body.folder };
    throw new RequestError({ code: 'model_file', message: 'two models', field: null, folders: ['a', 'b'] });
  };
  await workflow.loadFrom({ kind: 'disk', id: 1, name: 'mine.zip', files: [] });
  const { attempted, stages } = store.state;
  assert.deepEqual(/** @type {any} */ (stages.model.error).folders, ['a', 'b']);
  assert.equal(store.state.model, null);
  assert.ok(attempted?.kind === 'disk');
  await workflow.loadFrom({ ...attempted, folder: 'b' });
  assert.equal(/** @type {any} */ (store.state.model)?.name, 'b');
  assert.deepEqual(asked, [undefined, 'b']);
  assert.equal(store.state.stages.model.error, null);
});

test('the saved checkpoints of a run are kept with its view, and why one is not saved', async () => {
  const { workflow, store, answers } = page();
  answers.train = async (body, onEvent) => {
    onEvent({ kind: 'saved', step: 2, bytes: 9, kept: [2] });
    onEvent({ kind: 'saved', step: 4, bytes: 9, kept: [2, 4] });
    onEvent({ kind: 'not_saved', step: 6, reason: 'storage_full' });
    return trainToTheEnd(body, onEvent);
  };
  await workflow.run('training');
  const { checkpoints } = store.state;
  assert.deepEqual(checkpoints, { kept: [2, 4], notSaved: { step: 6, reason: 'storage_full' } });
  answers.train = trainToTheEnd;
  await workflow.run('training');
  assert.deepEqual(store.state.checkpoints, { kept: [], notSaved: null });
});

test('the model trained before is used again, with its run and its prediction', async () => {
  const { workflow, store, settings, session, answers } = page();
  const reports = (/** @type {any} */ trained, /** @type {any} */ previous) =>
    takeSessionState(store, /** @type {any} */ ({ trained, previous }));
  await workflow.runAll();
  reports(TRAINED, null);
  const first = runState(store);
  settings.set('seed', '7');
  answers.train = async (body, onEvent) => {
    const result = await trainToTheEnd(body, onEvent);
    reports({ ...TRAINED, seed: 7 }, TRAINED);
    return result;
  };
  await workflow.run('training');
  session.types();
  answers.restore_previous = async () => reports(TRAINED, { ...TRAINED, seed: 7 });
  await workflow.restorePrevious();
  assert.deepEqual(session.types(), ['restore_previous', 'predict']);
  assert.deepEqual(runState(store), first);
  // The form has the settings of the other run.
  assert.equal(store.state.stages.training.stale, true);
  await workflow.restorePrevious();
  assert.equal(store.state.stages.training.stale, false);
});

test('the page says why a model cannot be exchanged or discarded, and changes nothing', async () => {
  const { workflow, store, answers } = page();
  await workflow.run('training');
  const before = runState(store);
  for (const type of ['restore_previous', 'discard']) answers[type] = refuse('not_ready');
  for (const change of [() => workflow.restorePrevious(), () => workflow.discard('trained')]) {
    await change();
    assert.equal(store.state.refused?.code, 'not_ready');
    assert.deepEqual(runState(store), before);
    assert.equal(store.state.busy, false);
  }
});

test('invalid settings and a failed self-test refuse a run with a message', async () => {
  const { workflow, store, settings, session } = page();
  settings.set('seed', '-1');
  await workflow.runAll();
  assert.deepEqual([store.state.refused?.code, store.state.refused?.field], ['settings', 'seed']);
  settings.set('seed', '1');
  const { device, self_test } = /** @type {any} */ (store.state.opened);
  store.update({ opened: { device, self_test: { ...self_test, passed: false } } });
  await workflow.runAll();
  assert.equal(store.state.refused?.code, 'self_test');
  assert.deepEqual(session.types(), []);
});

test('the preview makes the dataset and the split once, after the visitor has stopped typing', async () => {
  const { settings, session } = page();
  settings.set('num_rows', '5');
  settings.set('num_rows', '50');
  mock.timers.tick(299);
  assert.deepEqual(session.types(), []);
  mock.timers.tick(1);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(session.types(), ['dataset', 'split']);
});

test('work of the page ends before the work of the visitor begins', async () => {
  const { workflow, session } = page();
  /** @type {(() => void)[]} */
  const waiting = [];
  const settled = () => new Promise((/** @type {(value: void) => void} */ resolve) => waiting.push(resolve));
  workflow.connect({ settled, beforeTraining: async () => {} });
  const running = workflow.runAll();
  await null;
  assert.deepEqual(session.types(), []);
  waiting[0]?.();
  await running;
  assert.deepEqual(session.types()[0], 'dataset');
});

test('settings that follow the data change before a run, and what depends on them is made again', async () => {
  const { workflow, settings, session } = page();
  const beforeTraining = async () => settings.set('max_length', '64');
  workflow.connect({ settled: async () => {}, beforeTraining });
  await workflow.runAll();
  const train = session.requests.find(({ type }) => type === 'train');
  assert.equal(train.values.max_length, 64);
  assert.deepEqual(session.types(), ['dataset', 'split', 'load_model', 'tokenize', 'tokenize', 'train', 'predict']);
});

test('an evaluation of validation rows is kept beside that of the test rows of the same step', async () => {
  const { workflow, store, answers } = page();
  answers.train = async (_body, onEvent) => {
    onEvent(step(6));
    onEvent({ kind: 'evaluation', report: { step: 6, eval_accuracy: 0.9 }, part: 'validation' });
    onEvent({ kind: 'evaluation', report: EVALUATION, part: 'test' });
    return RESULT;
  };
  await workflow.runAll();
  const { evaluations } = store.state;
  assert.deepEqual(evaluations, [
    { step: 6, eval_accuracy: 0.9, part: 'validation' },
    { ...EVALUATION, part: 'test' },
  ]);
  assert.equal(lastOfTest(evaluations), evaluations[1]);
});
