// Export: the trained model as a Hugging Face folder, its files, and the Python code that uses it.

import { figures } from '../components/figures.js';
import { alert } from '../components/notices.js';
import { scrollable } from '../components/scrollable.js';
import { panelParts } from './widgets.js';
import { exportModel } from '../requests.js';
import { h, replace, setAttribute, setOff, setText } from '../dom.js';
import { bytes, number, t, tOr } from '../i18n.js';

/** @typedef {import('../state.js').AppState} AppState */
/** @typedef {import('../state.js').Exported} Exported */

/** In the order of the list. */
const FILES = [
  'README.md',
  'config.json',
  'model.safetensors',
  'tokenizer.json',
  'tokenizer_config.json',
  'vocab.txt',
  'special_tokens_map.json',
  'training_args.json',
  'trainer_state.json',
];
/** The exported weights are 32-bit floats. */
const BYTES_PER_PARAMETER = 4;

/** @param {import('../app.js').App} app */
export function exportPanel(app) {
  const { store } = app;
  const { side, main } = panelParts('export');
  const button = h('button', {
    type: 'button',
    class: 'secondary',
    'data-testid': 'export',
    'aria-describedby': 'export-reason',
    i18n: 'export.run',
    on: { click: () => void run() },
  });
  const reason = h('p', { class: 'note', id: 'export-reason' });
  const meter = h('progress', { max: '1', 'data-i18n-label': 'export.meter', 'aria-label': t('export.meter') });
  const text = h('p', { class: 'note', 'data-testid': 'export-progress' });
  const problem = h('div', { class: 'problem' });
  const outcome = h('div', {});
  const status = h('p', { class: 'visually-hidden', role: 'status' });
  side.append(h('div', { class: 'actions' }, button), reason, status);
  const code = pythonCode();
  main.append(problem, h('div', { class: 'download' }, meter, text), outcome, code.element);

  const archiveLink = linkToArchive();
  async function run() {
    const exported = await exportModel(app);
    if (exported) archiveLink.to(exported).click();
  }

  store.watch(['trained', 'busy', 'opened', 'fatal', 'language'], (state) => {
    const why = refusal(state);
    setOff(button, why !== null);
    setText(reason, why ? t(why) : t('export.ready', { step: state.trained?.global_step ?? 0 }));
  });
  store.watch(['archive', 'language'], ({ archive, model }) => {
    const writing = archive.kind === 'writing' ? archive : null;
    meter.hidden = writing === null;
    if (writing && model) meter.value = Math.min(1, writing.bytes / (model.parameters * BYTES_PER_PARAMETER));
    setText(text, writing ? t('export.progress', { bytes: bytes(writing.bytes) }) : '');
    replace(problem, archive.kind === 'failed' && alert(archive.error));
  });
  /** @type {unknown[]} */
  let shown = [];
  store.watch(['archive', 'trained', 'run', 'language'], ({ archive, trained, run, language }) => {
    const exported = archive.kind === 'done' ? archive.exported : null;
    const exportable = run.kind === 'running' ? null : trained;
    // Most changes of the run and of the archive are progress, which is not shown here.
    const next = [exported, exportable, language];
    if (next.every((value, at) => value === shown[at])) return;
    shown = next;
    const link = exported ? h('p', {}, archiveLink.to(exported)) : archiveLink.release();
    code.show(exported ? exported.file.replace(/\.zip$/, '') : null);
    setText(status, exported ? t('export.done', { file: exported.file, bytes: bytes(exported.bytes) }) : '');
    replace(outcome, ...details(exported, exportable), link);
  });
}

