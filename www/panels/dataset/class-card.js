// The card of a class. Enter adds what is typed; a pasted text of several lines adds a row for each line.

import { classColour } from '../../components/labels.js';
import { h, redraw, setAttribute, setOff, setText } from '../../dom.js';
import { number, t } from '../../i18n.js';
import { isEnter } from '../../data/keys.js';
import { sentencesOf } from '../../data/teach.js';
import { isBlocked } from '../../state.js';

/** Sentences that a card shows; the table below has all of them. */
const NEWEST = 5;
let lastId = 0;

/**
 * @param {import('../../app.js').App} app
 * @param {{say: (text: string) => void, remove: (label: number) => void}} actions
 */
export function classCard({ store, workflow }, { say, remove }) {
  const id = `class-card-${++lastId}`;
  let label = 0;
  let name = '';
  let requests = 0;
  const swatch = h('span', { class: 'swatch', 'aria-hidden': 'true' });
  const nameField = h('input', {
    type: 'text',
    class: 'class-name',
    autocomplete: 'off',
    'data-testid': 'class-name',
    on: { change: () => void rename(), keydown: onNameKey },
  });
  const count = h('span', { class: 'class-count', 'data-testid': 'class-count' });
  const close = h(
    'button',
    { type: 'button', class: 'quiet', 'data-testid': 'delete-class', on: { click: () => remove(label) } },
    '×',
  );
  const field = h('textarea', {
    id,
    class: 'text-field',
    rows: '2',
    'data-testid': 'class-text',
    on: { keydown: onKey, paste: onPaste },
  });
  const add = h('button', {
    type: 'button',
    class: 'secondary',
    i18n: 'teach.add',
    'data-testid': 'add-sentence',
    on: { click: () => void addAll(field.value) },
  });
  const list = h('ul', { class: 'class-rows' });
  const more = h('p', { class: 'note' });
  const element = h(
    'article',
    { class: 'class-card', 'data-testid': 'class-card' },
    h('div', { class: 'class-head' }, swatch, nameField, count, close),
    h('div', { class: 'class-entry' }, field, add),
    list,
    more,
  );

  async function rename() {
    const wanted = nameField.value.trim();
    const renamed =
      wanted !== '' && wanted !== name && (await workflow.data.edit({ op: 'rename_label', label, name: wanted }));
    if (!renamed) nameField.value = name;
  }

  /** @param {KeyboardEvent} event */
  function onNameKey(event) {
    if (event.key === 'Escape') nameField.value = name;
    if (!isEnter(event)) return;
    // The name is kept, and the next key types a sentence. This one does not.
    event.preventDefault();
    field.focus();
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    if (!isEnter(event)) return;
    event.preventDefault();
    void addAll(field.value);
  }

  /** @param {ClipboardEvent} event */
  function onPaste(event) {
    const text = event.clipboardData?.getData('text/plain') ?? '';
    if (sentencesOf(text).length < 2) return;
    event.preventDefault();
    const { value, selectionStart, selectionEnd } = field;
    void addAll(value.slice(0, selectionStart) + text + value.slice(selectionEnd));
  }

  /** @param {string} text */
  async function addAll(text) {
    const sentences = sentencesOf(text);
    if (sentences.length === 0 || isBlocked(store.state)) return;
    // At once, so that the next sentence can be typed while this one is added.
    field.value = '';
    const rows = sentences.map((sentence) => ({ text: sentence, label }));
    if (await workflow.data.edit({ op: 'insert', rows })) say(t('teach.added', { rows: rows.length, name }));
    else field.value = [...sentences, field.value].filter(Boolean).join('\n');
  }

  /** @param {number} row */
  async function removeRow(row) {
    if (await workflow.data.edit({ op: 'delete', rows: [row] })) say(t('rows.deleted', { rows: 1 }));
    // The last sentence is gone, and its button with it.
    if (!element.contains(document.activeElement) && document.activeElement === document.body) field.focus();
  }

  /** @param {number} rows  of this class */
  async function load(rows) {
    const request = ++requests;
    const from = Math.max(0, rows - NEWEST);
    const wanted = { offset: from, count: NEWEST, label };
    const found =
      rows === 0
        ? []
        : await workflow.data.rows(wanted).then(
            (page) => page.rows,
            () => null,
          );
    if (request !== requests || !found) return;
    const items = found.toReversed().map(({ row, text }, at) => {
      const button = h(
        'button',
        {
          type: 'button',
          class: 'quiet',
          'aria-label': t('teach.delete_sentence', { text: text.slice(0, 60) }),
          'data-key': `delete-${at}`,
          'data-testid': 'delete-sentence',
          on: { click: () => void removeRow(row) },
        },
        '×',
      );
      setOff(button, isBlocked(store.state));
      return h('li', {}, h('span', {}, text), button);
    });
    const hadFocus = list.contains(document.activeElement);
    redraw(list, ...items);
    if (hadFocus && !list.contains(document.activeElement)) field.focus();
  }

  return {
    element,
    focusName() {
      nameField.focus();
      nameField.select();
    },
    focusField: () => field.focus(),
    /**
     * @param {number} at  the id of its class now
     * @param {import('../../protocol.js').DatasetView} dataset
     */
    show(at, { labels, label_counts }) {
      label = at;
      name = labels[at] ?? '';
      const rows = label_counts[at] ?? 0;
      swatch.className = `swatch ${classColour(at)}`;
      if (document.activeElement !== nameField) nameField.value = name;
      setAttribute(nameField, 'aria-label', t('teach.name_of', { name }));
      setAttribute(field, 'aria-label', t('teach.sentence_of', { name }));
      setAttribute(field, 'placeholder', t('teach.placeholder'));
      setAttribute(close, 'aria-label', t('teach.delete_class', { name }));
      setText(count, number(rows));
      setAttribute(count, 'data-count', rows);
      setText(more, rows > NEWEST ? t('teach.more', { rows: rows - NEWEST }) : '');
      more.hidden = rows <= NEWEST;
      void load(rows);
    },
  };
}
