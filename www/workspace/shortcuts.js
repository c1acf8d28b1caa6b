// Shortcuts of the keyboard, and the dialog that lists them. A single key works outside of text fields only, and can be
// turned off (WCAG 2.1.4), because speech input and screen readers type single keys.

import { helpDialog } from './help.js';
import { DEPTHS } from '../depth.js';
import { byId } from '../dom.js';
import { recall, remember } from '../i18n.js';
import { runningRun } from '../state.js';
import { VIEWS } from '../views.js';
import { chooseDepth } from './preferences.js';
import { go } from './route.js';

/** @typedef {import('../state.js').Store<import('../state.js').AppState>} AppStore */

/**
 * @typedef {object} Shortcut
 * @property {string[]} keys                 as they are shown
 * @property {string} about                  i18n key
 * @property {(event: KeyboardEvent) => boolean} matches
 * @property {(event: KeyboardEvent) => void} act
 */

const STORED_AS = 'webtune.shortcuts';

/**
 * Returns what shows the list.
 * @param {AppStore} store
 */
export function shortcuts(store) {
  let enabled = recall(STORED_AS) !== 'off';
  const list = table(store, () => dialog.open());
  const dialog = helpDialog(list, enabled, (/** @type {boolean} */ on) => {
    enabled = on;
    remember(STORED_AS, on ? 'on' : 'off');
  });
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.isComposing || document.querySelector('dialog[open]')) return;
    const modified = event.ctrlKey || event.metaKey || event.altKey;
    if (!modified && (!enabled || types(event.target))) return;
    const found = list.find(({ matches }) => matches(event));
    if (!found) return;
    event.preventDefault();
    found.act(event);
  });
  return dialog.open;
}

/** Whether keys that are pressed in an element are input. @param {EventTarget|null} target */
const types = (target) =>
  target instanceof Element && target.closest('input, select, textarea, [contenteditable]') !== null;

/**
 * @param {AppStore} store
 * @param {() => void} showHelp
 * @returns {Shortcut[]}
 */
function table(store, showHelp) {
  const plain = (/** @type {string} */ key) => (/** @type {KeyboardEvent} */ event) =>
    event.key === key && !event.ctrlKey && !event.metaKey && !event.altKey;
  const turn = (/** @type {number} */ by) => {
    const view = VIEWS[VIEWS.indexOf(store.state.view) + by];
    if (view) void go(view);
  };
  const press = (/** @type {string} */ id) => {
    // The button decides whether the action is possible now.
    const button = byId('dock').querySelector(`[data-testid="${id}"]`);
    if (button instanceof HTMLElement && button.offsetParent !== null) button.click();
  };
  const digit = (/** @type {KeyboardEvent} */ { key }) => (/^[0-9]$/.test(key) ? VIEWS[Number(key)] : undefined);
  return [
    {
      keys: ['0', '…', String(VIEWS.length - 1)],
      about: 'help.view',
      matches: (event) => plain(event.key)(event) && digit(event) !== undefined,
      act: (event) => void go(digit(event) ?? 'overview'),
    },
    { keys: ['['], about: 'help.previous', matches: plain('['), act: () => turn(-1) },
    { keys: [']'], about: 'help.next', matches: plain(']'), act: () => turn(1) },
    {
      keys: ['Ctrl', 'Enter'],
      about: 'help.run',
      matches: ({ key, ctrlKey, metaKey }) => key === 'Enter' && (ctrlKey || metaKey),
      act: () => press('run-all'),
    },
    {
      keys: ['p'],
      about: 'help.pause',
      matches: plain('p'),
      act: () => press(runningRun(store.state)?.state === 'paused' ? 'resume' : 'pause'),
    },
    { keys: ['n'], about: 'help.step', matches: plain('n'), act: () => press('step') },
    {
      keys: ['d'],
      about: 'help.depth',
      matches: plain('d'),
      act: () => {
        const next = DEPTHS[(DEPTHS.indexOf(store.state.depth) + 1) % DEPTHS.length];
        chooseDepth(store, next ?? 'explore');
      },
    },
    {
      keys: ['t'],
      about: 'help.try',
      matches: plain('t'),
      act: async () => {
        await go('try');
        document.getElementById('try-sentence')?.focus();
      },
    },
    { keys: ['?'], about: 'help.help', matches: ({ key }) => key === '?', act: showHelp },
  ];
}
