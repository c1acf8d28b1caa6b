// Partial bodies of the test servers: from a byte on, or in two halves of which the test sends the second.

/** The first byte that a `Range` header asks for, 0 without a header. @param {string|null} range */
export const firstByte = (range) => Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);

export class HeldBodies {
  /** @type {{send: () => void, cut: () => void}[]} */
  #held = [];

  /**
   * Sends the first half of a body. The head must have been written.
   * @param {import('node:http').ServerResponse} response
   * @param {Buffer} body
   */
  hold(response, body) {
    const half = body.length >> 1;
    response.write(body.subarray(0, half));
    this.#held.push({ send: () => response.end(body.subarray(half)), cut: () => response.destroy() });
  }

  /** Sends the second halves. */
  release() {
    for (const { send } of this.#held.splice(0)) send();
  }

  /** Breaks the connections. */
  cut() {
    for (const { cut } of this.#held.splice(0)) cut();
  }
}
