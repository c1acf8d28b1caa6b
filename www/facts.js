// What stands beside the button that starts a run: how long it will take, and what will be downloaded.

import { downloadSize } from './download-size.js';
import { bytes, currentLanguage, number, t } from './i18n.js';

/** @typedef {import('./estimate.js').Estimate} Estimate */

/** @param {Estimate|null} estimate */
export function timeSentence(estimate) {
  if (!estimate) return t('facts.time_unknown');
  const time = roughTime(estimate.ms);
  return estimate.basis === 'last_run' ? t('facts.time_last_run', { time }) : t('facts.time_recording', { time });
}

/**
 * @param {Parameters<typeof downloadSize>[0]} state
 * @param {boolean} [ownFolder]  whether the address of the page names another folder than that of the built-in model
 */
export function downloadSentence(state, ownFolder = false) {
  const size = downloadSize(state, ownFolder);
  if (size === null) return t('facts.download_unknown');
  if (size === 0) return t('facts.download_none');
  return t(state.origin.kind === 'hub' ? 'facts.download_hub' : 'facts.download_site', { size: bytes(size) });
}

/**
 * A time without the digits that an estimate does not have: `8 sec`, `35 sec`, `2.5 min`, `3 hr`.
 * @param {number} ms
 */
export function roughTime(ms) {
  const [value, unit] = roughly(ms / 1000);
  return number(value, { style: 'unit', unit, unitDisplay: 'short' });
}

/**
 * @param {number} seconds
 * @returns {[number, 'second'|'minute'|'hour']}
 */
export function roughly(seconds) {
  const to = (/** @type {number} */ value, /** @type {number} */ step) =>
    Math.max(step, Math.round(value / step) * step);
  if (seconds < 10) return [to(seconds, 1), 'second'];
  if (seconds < 90) return [to(seconds, 5), 'second'];
  const minutes = seconds / 60;
  if (minutes < 10) return [to(minutes, 0.5), 'minute'];
  if (minutes < 90) return [to(minutes, 5), 'minute'];
  return [to(minutes / 60, 0.5), 'hour'];
}

/**
 * By language. Making one takes longer than drawing a frame of the recording.
 * @type {Map<string, Intl.DateTimeFormat>}
 */
const dayFormats = new Map();

/**
 * The day of a recording in the language of the page.
 * @param {string} date  e.g. `2026-11-28`
 */
export function day(date) {
  const language = currentLanguage();
  const made = dayFormats.get(language) ?? new Intl.DateTimeFormat(language, { dateStyle: 'long', timeZone: 'UTC' });
  dayFormats.set(language, made);
  return made.format(new Date(date));
}
