// A card for each class: its name, its newest sentences, and a field for the next ones.

import { h, setOff, setText } from '../../dom.js';
import { t } from '../../i18n.js';
import { follow, newClassName } from '../../data/teach.js';
import { isBlocked } from '../../state.js';
import { classCard } from './class-card.js';

/** @typedef {ReturnType<typeof classCard>} Card */

/**
 * @param {import('../../app.js').App} app
 * @param {(text: string) => void} say
 */
export function cardsPanel(app, say) {
  const { store, workflow } = app;
  /** @type {Map<string, Card>} */
  let cards = new Map();
  /** @type {string[]} */
  let names = [];
  const grid = h('div', { class: 'cards' });
  const removed = h('p', {});
  const undo = h('button', {
    type: 'button',
    class: 'secondary',
    i18n: 'rows.undo',
    'data-testid': 'undo-class',
    on: { click: () => void undoRemoval() },
  });
  const notice = h('div', { class: 'notice removed-class', role: 'status', hidden: true }, removed, undo);
  const add = h('button', {
    type: 'button',
    class: 'secondary add-class',
    i18n: 'teach.add_class',
    'data-testid': 'add-class',
    on: { click: () => void addClass() },
  });
  const element = h(
    'section',
    { class: 'teach', 'aria-label': t('source.cards'), 'data-i18n-label': 'source.cards', hidden: true },
    notice,
    grid,
    add,
  );

  async function addClass() {
    const name = newClassName(names, (number) => t('teach.class_name', { number }));
    if (!(await workflow.data.edit({ op: 'add_label', name }))) return;
    show();
    cards.get(name)?.focusName();
  }

  /** @param {number} label */
  async function removeClass(label) {
    const name = names[label] ?? '';
    const rows = store.state.dataset?.label_counts[label] ?? 0;
    if (!(await workflow.data.edit({ op: 'delete_label', label }))) return;
    show();
    setText(removed, t('teach.removed', { name, rows }));
    notice.hidden = false;
    undo.focus();
  }

  async function undoRemoval() {
    if (!(await workflow.data.undo())) return;
    notice.hidden = true;
    show();
    say(t('rows.undone'));
    add.focus();
  }

  /** Draws at once, and not with the next frame, so that the focus can move. */
  function show() {
    const dataset = store.state.dataset;
    element.hidden = dataset?.source !== 'cards' || store.state.dataTool !== 'cards';
    if (!dataset || element.hidden) return;
    const isNew = names.length === 0;
    if (dataset.labels.join('\n') !== names.join('\n')) {
      cards = follow(names, dataset.labels, cards);
      names = dataset.labels;
      for (const name of names)
        if (!cards.has(name)) cards.set(name, classCard(app, { say, remove: (label) => void removeClass(label) }));
      place(
        grid,
        names.flatMap((name) => cards.get(name)?.element ?? []),
      );
    }
    for (const [label, name] of names.entries()) cards.get(name)?.show(label, dataset);
    if (isNew && dataset.num_rows === 0 && store.state.view === 'dataset') cards.get(names[0] ?? '')?.focusField();
  }

  store.watch(['dataset', 'dataTool', 'language'], show);
  store.watch(['dataset'], ({ source }) => {
    // Another change of the rows: undo would take that one back.
    if (source.kind === 'own' && document.activeElement !== undo) notice.hidden = true;
  });
  store.watch(['busy', 'opened', 'fatal', 'dataset'], (state) => {
    const off = isBlocked(state);
    for (const button of element.querySelectorAll('button')) setOff(button, off);
  });
  return { element };
}

/**
 * Puts elements into their order. A moved element loses the focus, so that it is given back.
 * @param {HTMLElement} parent
 * @param {HTMLElement[]} elements
 */
function place(parent, elements) {
  const { activeElement } = document;
  parent.replaceChildren(...elements);
  if (activeElement instanceof HTMLElement && parent.contains(activeElement)) activeElement.focus();
}
