// Page object of the dataset view: brings a table, teaches by examples, and edits rows, as a visitor does.

import { expect } from '@playwright/test';

/** @typedef {import('./webtune.js').Webtune} Webtune */
/** @typedef {import('../../www/state.js').DataTool} DataTool */
/** @typedef {{name: string, buffer: Buffer, mimeType?: string}} NamedFile */

export class DataPage {
  /** @param {Webtune} webtune */
  constructor(webtune) {
    this.webtune = webtune;
    this.page = webtune.page;
    this.view = this.page.locator('#dataset');
  }

  /** Shows the dataset view with a way to bring data. @param {DataTool} tool */
  async choose(tool) {
    await this.webtune.show('dataset');
    await this.page.getByTestId(`source-${tool}`).click();
    await expect(this.page.getByTestId(`source-${tool}`)).toHaveAttribute('aria-pressed', 'true');
  }

  /**
   * Picks a file, and waits until it is read or refused.
   * @param {string|NamedFile} file
   */
  async pick(file) {
    await this.choose('table');
    const named = typeof file === 'string' ? file : { mimeType: 'text/plain', ...file };
    await this.page.getByTestId('pick-table').setInputFiles(named);
    await this.read();
  }

  /** Picks a folder of texts. @param {string} path */
  async pickFolder(path) {
    await this.choose('table');
    await this.page.getByTestId('pick-texts').setInputFiles(path);
    await this.read();
  }

  /** Pastes a table. @param {string} text */
  async paste(text) {
    await this.choose('table');
    await this.page.getByTestId('paste-table').fill(text);
    await this.page.getByTestId('read-pasted').click();
    await this.read();
  }

  /**
   * Drops a file onto a view.
   * @param {import('../../www/views.js').View} view
   * @param {{name: string, text: string}} file
   */
  async drop(view, { name, text }) {
    await this.webtune.show(view);
    const transfer = await this.page.evaluateHandle(
      ([fileName = '', content = '']) => {
        const data = new DataTransfer();
        data.items.add(new File([content], fileName));
        return data;
      },
      [name, text],
    );
    for (const type of ['dragenter', 'dragover', 'drop'])
      await this.page.locator(`#${view}`).dispatchEvent(type, { dataTransfer: transfer });
    await this.read();
  }

  /**
   * Reads a dataset of the Hub.
   * @param {string} name
   * @param {number} [rows]
   */
  async readHub(name, rows) {
    await this.choose('hub');
    await this.page.getByTestId('hub-dataset').fill(name);
    if (rows !== undefined) await this.page.getByTestId('hub-rows').fill(String(rows));
    await this.page.getByTestId('read-hub').click();
    await this.read();
  }

  /** Waits until a table is read or refused. */
  async read() {
    await this.page.waitForFunction(() => {
      const { pendingImport, importing, refused } = /** @type {any} */ (window).__webtune.store.state;
      return importing === null && (pendingImport !== null || refused !== null);
    });
  }

  /** What was found in the table. */
  async found() {
    const pending = await this.webtune.read('pendingImport');
    return pending?.view ?? null;
  }

  /**
   * Changes what was detected, and waits until the table is read again.
   * @param {'encoding'|'format'|'delimiter'|'header'|'label'|'config'|'split'} option
   * @param {string} value
   */
  async change(option, value) {
    await this.#readAgain(() => this.page.getByTestId(`import-${option}`).selectOption(value));
  }

  /** Adds a column to the text, or takes it out. @param {number} column @param {boolean} ticked */
  async textColumn(column, ticked) {
    await this.#readAgain(() => this.page.getByTestId(`text-column-${column}`).setChecked(ticked));
  }

