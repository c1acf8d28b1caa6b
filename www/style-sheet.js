// Loads style sheets of what is not in view when the page opens.

/** @type {Map<string, Promise<void>>} */
const sheets = new Map();

/**
 * Loads a style sheet once. A sheet that could not be loaded is tried again.
 * @param {string} path  relative to this script
 * @returns {Promise<void>}
 */
export function styleSheet(path) {
  const { href } = new URL(path, import.meta.url);
  const before = sheets.get(href);
  if (before) return before;
  /** @type {Promise<void>} */
  const loading = new Promise((resolve, reject) => {
    const link = document.createElement('link');
    link.rel = 'stylesheet';
    link.href = href;
    link.addEventListener('load', () => resolve());
    link.addEventListener('error', () => {
      sheets.delete(href);
      link.remove();
      reject(new Error(`the style sheet ${href} could not be loaded`));
    });
    document.head.append(link);
  });
  sheets.set(href, loading);
  return loading;
}
