// The audit: when it is made, which findings are shown, and what its buttons do and undo.

import assert from 'node:assert/strict';
import test from 'node:test';
import { auditJob, canUndo, findingsOf, lookForWrongLabels, remedy, undoRemedy } from '../../www/audit.js';
import { RequestError } from '../../www/session.js';
import { Settings } from '../../www/settings.js';
import { Store, initialState } from '../../www/state.js';

const TABLE = /** @type {any} */ ([
  { name: 'num_train_epochs', group: 'training', type: 'number', default: 3, min: 0, max: 1000, step: 1 },
]);
const DATASET = /** @type {any} */ ({ num_rows: 4 });
const finding = (/** @type {string} */ id) => ({ id, severity: 'note', params: {}, rows: [], remedy: null });
const QUICK = { findings: [finding('duplicates')], has_split: true, has_tokens: true, num_rows: 4 };
const OF_LABELS = { findings: [finding('label_errors')], has_split: true, has_tokens: true, num_rows: 4 };

/** @param {Record<string, (onEvent: (event: any) => void) => Promise<any>>} [answers] */
function page(answers = {}) {
  const store = new Store({ ...initialState('en'), dataset: DATASET });
  const settings = new Settings(TABLE, []);
  /** @type {string[]} */
  const asked = [];
  /** @type {Record<string, (onEvent: (event: any) => void) => Promise<any>>} */
  const all = { audit: async () => QUICK, audit_labels: async () => OF_LABELS, ...answers };
  const session = {
    request(/** @type {any} */ body, /** @type {any} */ onEvent) {
      asked.push(body.type);
      return all[body.type]?.(onEvent) ?? assert.fail(body.type);
    },
  };
  const workflow = {
    data: {
      edit: async (/** @type {any} */ edit) => {
        asked.push(edit.op);
        store.update({ dataset: /** @type {any} */ ({ num_rows: 3 }) });
        return true;
      },
      undo: async () => asked.push('undo') > 0,
    },
    missing: () => [],
    exclusively: (/** @type {() => Promise<void>} */ work) => work(),
  };
  return { app: /** @type {any} */ ({ store, settings, session, workflow }), store, settings, asked };
}

test('the quick checks are made for the data and the settings, and not while a setting is invalid', async () => {
  const { app, store, settings } = page();
  const job = auditJob(app);
  const before = job.inputs(store.state);
  assert.deepEqual(job.inputs(store.state), before);
  settings.set('num_train_epochs', '4');
  assert.notDeepEqual(job.inputs(store.state), before);
  settings.set('num_train_epochs', 'many');
  assert.equal(job.inputs(store.state), null);
  await job.run();
  assert.deepEqual(findingsOf(store.state), QUICK.findings);
});

test('a failed check shows its error in place of the findings', async () => {
  const { app, store } = page({
    audit: async () => {
      throw new RequestError({ code: 'dataset', message: 'no rows', field: null });
    },
  });
  await auditJob(app).run();
  assert.equal(store.state.audit.error?.message, 'no rows');
  assert.deepEqual(findingsOf(store.state), []);
});

test('wrong labels are shown beside the quick checks until the rows change', async () => {
  const { app, store } = page();
  await auditJob(app).run();
  await lookForWrongLabels(app);
  const ids = () => findingsOf(store.state).map(({ id }) => id);
  assert.deepEqual(ids(), ['duplicates', 'label_errors']);
  store.update({ dataset: /** @type {any} */ ({ num_rows: 3 }) });
  assert.deepEqual(ids(), ['duplicates']);
});

test('the search shows its progress, and a stop is no error', async () => {
  /** @type {any[]} */
  const shown = [];
  const { app, store } = page({
    audit_labels: async (onEvent) => {
      onEvent({ kind: 'embedding', done: 1, total: 4 });
      shown.push(store.state.audit.looking);
      throw new RequestError({ code: 'stopped', message: 'stopped', field: null });
    },
  });
  await lookForWrongLabels(app);
  assert.deepEqual(shown, [{ done: 1, total: 4 }]);
  assert.equal(store.state.audit.looking, null);
  assert.equal(store.state.audit.error, null);
});

test('an edit can be undone until the rows change again', async () => {
  const { app, store, asked } = page();
  await remedy(app, { kind: 'edit', edit: { op: 'delete', rows: [1] } }, 'Delete 1 rows');
  assert.equal(canUndo(store.state), true);
  assert.equal(store.state.audit.undo?.text, 'Delete 1 rows');
  await undoRemedy(app);
  assert.deepEqual(asked, ['delete', 'undo']);
  assert.equal(canUndo(store.state), false);
  await remedy(app, { kind: 'edit', edit: { op: 'delete', rows: [1] } }, 'Delete 1 rows');
  store.update({ dataset: /** @type {any} */ ({ num_rows: 9 }) });
  assert.equal(canUndo(store.state), false);
});

test('settings are set, and get their texts of before', async () => {
  const { app, store, settings } = page();
  settings.set('num_train_epochs', 'many');
  await remedy(app, { kind: 'settings', values: { num_train_epochs: 34 } }, 'Set');
  assert.equal(settings.text('num_train_epochs'), '34');
  assert.equal(canUndo(store.state), true);
  await undoRemedy(app);
  assert.equal(settings.text('num_train_epochs'), 'many');
});
