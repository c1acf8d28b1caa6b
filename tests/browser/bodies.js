// What the test's servers do with a body beside sending it: from a place on, or one half now and the other when the test says so.

/** The first byte that a `Range` header asks for; without one, that of the whole file. @param {string|null} range */
export const firstByte = (range) => Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);

export class HeldBodies {
  /** @type {{send: () => void, cut: () => void}[]} */
  #held = [];

  /**
   * Sends the first half of a body whose head is written.
   * @param {import('node:http').ServerResponse} response
   * @param {Buffer} body
   */
  hold(response, body) {
    const half = body.length >> 1;
    response.write(body.subarray(0, half));
    this.#held.push({ send: () => response.end(body.subarray(half)), cut: () => response.destroy() });
  }

  /** Sends the other halves. */
  release() {
    for (const { send } of this.#held.splice(0)) send();
  }

  /** Breaks the connections. */
  cut() {
    for (const { cut } of this.#held.splice(0)) cut();
  }
}
