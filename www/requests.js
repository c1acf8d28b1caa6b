// Requests to the worker beside the stages: the export, the comparison with the CPU, and the stored models.

import { asShown } from './session.js';

/** @typedef {import('./app.js').App} App */
/** @typedef {import('./state.js').Exported} Exported */

/** The progress of an export is shown no more often than this. */
const REPORT_EVERY_MS = 100;

/**
 * Exports the trained model. Its pieces become parts of a Blob, which the browser may keep on disk, so that the archive
 * is never in memory as a whole.
 * @param {App} app
 * @returns {Promise<Exported|null>} null after an error or while something else is running
 */
export async function exportModel({ store, session, workflow }) {
  /** @type {Exported|null} */
  let exported = null;
  await workflow.exclusively(async () => {
    /** @type {Blob[]} */
    const parts = [];
    let bytes = 0;
    let reportedAt = -Infinity;
    store.update({ archive: { kind: 'writing', bytes } });
    try {
      const result = await session.request({ type: 'export' }, (event) => {
        if (event.kind !== 'piece') return;
        parts.push(new Blob([event.bytes]));
        bytes += event.bytes.byteLength;
        if (performance.now() - reportedAt < REPORT_EVERY_MS) return;
        reportedAt = performance.now();
        store.update({ archive: { kind: 'writing', bytes } });
      });
      const blob = new Blob(parts, { type: 'application/zip' });
      if (blob.size !== result.bytes)
        throw new Error(`The archive has ${result.bytes} bytes, but ${blob.size} have arrived.`);
      exported = { ...result, blob };
      store.update({ archive: { kind: 'done', exported } });
    } catch (error) {
      store.update({ archive: { kind: 'failed', error: asShown(error) } });
    }
  });
  return exported;
}

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
