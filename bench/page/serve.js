// The worker of a subject: it starts counting before the library uses WebGPU, loads the files, does the first step and
// then the repetitions that the driver requests.
//
// A repetition ends when all submitted work is done. Its steps follow one another as in training: a library may record
// the next step while the GPU computes the previous one.

import { install } from '../counters.js';

/** @typedef {import('../cases.js').Work} Work */
/** @typedef {import('../counters.js').Counts} Counts */

/**
 * The input of a subject.
 * @typedef {object} Given
 * @property {Work} work
 * @property {string} model                  URL of the model folder
 * @property {'train'|'forward'} mode
 * @property {string} module                 URL of webtune's script
 * @property {import('../devices.js').DeviceName} device
 * @property {number} [threads]              of the CPU; without it, as many as the library takes
 * @property {() => Promise<any>} config
 * @property {() => Promise<Uint8Array>} weights
 */

/**
 * @typedef {object} Subject
 * @property {(step: number) => Promise<{loss: number, norm: number}>} [step]  one step; reads loss and norm back
 * @property {() => Promise<ArrayLike<number>>} forward  logits of the first batch, without gradients
 * @property {string} [cpu]   the instructions and threads of a library that computes on the CPU
 */

/**
 * @typedef {object} Repetition
 * @property {number} ms             all steps, including the wait for the queue
 * @property {number[]} steps        ms of each step until its loss was read
 * @property {number[]} losses       of training
 * @property {number[]} norms
 * @property {number[]} logits       of the last forward pass
 * @property {Counts} before
 * @property {Counts} after
 */

/** @typedef {{id: number, result?: any, error?: string}} Answer */

const counters = install();

/**
 * The `cpu` of a subject.
 * @param {string} instructions
 * @param {number} threads
 */
export const cpuName = (instructions, threads) =>
  `CPU (WebAssembly ${instructions}, ${threads === 1 ? 'one thread' : `${threads} threads`})`;

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
      const stepStart = performance.now();
      if (given.mode === 'train') {
        if (!subject.step) throw new Error('this library does not train');
        const { loss, norm } = await subject.step(done);
        repetition.losses.push(loss);
        repetition.norms.push(norm);
      } else {
        repetition.logits = Array.from(await subject.forward());
      }
      done += 1;
      repetition.steps.push(performance.now() - stepStart);
    }
    await counters.drained();
    if (counters.errors.length) throw new Error(`WebGPU: ${counters.errors[0]}`);
    repetition.ms = performance.now() - start;
    repetition.after = { ...counters.counts };
    return repetition;
  }

  self.addEventListener('message', async (/** @type {MessageEvent<any>} */ { data: request }) => {
    try {
      if (request.type === 'open') {
        given = await files(request.given);
        subject = await open(given);
        const first = await repeat(1);
        self.postMessage({ id: request.id, result: { first, adapter: counters.adapter, cpu: subject.cpu } });
      } else {
        self.postMessage({ id: request.id, result: await repeat(request.count) });
      }
    } catch (error) {
      self.postMessage({ id: request.id, error: messageOf(error) });
    }
  });
}

/**
 * @param {{case: string, model: string, mode: 'train'|'forward', module: string,
 *   device: import('../devices.js').DeviceName, threads?: string}} names
 * @returns {Promise<Given>}
 */
async function files({ case: name, model, mode, module, device, threads }) {
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
    device,
    threads: threads === undefined ? undefined : Number(threads),
    config: async () => (await get(`${folder}config.json`)).json(),
    weights: async () => new Uint8Array(await (await get(`${folder}model.safetensors`)).arrayBuffer()),
  };
}

/** The message of an error; webtune throws plain objects with a `message`. @param {any} error */
function messageOf(error) {
  if (typeof error?.message === 'string') return error.message;
  return typeof error === 'string' ? error : JSON.stringify(error);
}
