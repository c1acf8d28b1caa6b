// Assembles the page: the frame first, then the worker, the settings from the worker's table, and the panels.
//
// Parameters of the address:
// - `#<view>` selects a view, see views.js
// - `device=cpu` or `device=webgpu` selects a device
// - `threads=<number>` limits the threads of the CPU device
// - `model=<URL of a folder>` or `model=owner/name@revision` selects a model
// - `endpoint=<address>` selects another Hub than huggingface.co, for models
// - `datasets=<address>` selects another rows API than that of huggingface.co, for datasets
// - `lang=ko` selects a language
// - `depth=teach`, `explore` or `expert` selects how much is shown
// - `view=projector` shows large type in high contrast
// - every setting that differs from its default, by its name
// - `components` shows the components of the page instead, for its developers
// `window.__webtune` is {store, settings, session, logs}, for tests and for the console.

import { byId, ignoreOffButtons, onFrame } from './dom.js';
import { preferredLanguage, t, useLanguage } from './i18n.js';
import { isolate } from './isolation.js';
import { isRepo } from './models.js';
import { nextTask } from './next-task.js';
import { headerPanel } from './panels/header.js';
import { overviewPanel } from './panels/overview.js';
import { refreshStored } from './requests.js';
import { Session, asShown } from './session.js';
import { Settings } from './settings.js';
import { Store, initialState, takeSessionState } from './state.js';
import { Workflow } from './workflow.js';
import { timesOf, workByItself } from './workspace/by-itself.js';
import { dock, showRefusedField } from './workspace/dock.js';
import { showFacts } from './workspace/facts.js';
import { makePanels } from './workspace/panels.js';
import { applyAppearance, preferences, preferredDepth } from './workspace/preferences.js';
import { scrollablePanes } from './workspace/panes.js';
import { rail } from './workspace/rail.js';
import { followAddress, replaceQuery } from './workspace/route.js';
import { shortcuts } from './workspace/shortcuts.js';
import { topbarButtons } from './workspace/topbar.js';

/** @typedef {Store<import('./state.js').AppState>} AppStore */

const DEVICES = /** @type {const} */ (['auto', 'webgpu', 'cpu']);
const DEFAULT_MODEL = 'all-MiniLM-L6-v2/';
const MAX_LOGS = 500;
/** @type {{level: string, text: string}[]} */
const logs = [];

// Otherwise boot.js has said what this browser lacks. Not awaited, because WebKit does not report an error of a module
// with a top-level await, nor of a module that it imports.
if (document.documentElement.dataset.boot !== 'refused') void start();

async function start() {
  const query = new URLSearchParams(location.search);
  const language = preferredLanguage(query.get('lang'));
  if (query.has('components')) {
    await useLanguage(language);
    const { showComponents } = await import('./components/gallery.js');
    await showComponents(document.querySelector('main'));
    return takeOver();
  }
  const projector = query.get('view') === 'projector';
  const store = new Store(initialState(language, { depth: preferredDepth(query), projector }), onFrame);
  void isolate(() => store.state.opened !== null);
  const appearanceChanged = applyAppearance(store);
  followAddress(store);
  await useLanguage(language);
  store.update({ sentence: t('try.first_sentence') });
  await nextTask();
  const shell = await frame(store, appearanceChanged);
  performance.mark('webtune-shell');
  await painted();
  await open(store, query, shell);
}

/**
 * What is there before the worker answers. Short tasks keep the page responsive on a slow phone.
 * @param {AppStore} store
 * @param {() => void} appearanceChanged
 */
async function frame(store, appearanceChanged) {
  ignoreOffButtons();
  preferences(store, appearanceChanged);
  topbarButtons(shortcuts(store));
  rail(store);
  const docked = dock(store);
  await nextTask();
  const overview = overviewPanel(store);
  return { docked, overview, ...headerPanel(store) };
}

