// The visitor's actions on the stages.
//
// A stage first runs the stages that it needs. Its result stays on the page until a newer one replaces it. When its
// settings change, it is marked as out of date and made again the next time it is needed.

import { canBeSplit } from './data/teach.js';
import { OwnData } from './data/own-data.js';
import { Freshness } from './freshness.js';
import { t } from './i18n.js';
import { Planner } from './planner.js';
import { Preview } from './preview.js';
import { originOf } from './interrupted.js';
import { recover } from './recovery.js';
import { RequestError, asShown } from './session.js';
import { StageRunner } from './stage-runner.js';
import { patchRun, patchStage, runResult, runningRun } from './state.js';
import { discard, restorePrevious } from './training.js';

/** @typedef {import('./stages.js').Stage} Stage */
/** @typedef {import('./state.js').Origin} Origin */

export class Workflow {
  #session;
  #store;
  #settings;
  #freshness;
  #planner;
  #runner;
  #preview;
  /** Ends the work that the page does by itself. */
  #settleBackground = async () => {};
  /** Changes settings that follow the data. */
  #beforeTraining = async () => {};
  #reopen;

  /**
   * @param {import('./session.js').Session} session
   * @param {import('./state.js').Store<import('./state.js').AppState>} store
   * @param {import('./settings.js').Settings} settings
   * @param {import('./loading.js').Sources} sources
   * @param {import('./recovery.js').Parts['reopen']} reopen
   */
  constructor(session, store, settings, sources, reopen) {
    this.#session = session;
    this.#store = store;
    this.#settings = settings;
    this.#reopen = reopen;
    const planner = new Planner(session, store, settings);
    this.#planner = planner;
    this.#freshness = new Freshness(store, settings, sources.modelBase);
    this.#runner = new StageRunner(session, store, settings, this.#freshness, planner, sources);
    const isBlocked = () => store.state.busy || session.fatal !== null;
    const hasEnoughRows = () =>
      store.state.source.kind === 'toy' || !store.state.dataset || canBeSplit(store.state.dataset);
    this.#preview = new Preview(settings, this.#freshness, this.#runner, planner, { isBlocked, hasEnoughRows });
    /** What the visitor does with rows of their own. */
    this.data = new OwnData({
      session,
      store,
      freshness: this.#freshness,
      endpoint: sources.datasets,
      exclusively: (work) => this.exclusively(work),
      isBlocked,
      settleBackground: () => this.#settleBackground(),
      changed: () => this.#settingsChanged(),
    });
    settings.subscribe(() => this.#settingsChanged());
  }

  /** Runs every stage, from the dataset to the typed sentence. */
  async runAll() {
    const stages = /** @type {Stage[]} */ (['dataset', 'split', 'model', 'tokens', 'training', 'try']);
    await this.#run(() => stages, { always: ['training', 'try'] });
  }

  /**
   * Runs one stage, after those that it needs. That of the dataset makes the toy, in place of the visitor's own rows.
   * @param {Stage} stage
   * @param {{paused?: boolean}} [options]
   */
  async run(stage, options = {}) {
    await this.#run(() => [...this.missing(stage), stage], { always: [stage], ...options });
  }

  /**
   * Continues an interrupted run.
   * @param {number} run
   */
  async resume(run) {
    await this.exclusively(async () => {
      this.#store.update({ recovered: null });
      if (!(await this.#resume(run))) await this.#recover();
    });
  }

  /**
   * The stages that must run before this one, in order.
   * @param {Stage} stage
   */
  missing(stage) {
    return this.#freshness.missing(stage);
  }

  /**
   * Loads another model. When that fails, the model of before stays.
   * @param {Origin|Promise<Origin>} origin
   */
  async loadFrom(origin) {
    const chosen = Promise.resolve(origin);
    chosen.catch(() => {}); // handled by the runner, unless something else is running
    await this.exclusively(async () => {
      const before = this.#store.state.stages.model;
      const load = () => this.#runner.run('model', { origin: chosen });
      if (await this.#freshness.transaction('model', load)) return;
      patchStage(this.#store, 'model', { ...before, error: this.#store.state.stages.model.error });
    });
  }

  /** Stops loading a model. The bytes of a download from the Hub are kept. */
  async stopLoading() {
    if (this.#store.state.stages.model.state === 'running')
      await this.#session.request({ type: 'control', action: 'stop' });
  }

  /** @param {'pause'|'resume'|'step'|'stop'} action */
  async control(action) {
    if (!runningRun(this.#store.state)) return;
    const { state } = await this.#session.request({ type: 'control', action });
    if (action === 'stop') patchRun(this.#store, { state });
    else patchRun(this.#store, { state, byHand: action !== 'resume' });
  }

  /** Exchanges the trained model and the other one that is kept, and classifies the sentence again. */
  async restorePrevious() {
    await this.#changeModels(async () => {
      await restorePrevious(this.#session, this.#store);
      const { state } = this.#store;
      this.#freshness.restore('training', runResult(state) ? state.runInputs : null);
      if (state.prediction) await this.#runner.run('try');
    });
  }

  /**
   * Frees a trained model, so that its memory can be used by a run.
   * @param {import('./protocol.js').KeptModel} model
   */
  async discard(model) {
    await this.#changeModels(async () => {
      await discard(this.#session, this.#store, model);
      if (model === 'trained') this.#freshness.invalidate('training');
      await this.#planner.update();
    });
  }

  /** @param {() => Promise<void>} change */
  async #changeModels(change) {
    await this.exclusively(async () => {
      try {
        await change();
      } catch (error) {
        this.#store.update({ refused: asShown(error) });
      }
    });
  }

  /** Classifies the sentence in the store, during a training run between two of its steps. */
  async predict() {
    if (runningRun(this.#store.state)) await this.#runner.run('try');
    else await this.run('try');
  }

  /**
   * Connects what the page does by itself while the worker is idle.
   * @param {{settled: () => Promise<void>, beforeTraining: () => Promise<void>}} background
   */
  connect({ settled, beforeTraining }) {
    this.#settleBackground = settled;
    this.#beforeTraining = beforeTraining;
  }

  /** Makes the stages that cost little, so that the page shows rows and warnings from the start. */
  preview() {
    this.#preview.start();
  }

  /**
   * Does work that excludes all other work of the worker. Does nothing while other such work is running.
   * @param {() => Promise<void>} work
   */
  async exclusively(work) {
    if (this.#store.state.busy || this.#session.fatal) return;
    this.#store.update({ busy: true, refused: null });
    // The error of a refused model is out of date; the stage itself still has the model of before.
    if (this.#store.state.stages.model.state !== 'error') patchStage(this.#store, 'model', { error: null });
    try {
      await Promise.all([this.#preview.settled(), this.data.settled(), this.#settleBackground()]);
      await work();
    } finally {
      this.#store.update({ busy: false });
      this.#settingsChanged();
    }
  }

  /**
   * @param {() => Stage[]} wanted  asked when the changes of rows that came before are made
   * @param {{always: Stage[], paused?: boolean}} options  `always` run also when they are fresh
   */
  async #run(wanted, { always, paused = false }) {
    await this.exclusively(async () => {
      const stages = wanted();
      if (!this.#isAllowed(stages)) return;
      if (stages.includes('split')) this.#preview.skip();
      // The marks of an earlier run must not look like those of this one.
      for (const stage of stages.filter((candidate) => always.includes(candidate)))
        patchStage(this.#store, stage, { state: 'idle', error: null });
      for (const stage of stages) {
        if (this.#freshness.isFresh(stage) && !always.includes(stage)) continue;
        if (stage === 'training' && !(await this.#takeRecommended())) return;
        if (stage === 'training') this.#store.update({ recovered: null });
        const succeeded = (await this.#runStage(stage, paused)) || (stage === 'training' && (await this.#recover()));
        if (!succeeded) return;
        // The split of the new dataset follows in this run.
        if (stage === 'dataset' && stages.includes('split')) this.#preview.skip();
      }
    });
  }

  /** Continues the run that has just failed with its device or worker. Returns whether it ended without an error. */
  async #recover() {
    return recover({
      store: this.#store,
      reopen: async (device) => {
        await this.#reopen(device);
        this.#freshness.reset();
      },
      resume: (run, paused) => this.#resume(run, paused),
    });
  }

  /**
   * Takes over the rows and the settings of an interrupted run, loads its model and continues it.
   * @param {number} run
   * @param {boolean} [paused]  whether it waits before its next step
   * @returns {Promise<boolean>} whether it ended without an error
   */
  async #resume(run, paused = false) {
    try {
      const data = await this.#session.request({ type: 'resume_data', run });
      const origin = await originOf(run, data.locator);
      if (!origin) throw new RequestError({ code: 'resume', message: t('interrupted.no_files'), field: null });
      this.#settings.setAll(data.values);
      this.data.restore(data.dataset);
      this.#store.update({
        split: data.split,
        interrupted: this.#store.state.interrupted.filter(({ id }) => id !== run),
      });
      this.#freshness.made('split', this.#freshness.inputs('split'));
      patchStage(this.#store, 'split', { state: 'done', error: null, progress: null, stale: false });
      return (
        (await this.#runner.run('model', { origin })) &&
        (await this.#runner.run('tokens')) &&
        (await this.#runner.run('training', { resume: run, paused }))
      );
    } catch (error) {
      this.#store.update({ refused: asShown(error) });
      return false;
    }
  }

  /** Lets settings follow the data, and makes again what they change. */
  async #takeRecommended() {
    await this.#beforeTraining();
    for (const stage of this.missing('training')) if (!(await this.#runner.run(stage))) return false;
    return true;
  }

  /**
   * @param {Stage} stage
   * @param {boolean} paused
   */
  async #runStage(stage, paused) {
    if (stage !== 'dataset' || this.#store.state.source.kind === 'toy') return this.#runner.run(stage, { paused });
    // When the toy cannot be made, the visitor's own rows stay.
    const made = await this.#freshness.transaction('dataset', () => this.#runner.run('dataset'));
    if (!made) patchStage(this.#store, 'dataset', { state: 'done' });
    return made;
  }

  /**
   * Refuses a run that cannot succeed, and shows why.
   * @param {Stage[]} stages
   */
  #isAllowed(stages) {
    const invalid = this.#settings.firstInvalid();
    if (invalid) {
      const error = this.#settings.error(invalid.name);
      const message = t('run.refused_setting', {
        setting: t(`setting.${invalid.name}.label`),
        problem: error ? t(error.key, error.params) : '',
      });
      this.#store.update({ refused: { code: 'settings', message, field: invalid.name } });
      return false;
    }
    const selfTest = this.#store.state.opened?.self_test;
    if (selfTest && !selfTest.passed && stages.includes('training')) {
      this.#store.update({ refused: { code: 'self_test', message: t('self_test.refused'), field: null } });
      return false;
    }
    return true;
  }

  #settingsChanged() {
    this.#freshness.markStale();
    this.#preview.schedule();
  }
}
