// Keys that act on rows.

/**
 * What a key press asks for. In a text field the browser undoes the typing instead.
 * @param {Pick<KeyboardEvent, 'key'|'code'|'ctrlKey'|'metaKey'|'altKey'|'shiftKey'|'target'|'isComposing'>} event
 * @returns {'undo'|'redo'|null}
 */
export function undoKey({ key, code, ctrlKey, metaKey, altKey, shiftKey, target, isComposing }) {
  if (isComposing || altKey || ctrlKey === metaKey || isTextField(target)) return null;
  // A Korean keyboard reports the Hangul letter of the key.
  const letter = /^[a-z]$/i.test(key) ? key.toLowerCase() : code.replace(/^Key/, '').toLowerCase();
  if (letter === 'z') return shiftKey ? 'redo' : 'undo';
  return letter === 'y' && !shiftKey ? 'redo' : null;
}

/** @param {EventTarget|null} target */
function isTextField(target) {
  const { tagName, type } = /** @type {{tagName?: string, type?: string}} */ (target ?? {});
  return tagName === 'TEXTAREA' || (tagName === 'INPUT' && type !== 'checkbox' && type !== 'radio');
}

/**
 * Whether a key press ends what is typed: Enter without Shift, and not that of an input method.
 * @param {Pick<KeyboardEvent, 'key'|'shiftKey'|'isComposing'>} event
 */
export const isEnter = ({ key, shiftKey, isComposing }) => key === 'Enter' && !shiftKey && !isComposing;
