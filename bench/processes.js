// Child processes: run to completion, or exchanging lines of JSON.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/**
 * Runs a program to completion, with its output on the terminal.
 * @param {string} program
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
export function run(program, args, env = process.env) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'], env });
    child.on('error', reject);
    child.on('close', (code, signal) =>
      code === 0
        ? resolve(undefined)
        : reject(new Error(`${[program, ...args].join(' ')}: ended with ${signal ?? code}`)),
    );
  });
}

/** A program that answers each line of JSON with one line of JSON. */
export class JsonProcess {
  #child;
  #lines;
  /** The end of standard error, for error messages. */
  #stderr = '';

  /**
   * @param {string} program
   * @param {string[]} args
   * @param {NodeJS.ProcessEnv} env
   */
  constructor(program, args, env) {
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env });
    this.#child.stderr.on('data', (text) => (this.#stderr = (this.#stderr + text).slice(-2000)));
    // Writing to an ended program fails; `answer` then reports the reason.
    this.#child.stdin.on('error', () => {});
    this.#child.on('error', (error) => (this.#stderr += error.message));
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Reads the next line. @returns {Promise<any>} */
  async answer() {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`the program has ended: ${this.#stderr.trim() || 'no output'}`);
    return JSON.parse(value);
  }

  /** @param {object} request @returns {Promise<any>} */
  ask(request) {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    return this.answer();
  }

  close() {
    this.#child.kill();
  }
}