  /** @param {() => Promise<unknown>} act */
  async #readAgain(act) {
    const before = await this.page.evaluateHandle(
      () => /** @type {any} */ (window).__webtune.store.state.pendingImport,
    );
    await act();
    await this.page.waitForFunction((old) => {
      const { pendingImport, importing } = /** @type {any} */ (window).__webtune.store.state;
      return importing === null && pendingImport !== old;
    }, before);
  }

  /**
   * Makes the table that was read the dataset.
   * @param {{leaveOut?: boolean, merge?: boolean, replace?: boolean}} [choice]  `replace` answers the question about
   *   rows that are nowhere else
   */
  async use({ leaveOut = false, merge = false, replace = false } = {}) {
    if (leaveOut) await this.page.getByTestId('leave-out').check();
    if (merge) await this.page.getByTestId('merge-labels').check();
    await this.page.getByTestId('use-import').click();
    if (replace) await this.page.getByTestId('replacing-replace').click();
    await expect.poll(() => this.webtune.read('pendingImport')).toBeNull();
  }

  /** Drops the table that was read. */
  async cancel() {
    await this.page.getByTestId('cancel-import').click();
    await expect.poll(() => this.webtune.read('pendingImport')).toBeNull();
  }

  /** Begins to teach by examples. */
  async teach() {
    await this.choose('cards');
    await this.page.getByTestId('teach-start').click();
    await expect(this.card(0)).toBeVisible();
  }

  /** The card of a class. @param {number} label */
  card(label) {
    return this.page.getByTestId('class-card').nth(label);
  }

  /** @param {number} label @param {string} name */
  async nameClass(label, name) {
    const field = this.card(label).getByTestId('class-name');
    await field.fill(name);
    await field.press('Enter');
    await expect.poll(async () => (await this.webtune.read('dataset'))?.labels[label]).toBe(name);
  }

  /** Types sentences into a card, each with Enter. @param {number} label @param {string[]} sentences */
  async type(label, sentences) {
    const count = async () => (await this.webtune.read('dataset'))?.label_counts[label] ?? 0;
    const before = await count();
    const field = this.card(label).getByTestId('class-text');
    await field.focus();
    for (const sentence of sentences) {
      await this.page.keyboard.type(sentence);
      await this.page.keyboard.press('Enter');
    }
    await expect.poll(count).toBe(before + sentences.length);
  }

  /** Adds a class, which has the focus in its name. @param {string} name */
  async addClass(name) {
    const labels = (await this.webtune.read('dataset'))?.labels.length ?? 0;
    await this.page.getByTestId('add-class').click();
    await expect(this.card(labels).getByTestId('class-name')).toBeFocused();
    await this.nameClass(labels, name);
  }

  /** The rows of the page that is shown. */
  rows() {
    return this.view.locator('.editable tbody tr');
  }

  /** Searches, and waits for the number of rows that match. @param {string} query @param {number} matching */
  async search(query, matching) {
    await this.page.getByTestId('search-rows').fill(query);
    if (query === '') await expect(this.page.getByTestId('found-rows')).toBeHidden();
    else await expect(this.page.getByTestId('found-rows')).toHaveAttribute('data-found', String(matching));
  }

  /** Shows the rows of a label, or of all. @param {number|null} label */
  async filter(label) {
    await this.page.getByTestId('filter-rows').selectOption(label === null ? '' : String(label));
  }

  /**
   * Edits a row of the page that is shown, by keyboard.
   * @param {number} row  its index in the dataset
   * @param {{text?: string, label?: number}} change
   */
  async edit(row, { text, label }) {
    await this.view.locator(`[data-key="text-${row}"]`).focus();
    await this.page.keyboard.press('Enter');
    const field = this.page.getByTestId('row-text');
    await expect(field).toBeFocused();
    if (text !== undefined) await field.fill(text);
    if (label !== undefined) await this.page.getByTestId('row-label').selectOption(String(label));
    await field.press('Enter');
    await expect(field).toBeHidden();
  }

  /** Selects rows of the page that is shown. @param {number[]} rows  indices in the dataset */
  async select(rows) {
    for (const row of rows) await this.view.locator(`[data-key="select-${row}"]`).check();
    await expect(this.page.getByTestId('selected-rows')).toBeVisible();
  }

  /** Takes the last change back. */
  async undo() {
    await this.page.getByTestId('undo-rows').click();
  }

  /** The text of a download of the rows. @param {'csv'|'jsonl'} format */
  async download(format) {
    const [download] = await Promise.all([
      this.page.waitForEvent('download'),
      this.page.getByTestId(`download-${format}`).click(),
    ]);
    const chunks = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk);
    return { file: download.suggestedFilename(), bytes: Buffer.concat(chunks) };
  }
}
