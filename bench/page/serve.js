// The worker's side of a subject: counting begins before the library touches WebGPU, the files are asked for, the first step is done, and
// then as many as the driver wants, one after the other.
//
// A repetition ends when everything that was submitted is done. Within it the steps follow one another as in training: a library may
// record the next step while the GPU still does the last one's.

import { install } from '../counters.js';

/** @typedef {import('../cases.js').Work} Work */
/** @typedef {import('../counters.js').Counts} Counts */

/**
 * What a subject is given. The files are on their way when it gets them.
 * @typedef {object} Given
 * @property {Work} work
 * @property {string} model                  the address of the model's folder
 * @property {'train'|'forward'} mode
 * @property {string} module                 the address of webtune's own script
 * @property {() => Promise<any>} config
 * @property {() => Promise<Uint8Array>} weights
 */

/**
 * @typedef {object} Subject
 * @property {(step: number) => Promise<{loss: number, norm: number}>} [step]  one optimizer step, its loss and gradient norm read back
 * @property {() => Promise<ArrayLike<number>>} forward                        the logits of the first batch, without gradients
 */

/**
 * @typedef {object} Repetition
 * @property {number} ms             all steps, and the wait for the queue
 * @property {number[]} steps        ms of each step until its loss was there
 * @property {number[]} losses       of training
 * @property {number[]} norms
 * @property {number[]} logits       of the last forward pass
 * @property {Counts} before
 * @property {Counts} after
 */

/** @typedef {{id: number, result?: any, error?: string}} Answer */

const counters = install();

/** @param {(given: Given) => Promise<Subject>} open */
export function serve(open) {
  /** @type {Subject} */
  let subject;
  /** @type {Given} */
  let given;
  let done = 0;

  /** @param {number} count @returns {Promise<Repetition>} */
  async function repeat(count) {
    const before = { ...counters.counts };
    /** @type {Repetition} */
    const repetition = { ms: 0, steps: [], losses: [], norms: [], logits: [], before, after: before };
    const start = performance.now();
    for (let at = 0; at < count; at += 1) {
      const begun = performance.now();
      if (given.mode === 'train') {
        if (!subject.step) throw new Error('this library does not train');
        const { loss, norm } = await subject.step(done);
        repetition.losses.push(loss);
        repetition.norms.push(norm);
      } else {
        repetition.logits = Array.from(await subject.forward());
      }
      done += 1;
      repetition.steps.push(performance.now() - begun);
    }
    await counters.drained();
    if (counters.errors.length) throw new Error(`WebGPU: ${counters.errors[0]}`);
    repetition.ms = performance.now() - start;
    repetition.after = { ...counters.counts };
    return repetition;
  }

  self.addEventListener('message', async (/** @type {MessageEvent<any>} */ { data: question }) => {
    try {
      if (question.type === 'open') {
        given = await files(question.given);
        subject = await open(given);
        const first = await repeat(1);
        self.postMessage({ id: question.id, result: { first, adapter: counters.adapter } });
      } else {
        self.postMessage({ id: question.id, result: await repeat(question.count) });
      }
    } catch (error) {
      self.postMessage({ id: question.id, error: words(error) });
    }
  });
}

/**
 * @param {{case: string, model: string, mode: 'train'|'forward', module: string}} names
 * @returns {Promise<Given>}
 */
async function files({ case: name, model, mode, module }) {
  const folder = new URL(`../models/${model}/`, self.location.href).href;
  const get = async (/** @type {string} */ address) => {
    const response = await fetch(address);
    if (!response.ok) throw new Error(`${address}: ${response.status}`);
    return response;
  };
  return {
    work: await (await get(`../work/${name}.json`)).json(),
    model: folder,
    mode,
    module: new URL(`../${module}`, self.location.href).href,
    config: async () => (await get(`${folder}config.json`)).json(),
    weights: async () => new Uint8Array(await (await get(`${folder}model.safetensors`)).arrayBuffer()),
  };
}

/** webtune throws plain objects with a sentence for the visitor. @param {any} error */
function words(error) {
  if (typeof error?.message === 'string') return error.message;
  return typeof error === 'string' ? error : JSON.stringify(error);
}
