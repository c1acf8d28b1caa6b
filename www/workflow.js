// How the stages are run.
//
// A stage that is asked for runs whatever it needs first. A stage's result stays on the page until a newer one replaces it;
// when settings that it was made with change, it is marked as out of date and made again the next time it is needed.

import { RequestError, asShown } from './session.js';
import { BATCH_SETTINGS, GROUPS, NEEDS, STAGES } from './stages.js';
import { asText } from './state.js';
import { bytes, t } from './i18n.js';

/** @typedef {import('./protocol.js').ProgressEvent} ProgressEvent */
/** @typedef {import('./app.js').AppState} AppState */
/** @typedef {import('./app.js').Run} Run */
/** @typedef {import('./stages.js').HubOrigin} HubOrigin */
/** @typedef {import('./stages.js').Origin} Origin */
/** @typedef {import('./stages.js').Stage} Stage */
/** @typedef {import('./stages.js').StageState} StageState */

/** Typing is followed by a pause of this length before cheap stages are made again. */
const PREVIEW_AFTER_MS = 300;

export class Workflow {
  #session;
  #store;
  #settings;
  #modelBase;
  #endpoint;
  /** Where the model comes from instead of `#modelBase`. @type {Origin|HubOrigin|null} */
  #origin = null;
  /** What each stage was made from. @type {Map<Stage, string>} */
  #made = new Map();
  /** The preview under way, if one is. @type {Promise<void>|null} */
  #preview = null;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #previewTimer;
  #planAsked = 0;
  /** The settings that were last previewed or run: what failed with them would only fail again. */
  #previewed = '';

