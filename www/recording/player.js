// Plays a recorded run again and again: about nine seconds of display time, then a pause on its last frame.
//
// It uses no timer while it is stopped, held, or in a hidden tab. Where the visitor prefers reduced motion, it shows
// the finished run and does not move.

import { frameAt, maxSteps } from './recording.js';

/** @typedef {import('./recording.js').Recording} Recording */
/** @typedef {import('./recording.js').Frame} Frame */

/**
 * What a player needs from the browser, so that tests can replace it. A `watch` function returns its end.
 * @typedef {object} Surroundings
 * @property {() => number} now                                       milliseconds
 * @property {(task: () => void, ms: number) => () => void} after     runs a task once; returns how to cancel it
 * @property {() => boolean} isHidden                                 whether the tab is in the background
 * @property {() => boolean} isStill                                  whether the visitor prefers reduced motion
 * @property {(listener: () => void) => () => void} watch             calls it when one of both changes
 */

/** Display time of a run. */
const PLAY_MS = 9000;
/** How long its last frame stays before it begins again. */
const REST_MS = 4000;
/** Time between two frames: 15 a second. */
const FRAME_MS = 1000 / 15;

export class Player {
  #recording;
  #onFrame;
  #surroundings;
  #started = false;
  #held = false;
  /** Display time of the current round up to the latest frame, without the time in which nothing moved. */
  #elapsed = 0;
  /** When the latest frame was shown; null while nothing moves. @type {number|null} */
  #shownAt = null;
  /** @type {(() => void)|null} */
  #cancel = null;
  /** @type {(() => void)|null} */
  #unwatch = null;

  /**
   * @param {Recording} recording
   * @param {(frame: Frame) => void} onFrame
   * @param {Surroundings} [surroundings]
   */
  constructor(recording, onFrame, surroundings = browser()) {
    this.#recording = recording;
    this.#onFrame = onFrame;
    this.#surroundings = surroundings;
  }

  /** Begins with the first frame, or the finished run, which is shown at once. */
  start() {
    this.stop();
    this.#started = true;
    this.#held = false;
    this.#elapsed = this.#surroundings.isStill() ? PLAY_MS : 0;
    this.#unwatch = this.#surroundings.watch(() => this.#continue());
    this.#show();
    this.#continue();
  }

  /** Ends for good, until the next start. */
  stop() {
    this.#started = false;
    this.#halt();
    this.#unwatch?.();
    this.#unwatch = null;
  }

  /** Stays at the current frame. */
  hold() {
    this.#held = true;
    this.#continue();
  }

  /** Goes on from the current frame. */
  resume() {
    this.#held = false;
    this.#continue();
  }

  /** Whether it is started. */
  get started() {
    return this.#started;
  }

  /** Whether it is held by `hold`. */
  get held() {
    return this.#held;
  }

  /** Whether frames follow each other now. A page needs no pause button where nothing moves. */
  get moving() {
    return this.#cancel !== null;
  }

  /** Moves where it may, and halts where it may not. */
  #continue() {
    if (!this.#started) return;
    const still = this.#surroundings.isStill();
    if (still && this.#elapsed !== PLAY_MS) {
      this.#elapsed = PLAY_MS;
      this.#show();
    }
    if (still || this.#held || this.#surroundings.isHidden()) this.#halt();
    else if (!this.#cancel) this.#schedule();
  }

  #halt() {
    this.#cancel?.();
    this.#cancel = null;
    this.#shownAt = null;
  }

  #schedule() {
    this.#shownAt = this.#surroundings.now();
    const ms = this.#elapsed < PLAY_MS ? FRAME_MS : REST_MS;
    this.#cancel = this.#surroundings.after(() => this.#advance(), ms);
  }

  #advance() {
    this.#cancel = null;
    const passed = this.#surroundings.now() - (this.#shownAt ?? 0);
    this.#elapsed = this.#elapsed < PLAY_MS ? Math.min(PLAY_MS, this.#elapsed + passed) : 0;
    this.#show();
    // The listener may have stopped or held the player.
    this.#continue();
  }

  #show() {
    this.#onFrame(frameAt(this.#recording, (maxSteps(this.#recording) * this.#elapsed) / PLAY_MS));
  }
}

/** @returns {Surroundings} */
function browser() {
  const motion = matchMedia('(prefers-reduced-motion: reduce)');
  return {
    now: () => performance.now(),
    after(task, ms) {
      const timer = setTimeout(task, ms);
      return () => clearTimeout(timer);
    },
    isHidden: () => document.hidden,
    isStill: () => motion.matches,
    watch(listener) {
      document.addEventListener('visibilitychange', listener);
      motion.addEventListener('change', listener);
      return () => {
        document.removeEventListener('visibilitychange', listener);
        motion.removeEventListener('change', listener);
      };
    },
  };
}