/** Links to the latest archive. The browser keeps an archive until its URL is revoked. */
function linkToArchive() {
  /** @type {Exported|null} */
  let current = null;
  let url = '';
  const keep = (/** @type {Exported|null} */ exported) => {
    if (exported === current) return;
    if (url) URL.revokeObjectURL(url);
    url = exported ? URL.createObjectURL(exported.blob) : '';
    current = exported;
  };
  return {
    /** @param {Exported} exported */
    to(exported) {
      keep(exported);
      const { file } = exported;
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
function refusal({ trained, busy, opened, fatal }) {
  if (busy) return 'export.busy';
  return trained && opened && !fatal ? null : 'export.untrained';
}

/**
 * The files of the folder and the seed of the run.
 * @param {Exported|null} exported
 * @param {import('../protocol.js').TrainedState|null} trained
 */
function details(exported, trained) {
  const sizes = new Map(exported?.files.map(({ name, bytes: size }) => [name, size]));
  const names = exported ? [...sizes.keys()].sort((a, b) => position(a) - position(b)) : FILES;
  const rows = names.map((name) =>
    h(
      'tr',
      { 'data-name': name, 'data-bytes': sizes.get(name) ?? null },
      h('th', { scope: 'row' }, h('code', {}, name)),
      h('td', {}, tOr(`export.about.${name}`, '')),
      exported && h('td', { class: 'number' }, bytes(sizes.get(name) ?? 0)),
    ),
  );
  const heads = [
    h('th', { scope: 'col' }, t('export.file')),
    h('th', { scope: 'col' }, t('export.about')),
    exported && h('th', { scope: 'col', class: 'number' }, t('export.size')),
  ];
  return [
    trained && runFacts(exported, trained),
    h('h2', {}, t('export.holds')),
    scrollable(
      h(
        'table',
        { class: 'files', 'data-testid': 'export-files' },
        h('thead', {}, h('tr', {}, ...heads)),
        h('tbody', {}, ...rows),
      ),
    ),
  ];
}

/**
 * @param {Exported|null} exported
 * @param {import('../protocol.js').TrainedState} trained
 */
function runFacts(exported, trained) {
  const facts = [
    {
      label: t('export.seed'),
      value: String(trained.seed),
      attributes: { 'data-testid': 'run-seed', 'data-value': trained.seed },
    },
    { label: t('training.step'), value: number(trained.global_step) },
    exported ? { label: t('export.size'), value: bytes(exported.bytes) } : null,
  ];
  return h(
    'div',
    { class: 'run-facts' },
    figures(facts.filter((fact) => fact !== null)),
    h('p', { class: 'note' }, t('export.reproduces')),
  );
}

/** @param {string} name */
const position = (name) => (FILES.includes(name) ? FILES.indexOf(name) : FILES.length);

/** Python code that uses the folder, with a button that copies it. */
function pythonCode() {
  const code = h('code', {});
  const status = h('span', { class: 'note', role: 'status' });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(code.textContent ?? '');
      setText(status, t('export.copied'));
    } catch {
      // Without access to the clipboard the text is selected, so that the keyboard can copy it.
      getSelection()?.selectAllChildren(code);
      setText(status, t('export.select'));
    }
  };
  const element = h(
    'div',
    {},
    h(
      'div',
      { class: 'code-head' },
      h('h2', { i18n: 'export.use' }),
      h('p', { class: 'note', i18n: 'export.use_about' }),
      status,
      h('button', {
        type: 'button',
        class: 'quiet',
        'data-testid': 'copy-code',
        i18n: 'export.copy',
        on: { click: () => void copy() },
      }),
    ),
    // Focusable, so that a keyboard can scroll it on a narrow screen.
    h(
      'pre',
      {
        class: 'code',
        tabindex: '0',
        role: 'region',
        'data-i18n-label': 'export.use',
        'aria-label': t('export.use'),
        lang: 'en',
      },
      code,
    ),
  );
  return {
    element,
    /** @param {string|null} folder */
    show(folder) {
      const lines = [
        'from transformers import pipeline',
        '',
        `classifier = pipeline("text-classification", model=${JSON.stringify(folder ?? 'folder')})`,
        `print(classifier("I love how well this blender works."))`,
      ];
      if (code.textContent !== lines.join('\n')) setText(status, '');
      setText(code, lines.join('\n'));
      setAttribute(code, 'data-folder', folder);
    },
  };
}
