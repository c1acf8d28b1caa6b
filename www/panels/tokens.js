// The tokens: every row as WordPiece tokens with their ids and the attention mask, and the share of padding.

import { pages } from '../components/pages.js';
import { settingsFoot, settingsForm } from './settings-form.js';
import { figures } from '../components/figures.js';
import { bar } from '../components/labels.js';
import { placeholder } from '../components/notices.js';
import { panelParts, stageButton } from './widgets.js';
import { languageOfLetters } from '../data/language.js';
import { h, replace } from '../dom.js';
import { number, percent, t, tOr } from '../i18n.js';

/** @typedef {import('../protocol.js').TokenRow} TokenRow */

const ROWS_PER_PAGE = 4;
/** Longer padding is hidden behind a button. */
const PADS_SHOWN = 3;
const SPECIAL = new Set(['[CLS]', '[SEP]', '[UNK]', '[MASK]']);

/** @param {import('../app.js').App} app */
export function tokensPanel(app) {
  const { side, main } = panelParts('tokens');
  const { row, problem } = stageButton(app, 'tokens');
  side.append(settingsForm(app, 'tokens'), settingsFoot(app, side, row));

  const summary = h('div', { class: 'summary' });
  const rows = pages({
    size: ROWS_PER_PAGE,
    label: 'tokens.pages',
    load: async (from, to) => (await app.session.request({ type: 'tokens', offset: from, count: to - from })).rows,
    render: (page) => h('ol', { class: 'token-rows' }, ...page.map(tokenRow)),
  });
  const legend = h('p', { class: 'note legend token-legend' });
  main.append(problem, summary, legend, rows.element);

  app.store.watch(['tokens', 'language'], ({ tokens }) => {
    rows.element.hidden = tokens === null;
    legend.hidden = tokens === null;
    if (!tokens) return replace(summary, placeholder('tokens.placeholder'));
    const all = tokens.real_tokens + tokens.padding_tokens;
    const padding = all > 0 ? tokens.padding_tokens / all : 0;
    replace(
      summary,
      figures([
        { label: t('tokens.longest'), value: number(tokens.longest) },
        { label: t('tokens.per_epoch'), value: number(tokens.real_tokens) },
        {
          label: t('tokens.padding'),
          value: percent(padding),
          attributes: { 'data-testid': 'padding-share', 'data-value': padding },
        },
        {
          label: t('tokens.truncated_rows'),
          value: `${number(tokens.truncated_rows)} · ${percent(tokens.truncated_rows / Math.max(tokens.num_rows, 1))}`,
        },
      ]),
      h('div', { class: 'padding-bar' }, bar(1 - padding, 'real')),
      h(
        'p',
        { class: 'note' },
        t(padding > 0 ? 'tokens.padding_sentence' : 'tokens.no_padding', {
          share: percent(padding),
          padding: tokens.padding_tokens,
          total: all,
        }),
      ),
      unknownTokens(tokens),
    );
    replace(
      legend,
      chip('[CLS]', 'special'),
      t('tokens.special'),
      chip('##ing', 'continued'),
      t('tokens.continued'),
      chip('[PAD]', 'pad'),
      t('tokens.pad'),
    );
    rows.show(tokens.num_rows, tokens);
  });
}

/** @param {TokenRow} row */
function tokenRow(row) {
  const firstPad = row.tokens.indexOf('[PAD]');
  const real = firstPad < 0 ? row.tokens.length : firstPad;
  const folded = row.tokens.length - real > PADS_SHOWN + 1;
  const shown = folded ? real + PADS_SHOWN : row.tokens.length;
  const columns = (/** @type {number} */ from, /** @type {number} */ to) => {
    const made = [];
    for (let at = from; at < to; at += 1) made.push(column(row, at));
    return made;
  };
  const list = h('div', { class: 'columns' }, names(), ...columns(0, shown));
  if (folded) {
    // The button is gone then: the first column that it shows has the focus.
    const unfold = () => {
      const rest = columns(shown, row.tokens.length);
      more.replaceWith(...rest);
      rest[0]?.setAttribute('tabindex', '-1');
      rest[0]?.focus();
    };
    const more = h(
      'button',
      {
        type: 'button',
        class: 'quiet more',
        on: { click: unfold },
      },
      t('tokens.more_padding', { count: row.tokens.length - shown }),
    );
    list.append(more);
  }
  return h(
    'li',
    {},
    h(
      'p',
      { class: 'note' },
      t('tokens.row', { row: row.row + 1, part: t(`split.${row.part}`), tokens: real }),
      row.truncated && h('span', { class: 'tag' }, t('tokens.truncated')),
    ),
    list,
  );
}

/** The names of the three lines of a row. */
function names() {
  return h(
    'div',
    { class: 'column names' },
    h('span', {}, t('tokens.line_token')),
    h('span', {}, 'input_ids'),
    h('span', {}, 'attention_mask'),
  );
}

/**
 * @param {TokenRow} row
 * @param {number} at
 */
function column(row, at) {
  const token = row.tokens[at] ?? '';
  const kind =
    token === '[PAD]' ? 'pad' : SPECIAL.has(token) ? 'special' : token.startsWith('##') ? 'continued' : 'word';
  return h(
    'div',
    { class: 'column' },
    chip(token, kind),
    h('span', { class: 'id' }, String(row.input_ids[at])),
    h('span', { class: 'mask' }, String(row.attention_mask[at])),
  );
}

/**
 * @param {string} token
 * @param {'special'|'continued'|'pad'|'word'} kind
 */
const chip = (token, kind) => h('span', { class: `token ${kind}`, lang: languageOfLetters(token) }, token);

/**
 * The warning of a vocabulary that does not have the words of the texts, with the likely reason.
 * @param {import('../protocol.js').TokensView} tokens
 */
function unknownTokens({ warnings }) {
  if (warnings.length === 0) return null;
  const sentence = (/** @type {import('../protocol.js').Warning} */ { code, message, values }) =>
    tOr(`warning.${code}_${values.reason}`, message, {
      share: percent(Number(values.share), 0),
      script: tOr(`audit.script.${values.script}`, String(values.script)),
    });
  return h(
    'ul',
    { class: 'warnings', 'data-testid': 'token-warnings' },
    ...warnings.map((warning) => h('li', { 'data-code': warning.code }, sentence(warning))),
  );
}
