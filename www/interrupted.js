// Runs that were interrupted: their list, and what the visitor does with one.

import { keptFiles, removeFilesBut } from './run-files.js';
import { asShown } from './session.js';

/** @typedef {import('./app.js').App} App */
/** @typedef {import('./protocol.js').InterruptedRun} InterruptedRun */
/** @typedef {import('./state.js').Origin} Origin */

/**
 * Updates the list of interrupted runs.
 * @param {Pick<App, 'store'|'session'>} app
 */
export async function refreshInterrupted({ store, session }) {
  try {
    const interrupted = await session.request({ type: 'interrupted' });
    store.update({ interrupted });
    const { saved } = store.state;
    await removeFilesBut([...interrupted.map(({ id }) => id), ...(saved ? [saved.run] : [])]);
  } catch (error) {
    if (!session.fatal) store.update({ refused: asShown(error) });
  }
}

/**
 * Removes an interrupted run.
 * @param {Pick<App, 'store'|'session'|'workflow'>} app
 * @param {InterruptedRun} run
 */
export async function discardInterrupted({ store, session, workflow }, { id }) {
  await workflow.exclusively(async () => {
    try {
      store.update({ interrupted: await session.request({ type: 'discard_interrupted', run: id }) });
    } catch (error) {
      store.update({ refused: asShown(error) });
    }
  });
}

/**
 * Where the model of an interrupted run is loaded from; null for files that the browser has not kept.
 * @param {number} run
 * @param {import('./protocol.js').ModelLocator} locator
 * @returns {Promise<Origin|null>}
 */
export async function originOf(run, locator) {
  switch (locator.kind) {
    case 'site':
      return { kind: 'site' };
    case 'hub':
      return { kind: 'hub', repo: locator.repo };
    case 'disk':
      return await keptFiles(run);
  }
}
