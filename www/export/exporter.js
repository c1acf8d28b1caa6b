// Exports the trained model: asks the worker for the archive, brings the library of the demo, and passes the pieces on
// to their place. Whatever ends it early, nothing of the archive remains, and the model stays as it is.

import { libraryList, loadLibrary } from './library.js';
import { sizeOf, takenParts, withLibrary } from './parts.js';
import { blobSink, fileSink, removeEmpty } from './sink.js';
import { t } from '../i18n.js';
import { RequestError, asShown } from '../session.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../state.js').Exported} Exported */
/** @typedef {import('./sink.js').Sink} Sink */
/** @typedef {import('./sink.js').Target} Target */

/** The progress of an export is shown no more often than this. */
const REPORT_EVERY_MS = 100;

export class Exporter {
  #app;
  /** Ends the export that is running. @type {AbortController|null} */
  #stopping = null;

  /** @param {Pick<App, 'store'|'session'|'workflow'>} app */
  constructor(app) {
    this.#app = app;
  }

  /** Asks the worker what an export would contain now. A plan that cannot be made is shown as a failed export. */
  async plan() {
    const { store, session } = this.#app;
    const { trained } = store.state;
    try {
      const [plan, library] = await Promise.all([session.request({ type: 'plan_export' }), libraryList()]);
      // The model may have been exchanged meanwhile.
      if (store.state.trained === trained) store.update({ exportPlan: withLibrary(plan, library) });
    } catch (error) {
      if (session.fatal || store.state.trained !== trained) return;
      store.update({ exportPlan: null, archive: { kind: 'failed', error: asShown(error) } });
    }
  }

  /**
   * Exports the ticked parts of the plan.
   * @param {Target} target
   * @returns {Promise<Exported|null>} null when it fails, is stopped, or something else is running
   */
  async run(target) {
    const { store, workflow } = this.#app;
    /** @type {Exported|null} */
    let exported = null;
    let began = false;
    await workflow.exclusively(async () => {
      // The model card also has what the page computes by itself, which may have ended since.
      await this.plan();
      const { exportPlan: plan, exportParts } = store.state;
      if (!plan) return;
      began = true;
      const stopping = new AbortController();
      this.#stopping = stopping;
      try {
        exported = await this.#write(takenParts(plan, exportParts), target, stopping.signal);
        store.update({ archive: { kind: 'done', exported } });
      } catch (error) {
        const stopped = stopping.signal.aborted && isStop(error);
        store.update({ archive: stopped ? { kind: 'stopped' } : { kind: 'failed', error: asWritten(error) } });
      } finally {
        this.#stopping = null;
      }
    });
    if (!began && target.kind === 'file') await removeEmpty(target.handle);
    return exported;
  }

  /** Ends the export that is running. */
  async stop() {
    if (!this.#stopping) return;
    this.#stopping.abort();
    await this.#app.session.request({ type: 'control', action: 'stop' });
  }

  /**
   * @param {import('./parts.js').PlannedPart[]} taken
   * @param {Target} target
   * @param {AbortSignal} signal
   * @returns {Promise<Exported>}
   */
  async #write(taken, target, signal) {
    const report = this.#reporter(sizeOf(taken));
    report(0, true);
    /** @type {Sink|null} */
    let sink = null;
    try {
      const opened =
        target.kind === 'file' ? await fileSink(target.handle, () => report(opened.written())) : blobSink();
      sink = opened;
      const parts = taken.map(({ part }) => part);
      const library = parts.includes('demo') ? await loadLibrary((await libraryList()) ?? [], signal) : [];
      signal.throwIfAborted();
      const result = await this.#ask(parts, library, opened, () => report(opened.written()));
      // The disk may be slower than the worker.
      const blob = await Promise.race([opened.finish(), aborted(signal)]);
      if (opened.written() !== result.bytes)
        throw new Error(`The archive has ${result.bytes} bytes, but ${opened.written()} have arrived.`);
      return { ...result, blob };
    } catch (error) {
      if (sink) await sink.discard();
      else if (target.kind === 'file') await removeEmpty(target.handle);
      throw error;
    }
  }

  /**
   * Passes the pieces of the worker to a sink. When one cannot be written, the worker is stopped.
   * @param {import('../protocol.js').ExportPart[]} parts
   * @param {import('../protocol.js').LibraryFile[]} library
   * @param {Sink} sink
   * @param {() => void} onPiece
   */
  async #ask(parts, library, sink, onPiece) {
    const { session } = this.#app;
    /** @type {{error: unknown}|null} */
    let broken = null;
    sink.failed.catch((error) => {
      broken = { error };
      return session.request({ type: 'control', action: 'stop' }).catch(() => {});
    });
    try {
      return await session.request({ type: 'export', parts, library }, (event) => {
        if (event.kind !== 'piece' || broken) return;
        sink.take(event.bytes);
        onPiece();
      });
    } catch (error) {
      const { error: cause } = broken ?? { error };
      throw cause;
    }
  }

  /** @param {number} total */
  #reporter(total) {
    let reportedAt = -Infinity;
    return (/** @type {number} */ written, atOnce = false) => {
      if (!atOnce && performance.now() - reportedAt < REPORT_EVERY_MS) return;
      reportedAt = performance.now();
      this.#app.store.update({ archive: { kind: 'writing', bytes: written, total } });
    };
  }
}

/** Rejects when the visitor stops the export. @param {AbortSignal} signal @returns {Promise<never>} */
const aborted = (signal) =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });

/** Whether an error is only the answer to the press of "Stop". @param {unknown} error */
const isStop = (error) => (error instanceof RequestError ? error.code === 'stopped' : nameOf(error) === 'AbortError');

/** @param {unknown} error */
const nameOf = (error) => (error instanceof Error ? error.name : '');

/**
 * The error of an export as the panel shows it: what the browser says about the disk, in words.
 * @param {unknown} error
 */
function asWritten(error) {
  const keys = { QuotaExceededError: 'export.write_full', NotAllowedError: 'export.write_denied' };
  const known = /** @type {Record<string, string>} */ (keys)[nameOf(error)];
  if (known) return { code: 'export_write', message: t(known), field: null };
  if (error instanceof DOMException)
    return { code: 'export_write', message: t('export.write_failed', { reason: error.message }), field: null };
  return asShown(error);
}

/** The free space that the browser tells for this site; null where it tells none. @returns {Promise<number|null>} */
export async function freeSpace() {
  try {
    const { quota = 0, usage = 0 } = (await globalThis.navigator?.storage?.estimate?.()) ?? {};
    return quota > 0 ? Math.max(0, quota - usage) : null;
  } catch {
    return null;
  }
}
