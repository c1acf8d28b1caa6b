// The facts beside the primary action: what computes, how long a run takes, and what is downloaded for it.

import { setText } from '../dom.js';
import { estimateRun, rememberRuns } from '../estimate.js';
import { downloadSentence, timeSentence } from '../facts.js';
import { loadRecording } from '../recording/recording.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../recording/recording.js').Recording} Recording */

/**
 * @param {App} app
 * @param {HTMLElement} element
 * @param {{version: string, ownFolder: boolean}} site  `ownFolder`: the address names another folder for its model
 */
export function showFacts(app, element, { version, ownFolder }) {
  const { store, settings } = app;
  /** @type {Recording|null} */
  let recording = null;
  const show = () => {
    const { opened, busy } = store.state;
    if (!opened || busy) return setText(element, '');
    const basis = recording && { values: settings.values(), recording, version, ownFolder };
    const estimate = basis && estimateRun(store.state, basis);
    const sentences = [timeSentence(estimate), downloadSentence(store.state, ownFolder)];
    setText(element, [opened.device.name, ...sentences].join(' · '));
  };
  const follow = () => {
    store.watch(['opened', 'busy', 'plan', 'split', 'model', 'tokens', 'origin', 'stored', 'language'], show);
    settings.subscribe(show);
  };
  loadRecording()
    .then((loaded) => {
      recording = loaded;
      // Before `follow`: one update may tell that a run has ended and that the page is no longer busy.
      rememberRuns(app, { recording, version, ownFolder });
    })
    // Without the recording the time is known after the first steps.
    .catch(() => {})
    .finally(follow);
}
