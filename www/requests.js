// Requests to the worker beside the stages: the comparison with the CPU, and the stored models.

import { asShown } from './session.js';

/** @typedef {import('./app.js').App} App */

/**
 * Compares every gradient of a tiny BERT on this device with the CPU's.
 * @param {App} app
 */
export async function compareDevice({ store, session, workflow }) {
  await workflow.exclusively(async () => {
    store.update({ comparison: { kind: 'running' } });
    try {
      const result = await session.request({ type: 'compare' });
      store.update({ comparison: { kind: 'done', result } });
    } catch (error) {
      store.update({ comparison: { kind: 'failed', error: asShown(error) } });
    }
  });
}

/**
 * Updates the list of stored models.
 * @param {Pick<App, 'store'|'session'>} app
 */
export async function refreshStored({ store, session }) {
  try {
    store.update({ stored: await session.request({ type: 'stored' }), storedError: null });
  } catch (error) {
    if (!session.fatal) store.update({ storedError: asShown(error) });
  }
}

/**
 * Deletes a stored model.
 * @param {App} app
 * @param {import('./protocol.js').StoredModel} model
 */
export async function deleteStored({ store, session, workflow }, { key }) {
  await workflow.exclusively(async () => {
    try {
      store.update({ stored: await session.request({ type: 'forget', key }), storedError: null });
    } catch (error) {
      store.update({ storedError: asShown(error) });
    }
  });
}
