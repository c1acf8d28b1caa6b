// The facts beside the primary action: what computes, how long a run takes, and what is downloaded for it.

import { downloadSize } from '../download-size.js';
import { setText } from '../dom.js';
import { estimateRun, rememberRuns } from '../estimate.js';
import { bytes, duration, t } from '../i18n.js';
import { loadRecording } from '../recording/recording.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../state.js').AppState} AppState */
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
    const time = estimate ? t(`facts.time_${estimate.basis}`, { time: roughly(estimate.ms) }) : t('facts.time_unknown');
    setText(element, [opened.device.name, time, download(store.state, ownFolder)].join(' · '));
  };
  store.watch(['opened', 'busy', 'plan', 'split', 'model', 'tokens', 'origin', 'stored', 'language'], show);
  settings.subscribe(show);
  loadRecording().then(
    (loaded) => {
      recording = loaded;
      rememberRuns(app, { recording, version, ownFolder });
      show();
    },
    // Without the recording the time is known after the first steps.
    () => {},
  );
}

/**
 * An estimate is not exact to the second.
 * @param {number} ms
 */
function roughly(ms) {
  const seconds = ms / 1000;
  const step = seconds < 10 ? 1 : seconds < 120 ? 5 : 30;
  return duration(Math.max(1, Math.round(seconds / step) * step));
}

/**
 * @param {AppState} state
 * @param {boolean} ownFolder
 */
function download(state, ownFolder) {
  const size = downloadSize(state, ownFolder);
  if (size === null) return t('facts.download_unknown');
  if (size === 0) return t('facts.download_none');
  return t(state.origin.kind === 'hub' ? 'facts.download_hub' : 'facts.download_site', { size: bytes(size) });
}
