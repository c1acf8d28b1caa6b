// Other programs: run to their end, or spoken to line by line while they live.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/**
 * Runs a program to its end, its output on the terminal.
 * @param {string} program
 * @param {string[]} given
 * @param {NodeJS.ProcessEnv} [env]
 */
export function run(program, given, env = process.env) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, given, { stdio: ['ignore', 'inherit', 'inherit'], env });
    child.on('error', reject);
    child.on('close', (code, signal) =>
      code === 0
        ? resolve(undefined)
        : reject(new Error(`${[program, ...given].join(' ')}: ended with ${signal ?? code}`)),
    );
  });
}

/** A program that answers each line of JSON with one line of JSON. */
export class Conversation {
  #child;
  #lines;
  /** The last of what it said besides: where an error is explained. */
  #said = '';

  /**
   * @param {string} program
   * @param {string[]} given
   * @param {NodeJS.ProcessEnv} env
   */
  constructor(program, given, env) {
    this.#child = spawn(program, given, { stdio: ['pipe', 'pipe', 'pipe'], env });
    this.#child.stderr.on('data', (text) => (this.#said = (this.#said + text).slice(-2000)));
    // A program that has ended cannot be written to; that its answer does not come says why.
    this.#child.stdin.on('error', () => {});
    this.#child.on('error', (error) => (this.#said += error.message));
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** The next line. @returns {Promise<any>} */
  async answer() {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`the program has ended: ${this.#said.trim() || 'it said nothing'}`);
    return JSON.parse(value);
  }

  /** @param {object} question @returns {Promise<any>} */
  ask(question) {
    this.#child.stdin.write(`${JSON.stringify(question)}\n`);
    return this.answer();
  }

  close() {
    this.#child.kill();
  }
}
