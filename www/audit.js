// The audit of the present data: made by itself after each change, and the search for wrong labels on request.

import { counts } from './findings.js';
import { t } from './i18n.js';
import { RequestError, asShown } from './session.js';
import { asText } from './settings.js';

/** @typedef {import('./protocol.js').AuditView} AuditView */
/** @typedef {import('./app.js').App} App */
/** @typedef {import('./findings.js').Action} Action */
/** @typedef {import('./protocol.js').WorkerError} WorkerError */

/**
 * What can be undone: the edit of a dataset while no other edit follows it, or settings with their texts of before.
 * @typedef {{kind: 'edit', dataset: import('./protocol.js').DatasetView, text: string}
 *   | {kind: 'settings', texts: Record<string, string>, text: string}} Undo
 */

/**
 * @typedef {object} AuditState
 * @property {AuditView|null} view      the quick checks
 * @property {AuditView|null} labels    the search for wrong labels and outliers
 * @property {unknown} labelsOf         the dataset that `labels` are of
 * @property {{done: number, total: number}|null} looking  the search is running
 * @property {WorkerError|null} error
 * @property {Undo|null} undo           the last remedy
 */

/** Every finding of the present data. @param {Pick<import('./state.js').AppState, 'audit'|'dataset'>} state */
export function findingsOf({ audit, dataset }) {
  if (!audit.view) return [];
  const ofLabels = audit.labels && audit.labelsOf === dataset ? audit.labels.findings : [];
  const ids = new Set(ofLabels.map(({ id }) => id));
  return [...audit.view.findings.filter(({ id }) => !ids.has(id)), ...ofLabels];
}

/**
 * The errors and warnings in a few words, for the rail; nothing where there are none.
 * @param {Pick<import('./state.js').AppState, 'audit'|'dataset'>} state
 */
export function auditNote(state) {
  const { error, warning } = counts(findingsOf(state));
  const parts = [
    error > 0 && t('audit.errors', { count: error }),
    warning > 0 && t('audit.warnings', { count: warning }),
  ];
  return parts.filter(Boolean).join(' · ');
}

/**
 * The job that makes the quick checks.
 * @param {App} app
 * @returns {import('./background.js').Job}
 */
export function auditJob({ store, settings, session }) {
  return {
    inputs: ({ dataset, split, tokens }) =>
      dataset && !settings.firstInvalid() ? [dataset, split, tokens, textOf(settings.values())] : null,
    async run() {
      try {
        const made = await session.request({ type: 'audit', values: settings.values() });
        const { view } = store.state.audit;
        // Equal findings stay on the page as they are.
        patch(store, { view: JSON.stringify(made) === JSON.stringify(view) ? view : made, error: null });
      } catch (error) {
        patch(store, { view: null, error: asShown(error) });
      }
      return true;
    },
  };
}

/** @param {import('./protocol.js').Values} values */
const textOf = (values) =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${asText(value)}`)
    .join('&');

/**
 * Looks for wrong labels and outliers, which embeds every row. It makes the tokens first where they are missing.
 * @param {App} app
 */
export async function lookForWrongLabels({ store, session, workflow }) {
  if (workflow.missing('training').length > 0) await workflow.run('tokens');
  if (workflow.missing('training').length > 0) return;
  await workflow.exclusively(async () => {
    patch(store, { looking: { done: 0, total: 0 }, error: null });
    const { dataset } = store.state;
    try {
      const labels = await session.request({ type: 'audit_labels' }, (event) => {
        if (event.kind === 'embedding') patch(store, { looking: { done: event.done, total: event.total } });
      });
      patch(store, { labels, labelsOf: dataset });
    } catch (error) {
      // The visitor has stopped it.
      if (!(error instanceof RequestError && error.code === 'stopped')) patch(store, { error: asShown(error) });
    } finally {
      patch(store, { looking: null });
    }
  });
}

/**
 * Does what the button of a finding says.
 * @param {App} app
 * @param {Action} action
 * @param {string} text  what was done, for the visitor
 */
export async function remedy(app, action, text) {
  const { store, settings, workflow } = app;
  if (action.kind === 'settings') {
    const texts = Object.fromEntries(Object.keys(action.values).map((name) => [name, settings.text(name)]));
    settings.setAll(action.values);
    return patch(store, { undo: { kind: 'settings', texts, text } });
  }
  const made = await workflow.data.edit(action.edit);
  const { dataset } = store.state;
  if (made && dataset) patch(store, { undo: { kind: 'edit', dataset, text } });
}

/**
 * Takes back the last remedy.
 * @param {App} app
 */
export async function undoRemedy({ store, settings, workflow }) {
  const { undo } = store.state.audit;
  patch(store, { undo: null });
  if (undo?.kind === 'settings') settings.setAll(undo.texts);
  if (undo?.kind === 'edit') await workflow.data.undo();
}

/**
 * Whether the last remedy can be taken back now.
 * @param {Pick<import('./state.js').AppState, 'audit'|'dataset'>} state
 */
export const canUndo = ({ audit: { undo }, dataset }) =>
  undo !== null && (undo.kind !== 'edit' || undo.dataset === dataset);

/**
 * @param {App['store']} store
 * @param {Partial<AuditState>} change
 */
const patch = (store, change) => store.update({ audit: { ...store.state.audit, ...change } });