/** The page runs: it reports its errors itself from here on, and boot.js no longer does. */
function takeOver() {
  document.documentElement.dataset.boot = 'runs';
  document.getElementById('boot')?.remove();
}

/**
 * Starts the worker, opens the device, and makes the panels.
 * @param {AppStore} store
 * @param {URLSearchParams} query
 * @param {Awaited<ReturnType<typeof frame>>} shell
 */
async function open(store, query, { docked, overview, comparison }) {
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
  takeOver();
  try {
    const { settings: table, presets, version } = await session.request({ type: 'describe' });
    byId('version').textContent = version;
    const settings = new Settings(table, presets);
    settings.readQuery(query);
    settings.subscribe(() => replaceQuery(settings.writeQuery(new URLSearchParams(location.search))));
    const workflow = new Workflow(session, store, settings, {
      modelBase: modelBase(query),
      endpoint: query.get('endpoint') ?? '',
      datasets: query.get('datasets') ?? '',
    });
    const repo = repoOf(query);
    if (repo !== null) store.update({ origin: { kind: 'hub', repo } });
    const site = { version, ownFolder: namesFolder(query) };
    const app = { store, settings, workflow, session, times: timesOf({ store, settings }, site) };
    docked.connect(workflow);
    overview.connect(app);
    await nextTask();
    showFacts(app, docked.facts, site);
    workByItself(app);
    const panels = makePanels(app, (error) => store.update({ refused: asShown(error) }));
    showRefusedField(app);
    Object.assign(window, { __webtune: Object.freeze({ store, settings, session, logs }) });

    const device = DEVICES.find((candidate) => candidate === query.get('device')) ?? 'auto';
    store.update({ opening: true });
    const opened = await session.request({ type: 'open', device, ...threadsOf(query) });
    turnOffUnsupported(settings, opened.device);
    store.update({ opened, opening: false });
    await painted();
    workflow.preview();
    await refreshStored(app);
    keepNames(app);
    await panels.makeAll();
    const { comparisonPanel } = await import('./panels/comparison.js');
    comparisonPanel(app, comparison);
  } catch (error) {
    if (!session.fatal) store.update({ openError: asShown(error), opening: false });
  } finally {
    // Only now, because it measures every pane.
    scrollablePanes();
  }
}

/** Resolves after the browser has painted what is there, or in a tab of the background after a timeout. */
function painted() {
  return new Promise((resolve) => onFrame(() => setTimeout(resolve)));
}

/**
 * Follows the model: lists what is stored, and names a model of the Hub in the address.
 * @param {import('./app.js').App} app
 */
function keepNames(app) {
  let wasLoading = false;
  app.store.watch(['model', 'stages'], ({ stages }) => {
    const isLoading = stages.model.state === 'running';
    // Loading a model may have stored it.
    if (wasLoading && !isLoading) void refreshStored(app);
    wasLoading = isLoading;
  });
  app.store.watch(['origin'], ({ origin }) => nameModel(origin));
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
 * The threads of the CPU device: `?threads=`, else one for each core.
 * @param {URLSearchParams} query
 */
function threadsOf(query) {
  const threads = Number(query.get('threads'));
  return Number.isInteger(threads) && threads > 0 ? { threads } : {};
}

/**
 * The URL of the model's folder: `?model=`, else the model that is built into the site.
 * @param {URLSearchParams} query
 */
function modelBase(query) {
  const models = document.querySelector('meta[name="webtune-models"]')?.getAttribute('content') ?? './models/';
  const folder = namesFolder(query) ? query.get('model') : `${models}${DEFAULT_MODEL}`;
  const base = new URL(folder ?? '', document.baseURI).href;
  return base.endsWith('/') ? base : `${base}/`;
}

/** Whether the URL names the folder of a model. @param {URLSearchParams} query */
function namesFolder(query) {
  return Boolean(query.get('model')) && repoOf(query) === null;
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
