// The text of the page in the visitor's language.
//
// i18n/<language>.json maps keys to sentences with `{names}` for numbers. Static text has its key in the attribute
// `data-i18n` and is rewritten when the language changes. Panels redraw their other text.

/** @typedef {Record<string, string|number>} Params */

export const LANGUAGES = /** @type {const} */ (['en', 'ko']);
/** @typedef {typeof LANGUAGES[number]} Language */

const STORED_AS = 'webtune.language';

/** @type {Record<string, string>} */
let sentences = {};
/** The fallback for a sentence that is missing in a language. @type {Record<string, string>} */
let english = {};
/** @type {Language} */
let language = 'en';

/** @returns {Language} */
export const currentLanguage = () => language;

/**
 * The language of the URL, else the stored one, else the browser's.
 * @param {string|null} requested
 * @returns {Language}
 */
export function preferredLanguage(requested) {
  const preferences = [requested, recall(STORED_AS), ...(navigator.languages ?? [])];
  for (const preference of preferences) {
    const found = LANGUAGES.find((candidate) => preference?.toLowerCase().split('-')[0] === candidate);
    if (found) return found;
  }
  return 'en';
}

/**
 * Loads a language and rewrites the static text of the page.
 * @param {Language} wanted
 */
export async function useLanguage(wanted) {
  if (Object.keys(english).length === 0) {
    const loading = load('en');
    prepareNumbers();
    english = await loading;
  }
  sentences = wanted === 'en' ? english : await load(wanted);
  language = wanted;
  document.documentElement.lang = wanted;
  translate(document);
}

/** @param {Language} wanted */
export function rememberLanguage(wanted) {
  remember(STORED_AS, wanted);
}

/**
 * Returns a sentence with its numbers formatted for the language.
 * @param {string} key
 * @param {Params} [params]
 * @returns {string}
 */
export function t(key, params = {}) {
  const sentence = sentences[key] ?? english[key] ?? key;
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = params[name];
    if (value === undefined) return whole;
    return typeof value === 'number' ? number(value) : value;
  });
}

/**
 * Returns a sentence, or `fallback` when its key does not exist.
 * @param {string} key
 * @param {string} fallback
 * @param {Params} [params]
 */
export function tOr(key, fallback, params) {
  return key in sentences || key in english ? t(key, params) : fallback;
}

/**
 * Sets the text of an element, which then follows the language.
 * @param {Element} element
 * @param {string} key
 * @param {Params} [params]
 */
export function mark(element, key, params) {
  element.setAttribute('data-i18n', key);
  if (params) element.setAttribute('data-i18n-params', JSON.stringify(params));
  element.textContent = t(key, params);
}

/** @param {ParentNode} root */
function translate(root) {
  for (const element of root.querySelectorAll('[data-i18n]')) {
    const params = element.getAttribute('data-i18n-params');
    element.textContent = t(element.getAttribute('data-i18n') ?? '', params ? JSON.parse(params) : {});
  }
  for (const element of root.querySelectorAll('[data-i18n-label]')) {
    element.setAttribute('aria-label', t(element.getAttribute('data-i18n-label') ?? ''));
  }
}

/**
 * @param {number} value
 * @param {Intl.NumberFormatOptions} [options]
 */
export function number(value, options = {}) {
  if (!Number.isFinite(value)) return String(value);
  // 2.9e-6 is easier to read than 0.0000029.
  if (value !== 0 && Math.abs(value) < 1e-3 && options.style === undefined) {
    return value.toExponential(1).replace('.0e', 'e');
  }
  return formatter({
    ...(options.maximumSignificantDigits ? {} : { maximumFractionDigits: 4 }),
    ...options,
  }).format(value);
}

/**
 * Formats a number in a task of its own, while a text is loaded. The first one takes up to 20 ms, because the browser
 * reads its table of languages, and would otherwise delay the drawing of the page.
 */
function prepareNumbers() {
  setTimeout(() => number(1));
}

/** @type {Map<string, Intl.NumberFormat>} */
const formatters = new Map();

/**
 * The formatter of the current language. Making one takes many times as long as formatting a number.
 * @param {Intl.NumberFormatOptions} options
 */
function formatter(options) {
  const key = `${language} ${JSON.stringify(options)}`;
  const made = formatters.get(key) ?? new Intl.NumberFormat(language, options);
  formatters.set(key, made);
  return made;
}

/**
 * @param {number} share of 1
 * @param {number} [digits]
 */
export const percent = (share, digits = 1) => number(share, { style: 'percent', maximumFractionDigits: digits });

/** @param {number} count */
export function bytes(count) {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'];
  const power = count < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3));
  return number(count / 1000 ** power, {
    style: 'unit',
    unit: units[power],
    unitDisplay: power === 0 ? 'long' : 'short',
    maximumFractionDigits: power < 2 ? 0 : 1,
  });
}

/** @param {number} seconds */
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds >= 90) {
    const minutes = number(Math.floor(seconds / 60), { style: 'unit', unit: 'minute', unitDisplay: 'short' });
    return `${minutes} ${number(Math.round(seconds % 60), { style: 'unit', unit: 'second', unitDisplay: 'short' })}`;
  }
  if (seconds >= 1)
    return number(seconds, {
      style: 'unit',
      unit: 'second',
      unitDisplay: 'short',
      maximumFractionDigits: seconds < 10 ? 1 : 0,
    });
  return number(Math.round(seconds * 1000), { style: 'unit', unit: 'millisecond', unitDisplay: 'short' });
}

/**
 * Reads a value that the browser stores for this site, or null where storage is blocked.
 * @param {string} key
 */
export function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/**
 * @param {string} key
 * @param {string} value
 */
export function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Where storage is blocked, the choice lasts until the page is closed.
  }
}

/**
 * @param {Language} wanted
 * @returns {Promise<Record<string, string>>}
 */
async function load(wanted) {
  const response = await fetch(new URL(`./i18n/${wanted}.json`, import.meta.url));
  if (!response.ok) throw new Error(`the text of the page (${wanted}.json) could not be loaded: ${response.status}`);
  return response.json();
}
