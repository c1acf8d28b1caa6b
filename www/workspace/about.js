// The dialog about the page: what it is, what happens to the texts, and the software in it with its licences.

import { licenceFold } from './licences.js';
import { dialog } from '../components/dialog.js';
import { h } from '../dom.js';
import { mark } from '../i18n.js';

export function aboutDialog() {
  const version = h('p', { class: 'note', 'data-testid': 'about-version' });
  const { element, open } = dialog({
    title: 'about.title',
    testId: 'about-dialog',
    children: [
      h('p', { i18n: 'about.what' }),
      version,
      part('about.privacy', h('p', { i18n: 'about.privacy_text' })),
      part('about.browsers', h('p', { i18n: 'about.browsers_text' })),
      part(
        'about.source',
        h(
          'p',
          {},
          h('span', { i18n: 'about.source_text' }),
          ' ',
          link('./LICENSE-MIT', {}, 'MIT'),
          ', ',
          link('./LICENSE-APACHE', {}, 'Apache-2.0'),
        ),
      ),
      part(
        'about.others',
        h('p', { i18n: 'page.credit' }),
        licenceFold(),
        h('p', {}, link('./sbom.cdx.json', { i18n: 'about.sbom' })),
      ),
    ],
  });
  element.classList.add('about');
  return {
    element,
    /** @param {string} known  the version, or nothing before the worker has told it */
    open(known) {
      version.hidden = known === '';
      mark(version, 'about.version', { version: known });
      open();
    },
  };
}

/**
 * @param {string} title  i18n key
 * @param {...import('../dom.js').Child} children
 */
const part = (title, ...children) => h('section', { class: 'about-part' }, h('h3', { i18n: title }), ...children);

/**
 * A link in a tab of its own, because leaving the page ends a run.
 * @param {string} href
 * @param {import('../dom.js').Properties} properties
 * @param {...import('../dom.js').Child} children
 */
function link(href, properties, ...children) {
  return h('a', { href, target: '_blank', rel: 'noopener noreferrer', ...properties }, ...children);
}
