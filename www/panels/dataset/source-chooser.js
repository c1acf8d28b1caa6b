// The choice of a way to bring data. Choosing shows other controls; the dataset stays until one of them replaces it.

import { h } from '../../dom.js';

/** @typedef {import('../../state.js').DataTool} DataTool */

/** @type {DataTool[]} */
const TOOLS = ['toy', 'table', 'cards', 'hub'];

/** @param {import('../../state.js').Store<import('../../state.js').AppState>} store */
export function sourceChooser(store) {
  const options = TOOLS.map((tool) => ({
    tool,
    input: h('input', {
      type: 'radio',
      name: 'data-tool',
      value: tool,
      'data-testid': `source-${tool}`,
      on: { change: () => store.update({ dataTool: tool }) },
    }),
  }));
  store.watch(['dataTool'], ({ dataTool }) => {
    for (const { tool, input } of options) input.checked = tool === dataTool;
  });
  return h(
    'fieldset',
    { class: 'sources' },
    h('legend', { class: 'visually-hidden', i18n: 'source.choose' }),
    ...options.map(({ tool, input }) => h('label', { class: 'source' }, input, h('span', { i18n: `source.${tool}` }))),
  );
}
