// The language of a row's text, so that a screen reader pronounces it and lines break where they should.

import { currentLanguage } from '../i18n.js';

/**
 * The language where it is known: Hangul, the English toy, or Latin letters on a Korean page.
 * @param {string} text
 * @param {import('../state.js').DataSource} source  of the row
 */
export function languageOf(text, source) {
  if (/\p{Script=Hangul}/u.test(text)) return 'ko';
  return source.kind === 'toy' || currentLanguage() === 'ko' ? 'en' : null;
}

/**
 * The language of a text of which nothing but its letters is known.
 * @param {string} text
 */
export const languageOfLetters = (text) => (/\p{Script=Hangul}/u.test(text) ? 'ko' : 'en');
