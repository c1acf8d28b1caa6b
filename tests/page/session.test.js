// The page's connection to the worker: ids, progress, errors, and a worker that fails.

import assert from 'node:assert/strict';
import test from 'node:test';
import { RequestError, Session } from '../../www/session.js';

class FakeWorker {
  /** @type {any[]} */
  sent = [];
  terminated = false;
  /** @type {Map<string, (event: any) => void>} */
  listeners = new Map();
  /** @param {any} message */
  postMessage(message) {
    this.sent.push(message);
  }
  /**
   * @param {string} type
   * @param {(event: any) => void} listener
   */
  addEventListener(type, listener) {
    this.listeners.set(type, listener);
  }
  terminate() {
    this.terminated = true;
  }
  /** @param {any} data */
  reply(data) {
    this.listeners.get('message')?.({ data });
  }
}

test('replies are matched to their request by id', async () => {
  const worker = new FakeWorker();
  const session = new Session(worker);
  /** @type {any[]} */
  const events = [];
  const first = session.request({ type: 'describe' });
  const second = session.request({ type: 'evaluate' }, (event) => events.push(event));
  const [a, b] = worker.sent;
  assert.notEqual(a.id, b.id);
  assert.equal(b.type, 'evaluate');
  worker.reply({ type: 'event', id: b.id, event: { kind: 'evaluating', done: 1, total: 2 } });
  worker.reply({ type: 'result', id: b.id, result: 'report' });
  worker.reply({ type: 'result', id: a.id, result: 'table' });
  worker.reply({ type: 'event', id: b.id, event: { kind: 'evaluating', done: 2, total: 2 } });
  assert.deepEqual([await first, await second], ['table', 'report']);
  assert.equal(events.length, 1);
});

test('the state of the worker is known before a request settles, also when it fails', async () => {
  const worker = new FakeWorker();
  /** @type {any[]} */
  const order = [];
  const session = new Session(worker, { onState: ({ trained }) => order.push(trained) });
  const first = session.request({ type: 'evaluate' }).then(() => order.push('answered'));
  worker.reply({ type: 'result', id: worker.sent[0].id, result: {}, state: { trained: 'weights' } });
  await first;
  const second = session.request({ type: 'evaluate' }).catch(() => order.push('refused'));
  const error = { code: 'device', message: 'lost', field: null };
  worker.reply({ type: 'error', id: worker.sent[1].id, error, state: { trained: null } });
  await second;
  assert.deepEqual(order, ['weights', 'answered', null, 'refused']);
});

test('an error has the code, the field and the message of the worker', async () => {
  const worker = new FakeWorker();
  const session = new Session(worker);
  const request = session.request({ type: 'evaluate' });
  worker.reply({
    type: 'error',
    id: worker.sent[0].id,
    error: { code: 'settings', message: 'seed = -1', field: 'seed' },
  });
  await assert.rejects(
    request,
    (error) =>
      error instanceof RequestError &&
      error.code === 'settings' &&
      error.field === 'seed' &&
      error.message === 'seed = -1',
  );
  assert.equal(session.fatal, null);
});

test('a failed worker rejects open and later requests, and is reported once', async () => {
  const worker = new FakeWorker();
  /** @type {any[]} */
  const fatals = [];
  const session = new Session(worker, { onFatal: (error) => fatals.push(error) });
  const open = [session.request({ type: 'describe' }), session.request({ type: 'evaluate' })];
  worker.reply({ type: 'fatal', error: { code: 'fatal', message: 'panicked', field: null } });
  worker.listeners.get('error')?.({ message: 'late' });
  for (const request of open) await assert.rejects(request, /panicked/);
  await assert.rejects(session.request({ type: 'describe' }), /panicked/);
  assert.equal(fatals.length, 1);
  assert.equal(worker.terminated, true);
  assert.equal(worker.sent.length, 2);
});

test('a worker that cannot start is fatal', async () => {
  const worker = new FakeWorker();
  const session = new Session(worker);
  const request = session.request({ type: 'describe' });
  worker.listeners.get('error')?.({ message: '', preventDefault() {} });
  await assert.rejects(request, /could not be started/);
  assert.equal(session.fatal?.code, 'fatal');
});

test('log lines reach the page', () => {
  const worker = new FakeWorker();
  /** @type {string[]} */
  const lines = [];
  new Session(worker, { onLog: ({ text }) => lines.push(text) });
  worker.reply({ type: 'log', level: 'info', text: 'hello' });
  assert.deepEqual(lines, ['hello']);
});

test('a replaced worker answers no more, and the next one does', async () => {
  const [worker, next] = [new FakeWorker(), new FakeWorker()];
  const session = new Session(worker);
  const open = session.request({ type: 'evaluate' });
  session.restart(next);
  await assert.rejects(open, /replaced/);
  assert.equal(worker.terminated, true);
  assert.equal(session.fatal, null);
  const again = session.request({ type: 'describe' });
  next.reply({ type: 'result', id: next.sent[0].id, result: 'table' });
  assert.equal(await again, 'table');
});

test('the end of a worker is a failure, unless it was replaced', async () => {
  const [worker, next] = [new FakeWorker(), new FakeWorker()];
  const session = new Session(worker);
  session.restart(next);
  session.ended(worker);
  const open = session.request({ type: 'evaluate' });
  session.ended(next);
  await assert.rejects(open, /ended the worker/);
  assert.equal(session.fatal?.code, 'fatal');
});
