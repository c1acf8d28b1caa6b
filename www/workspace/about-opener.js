// Opens the dialog about the page. Its script and its style load when it is first opened.

import { byId } from '../dom.js';
import { styleSheet } from '../style-sheet.js';

/**
 * Connects the button of the rail, and returns what opens the dialog.
 * @param {(error: unknown) => void} onError  a script or a style sheet that cannot be loaded
 */
export function aboutOpener(onError) {
  /** @type {ReturnType<typeof import('./about.js').aboutDialog>|null} */
  let dialog = null;
  const open = async () => {
    try {
      const [{ aboutDialog }] = await Promise.all([import('./about.js'), styleSheet('./style/about.css')]);
      dialog ??= aboutDialog();
      dialog.open(byId('version').textContent ?? '');
    } catch (error) {
      onError(error);
    }
  };
  byId('about').addEventListener('click', () => void open());
  return () => void open();
}
