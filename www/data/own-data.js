// The visitor's own data: reads a table, makes it the dataset, and changes its rows.
//
// Reading and replacing exclude all other work. Changes of rows are short: they wait for each other, so that a sentence
// that is typed fast is not dropped, and they are refused while something else is running.

import { findRows, request } from '../data-protocol.js';
import { forgetOtherLabels } from '../prediction.js';
import { RequestError, asShown } from '../session.js';
import { patchStage } from '../state.js';

/** @typedef {import('../state.js').ImportInput} ImportInput */
/** @typedef {import('../data-protocol.js').DataEvent} DataEvent */
/** @typedef {import('../data-protocol.js').DataRequest} DataRequest */
/** @typedef {import('../data-protocol.js').DataView} DataView */
/** @typedef {import('../data-protocol.js').ImportOptions} ImportOptions */

/** Progress is shown no more often than this. */
const REPORT_EVERY_MS = 100;

/**
 * @typedef {object} Parts
 * @property {import('../session.js').Session} session
 * @property {import('../state.js').Store<import('../state.js').AppState>} store
 * @property {import('../freshness.js').Freshness} freshness
 * @property {string} endpoint                                     address of the Hub; empty for its own
 * @property {(work: () => Promise<void>) => Promise<void>} exclusively
 * @property {() => boolean} isBlocked                             whether other work is running
 * @property {() => void} changed                                  called after the dataset has changed
 */

export class OwnData {
  #parts;
  #revision = 0;
  /** The latest change of the rows. @type {Promise<unknown>} */
  #last = Promise.resolve();

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  /**
   * Reads a table, and shows it in place of the table that was read before. The dataset stays.
   * @param {ImportInput|Promise<ImportInput>} input
   * @param {ImportOptions} [options]
   */
  async read(input, options = {}) {
    const { exclusively, store } = this.#parts;
    const chosen = Promise.resolve(input);
    chosen.catch(() => {}); // handled below, unless something else is running
    await exclusively(async () => {
      const before = store.state.stages.dataset;
      patchStage(store, 'dataset', { state: 'running', error: null, progress: null });
      try {
        await this.#read(chosen, options);
      } finally {
        store.update({ importing: null });
        patchStage(store, 'dataset', before);
      }
    });
  }

  /**
   * Reads the same table again with another choice.
   * @param {ImportOptions} choice
   */
  async readAgain(choice) {
    const pending = this.#parts.store.state.pendingImport;
    if (pending) await this.read(pending.input, { ...pending.options, ...choice });
  }

  /** Stops reading. What the Hub has sent is kept, so that reading continues from there. */
  async stop() {
    const { session, store } = this.#parts;
    if (store.state.importing) await session.request({ type: 'control', action: 'stop' });
  }

