// The rows API of the Hub: the routes that the page asks, for one dataset. A test can hold a page of rows, and make the
// server unavailable.
//
//   /is-valid?dataset=                                whether there are rows
//   /splits?dataset=                                  configurations and splits
//   /rows?dataset=&config=&split=&offset=&length=     at most 100 rows

import { createServer } from 'node:http';
import { close, listen, originOf } from '../../xtask/server.js';

const MOST_ROWS = 100;
const CORS = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'Retry-After' };

/** @typedef {import('node:http').ServerResponse} Response */
/** @typedef {{text: string, label: number, product: string}} Row */
/**
 * @typedef {object} RowsDataset
 * @property {string} name
 * @property {string[]} labels
 * @property {Record<string, Record<string, Row[]>>} configs   rows by configuration and split
 */

export class RowsServer {
  /** The route and the query of each request, in order. @type {{route: string, query: Record<string, string>}[]} */
  asked = [];
  /** Every request is refused, to be asked again at once. */
  unavailable = false;
  /** Why. */
  reason = 'The server is down.';
  /** The page of rows that gets no answer. @type {number|null} */
  heldOffset = null;
  #dataset;
  #server = createServer(({ url = '/' }, response) => this.#answer(new URL(url, this.address), response));

  /** @param {RowsDataset} dataset */
  constructor(dataset) {
    this.#dataset = dataset;
  }

  /** @param {RowsDataset} dataset */
  static async start(dataset) {
    const made = new RowsServer(dataset);
    await listen(made.#server);
    return made;
  }

  get address() {
    return originOf(this.#server);
  }

  /** The offsets of the pages that were asked for since the last call. */
  takeOffsets() {
    return this.asked.splice(0).flatMap(({ route, query }) => (route === 'rows' ? [Number(query.offset)] : []));
  }

  close() {
    this.#server.closeAllConnections();
    return close(this.#server);
  }

  /**
   * @param {URL} url
   * @param {Response} response
   */
  #answer({ pathname, searchParams }, response) {
    const route = pathname.slice(1);
    const query = Object.fromEntries(searchParams);
    this.asked.push({ route, query });
    const send = (/** @type {number} */ status, /** @type {object} */ body, headers = {}) =>
      void response
        .writeHead(status, { ...CORS, 'content-type': 'application/json', ...headers })
        .end(JSON.stringify(body));
    if (this.unavailable) return send(503, { error: this.reason }, { 'retry-after': '0' });
    const { name, configs } = this.#dataset;
    if (query.dataset !== name) return send(404, { error: 'The dataset does not exist.' });
    if (route === 'is-valid') return send(200, { preview: true, viewer: true, search: false, filter: false });
    if (route === 'splits') {
      const splits = Object.entries(configs).flatMap(([config, all]) =>
        Object.keys(all).map((split) => ({ dataset: name, config, split })),
      );
      return send(200, { splits, pending: [], failed: [] });
    }
    if (route !== 'rows') return send(404, { error: 'Not found.' });
    const rows = configs[query.config ?? '']?.[query.split ?? ''];
    const [offset, length] = [Number(query.offset), Number(query.length)];
    if (!rows || !(length >= 1 && length <= MOST_ROWS)) return send(422, { error: 'A parameter is wrong.' });
    if (offset !== this.heldOffset) send(200, this.#page(rows, offset, length));
  }

  /**
   * @param {Row[]} rows
   * @param {number} offset
   * @param {number} length
   */
  #page(rows, offset, length) {
    return {
      features: [
        { feature_idx: 0, name: 'text', type: { dtype: 'string', _type: 'Value' } },
        { feature_idx: 1, name: 'label', type: { names: this.#dataset.labels, _type: 'ClassLabel' } },
        { feature_idx: 2, name: 'product', type: { dtype: 'string', _type: 'Value' } },
      ],
      rows: rows.slice(offset, offset + length).map((row, at) => ({ row_idx: offset + at, row, truncated_cells: [] })),
      num_rows_total: rows.length,
      num_rows_per_page: MOST_ROWS,
      partial: false,
    };
  }
}
