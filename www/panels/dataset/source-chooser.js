// The choice of a way to bring data. Choosing shows other controls; the dataset stays until one of them replaces it.

import { segments } from '../../components/segments.js';

/** @typedef {import('../../state.js').DataTool} DataTool */

/** @type {DataTool[]} */
const TOOLS = ['toy', 'table', 'cards', 'hub'];

/** @param {import('../../state.js').Store<import('../../state.js').AppState>} store */
export function sourceChooser(store) {
  const choice = segments({
    label: 'source.choose',
    segments: TOOLS.map((tool) => ({ value: tool, i18n: `source.${tool}`, testId: `source-${tool}` })),
    value: null,
    choose: (dataTool) => store.update({ dataTool }),
  });
  choice.element.classList.add('sources');
  store.watch(['dataTool'], ({ dataTool }) => choice.show(dataTool));
  return choice.element;
}
