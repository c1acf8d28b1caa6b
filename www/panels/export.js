// Export: the parts of the archive, its progress, and the code that uses it.

import { codeBlock } from './code-block.js';
import { elsewhere } from './elsewhere.js';
import { partsList } from './export-parts.js';
import { panelParts, sideFoot } from './widgets.js';
import { figures } from '../components/figures.js';
import { alert } from '../components/notices.js';
import { h, replace, setAttribute, setOff, setText } from '../dom.js';
import { javascriptLines, pythonLines } from '../export/code.js';
import { Exporter, freeSpace } from '../export/exporter.js';
import { isTight, sizeOf, smallestNetwork, takenParts } from '../export/parts.js';
import { chooseTarget } from '../export/sink.js';
import { bytes, number, t } from '../i18n.js';
import { isBlocked } from '../state.js';
import { writingMessage } from '../workspace/now.js';

/** @typedef {import('../state.js').AppState} AppState */
/** @typedef {import('../state.js').Exported} Exported */

/** @param {import('../app.js').App} app */
export function exportPanel(app) {
  const { store } = app;
  const { side, main } = panelParts('export');
  const exporter = new Exporter(app);
  const archiveLink = linkToArchive();
  const button = h('button', {
    type: 'button',
    class: 'secondary',
    'data-testid': 'export',
    'aria-describedby': 'export-reason',
    i18n: 'export.run',
    on: { click: () => void run() },
  });
  const reason = h('p', { class: 'note', id: 'export-reason' });
  const status = h('p', { class: 'visually-hidden', role: 'status' });
  const facts = h('div', { class: 'export-facts' });
  side.append(sizeBox(store), facts, status, sideFoot(h('div', { class: 'actions' }, button), reason));

  const problem = h('div', { class: 'problem' });
  const outcome = h('div', { class: 'export-outcome' });
  const uses = codes(store);
  main.append(problem, progress(store, exporter), outcome, partsList(store), uses, elsewhere(app));

  async function run() {
    const { exportPlan } = store.state;
    if (!exportPlan) return;
    const target = await chooseTarget(exportPlan.file);
    const exported = target && (await exporter.run(target));
    if (exported?.blob) archiveLink.to(exported, exported.blob).click();
  }

  follow(store, exporter);
  store.watch(['trained', 'busy', 'opened', 'fatal', 'exportPlan', 'language'], (state) => {
    const why = refusal(state);
    setOff(button, why !== null);
    setText(reason, why ? t(why) : t('export.ready', { step: state.trained?.global_step ?? 0 }));
  });
  store.watch(['archive', 'language'], ({ archive }) => {
    replace(problem, archive.kind === 'failed' && alert(archive.error));
  });
  /** @type {unknown[]} */
  let shown = [];
  store.watch(['archive', 'trained', 'run', 'language'], ({ archive, trained, run: current, language }) => {
    const exportable = current.kind === 'running' ? null : trained;
    // Most changes of the run and of the archive are progress, which is not shown here.
    const next = [archive.kind === 'writing' ? 'writing' : archive, exportable, language];
    if (next.every((value, at) => value === shown[at])) return;
    shown = next;
    const exported = archive.kind === 'done' ? archive.exported : null;
    setText(status, outcomeText(archive));
    replace(outcome, ...(exported ? ended(exported, archiveLink) : [archiveLink.release(), stopped(archive)]));
    replace(facts, ...(exportable ? runFacts(exportable) : []));
  });
}

/**
 * Asks for the plan of the archive when the view is shown and the worker is idle, and again when the model or what its
 * card says has changed.
 * @param {import('../state.js').Store<AppState>} store
 * @param {Exporter} exporter
 */
function follow(store, exporter) {
  /** @type {unknown[]|null} */
  let asked = null;
  store.watch(['view', 'busy', 'opened', 'fatal', 'trained', 'baselines', 'audit'], (state) => {
    const { view, trained, baselines, audit } = state;
    const isWanted = view === 'export' && trained !== null && !isBlocked(state);
    const wanted = isWanted ? [trained, baselines.baselines, audit.view, audit.labels] : null;
    const before = asked;
    asked = wanted;
    if (wanted && !wanted.every((value, at) => value === before?.[at])) void exporter.plan();
  });
}

/**
 * The size of the archive, and whether the browser has room for it.
 * @param {import('../state.js').Store<AppState>} store
 */
function sizeBox(store) {
  const sum = h('div', {});
  const space = h('p', { class: 'note', 'data-testid': 'export-space' });
  /** @type {number|null} */
  let free = null;
  const show = () => {
    const { exportPlan, exportParts } = store.state;
    const taken = exportPlan ? takenParts(exportPlan, exportParts) : [];
    const size = sizeOf(taken);
    const count = taken.reduce((all, { files }) => all + files.length, 0);
    const attributes = { 'data-testid': 'export-size', 'data-bytes': size, class: 'big' };
    const value = exportPlan ? bytes(size) : '–';
    replace(sum, figures([{ label: t('export.size'), value, attributes }]));
    const tight = isTight(size, free);
    space.classList.toggle('stale', tight);
    const files = exportPlan ? t('export.files', { count }) : '';
    const room = free === null || !exportPlan ? '' : t(tight ? 'export.tight' : 'export.free', { free: bytes(free) });
    setText(space, [files, room].filter(Boolean).join(' · '));
  };
  store.watch(['exportPlan', 'exportParts', 'language'], show);
  store.watch(['exportPlan'], async () => {
    free = await freeSpace();
    show();
  });
  return h('div', { class: 'export-size' }, sum, space);
}

