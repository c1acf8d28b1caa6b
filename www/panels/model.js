// The pretrained model: its download, its source, and a diagram of its parameters.

import { continuePanel } from './continue.js';
import { galleryPanel } from './gallery.js';
import { figures } from '../components/figures.js';
import { modelNotices } from '../components/model-notices.js';
import { alert, callout, notice } from '../components/notices.js';
import { fold } from '../components/fold.js';
import { panelParts, sideFoot, stageButton } from './widgets.js';
import { h, replace, setAttribute, setText } from '../dom.js';
import { bytes, duration, number, t, tOr } from '../i18n.js';

/** @typedef {import('../protocol.js').ModelView} ModelView */
/**
 * A part of the network; `fresh`: random, not pretrained.
 * @typedef {{key: string, params: Record<string, number>, parameters: number, fresh: boolean}} Block
 */

/** @param {import('../app.js').App} app */
export function modelPanel(app) {
  const { head, side, main } = panelParts('model');
  const { row, problem } = stageButton(app, 'model', undefined, (error) => problemOf(app, error));
  side.append(
    fold(app.store, 'explore', 'gallery.title', galleryPanel(app)),
    fold(app.store, 'expert', 'continue.title', continuePanel(app)),
    sideFoot(row),
  );
  head.append(fold(app.store, 'teach-only', 'fold.explain', callout('model.callout')));

  const meter = h('progress', { max: '1', 'data-i18n-label': 'model.download', 'aria-label': t('model.download') });
  const text = h('p', { class: 'note' });
  const stop = h('button', {
    type: 'button',
    class: 'secondary',
    i18n: 'model.stop',
    'data-testid': 'stop-loading',
    on: { click: () => void app.workflow.stopLoading() },
  });
  const progress = h(
    'div',
    { class: 'download', 'data-testid': 'model-progress' },
    meter,
    h('div', { class: 'download-line' }, text, stop),
  );
  const notices = h('ul', { class: 'warnings', 'data-testid': 'model-notices' });
  const result = h('div', {});
  main.append(problem, progress, h('div', { role: 'status' }, notices), result);

  app.store.watch(['notices', 'language'], (state) => {
    notices.hidden = state.notices.length === 0;
    replace(notices, ...state.notices.map((code) => h('li', { 'data-code': code }, t(`notice.${code}`))));
  });
  app.store.watch(['stages', 'download', 'phase', 'retry', 'language'], ({ stages, download, phase, retry }) => {
    const running = stages.model.state === 'running';
    stop.hidden = !running;
    progress.hidden = !running && !download;
    if (progress.hidden) return;
    const known = download !== null && download.total > 0;
    if (known && !(running && phase && download.loaded >= download.total))
      meter.value = download.loaded / download.total;
    else meter.removeAttribute('value');
    meter.hidden = !running;
    setAttribute(progress, 'data-loaded', download?.loaded ?? 0);
    setAttribute(progress, 'data-total', download?.total ?? 0);
    setText(text, downloadText(download, running ? phase : null, running ? retry : null));
  });
  app.store.watch(['model', 'origin', 'head', 'language'], ({ model, origin, head }) => {
    const before = origin.kind === 'hub' ? t('model.placeholder_hub', { repo: origin.repo }) : t('model.placeholder');
    replace(result, ...(model ? details(model, head) : [h('p', { class: 'placeholder' }, before)]));
  });
}

/**
 * An error, or the question which of several models the visitor wants.
 * @param {import('../app.js').App} app
 * @param {import('../session.js').ShownError} error
 */
function problemOf({ store, workflow }, error) {
  const { attempted } = store.state;
  const { folders = [] } = error;
  if (folders.length === 0 || attempted?.kind !== 'disk') return alert(error);
  const choose = (/** @type {string} */ folder) => void workflow.loadFrom({ ...attempted, folder });
  const buttons = folders.map((folder) =>
    h(
      'button',
      {
        type: 'button',
        class: 'secondary',
        'data-testid': 'choose-folder',
        'data-folder': folder,
        on: { click: () => choose(folder) },
      },
      folder,
    ),
  );
  return notice(
    { role: 'status', 'data-testid': 'which-model' },
    h('p', {}, t('continue.which', { name: attempted.name })),
    h('div', { class: 'actions' }, ...buttons),
  );
}

/**
 * @param {import('../state.js').AppState['download']} download
 * @param {string|null} phase
 * @param {import('../state.js').AppState['retry']} retry
 */
