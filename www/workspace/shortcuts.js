// Shortcuts of the keyboard, and the dialog that lists them. A single key works outside of text fields only, and can be
// turned off (WCAG 2.1.4), because speech input and screen readers type single keys.

import { helpDialog } from './help.js';
import { DEPTHS } from '../depth.js';
import { byId } from '../dom.js';
import { recall, remember } from '../i18n.js';
import { runningRun } from '../state.js';
import { VIEWS } from '../views.js';
import { chooseDepth } from './preferences.js';
import { go, goToControl } from './route.js';

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
 * @param {() => void} showAbout
 */
export function shortcuts(store, showAbout) {
  let enabled = recall(STORED_AS) !== 'off';
  const list = table(store, () => dialog.open());
  const enable = (/** @type {boolean} */ on) => {
    enabled = on;
    remember(STORED_AS, on ? 'on' : 'off');
  };
  const dialog = helpDialog(list, enabled, enable, showAbout);
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.isComposing || event.repeat) return;
    if (document.querySelector('dialog[open]')) return;
    if (!modified(event) && (!enabled || types(event.target))) return;
    const found = list.find(({ matches }) => matches(event));
    if (!found) return;
    event.preventDefault();
    found.act(event);
  });
  return dialog.open;
}

/**
 * Whether a key is pressed together with one that makes it a command of the browser. AltGr types: with it a German
 * keyboard has `[`, and Windows reports Ctrl and Alt.
 * @param {KeyboardEvent} event
 */
const modified = (event) => (event.ctrlKey || event.metaKey || event.altKey) && !event.getModifierState('AltGraph');

/**
 * The key without Caps Lock, or the Latin letter on it where a Korean keyboard types Hangul.
 * @param {KeyboardEvent} event
 */
function typed({ key, code, shiftKey }) {
  const letter = /^\p{Script=Hangul}$/u.test(key) && code.startsWith('Key') ? code.slice(3) : key;
  return shiftKey ? letter : letter.toLowerCase();
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
    typed(event) === key && !modified(event);
  const turn = (/** @type {number} */ by) => {
    const view = VIEWS[VIEWS.indexOf(store.state.view) + by];
    if (view) go(view);
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
      matches: (event) => !modified(event) && digit(event) !== undefined,
      act: (event) => go(digit(event) ?? 'overview'),
    },
    { keys: ['['], about: 'help.previous', matches: plain('['), act: () => turn(-1) },
    { keys: [']'], about: 'help.next', matches: plain(']'), act: () => turn(1) },
    {
      keys: ['Ctrl', 'Enter'],
      about: 'help.run',
      matches: ({ key, ctrlKey, metaKey, altKey }) => key === 'Enter' && (ctrlKey || metaKey) && !altKey,
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
      act: () => goToControl('try', 'try-sentence'),
    },
    { keys: ['?'], about: 'help.help', matches: plain('?'), act: showHelp },
  ];
}
