// What the worker is asked for beside the stages: the trained model as an archive, and the thorough comparison with the CPU.

import { asShown } from './session.js';

/** @typedef {import('./app.js').App} App */

/** The page says how far the export is no more often than this. */
const REPORT_EVERY_MS = 100;

/**
 * Has the trained model written. Its pieces become parts of a Blob as they come: the browser may keep those on disk, so the
 * archive need never be in memory whole.
 * @param {App} app
 * @returns {Promise<import('./app.js').Exported|null>} null when nothing came of it
 */
export async function exportModel({ store, session, workflow }) {
  /** @type {import('./app.js').Exported|null} */
  let exported = null;
  await workflow.alone(async () => {
    /** @type {Blob[]} */
    const parts = [];
    let bytes = 0;
    let reported = -Infinity;
    store.update({ exporting: { bytes }, exported: null, exportError: null });
    try {
      const result = await session.request({ type: 'export' }, (event) => {
        if (event.kind !== 'piece') return;
        parts.push(new Blob([event.bytes]));
        bytes += event.bytes.byteLength;
        if (performance.now() - reported < REPORT_EVERY_MS) return;
        reported = performance.now();
        store.update({ exporting: { bytes } });
      });
      const blob = new Blob(parts, { type: 'application/zip' });
      if (blob.size !== result.bytes)
        throw new Error(`The archive has ${result.bytes} bytes, but ${blob.size} have arrived.`);
      exported = { ...result, blob };
      store.update({ exported });
    } catch (error) {
      store.update({ exportError: asShown(error) });
    } finally {
      store.update({ exporting: null });
    }
  });
  return exported;
}

/**
 * Every gradient of a tiny BERT on this device, against the CPU's.
 * @param {App} app
 */
export async function compareDevice({ store, session, workflow }) {
  await workflow.alone(async () => {
    store.update({ comparing: true, comparison: null, comparisonError: null });
    try {
      store.update({ comparison: await session.request({ type: 'compare' }) });
    } catch (error) {
      store.update({ comparisonError: asShown(error) });
    } finally {
      store.update({ comparing: false });
    }
  });
}
