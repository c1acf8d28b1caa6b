// Makes the panel of a view when it is first shown, and the others when the browser is idle, so that opening the page
// loads and draws only what is in view.

import { nextTask } from '../next-task.js';
import { styleSheet } from '../style-sheet.js';
import { VIEWS } from '../views.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../views.js').View} View */

/**
 * A panel that takes long to make is made in several tasks, and is then shown as a whole.
 * @typedef {{load: () => Promise<(app: App) => void | Promise<void>>, styles: string[]}} PanelSource
 */

/** Script and styles of each view. The overview is a part of the shell. @type {Record<View, PanelSource|null>} */
const SOURCES = {
  overview: null,
  dataset: {
    load: () => import('../panels/dataset.js').then((module) => module.datasetPanel),
    styles: ['data', 'settings', 'model', 'import', 'teach', 'rows', 'audit'],
  },
  split: {
    load: () => import('../panels/split.js').then((module) => module.splitPanel),
    styles: ['data', 'settings', 'split'],
  },
  model: { load: () => import('../panels/model.js').then((module) => module.modelPanel), styles: ['data', 'model'] },
  tokens: {
    load: () => import('../panels/tokens.js').then((module) => module.tokensPanel),
    styles: ['data', 'settings', 'tokens-view'],
  },
  training: {
    load: () => import('../panels/training.js').then((module) => module.trainingPanel),
    styles: ['data', 'settings', 'training', 'baselines'],
  },
  evaluation: {
    load: () => import('../panels/evaluation.js').then((module) => module.evaluationPanel),
    styles: ['data', 'evaluation', 'baselines'],
  },
  try: { load: () => import('../panels/try-it.js').then((module) => module.tryItPanel), styles: ['data', 'try'] },
  export: {
    load: () => import('../panels/export.js').then((module) => module.exportPanel),
    styles: ['data', 'export'],
  },
};

/** The browser may stay busy, e.g. in a background tab. */
const IDLE_TIMEOUT_MS = 2000;

/**
 * @param {App} app
 * @param {(error: unknown) => void} onError  a script or a style sheet that cannot be loaded
 */
export function makePanels(app, onError) {
  /** @type {Map<View, Promise<void>>} */
  const made = new Map();
  const make = (/** @type {View} */ view) => {
    const before = made.get(view);
    if (before) return before;
    const making = makePanel(app, SOURCES[view]).catch((error) => {
      // The next visit tries again.
      made.delete(view);
      onError(error);
    });
    made.set(view, making);
    return making;
  };
  app.store.watch(['view'], ({ view }) => void make(view));
  return {
    /** Resolves when every panel is made, one in each idle period. */
    async makeAll() {
      for (const view of VIEWS) {
        if (made.has(view)) continue;
        await idle();
        await make(view);
      }
    },
  };
}

/**
 * @param {App} app
 * @param {PanelSource|null} source
 */
async function makePanel(app, source) {
  if (!source) return;
  const [panel] = await Promise.all([source.load(), ...source.styles.map((name) => styleSheet(`./style/${name}.css`))]);
  // Not in the task in which the browser reads the last style sheet.
  await nextTask();
  await panel(app);
}

/** Resolves when the browser has nothing else to do. Safari has no idle periods. */
const idle = () =>
  new Promise((resolve) => {
    if ('requestIdleCallback' in window) requestIdleCallback(resolve, { timeout: IDLE_TIMEOUT_MS });
    else setTimeout(resolve);
  });