/**
 * @param {import('../state.js').Store<AppState>} store
 * @param {Exporter} exporter
 */
function progress(store, exporter) {
  const meter = h('progress', { max: '1', 'data-i18n-label': 'export.meter', 'aria-label': t('export.meter') });
  const text = h('p', { class: 'note', 'data-testid': 'export-progress' });
  const stop = h('button', {
    type: 'button',
    class: 'secondary',
    'data-testid': 'stop-export',
    i18n: 'export.stop',
    on: { click: () => void exporter.stop() },
  });
  const element = h('div', { class: 'download' }, meter, h('div', { class: 'download-line' }, text, stop));
  store.watch(['archive', 'language'], ({ archive }) => {
    const writing = archive.kind === 'writing' ? archive : null;
    // The focus must not stay in what is hidden.
    if (!writing && element.contains(document.activeElement)) {
      const next = document.querySelector('[data-testid=export]');
      if (next instanceof HTMLElement) next.focus();
    }
    element.hidden = writing === null;
    if (!writing) return setText(text, '');
    meter.value = writing.total > 0 ? Math.min(1, writing.bytes / writing.total) : 0;
    setAttribute(element, 'data-bytes', writing.bytes);
    setText(text, writingMessage(writing));
  });
  return element;
}

/** Links to the latest archive. The browser keeps an archive until its URL is revoked. */
function linkToArchive() {
  /** @type {Blob|null} */
  let current = null;
  let url = '';
  const keep = (/** @type {Blob|null} */ blob) => {
    if (blob === current) return;
    if (url) URL.revokeObjectURL(url);
    url = blob ? URL.createObjectURL(blob) : '';
    current = blob;
  };
  return {
    /**
     * @param {Exported} exported
     * @param {Blob} blob
     */
    to({ file }, blob) {
      keep(blob);
      return h('a', { href: url, download: file, 'data-testid': 'export-again' }, t('export.again', { file }));
    },
    release() {
      keep(null);
      return null;
    },
  };
}

/**
 * The i18n key of the reason why nothing can be exported now, or null.
 * @param {AppState} state
 */
function refusal({ trained, busy, opened, fatal, exportPlan }) {
  if (busy) return 'export.busy';
  if (!trained || !opened || fatal) return 'export.untrained';
  return exportPlan ? null : 'export.planning';
}

/** @param {AppState['archive']} archive */
function outcomeText(archive) {
  if (archive.kind === 'stopped') return t('export.stopped');
  if (archive.kind !== 'done') return '';
  return t('export.done', { file: archive.exported.file, bytes: bytes(archive.exported.bytes) });
}

/**
 * @param {Exported} exported
 * @param {ReturnType<typeof linkToArchive>} link
 */
const ended = (exported, link) => [
  h(
    'p',
    { 'data-testid': 'export-done', 'data-bytes': exported.bytes },
    t('export.done', { file: exported.file, bytes: bytes(exported.bytes) }),
    ' ',
    exported.blob ? link.to(exported, exported.blob) : link.release(),
  ),
];

/** @param {AppState['archive']} archive */
const stopped = (archive) =>
  archive.kind === 'stopped' && h('p', { class: 'note', 'data-testid': 'export-stopped' }, t('export.stopped'));

/** @param {import('../protocol.js').TrainedState} trained */
const runFacts = (trained) => [
  figures([
    {
      label: t('export.seed'),
      value: String(trained.seed),
      attributes: { 'data-testid': 'run-seed', 'data-value': trained.seed },
    },
    { label: t('training.step'), value: number(trained.global_step) },
  ]),
  h('p', { class: 'note' }, t('export.reproduces')),
];

/**
 * Code that opens the folder in Python and in JavaScript.
 * @param {import('../state.js').Store<AppState>} store
 */
function codes(store) {
  const python = codeBlock({ title: 'export.use', about: 'export.use_about', testId: 'code' });
  const javascript = codeBlock({ title: 'export.use_js', about: 'export.use_js_about', testId: 'code-js' });
  store.watch(['archive', 'exportPlan', 'exportParts', 'language'], ({ archive, exportPlan, exportParts }) => {
    const file = archive.kind === 'done' ? archive.exported.file : exportPlan?.file;
    const folder = file?.replace(/\.zip$/, '') ?? 'folder';
    const network = smallestNetwork(exportPlan ? takenParts(exportPlan, exportParts) : exportParts.map(asPart));
    python.show(pythonLines(folder), folder);
    javascript.show(javascriptLines(folder, network ?? 'onnx_quantized'), folder);
    setText(javascript.note, t(network ? 'export.use_js_about' : 'export.use_js_none'));
  });
  return h('div', { class: 'code-blocks' }, python.element, javascript.element);
}

/** @param {import('../protocol.js').ExportPart} part */
const asPart = (part) => ({ part });
