// Assembles the page: the frame first, then the worker, the settings from the worker's table, and the panels.
//
// Parameters of the address:
// - `#<view>` selects a view, see views.js
// - `device=cpu` or `device=webgpu` selects a device
// - `threads=<number>` limits the threads of the CPU device
// - `model=<URL of a folder>` or `model=owner/name@revision` selects a model
// - `endpoint=<address>` selects another Hub than that of the site (`webtune-hub` of index.html), for models
// - `datasets=<address>` selects another rows API than that of the site (`webtune-datasets`), for datasets
// Both must be among the hosts of the site's policy, see docs/operations.md.
// - `lang=ko` selects a language
// - `depth=teach`, `explore` or `expert` selects how much is shown
// - `view=projector` shows large type in high contrast
// - every setting that differs from its default, by its name
// - `components` shows the components of the page instead, for its developers
// `window.__webtune` is {store, settings, session, logs}, for tests and for the console.

import { byId, ignoreOffButtons, onFrame } from './dom.js';
import { preferredLanguage, t, useLanguage } from './i18n.js';
import { refreshInterrupted } from './interrupted.js';
import { isolate } from './isolation.js';
import { isRepo } from './models.js';
import { nextTask } from './next-task.js';
import { headerPanel } from './panels/header.js';
import { interruptedNotices } from './panels/interrupted.js';
import { overviewPanel } from './panels/overview.js';
import { refreshStored } from './requests.js';
import { keepFiles } from './run-files.js';
import { scriptUrl } from './script-url.js';
import { Session, asShown } from './session.js';
import { Settings } from './settings.js';
import { Store, initialState, takeSessionState } from './state.js';
import { watchLife } from './worker-life.js';
import { Workflow } from './workflow.js';
import { aboutOpener } from './workspace/about-opener.js';
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
  const showAbout = aboutOpener((error) => store.update({ refused: asShown(error) }));
  topbarButtons(shortcuts(store, showAbout));
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
  const first = newWorker();
  const session = new Session(first.worker, {
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
    watch(session, first);
    byId('version').textContent = version;
    const settings = new Settings(table, presets);
    settings.readQuery(query);
    settings.subscribe(() => replaceQuery(settings.writeQuery(new URLSearchParams(location.search))));
    const openDevice = async (/** @type {import('./recovery.js').DeviceName} */ device) => {
      store.update({ opening: true });
      const opened = await session.request({ type: 'open', device: device ?? deviceOf(query), ...threadsOf(query) });
      turnOffUnsupported(settings, opened.device);
      store.update({ opened, opening: false });
    };
    const sources = {
      modelBase: modelBase(query),
      endpoint: query.get('endpoint') ?? ofSite('hub'),
      datasets: query.get('datasets') ?? ofSite('datasets'),
    };
    const workflow = new Workflow(session, store, settings, sources, async (device) => {
      const next = newWorker();
      session.restart(next.worker);
      store.update({ opened: null, fatal: null });
      await openDevice(device);
      watch(session, next);
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

    interruptedNotices(app, byId('interrupted'));
    await openDevice(null);
    await painted();
    workflow.preview();
    await refreshInterrupted(app);
    await refreshStored(app);
    keepModelFiles(app);
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

/** A worker, and a name that no other one has. */
function newWorker() {
  const name = Array.from(crypto.getRandomValues(new Uint32Array(2)), (part) => part.toString(36)).join('');
  return { name, worker: new Worker(scriptUrl(new URL('./worker.js', import.meta.url)), { type: 'module', name }) };
}

/**
 * Notices the end of a worker that has answered.
 * @param {Session} session
 * @param {ReturnType<typeof newWorker>} started
 */
function watch(session, { name, worker }) {
  watchLife(name, () => session.ended(worker));
}

/** The device that the address selects. @param {URLSearchParams} query */
function deviceOf(query) {
  return DEVICES.find((candidate) => candidate === query.get('device')) ?? 'auto';
}

/**
 * Keeps the files of a model of the visitor's disk while a run of it is stored.
 * @param {import('./app.js').App} app
 */
function keepModelFiles({ store }) {
  /** @type {number|null} */
  let kept = null;
  store.watch(['saved'], ({ saved, origin }) => {
    if (saved && origin.kind === 'disk' && kept !== saved.run) void keepFiles(saved.run, origin);
    kept = saved?.run ?? null;
  });
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
  const folder = namesFolder(query) ? query.get('model') : `${ofSite('models') || './models/'}${DEFAULT_MODEL}`;
  const base = new URL(folder ?? '', document.baseURI).href;
  return base.endsWith('/') ? base : `${base}/`;
}

/**
 * What the site says about where things are, in a `meta` element of index.html; empty where it says nothing.
 * @param {'models'|'hub'|'datasets'} name
 */
function ofSite(name) {
  return document.querySelector(`meta[name="webtune-${name}"]`)?.getAttribute('content') ?? '';
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
