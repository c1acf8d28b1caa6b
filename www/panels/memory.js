// The planned memory of a run: its parts as a bar, a shortage, and settings that take less.

import { isOpenAt } from '../depth.js';
import { h, replace, setAttribute, setText } from '../dom.js';
import { bytes, number, t } from '../i18n.js';
import { asText } from '../settings.js';

/** @typedef {import('../protocol.js').MemoryReport} MemoryReport */
/** @typedef {import('../protocol.js').Values} Values */

const PARTS = /** @type {const} */ ([
  'parameters',
  'original',
  'kept',
  'gradients',
  'optimizer',
  'activations',
  'runtime',
]);

/**
 * A line with the total, which opens at the depth of experts and where the run does not fit.
 * @param {import('../app.js').App} app
 */
export function memoryPanel(app) {
  const { store } = app;
  const plan = h('div');
  // It stays when the plan is drawn again, so that the shortage is announced once.
  const status = h('p', { class: 'visually-hidden', role: 'status' });
  const element = h('div', {}, plan, status);
  /** @param {string} part */
  const detailsOf = (part) => {
    const details = element.querySelector(part);
    return details instanceof HTMLDetailsElement ? details : null;
  };
  /** @type {import('../depth.js').Depth|null} */
  let depth = null;
  /** What is drawn: a plan with the same figures leaves the buttons under the pointer as they are. */
  let drawn = '';
  const draw = (/** @type {import('../state.js').AppState} */ state) => {
    const shown = JSON.stringify([state.plan?.memory, state.opened?.device, state.language, state.depth]);
    if (shown === drawn) return;
    drawn = shown;
    const [before, less] = [detailsOf('.memory')?.open, detailsOf('.memory-less')?.open ?? false];
    const focused = plan.contains(document.activeElement) ? focusKey(document.activeElement) : null;
    replace(plan, memoryPlan(app));
    const [after, ways] = [detailsOf('.memory'), detailsOf('.memory-less')];
    // What the visitor has opened or closed stays so until the depth changes.
    const ofDepth = isOpenAt('expert', state.depth);
    if (after)
      after.open = Boolean(state.plan?.memory?.shortage) || (state.depth === depth ? (before ?? ofDepth) : ofDepth);
    if (ways) ways.open = less;
    setText(status, state.plan?.memory?.shortage ? t('memory.does_not_fit') : '');
    // Drawing removes the focused element. A suggestion that was chosen is gone: the summary has the focus then.
    if (focused) (shownIn(plan, focused) ?? shownIn(plan, '.memory > summary'))?.focus();
    depth = state.depth;
  };
  store.watch(['plan', 'opened', 'busy', 'language', 'depth'], (state) => {
    draw(state);
    for (const button of plan.querySelectorAll('.memory-suggestions button'))
      setAttribute(button, 'aria-disabled', state.busy ? 'true' : null);
  });
  return element;
}

/** A selector of the element in the next drawing. @param {Element|null} element */
function focusKey(element) {
  const id = element?.closest('[data-testid]')?.getAttribute('data-testid');
  return `[data-testid="${id}"]${element instanceof HTMLButtonElement ? '' : ' > summary'}`;
}

/**
 * @param {HTMLElement} element
 * @param {string} selector
 */
const shownIn = (element, selector) => /** @type {HTMLElement|null} */ (element.querySelector(selector));

/**
 * @param {import('../app.js').App} app
 * @returns {HTMLElement|null}
 */
function memoryPlan({ store, settings }) {
  const { plan, opened } = store.state;
  const memory = plan?.memory;
  if (!memory || !opened) return null;
  const total = bytes(memory.total);
  const { name, max_storage_buffer_binding_size: limit } = opened.device;
  const choose = (/** @type {Values} */ changes) => {
    for (const [setting, value] of Object.entries(changes)) settings.set(setting, asText(value));
  };
  const suggestions = suggestionList(memory, choose);
  return h(
    'details',
    {
      class: `memory${memory.shortage ? ' lacking' : ''}`,
      'data-testid': 'memory',
      'data-total': memory.total,
      'data-shortage': memory.shortage?.kind ?? '',
    },
    h('summary', {}, h('strong', {}, t('memory.title', { total }))),
    h('p', {}, t('memory.takes', { total, device: name, rows: number(memory.rows), tokens: number(memory.tokens) })),
    ...parts(memory, limit),
    shortageNote(memory),
    memory.shortage ? suggestions : suggestions && folded(suggestions),
  );
}

/**
 * The parts of the memory as a bar and a list.
 * @param {MemoryReport} memory
 * @param {number|null} limit  bytes that the adapter binds at most; null on the CPU
 */
function parts(memory, limit) {
  const sum = PARTS.reduce((total, part) => total + memory[part], 0);
  const shown = PARTS.filter((part) => memory[part] > 0);
  const bar = shown.map((part) =>
    h('span', { class: `memory-${part}`, style: { width: `${(100 * memory[part]) / sum}%` } }),
  );
  const list = shown.map((part) =>
    h(
      'div',
      {},
      h('dt', {}, h('span', { class: `swatch memory-${part}`, 'aria-hidden': 'true' }), t(`memory.${part}`)),
      h('dd', { 'data-part': part }, bytes(memory[part])),
    ),
  );
  const largest = t(limit === null ? 'memory.largest_cpu' : 'memory.largest', {
    largest: bytes(memory.largest),
    limit: bytes(limit ?? 0),
  });
  return [
    h('div', { class: 'memory-bar', 'aria-hidden': 'true' }, ...bar),
    h('dl', { class: 'memory-parts' }, ...list),
    h('p', { class: 'note' }, largest, ' ', sum > memory.total && t('memory.shared')),
  ];
}

/** @param {MemoryReport} memory */
function shortageNote({ shortage, suggestions }) {
  if (!shortage) return null;
  // Without the kept model the run may fit as it is.
  const nothing = shortage.kind === 'kept' ? '' : t('memory.nothing_fits');
  return h(
    'p',
    { class: 'memory-shortage', 'data-testid': 'memory-shortage' },
    h('strong', {}, t('memory.does_not_fit')),
    ' ',
    t(`memory.shortage_${shortage.kind}`, { needs: bytes(shortage.needs), offered: bytes(shortage.offered) }),
    ' ',
    suggestions.length > 0 ? t('memory.would_fit') : nothing,
  );
}

/** @param {HTMLElement} list */
const folded = (list) =>
  h('details', { class: 'memory-less', 'data-testid': 'memory-less' }, h('summary', {}, t('memory.less')), list);

/**
 * @param {MemoryReport} memory
 * @param {(changes: Values) => void} choose
 */
function suggestionList({ suggestions }, choose) {
  if (suggestions.length === 0) return null;
  return h(
    'ul',
    { class: 'memory-suggestions' },
    ...suggestions.map(({ kind, settings, plan }) =>
      h(
        'li',
        {},
        h(
          'button',
          {
            type: 'button',
            class: 'secondary',
            'data-testid': `suggestion-${kind}`,
            on: { click: () => choose(settings) },
          },
          t(`memory.suggestion.${kind}`),
        ),
        h('span', { class: 'memory-total' }, bytes(plan.total)),
        h(
          'code',
          {},
          Object.entries(settings)
            .map(([name, value]) => `${name}=${asText(value)}`)
            .join(' '),
        ),
      ),
    ),
  );
}
