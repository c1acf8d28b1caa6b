// Assembles the page: starts the worker, builds the settings from the worker's table, and creates the panels.
//
// Parameters of the URL:
// - `device=cpu` or `device=webgpu` selects a device
// - `model=<URL of a folder>` or `model=owner/name@revision` selects a model
// - `endpoint=<address>` selects another Hub than huggingface.co
// - `lang=ko` selects a language
// - `components` shows the components instead, for developers
// - every setting that differs from its default, by its name
// `window.__webtune` is {store, settings, session, logs}, for tests and for the console.

import { byId, onFrame } from './dom.js';
import { preferredLanguage, t, useLanguage } from './i18n.js';
import { comparisonPanel } from './panels/comparison.js';
import { datasetPanel } from './panels/dataset.js';
import { evaluationPanel } from './panels/evaluation.js';
import { exportPanel } from './panels/export.js';
import { headerPanel } from './panels/header.js';
import { modelPanel } from './panels/model.js';
import { progressPanel } from './panels/progress.js';
import { splitPanel } from './panels/split.js';
import { tokensPanel } from './panels/tokens.js';
import { trainingPanel } from './panels/training.js';
import { tryItPanel } from './panels/try-it.js';
import { Session, asShown } from './session.js';
import { isRepo } from './models.js';
import { refreshStored } from './requests.js';
import { Settings } from './settings.js';
import { Store, initialState, takeSessionState } from './state.js';
import { Workflow } from './workflow.js';

const DEVICES = /** @type {const} */ (['auto', 'webgpu', 'cpu']);
const PANELS = [
  progressPanel,
  datasetPanel,
  splitPanel,
  modelPanel,
  tokensPanel,
  trainingPanel,
  evaluationPanel,
  tryItPanel,
  exportPanel,
];
const DEFAULT_MODEL = 'all-MiniLM-L6-v2/';
const MAX_LOGS = 500;
/** @type {{level: string, text: string}[]} */
const logs = [];

await start();

async function start() {
  const query = new URLSearchParams(location.search);
  if (query.has('components')) {
    await useLanguage(preferredLanguage(query.get('lang')));
    return (await import('./components/gallery.js')).showComponents(document.querySelector('main'));
  }
  // The worker starts first, because its module downloads and compiles while the page is drawn.
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  const session = new Session(worker, {
    onState: (state) => takeSessionState(store, state),
    onFatal: (fatal) => store.update({ fatal }),
    // The console of the browser shows these lines too; tests and bug reports read them from `__webtune`.
    onLog: ({ level, text }) => {
      logs.push({ level, text });
      if (logs.length > MAX_LOGS) logs.shift();
    },
  });
  const language = preferredLanguage(query.get('lang'));
  const store = new Store(initialState(language, ''), onFrame);
  const described = session.request({ type: 'describe' });
  described.catch(() => {}); // awaited below, after the text of the page
  await useLanguage(language);
  store.update({ language, sentence: t('try.first_sentence') });
  const { comparison } = headerPanel(store);

  try {
    const { settings: table, presets, version } = await described;
    byId('version').textContent = version;
    const settings = new Settings(table, presets);
    settings.readQuery(query);
    settings.subscribe(() => replaceQuery(settings.writeQuery(new URLSearchParams(location.search))));
    const workflow = new Workflow(session, store, settings, {
      modelBase: modelBase(query),
      endpoint: query.get('endpoint') ?? '',
    });
    const repo = repoOf(query);
    if (repo !== null) store.update({ origin: { kind: 'hub', repo } });
    const app = { store, settings, workflow, session };
    for (const panel of PANELS) panel(app);
    comparisonPanel(app, comparison);
    Object.assign(window, { __webtune: Object.freeze({ store, settings, session, logs }) });

    const device = DEVICES.find((candidate) => candidate === query.get('device')) ?? 'auto';
    store.update({ opening: true });
    const opened = await session.request({ type: 'open', device });
    turnOffUnsupported(settings, opened.device);
    store.update({ opened, opening: false });
    workflow.preview();
    await refreshStored(app);
    // Loading a model may have stored it.
    let wasLoading = false;
    store.watch(['model', 'stages'], ({ stages }) => {
      const isLoading = stages.model.state === 'running';
      if (wasLoading && !isLoading) void refreshStored(app);
      wasLoading = isLoading;
    });
    store.watch(['origin'], ({ origin }) => nameModel(origin));
  } catch (error) {
    if (!session.fatal) store.update({ openError: asShown(error), opening: false });
  }
}

/**
 * @param {Settings} settings
 * @param {import('./protocol.js').DeviceInfo} device
 */
function turnOffUnsupported(settings, { kind, name, shader_f16 }) {
  if (!shader_f16)
    settings.turnOff('fp16', {
      key: kind === 'cpu' ? 'setting.fp16.off_cpu' : 'setting.fp16.off_adapter',
      params: { name },
    });
}

/**
 * The URL of the model's folder: `?model=`, else the model that is built into the site.
 * @param {URLSearchParams} query
 */
function modelBase(query) {
  const models = document.querySelector('meta[name="webtune-models"]')?.getAttribute('content') ?? './models/';
  const folder = repoOf(query) === null ? query.get('model') : null;
  const base = new URL(folder || `${models}${DEFAULT_MODEL}`, document.baseURI).href;
  return base.endsWith('/') ? base : `${base}/`;
}

/**
 * The repository on the Hub that the URL names, or null.
 * @param {URLSearchParams} query
 */
function repoOf(query) {
  const model = query.get('model') ?? '';
  return isRepo(model) ? model.trim() : null;
}

/**
 * Keeps the name of a model of the Hub in the URL, so that a copied address opens the same model.
 * @param {import('./state.js').Origin} origin
 */
function nameModel(origin) {
  const query = new URLSearchParams(location.search);
  if (origin.kind === 'hub' && isRepo(origin.repo)) query.set('model', origin.repo);
  else if (origin.kind === 'site' && repoOf(query) !== null) query.delete('model');
  else return;
  replaceQuery(query);
}

/** @param {URLSearchParams} query */
function replaceQuery(query) {
  history.replaceState(null, '', `${location.pathname}${query.size > 0 ? `?${query}` : ''}${location.hash}`);
}
