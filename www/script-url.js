// The only code that names scripts for workers. With Trusted Types a browser starts no worker from a plain text, so
// that no text of a table, a model or the address can become a script
// (https://developer.mozilla.org/docs/Web/API/Trusted_Types_API). The page's policy allows the name `webtune` only, and
// a browser gives it once.

/** Types of Trusted Types are not in every version of TypeScript's library. */
const { trustedTypes } = /** @type {any} */ (globalThis);
/** The scripts that the page and its worker start. */
const SCRIPTS = /\/(worker|cpu-thread|isolation-worker)\.js$/;

const policy = trustedTypes?.createPolicy('webtune', { createScriptURL: checked });

/**
 * The address of a script of this site, as `Worker` and `register` accept it.
 * @param {URL} url
 * @returns {URL}
 */
export const scriptUrl = (url) => policy?.createScriptURL(url.href) ?? new URL(checked(url.href));

/** @param {string} address */
function checked(address) {
  const { origin, pathname, href } = new URL(address);
  if (origin !== location.origin || !SCRIPTS.test(pathname)) throw new TypeError(`${href} is no script of this site`);
  return href;
}
