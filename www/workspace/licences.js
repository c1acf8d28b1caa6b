// The packages that the page contains, each with the texts of its licence. The build writes the file
// (xtask/src/product/licences.rs); it loads when the list is first opened.

import { h, replace } from '../dom.js';

/**
 * @typedef {object} Package
 * @property {string} name
 * @property {string} version
 * @property {'crate'|'npm'|'toolchain'} kind
 * @property {string} licence            expression of SPDX
 * @property {string[]} authors
 * @property {string|null} repository
 * @property {boolean} own_text          whether the texts are those of the package, not those of SPDX
 * @property {number[]} texts
 */
/** @typedef {{packages: Package[], texts: string[]}} Licences */

const FILE = new URL('../../about/licences.json', import.meta.url);

/** The folded list. */
export function licenceFold() {
  const body = h('div', { class: 'fold-body' });
  let loaded = false;
  const load = async () => {
    replace(body, h('p', { class: 'note', role: 'status', i18n: 'about.loading' }));
    try {
      const licences = await read();
      replace(body, ...list(licences));
      loaded = true;
    } catch {
      // The next opening tries again.
      replace(body, h('div', { class: 'alert', role: 'alert' }, h('p', { i18n: 'about.failed' })));
    }
  };
  const toggle = (/** @type {{currentTarget: HTMLDetailsElement}} */ { currentTarget }) => {
    if (currentTarget.open && !loaded) void load();
  };
  return h(
    'details',
    { class: 'fold', 'data-testid': 'licences', on: { toggle } },
    h('summary', { i18n: 'about.licences' }),
    body,
  );
}

/** @returns {Promise<Licences>} */
async function read() {
  const response = await fetch(FILE);
  if (!response.ok) throw new Error(`${FILE} could not be loaded: ${response.status}`);
  return response.json();
}

/** @param {Licences} licences */
function list({ packages, texts }) {
  const count = (/** @type {string} */ kind) => packages.filter((each) => each.kind === kind).length;
  return [
    h('p', { class: 'note', i18n: ['about.packages', { crates: count('crate'), npm: count('npm') }] }),
    h('ul', { class: 'licences', lang: 'en' }, ...packages.map((each) => h('li', {}, entry(each, texts)))),
  ];
}

/**
 * A package, whose texts are put into the document when it is opened.
 * @param {Package} each
 * @param {string[]} texts
 */
function entry(each, texts) {
  const body = h('div', { class: 'licence-body' });
  const toggle = () => {
    if (body.childElementCount === 0) replace(body, ...details(each, texts));
  };
  return h(
    'details',
    { 'data-testid': 'package', on: { toggle } },
    h('summary', {}, h('b', {}, each.name), ` ${each.version} `, h('span', { class: 'note' }, each.licence)),
    body,
  );
}

/**
 * @param {Package} each
 * @param {string[]} texts
 */
function details({ authors, repository, own_text, texts: numbers }, texts) {
  const address = repository?.startsWith('https://') && repository;
  return [
    authors.length > 0 && h('p', { i18n: ['about.by', { authors: authors.join(', ') }] }),
    address &&
      h('p', {}, h('a', { href: address, target: '_blank', rel: 'noopener noreferrer', class: 'address' }, address)),
    !own_text && h('p', { class: 'note', i18n: 'about.standard_text' }),
    ...numbers.map((number) => h('pre', {}, texts[number])),
  ];
}
