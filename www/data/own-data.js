// The visitor's own data: reads a table, makes it the dataset, and changes its rows.
//
// Reading and replacing exclude all other work. Changes of rows are short: they wait for each other, so that a sentence
// that is typed fast is not dropped, and they are refused while something else is running.

import { AS_DETECTED } from './import-choice.js';
import { RequestError, asShown } from '../session.js';
import { patchStage } from '../state.js';

/** @typedef {import('../state.js').ImportInput} ImportInput */
/** @typedef {import('../protocol.js').DatasetView} DatasetView */
/** @typedef {import('../session.js').Session} Session */
/** @typedef {import('../protocol.js').ImportOptions} ImportOptions */
/** @typedef {import('../protocol.js').ProgressEvent} ProgressEvent */
/** @typedef {Omit<Extract<import('../protocol.js').RequestBody, {type: 'dataset_rows'}>, 'type'>} WantedRows */

/** Progress is shown no more often than this. */
const REPORT_EVERY_MS = 100;

/**
 * @typedef {object} Parts
 * @property {Session} session
 * @property {import('../state.js').Store<import('../state.js').AppState>} store
 * @property {import('../freshness.js').Freshness} freshness
 * @property {string} endpoint                                     address of the rows service; empty for the Hub's
 * @property {(work: () => Promise<void>) => Promise<void>} exclusively
 * @property {() => Promise<void>} settleBackground                ends what the page does by itself
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
  async read(input, options = AS_DETECTED) {
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
   * @param {Partial<ImportOptions>} choice
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
        this.#adopt(await session.request({ type: 'use_import', ...choice }));
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
    return this.#change((session) => session.request({ type: 'new_dataset', labels }));
  }

  /**
   * @param {import('../protocol.js').Edit} edit
   * @returns {Promise<boolean>} whether it was made
   */
  edit(edit) {
    return this.#change((session) => session.request({ type: 'edit', edit }));
  }

  undo() {
    return this.#change((session) => session.request({ type: 'undo' }));
  }

  redo() {
    return this.#change((session) => session.request({ type: 'redo' }));
  }

  /**
   * The rows of the dataset, or those that match.
   * @param {WantedRows} wanted
   */
  rows(wanted) {
    return this.#parts.session.request({ type: 'dataset_rows', ...wanted });
  }

  /**
   * The dataset as a file.
   * @param {import('../protocol.js').DownloadFormat} format
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
        const { file, bytes } = await session.request({ type: 'download_dataset', format }, (event) => {
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
      store.update({ pendingImport: { input: withPlace(input, view), options, view, isRead: true, error: null } });
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
    const onEvent = (/** @type {ProgressEvent} */ event) => {
      if (event.kind !== 'importing' && event.kind !== 'importing_rows') return;
      if (performance.now() - reportedAt < REPORT_EVERY_MS) return;
      reportedAt = performance.now();
      const { kind, done, total } = event;
      store.update({ importing: { name, unit: kind === 'importing' ? 'bytes' : 'rows', done, total } });
      patchStage(store, 'dataset', { progress: total > 0 ? done / total : null });
    };
    if (input.kind === 'files') {
      const total = input.files.reduce((sum, { blob }) => sum + blob.size, 0);
      store.update({ importing: { name, unit: 'bytes', done: 0, total } });
      return session.request({ type: 'import_files', name, files: input.files, options }, onEvent);
    }
    const { dataset, config, split, max_rows } = input;
    store.update({ importing: { name, unit: 'rows', done: 0, total: 0 } });
    return session.request({ type: 'import_hub', endpoint, dataset, config, split, max_rows, options }, onEvent);
  }

  /**
   * @param {(session: Session) => Promise<DatasetView>} ask
   * @returns {Promise<boolean>}
   */
  #change(ask) {
    const { session, store, isBlocked, settleBackground } = this.#parts;
    const change = async () => {
      if (isBlocked()) return false;
      // The worker answers the change only after what it does now, such as embeddings.
      await settleBackground();
      if (isBlocked()) return false;
      try {
        this.#adopt(await ask(session));
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

  /**
   * Takes over the rows of an interrupted run, which the worker has already.
   * @param {DatasetView} dataset
   */
  restore(dataset) {
    const isToy = !dataset.edited && (dataset.source === 'article' || dataset.source === 'reviews');
    this.#adopt(dataset, isToy);
  }

  /**
   * @param {DatasetView} dataset
   * @param {boolean} [isToy]  whether the settings make the same rows
   */
  #adopt(dataset, isToy = false) {
    const { store, freshness, changed } = this.#parts;
    if (!isToy) this.#revision += 1;
    store.update({ dataset, source: isToy ? { kind: 'toy' } : { kind: 'own', revision: this.#revision } });
    freshness.made('dataset', freshness.inputs('dataset'));
    patchStage(store, 'dataset', { state: 'done', error: null, progress: null, stale: false });
    changed();
  }
}

/**
 * Rows of the Hub with the names of their subset and split, so that they are read again from the store without the Hub.
 * @param {ImportInput} input
 * @param {import('../protocol.js').ImportView} view
 * @returns {ImportInput}
 */
const withPlace = (input, { hub }) =>
  input.kind === 'hub' && hub ? { ...input, config: hub.config, split: hub.split } : input;

/**
 * The error of a drop or a choice that has no table.
 * @param {string} message
 */
export const noTable = (message) => new RequestError({ code: 'dataset', message, field: null });