  /**
   * @param {import('./session.js').Session} session
   * @param {import('./state.js').Store<AppState>} store
   * @param {import('./state.js').Settings} settings
   * @param {string} modelBase  absolute URL of the model's folder, ends in /
   * @param {{endpoint?: string, repo?: string|null}} [hub]  the Hub's address, and the model that the page begins with
   */
  constructor(session, store, settings, modelBase, { endpoint = '', repo = null } = {}) {
    this.#session = session;
    this.#store = store;
    this.#settings = settings;
    this.#modelBase = modelBase;
    this.#endpoint = endpoint;
    if (repo !== null) this.#origin = { repo };
    settings.subscribe(() => this.#settingsChanged());
  }

  /** Everything, from the dataset to a typed sentence. */
  async runAll() {
    await this.#run(['dataset', 'split', 'model', 'tokens', 'training', 'try'], { always: ['training', 'try'] });
  }

  /**
   * One stage, after what it needs.
   * @param {Stage} stage
   * @param {{paused?: boolean}} [options]
   */
  async run(stage, options = {}) {
    await this.#run([...this.missing(stage), stage], { always: [stage], ...options });
  }

  /**
   * The stages that must run before this one can, in order.
   * @param {Stage} stage
   * @returns {Stage[]}
   */
  missing(stage) {
    const needed = NEEDS[stage].flatMap((need) => [...this.missing(need), ...(this.#fresh(need) ? [] : [need])]);
    return STAGES.filter((candidate) => needed.includes(candidate));
  }

  /**
   * Loads a model from the visitor's disk or from the Hub, or with null the site's own again. When that fails, the model from before stays.
   * @param {Promise<Origin|HubOrigin>|null} origin
   */
  async loadFrom(origin) {
    origin?.catch(() => {}); // awaited below, if at all
    await this.alone(async () => {
      const [from, made, stage] = [this.#origin, this.#made.get('model'), this.#store.state.stages.model];
      const load = async () => {
        this.#origin = await origin;
        await this.#perform('model');
      };
      if (await this.#stage('model', load)) return;
      this.#origin = from;
      if (made !== undefined) this.#made.set('model', made);
      this.#patch('model', { ...stage, error: this.#store.state.stages.model.error });
    });
  }

  /** Ends the loading of a model; what has arrived of one from the Hub is kept. */
  async stopLoading() {
    if (this.#store.state.stages.model.state === 'running')
      await this.#session.request({ type: 'control', action: 'stop' });
  }

  /** @param {'pause'|'resume'|'step'|'stop'} action */
  async control(action) {
    if (!this.#store.state.run) return;
    const { state } = await this.#session.request({ type: 'control', action });
    this.#patchRun({ state });
  }

  /** Classifies the sentence in the store; also during a training run, between two of its steps. */
  async predict() {
    if (this.#store.state.run) await this.#stage('try', () => this.#predict());
    else await this.run('try');
  }

  /** Makes what costs nothing, so that the page shows rows and warnings before anything is pressed. */
  preview() {
    clearTimeout(this.#previewTimer);
    if (this.#store.state.busy || this.#preview || this.#session.fatal) return;
    const source = this.#source('training');
    if (source === this.#previewed) return;
    this.#previewed = source;
    this.#preview = this.#makePreview().finally(() => {
      this.#preview = null;
    });
  }

  async #makePreview() {
    if (this.#settings.firstInvalid()) return;
    for (const stage of /** @type {Stage[]} */ (['dataset', 'split'])) {
      if (!this.#fresh(stage) && !(await this.#stage(stage, () => this.#perform(stage)))) return;
    }
    await this.#plan();
  }

  /**
   * @param {Stage[]} stages
   * @param {{always: Stage[], paused?: boolean}} options
   */
  async #run(stages, { always, paused = false }) {
    await this.alone(async () => {
      if (!this.#allowed(stages)) return;
      this.#previewed = stages.includes('split') ? this.#source('training') : this.#previewed;
      // A run that starts shows only its own marks, not those of the run before it.
      for (const stage of stages.filter((candidate) => always.includes(candidate)))
        this.#patch(stage, { state: 'idle', error: null });
      for (const stage of stages) {
        if (this.#fresh(stage) && !always.includes(stage)) continue;
        if (!(await this.#stage(stage, () => this.#perform(stage, paused)))) return;
      }
    });
  }

  /**
   * Does work that nothing else may run beside; while something else does, it is left undone.
   * @param {() => Promise<void>} work
   */
  async alone(work) {
    if (this.#store.state.busy || this.#session.fatal) return;
    this.#store.update({ busy: true, refused: null });
    // Why a folder was refused is old news now; the stage still has the model from before.
    if (this.#store.state.stages.model.state !== 'error') this.#patch('model', { error: null });
    try {
      await this.#preview;
      await work();
    } finally {
      this.#store.update({ busy: false });
      this.#settingsChanged();
    }
  }

  /**
   * Refuses with a sentence what could only go wrong.
   * @param {Stage[]} stages
   */
  #allowed(stages) {
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

  /**
   * Runs one stage and keeps what became of it.
   * @param {Stage} stage
   * @param {() => Promise<void>} work
   */
  async #stage(stage, work) {
    this.#patch(stage, { state: 'running', error: null, progress: null });
    let source = this.#source(stage);
    try {
      await work();
      if (stage === 'model') source = this.#source(stage); // it comes from elsewhere now, if another was chosen
      // Whatever is built on a stage is built again when it is needed next.
      for (const other of STAGES) if (NEEDS[other].includes(stage) && other !== 'try') this.#made.delete(other);
      this.#made.set(stage, source);
      this.#patch(stage, { state: 'done', progress: null, stale: false });
      // What a run takes depends on the network and on the longest row.
      if ((stage === 'model' || stage === 'tokens') && this.#store.state.split) await this.#plan();
      return true;
    } catch (error) {
      const shown = asShown(error);
      this.#made.delete(stage);
      this.#patch(stage, { state: 'error', error: shown, progress: null });
      if (shown.field) this.#settings.refuse(shown.field, shown.message);
      return false;
    }
  }

  /**
   * @param {Stage} stage
   * @param {boolean} [paused]
   */
  async #perform(stage, paused = false) {
    const values = this.#settings.values();
    const update = this.#store.update.bind(this.#store);
    switch (stage) {
      case 'dataset':
        return update({ dataset: await this.#session.request({ type: 'dataset', values }) });
      case 'split':
        return update({ split: await this.#session.request({ type: 'split', values }) });
      case 'model': {
        update({ download: null, phase: null, retry: null, notices: [] });
        const onEvent = (/** @type {ProgressEvent} */ event) => this.#onModelEvent(event);
        const model = await this.#load(onEvent).finally(() => update({ retry: null }));
        const origin = this.#origin;
        update({ modelSource: origin === null ? 'site' : 'repo' in origin ? origin.repo : 'disk' });
        // The run before was one of another network: the worker has let go of it.
        return update({
          model,
          ownModel: origin !== null && 'files' in origin,
          trained: null,
          exported: null,
          phase: null,
        });
      }
      case 'tokens':
        return update({ tokens: await this.#session.request({ type: 'tokenize', values }) });
      case 'training':
        return this.#train(values, paused);
      case 'evaluation': {
        const report = await this.#session.request({ type: 'evaluate' }, (event) => this.#onTrainingEvent(event));
        const others = this.#store.state.evaluations.filter(({ step }) => step !== report.step);
        return update({ evaluations: [...others, report], shownEvaluation: null });
      }
      case 'try':
        return this.#predict();
    }
  }

  /** @param {(event: ProgressEvent) => void} onEvent */
  #load(onEvent) {
    const origin = this.#origin;
    if (origin === null) return this.#session.request({ type: 'load_model', base: this.#modelBase }, onEvent);
    if ('files' in origin)
      return this.#session.request({ type: 'load_files', name: origin.name, files: origin.files }, onEvent);
    // Asked for while the visitor waits for a large file: the browser may then not clear it away by itself. Its answer changes nothing here.
    void navigator.storage?.persist?.().catch(() => false);
    return this.#session.request({ type: 'load_hub', endpoint: this.#endpoint, repo: origin.repo }, onEvent);
  }

  async #predict() {
    const text = this.#store.state.sentence;
    const result = await this.#session.request({ type: 'predict', text });
    this.#store.update({ prediction: { text, result } });
  }

  /**
   * @param {import('./protocol.js').Values} values
   * @param {boolean} paused
   */
  async #train(values, paused) {
    await this.#plan();
    const lacks = this.#store.state.plan?.memory?.lacks;
    // Refused here already, while the run before is still on the page.
    if (lacks)
      throw new RequestError({
        code: 'memory',
        message: t(`memory.lacks_${lacks.kind}`, { needs: bytes(lacks.needs), offered: bytes(lacks.offered) }),
        field: null,
      });
    /** @type {Run} */
    const run = {
      state: paused ? 'paused' : 'running',
      step: 0,
      max_steps: this.#store.state.plan?.max_steps ?? 0,
      epoch: 0,
      tokens_per_second: 0,
      step_ms: 0,
      eta_ms: 0,
      evaluating: null,
    };
    this.#store.update({
      run,
      speed: 0,
      logs: [],
      evaluations: [],
      shownEvaluation: null,
      result: null,
      trainedPlan: this.#store.state.plan,
      trained: null,
      exported: null,
      exportError: null,
    });
    this.#patch('evaluation', { state: 'idle', error: null, stale: false });
    try {
      const result = await this.#session.request({ type: 'train', values, paused }, (event) =>
        this.#onTrainingEvent(event),
      );
      const known = this.#store.state.evaluations;
      const last = result.evaluation;
      // The last evaluation has usually been seen already, as an event.
      const evaluations = last && last.step !== known.at(-1)?.step ? [...known, last] : known;
      const trained = result.global_step > 0 ? { seed: Number(values.seed), step: result.global_step } : null;
      this.#store.update({ result, evaluations, trained });
      if (evaluations.length > 0) this.#patch('evaluation', { state: 'done', progress: null });
    } catch (error) {
      if (this.#store.state.stages.evaluation.state === 'running')
        this.#patch('evaluation', { state: 'idle', progress: null });
      throw error;
    } finally {
      this.#store.update({ run: null });
    }
  }

  /** @param {ProgressEvent} event */
  #onModelEvent(event) {
    if (event.kind === 'phase') this.#store.update({ phase: event.phase });
    if (event.kind === 'retry') this.#store.update({ retry: event });
    const { notices } = this.#store.state;
    if (event.kind === 'notice' && !notices.includes(event.code))
      this.#store.update({ notices: [...notices, event.code] });
    if (event.kind !== 'download') return;
    this.#store.update({ download: event, retry: null });
    this.#patch('model', { progress: event.total > 0 ? event.loaded / event.total : null });
  }

  /** @param {ProgressEvent} event */
  #onTrainingEvent(event) {
    const { state } = this.#store;
    switch (event.kind) {
      case 'run':
        return this.#patchRun({ state: event.state });
      case 'step': {
        const { step, max_steps, epoch, tokens_per_second, step_ms, eta_ms } = event;
        this.#patchRun({ step, max_steps, epoch, tokens_per_second, step_ms, eta_ms, evaluating: null });
        this.#patch('training', { progress: max_steps > 0 ? step / max_steps : null });
        // Appended in place: copying every log at every step would grow with the square of the run's length.
        state.logs.push(...event.logs);
        return this.#store.update({ logs: state.logs, speed: tokens_per_second });
      }
      case 'evaluating':
        this.#patchRun({ evaluating: { done: event.done, total: event.total } });
        return this.#patch('evaluation', {
          state: 'running',
          progress: event.total > 0 ? event.done / event.total : null,
        });
      case 'evaluation':
        this.#patchRun({ evaluating: null });
        this.#store.update({ evaluations: [...state.evaluations, event.report] });
        // More may follow; the stage is done when the run is.
        return this.#patch('evaluation', { state: 'running', progress: null });
      default:
    }
  }

  async #plan() {
    const asked = ++this.#planAsked;
    try {
      const plan = await this.#session.request({ type: 'plan', values: this.#settings.values() });
      if (asked === this.#planAsked) this.#store.update({ plan });
    } catch (error) {
      const shown = asShown(error);
      if (shown.field) this.#settings.refuse(shown.field, shown.message);
      if (asked === this.#planAsked) this.#store.update({ plan: null });
    }
  }

  #settingsChanged() {
    for (const stage of STAGES) {
      const made = this.#made.get(stage);
      const stale = made !== undefined && made !== this.#source(stage);
      if (this.#store.state.stages[stage].stale !== stale) this.#patch(stage, { stale });
    }
    clearTimeout(this.#previewTimer);
    this.#previewTimer = setTimeout(() => this.preview(), PREVIEW_AFTER_MS);
  }

  /** @param {Stage} stage */
  #fresh(stage) {
    return this.#made.get(stage) === this.#source(stage);
  }

  /**
   * What a stage is made from, as text.
   * @param {Stage} stage
   */
  #source(stage) {
    if (stage === 'model' || stage === 'try') {
      if (this.#origin === null) return this.#modelBase;
      return 'repo' in this.#origin ? `hub ${this.#origin.repo}` : `files ${this.#origin.id}`;
    }
    /** @type {string[]|undefined} */
    const groups = stage in GROUPS ? GROUPS[/** @type {keyof typeof GROUPS} */ (stage)] : undefined;
    const counts = this.#settings.table.filter(
      ({ name, group }) => !groups || groups.includes(group) || (stage === 'tokens' && BATCH_SETTINGS.includes(name)),
    );
    return counts.map(({ name }) => `${name}=${asText(this.#settings.values()[name] ?? '?')}`).join('&');
  }

  /**
   * @param {Stage} stage
   * @param {Partial<StageState>} patch
   */
  #patch(stage, patch) {
    const { stages } = this.#store.state;
    this.#store.update({ stages: { ...stages, [stage]: { ...stages[stage], ...patch } } });
  }

  /** @param {Partial<Run>} patch */
  #patchRun(patch) {
    const { run } = this.#store.state;
    if (run) this.#store.update({ run: { ...run, ...patch } });
  }
}