function downloadText(download, phase, retry) {
  const parts = [];
  if (download) {
    const amount = {
      file: download.file,
      loaded: bytes(download.loaded),
      total: bytes(download.total),
      rate: bytes(download.bytes_per_second),
    };
    parts.push(t(download.total > 0 ? 'model.downloaded' : 'model.downloaded_unknown', amount));
    const left = download.total - download.loaded;
    if (left > 0 && download.bytes_per_second > 0)
      parts.push(t('model.time_left', { time: duration(Math.ceil(left / download.bytes_per_second)) }));
  }
  if (retry) parts.push(t('model.retry', { attempt: retry.attempt, time: duration(retry.wait_ms / 1000) }));
  if (phase) parts.push(tOr(`phase.${phase}`, phase));
  return parts.join(' · ') || t('now.model');
}

/**
 * @param {ModelView} model
 * @param {import('../protocol.js').HeadUse|null} head
 */
function details(model, head) {
  const config = Object.entries(model.config).map(([name, value]) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, h('code', {}, name)),
      h(
        'td',
        { class: 'number' },
        typeof value === 'number' ? number(value, { maximumFractionDigits: 12 }) : String(value ?? '–'),
      ),
    ),
  );
  const found = blocks(model, head);
  return [
    figures([
      { label: t('model.name'), value: model.name },
      {
        label: t('model.parameters'),
        value: number(model.parameters),
        attributes: { 'data-testid': 'parameters', 'data-value': model.parameters },
      },
      {
        label: t('model.file'),
        value: `${bytes(model.bytes)} · ${model.dtype} · ${t('model.tensors', { tensors: model.tensors })}`,
      },
    ]),
    found && diagram(found, model.parameters),
    modelNotices(model, head),
    h('p', { class: 'note' }, t('model.source', { source: model.source, license: model.license })),
    h(
      'details',
      { class: 'advanced' },
      h('summary', {}, 'config.json'),
      h('div', { class: 'scroll' }, h('table', { class: 'compact' }, h('tbody', {}, ...config))),
    ),
  ];
}

/**
 * The network from text to label. The height of a block is its share of the parameters.
 * @param {Block[]} found
 * @param {number} total
 */
function diagram(found, total) {
  const rows = found.map(({ key, params, parameters, fresh }) =>
    h(
      'li',
      { class: fresh ? 'block fresh' : 'block', style: { '--share': String(parameters / total) } },
      h('span', { class: 'block-name' }, t(key, params)),
      h('span', { class: 'block-count' }, t('model.block_parameters', { parameters })),
      fresh && h('span', { class: 'tag' }, t('model.fresh')),
    ),
  );
  return h(
    'figure',
    { class: 'network' },
    h('ol', {}, ...rows.reverse()),
    h('figcaption', { class: 'note' }, t('model.diagram')),
  );
}

/**
 * The parameters of each block, computed from config.json. Null for another architecture, whose count differs.
 * @param {ModelView} model
 * @param {import('../protocol.js').HeadUse|null} [head]  what a run does with the checkpoint's own head
 * @returns {Block[]|null}
 */
export function blocks({ config, parameters, classifier = false, pooler: hasPooler }, head = null) {
  const get = (/** @type {string} */ name) => Number(config[name]);
  const hidden = get('hidden_size');
  const inner = get('intermediate_size');
  const layers = get('num_hidden_layers');
  const vocabulary = get('vocab_size');
  const embeddings = (vocabulary + get('max_position_embeddings') + get('type_vocab_size') + 2) * hidden;
  const layer = 4 * (hidden * hidden + hidden) + (2 * hidden * inner + inner + hidden) + 4 * hidden;
  const pooler = hidden * hidden + hidden;
  const last = parameters - embeddings - layers * layer - pooler;
  const labels = last / (hidden + 1);
  if (!Number.isInteger(labels) || labels < 1 || labels > 1000) return null;
  return [
    { key: 'model.block_embeddings', params: { vocabulary, hidden }, parameters: embeddings, fresh: false },
    {
      key: 'model.block_layers',
      params: { layers, heads: get('num_attention_heads'), hidden },
      parameters: layers * layer,
      fresh: false,
    },
    { key: 'model.block_pooler', params: { hidden }, parameters: pooler, fresh: !hasPooler },
    {
      key: 'model.block_head',
      params: { hidden, labels },
      parameters: last,
      fresh: !classifier || head === 'replaced',
    },
  ];
}
