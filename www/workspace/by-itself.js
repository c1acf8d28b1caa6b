// Starts what the page does by itself: the audit, the baselines, and recommended values that follow the data.

import { auditJob } from '../audit.js';
import { Background } from '../background.js';
import { baselineJobs } from '../baselines.js';
import { embeddingSeconds, estimateRun, secondsPerUnit } from '../estimate.js';
import { needed, recommend, recommendJob } from '../recommendation.js';
import { loadRecording } from '../recording/recording.js';
import { leastOperations } from '../work.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../recording/recording.js').Recording} Recording */
/** @typedef {import('../estimate.js').Estimate} Estimate */
/**
 * @typedef {object} Times
 * @property {() => Estimate|null} estimate             of the run that would start now
 * @property {() => number|null} seconds_per_unit       of the work of a run, see work.js
 * @property {() => number|null} embedding_seconds      of one pass of the encoder over every row
 * @property {() => number|null} operations             of the run that would start now, at least
 */

/**
 * What is known of the speed of the device. Before the recording is loaded, nothing is.
 * @param {Pick<App, 'store'|'settings'>} app
 * @param {{version: string, ownFolder: boolean}} site
 * @returns {Times}
 */
export function timesOf({ store, settings }, { version, ownFolder }) {
  /** @type {Recording|null} */
  let recording = null;
  loadRecording().then(
    (loaded) => (recording = loaded),
    () => {},
  );
  const basis = () => recording && { values: settings.values(), recording, version, ownFolder };
  return {
    estimate() {
      const known = basis();
      return known && estimateRun(store.state, known);
    },
    seconds_per_unit() {
      const known = basis();
      return known && secondsPerUnit(store.state, known);
    },
    embedding_seconds() {
      const known = basis();
      return known && embeddingSeconds(store.state, known);
    },
    operations() {
      const known = basis();
      return known && leastOperations(store.state, known.values, known.recording, ownFolder);
    },
  };
}

/** @param {App} app */
export function workByItself(app) {
  const { store, settings, workflow, times } = app;
  const jobs = [
    recommendJob(app, times.seconds_per_unit),
    auditJob(app),
    ...baselineJobs(app, times.embedding_seconds),
  ];
  const background = new Background(app, jobs);
  workflow.connect({
    settled: () => background.settled(),
    async beforeTraining() {
      if (needed(store.state, settings)) await recommend(app, times.seconds_per_unit);
    },
  });
  background.follow();
}
