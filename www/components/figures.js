// A few figures side by side, each with its name.

import { h } from '../dom.js';

/** @param {{label: string, value: import('../dom.js').Child, attributes?: import('../dom.js').Properties}[]} figures */
export function figures(figures) {
  return h(
    'dl',
    { class: 'figures' },
    ...figures.map(({ label, value, attributes }) =>
      h('div', {}, h('dt', {}, label), h('dd', attributes ?? {}, value)),
    ),
  );
}
