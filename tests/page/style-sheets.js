// Reads the style sheets of the page for the tests of the tokens and of the colours.

import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const www = fileURLToPath(new URL('../../www/', import.meta.url));

/** @param {string} css */
const withoutComments = (css) => css.replace(/\/\*[\s\S]*?\*\//g, '');
/** @param {string} path  below www/ */
const read = (path) => readFileSync(www + path, 'utf8');

export const tokensSheet = withoutComments(read('style/tokens.css'));

/**
 * The files of the page whose names end with `ending`, with their text and without the comments of a style sheet. The
 * demo of an export is a page of its own.
 */
export function filesOf(/** @type {'.css'|'.js'} */ ending) {
  return readdirSync(www, { recursive: true })
    .map(String)
    .filter((path) => path.endsWith(ending) && !path.startsWith('export-demo/'))
    .map((path) => ({ path, text: ending === '.css' ? withoutComments(read(path)) : read(path) }));
}

/**
 * The declarations of a style sheet.
 * @param {string} css
 */
export const declarations = (css) =>
  [...css.matchAll(/(?<=[{;]\s*)([\w-]+)\s*:\s*([^;{}]+);/g)].map(([, property = '', value = '']) => ({
    property,
    value: value.replace(/\s+/g, ' ').trim(),
  }));

/**
 * The values of the tokens in a block of tokens.css.
 * @param {RegExp} selector
 */
function block(selector) {
  const found = [...tokensSheet.matchAll(/([^{}]+)\{([^{}]*)\}/g)].filter(([, name = '']) => selector.test(name));
  return Object.fromEntries(
    found.flatMap(([, , body = '']) => declarations(`{${body}`).map(({ property, value }) => [property, value])),
  );
}

/**
 * The opaque colour tokens as #rrggbb, in each scheme and contrast of the page.
 * @type {Record<'light'|'dark'|'light, high contrast'|'dark, high contrast', Record<string, string>>}
 */
export const schemes = (() => {
  const normal = block(/^\s*:root,\s*\[data-contrast='normal'\]\s*$/);
  const more = { ...normal, ...block(/^\s*\[data-contrast='more'\]\s*$/) };
  const pick = (/** @type {Record<string, string>} */ tokens, /** @type {1|2} */ at) =>
    Object.fromEntries(
      Object.entries(tokens).flatMap(([name, value]) => {
        const pair = /^light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)$/.exec(value);
        return pair ? [[name, pair[at] ?? '']] : [];
      }),
    );
  return {
    light: pick(normal, 1),
    dark: pick(normal, 2),
    'light, high contrast': pick(more, 1),
    'dark, high contrast': pick(more, 2),
  };
})();
