// The split: the two parts as a bar, the rows as squares, and warnings.

import { settingsFoot, settingsForm } from './settings-form.js';
import { classColour, labelName, swatch } from '../components/labels.js';
import { placeholder, warningList } from '../components/notices.js';
import { panelParts, stageButton } from './widgets.js';
import { h, replace } from '../dom.js';
import { number, percent, t } from '../i18n.js';

/** @typedef {import('../protocol.js').DatasetView} DatasetView */
/** @typedef {import('../protocol.js').SplitView} SplitView */

/** @param {import('../app.js').App} app */
export function splitPanel(app) {
  const { side, main } = panelParts('split');
  const { row, problem } = stageButton(app, 'split');
  side.append(settingsForm(app, 'split'), settingsFoot(app, side, row));
  const result = h('div', {});
  main.append(problem, result);

  app.store.watch(['split', 'language'], ({ split, dataset }) => {
    if (!split || !dataset) return replace(result, placeholder('split.placeholder'));
    const total = split.train_rows + split.test_rows;
    replace(
      result,
      h('div', { class: 'split-bar' }, part('train', split, dataset, total), part('test', split, dataset, total)),
      h(
        'p',
        { class: 'note legend' },
        ...dataset.labels.map((label, id) => h('span', {}, swatch(id), labelName(label))),
        split.train_labels !== null && h('span', {}, t('split.squares')),
      ),
      warningList(split.warnings, 'split-warnings'),
    );
  });
}

/**
 * @param {'train'|'test'} name
 * @param {SplitView} split
 * @param {DatasetView} dataset
 * @param {number} total
 */
function part(name, split, dataset, total) {
  const [rows, counts, labels] =
    name === 'train'
      ? [split.train_rows, split.train_label_counts, split.train_labels]
      : [split.test_rows, split.test_label_counts, split.test_labels];
  const segments = counts.map((count, id) =>
    h('span', { class: classColour(id), style: { 'flex-grow': String(count) } }),
  );
  // A large dataset has no labels here, because a square for each row would be too much.
  const squares = labels?.map((label) => h('i', { class: classColour(label) }));
  const each = counts.map((count, id) => `${labelName(dataset.labels[id] ?? String(id))} ${number(count)}`).join(' · ');
  return h(
    'div',
    { class: `part part-${name}`, style: { 'flex-grow': String(Math.max(rows, 1)) } },
    h(
      'p',
      { class: 'part-name' },
      h('strong', {}, t(`split.${name}`)),
      ` ${t('split.rows', { rows })} · ${percent(total > 0 ? rows / total : 0)}`,
    ),
    h('div', { class: 'segments-bar', 'aria-hidden': 'true' }, ...segments),
    h('p', { class: 'note' }, each),
    squares && h('div', { class: 'squares', 'aria-hidden': 'true' }, ...squares),
  );
}