  /** Forgets the table that was read. The dataset stays. */
  cancel() {
    if (!this.#parts.store.state.importing) this.#parts.store.update({ pendingImport: null });
  }

  /**
   * Makes the table that was read the dataset.
   * @param {{skip_bad_rows: boolean, merge_labels: boolean}} choice
   */
  async use(choice) {
    const { exclusively, session, store } = this.#parts;
    await exclusively(async () => {
      try {
        this.#adopt(await request(session, { type: 'use_import', ...choice }));
        store.update({ pendingImport: null });
      } catch (error) {
        const { pendingImport } = store.state;
        if (pendingImport) store.update({ pendingImport: { ...pendingImport, error: asShown(error) } });
      }
    });
  }

  /**
   * Starts a dataset without rows.
   * @param {string[]} labels
   */
  start(labels) {
    return this.#change({ type: 'new_dataset', labels });
  }

  /**
   * @param {import('../data-protocol.js').Edit} edit
   * @returns {Promise<boolean>} whether it was made
   */
  edit(edit) {
    return this.#change({ type: 'edit', edit });
  }

  undo() {
    return this.#change({ type: 'undo' });
  }

  redo() {
    return this.#change({ type: 'redo' });
  }

  /** @param {import('../data-protocol.js').RowsWanted} wanted */
  rows(wanted) {
    return findRows(this.#parts.session, wanted);
  }

  /**
   * The dataset as a file.
   * @param {import('../data-protocol.js').DownloadFormat} format
   * @returns {Promise<{file: string, blob: Blob}|null>} null after an error or while something else is running
   */
  async download(format) {
    const { exclusively, session, store } = this.#parts;
    /** @type {{file: string, blob: Blob}|null} */
    let written = null;
    await exclusively(async () => {
      /** @type {Blob[]} */
      const pieces = [];
      try {
        const { file, bytes } = await request(session, { type: 'download_dataset', format }, (event) => {
          if (event.kind === 'piece') pieces.push(new Blob([event.bytes]));
        });
        const blob = new Blob(pieces, { type: format === 'csv' ? 'text/csv' : 'application/jsonl' });
        if (blob.size !== bytes) throw new Error(`The file has ${bytes} bytes, but ${blob.size} have arrived.`);
        written = { file, blob };
        const { source } = store.state;
        if (source.kind === 'own') store.update({ savedRevision: source.revision });
      } catch (error) {
        store.update({ refused: asShown(error) });
      }
    });
    return written;
  }

  /** Resolves when no change of the rows is being made. */
  async settled() {
    await this.#last;
  }

  /**
   * @param {Promise<ImportInput>} chosen
   * @param {ImportOptions} options
   */
  async #read(chosen, options) {
    const { store } = this.#parts;
    const before = store.state.pendingImport;
    /** @type {ImportInput|null} */
    let input = null;
    try {
      input = await chosen;
      const view = await this.#request(input, options);
      store.update({ pendingImport: { input, options, view, isRead: true, error: null } });
    } catch (error) {
      // Files that cannot be listed leave the table of before.
      if (!input) return store.update({ refused: asShown(error) });
      const view = before?.input === input ? before.view : null;
      store.update({ pendingImport: { input, options, view, isRead: false, error: asShown(error) } });
    }
  }

  /**
   * @param {ImportInput} input
   * @param {ImportOptions} options
   */
  #request(input, options) {
    const { session, store, endpoint } = this.#parts;
    const name = input.kind === 'files' ? input.name : input.dataset;
    let reportedAt = -Infinity;
    const onEvent = (/** @type {DataEvent} */ event) => {
      if (event.kind === 'piece' || performance.now() - reportedAt < REPORT_EVERY_MS) return;
      reportedAt = performance.now();
      const { kind, done, total } = event;
      store.update({ importing: { name, unit: kind === 'importing' ? 'bytes' : 'rows', done, total } });
      patchStage(store, 'dataset', { progress: total > 0 ? done / total : null });
    };
    if (input.kind === 'files') {
      const total = input.files.reduce((sum, { blob }) => sum + blob.size, 0);
      store.update({ importing: { name, unit: 'bytes', done: 0, total } });
      return request(session, { type: 'import_files', name, files: input.files, options }, onEvent);
    }
    const { dataset, config, split, max_rows } = input;
    store.update({ importing: { name, unit: 'rows', done: 0, total: 0 } });
    return request(session, { type: 'import_hub', endpoint, dataset, config, split, max_rows, options }, onEvent);
  }

  /**
   * @param {Extract<DataRequest, {type: 'new_dataset'|'edit'|'undo'|'redo'}>} body
   * @returns {Promise<boolean>}
   */
  #change(body) {
    const { session, store, isBlocked } = this.#parts;
    const change = async () => {
      if (isBlocked()) return false;
      try {
        this.#adopt(await request(session, body));
        if (store.state.refused) store.update({ refused: null });
        return true;
      } catch (error) {
        store.update({ refused: asShown(error) });
        return false;
      }
    };
    const made = this.#last.then(change);
    this.#last = made;
    return made;
  }

  /** @param {DataView} dataset */
  #adopt(dataset) {
    const { store, freshness, changed } = this.#parts;
    this.#revision += 1;
    forgetOtherLabels(store, dataset.labels);
    store.update({ dataset, source: { kind: 'own', revision: this.#revision } });
    freshness.made('dataset', freshness.inputs('dataset'));
    patchStage(store, 'dataset', { state: 'done', error: null, progress: null, stale: false });
    changed();
  }
}

/**
 * The error of a drop or a choice that has no table.
 * @param {string} message
 */
export const noTable = (message) => new RequestError({ code: 'dataset', message, field: null });
