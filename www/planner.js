// Keeps the plan of a run (steps, learning rates, memory) in step with the form.

import { asShown } from './session.js';

export class Planner {
  #session;
  #store;
  #settings;
  #requests = 0;

  /**
   * @param {import('./session.js').Session} session
   * @param {import('./state.js').Store<import('./state.js').AppState>} store
   * @param {import('./settings.js').Settings} settings
   */
  constructor(session, store, settings) {
    this.#session = session;
    this.#store = store;
    this.#settings = settings;
  }

  /** Requests the plan of the current settings. Only the answer to the latest request is shown. */
  async update() {
    const request = ++this.#requests;
    try {
      const plan = await this.#session.request({ type: 'plan', values: this.#settings.values() });
      if (request === this.#requests) this.#store.update({ plan });
    } catch (error) {
      const shown = asShown(error);
      if (shown.field) this.#settings.refuse(shown.field, shown.message);
      if (request === this.#requests) this.#store.update({ plan: null });
    }
  }
}
