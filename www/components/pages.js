// Rows in pages, of which only one is in the document.

import { alert } from './notices.js';
import { h, redraw, setAttribute, setText } from '../dom.js';
import { t } from '../i18n.js';
import { PageLoader } from '../page-loader.js';

/**
 * @template Row
 * @typedef {object} PagesOptions
 * @property {number} size                                            rows of a page
 * @property {string} label                                           i18n key of the pager's name
 * @property {(from: number, to: number) => Promise<Row[]>|Row[]} load
 * @property {(rows: Row[], from: number) => import('../dom.js').Child} render
 */

/**
 * @template Row
 * @param {PagesOptions<Row>} options
 */
export function pages({ size, label, load, render }) {
  let count = 0;
  let page = 0;
  /** @type {unknown} */
  let shown;
  const last = () => Math.max(0, Math.ceil(count / size) - 1);
  const go = (/** @type {number} */ to) => {
    page = Math.min(last(), Math.max(0, to));
    // Only the visitor's own turns are announced, not rows that arrive.
    setAttribute(where, 'aria-live', 'polite');
    drawPager();
    void request();
  };
  const turn = (/** @type {string} */ key, /** @type {string} */ sign, /** @type {() => number} */ to) =>
    h(
      'button',
      { type: 'button', class: 'quiet', 'data-i18n-label': key, 'aria-label': t(key), on: { click: () => go(to()) } },
      sign,
    );
  const first = turn('pages.first', '«', () => 0);
  const previous = turn('pages.previous', '‹', () => page - 1);
  const next = turn('pages.next', '›', () => page + 1);
  const end = turn('pages.last', '»', last);
  const where = h('span', { class: 'where', 'aria-live': 'off' });
  const nav = h(
    'nav',
    { class: 'pager', 'data-i18n-label': label, 'aria-label': t(label) },
    first,
    previous,
    where,
    next,
    end,
  );
  const body = h('div', { class: 'page-body' });
  const element = h('div', { class: 'pages' }, body, nav);
  const loader = new PageLoader(load, drawBody);

  function request() {
    const from = page * size;
    const loaded = loader.show(from, Math.min(count, from + size));
    setAttribute(body, 'aria-busy', loader.loading ? 'true' : null);
    return loaded;
  }

  function drawBody() {
    setAttribute(body, 'aria-busy', null);
    redraw(body, content());
  }

  function content() {
    const { error, page: loaded } = loader;
    // The rows were replaced, or a new model was loaded, since the summary was made.
    if (error?.code === 'not_ready') return h('p', { class: 'placeholder' }, t('pages.gone'));
    if (error) return alert(error);
    return loaded && render(loaded.rows, loaded.from);
  }

  function drawPager() {
    const from = page * size;
    nav.hidden = count <= size;
    setText(where, t('pages.where', { from: from + 1, to: Math.min(count, from + size), count }));
    for (const [button, off] of /** @type {const} */ ([
      [first, page === 0],
      [previous, page === 0],
      [next, page === last()],
      [end, page === last()],
    ])) {
      // Not `disabled`, because the focus would be lost on the last page.
      setAttribute(button, 'aria-disabled', off ? 'true' : null);
    }
  }

  return {
    element,
    /**
     * Shows other rows from the first page, or the same page again, in the language of now.
     * @param {number} rows
     * @param {unknown} version  differs when the rows do
     * @param {{follow?: boolean}} [options]  whether rows are added, and the last page stays the last one
     */
    show(rows, version, { follow = false } = {}) {
      setAttribute(where, 'aria-live', 'off');
      const wasLast = page === last();
      const isSame = rows === count;
      count = rows;
      if (follow) page = wasLast ? last() : Math.min(page, last());
      else if (!isSame) page = 0;
      drawPager();
      if (version === shown) return drawBody();
      shown = version;
      void request();
    },
  };
}
