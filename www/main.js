// The page: starts the worker, builds the settings from its table, and puts the panels together.
//
// In the URL: `?device=cpu` or `?device=webgpu` forces a device, `?model=<URL of a folder>` takes another model,
// `?lang=ko` a language, and every setting that differs from its default stands there by name.
// `window.__webtune` holds {store, settings, session} for tests and for engineers at the console.

import { initialState } from './app.js';
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
import { Settings, Store } from './state.js';
import { Workflow } from './workflow.js';

const DEVICES = /** @type {const} */ (['auto', 'webgpu', 'cpu']);
const DEFAULT_MODEL = 'all-MiniLM-L6-v2/';
const MOST_LOGS = 500;
/** @type {{level: string, text: string}[]} */
const logs = [];

await start();

async function start() {
  const query = new URLSearchParams(location.search);
  // The worker first: its module downloads and compiles while the page draws itself.
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  const session = new Session(worker, {
    onFatal: (fatal) => store.update({ fatal }),
    // The browser's own console shows the worker's lines; tests and bug reports read them here.
    onLog: ({ level, text }) => {
      logs.push({ level, text });
      if (logs.length > MOST_LOGS) logs.shift();
    },
  });
  const language = preferredLanguage(query.get('lang'));
  const store = new Store(initialState(language, ''), onFrame);
  const described = session.request({ type: 'describe' });
  described.catch(() => {}); // awaited below, after the page's text
  await useLanguage(language);
  store.update({ language, sentence: t('try.first_sentence') });
  const { comparison } = headerPanel(store);

  try {
    const { settings: table, presets, version } = await described;
    byId('version').textContent = version;
    const settings = new Settings(table, presets);
    settings.readQuery(query);
    settings.subscribe(() => {
      const written = settings.writeQuery(new URLSearchParams(location.search)).toString();
      history.replaceState(null, '', `${location.pathname}${written ? `?${written}` : ''}${location.hash}`);
    });
    const workflow = new Workflow(session, store, settings, modelBase(query));
    const app = { store, settings, workflow, session };
    for (const panel of [progressPanel, datasetPanel, splitPanel, modelPanel, tokensPanel, trainingPanel, evaluationPanel, tryItPanel, exportPanel]) panel(app);
    comparisonPanel(app, comparison);
    Object.assign(window, { __webtune: Object.freeze({ store, settings, session, logs }) });

    const device = DEVICES.find((candidate) => candidate === query.get('device')) ?? 'auto';
    store.update({ opening: true });
    store.update({ opened: await session.request({ type: 'open', device }), opening: false });
    workflow.preview();
  } catch (error) {
    if (!session.fatal) store.update({ openError: asShown(error), opening: false });
  }
}

/**
 * The folder of the model: `?model=`, else the one that the build put among the models.
 * @param {URLSearchParams} query
 */
function modelBase(query) {
  const models = document.querySelector('meta[name="webtune-models"]')?.getAttribute('content') ?? './models/';
  const base = new URL(query.get('model') || `${models}${DEFAULT_MODEL}`, document.baseURI).href;
  return base.endsWith('/') ? base : `${base}/`;
}
