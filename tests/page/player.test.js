// The player of a recorded run: its frames, its pause at the end, and when it does not move.

import assert from 'node:assert/strict';
import test from 'node:test';
import { Player } from '../../www/recording/player.js';
import { between, frameAt, highestLoss } from '../../www/recording/recording.js';

/** A run of four steps with an evaluation after two and four. @type {any} */
const RECORDING = {
  logs: {
    step: [1, 2, 3, 4],
    epoch: [0.5, 1, 1.5, 2],
    loss: [0.8, 0.6, 0.5, 0.3],
    learning_rate: [1, 2, 2, 1],
    grad_norm: [4, 3, 2, 1],
  },
  evaluations: [
    { step: 2, epoch: 1, eval_loss: 0.9, eval_accuracy: 0.5 },
    { step: 4, epoch: 2, eval_loss: 0.4, eval_accuracy: 1 },
  ],
  sentence: {
    text: 'Good.',
    step: [0, 2, 4],
    by_label: [
      [0.5, 0.4, 0.2],
      [0.5, 0.6, 0.8],
    ],
  },
};

/** A browser whose time passes when a test says so. */
class FakeSurroundings {
  time = 0;
  hidden = false;
  still = false;
  /** @type {{task: () => void, at: number}|null} */
  timer = null;
  /** @type {Set<() => void>} */
  listeners = new Set();
  now = () => this.time;
  isHidden = () => this.hidden;
  isStill = () => this.still;
  after = (/** @type {() => void} */ task, /** @type {number} */ ms) => {
    assert.equal(this.timer, null, 'one timer at a time');
    const timer = (this.timer = { task, at: this.time + ms });
    return () => {
      if (this.timer === timer) this.timer = null;
    };
  };
  watch = (/** @type {() => void} */ listener) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };
  /** @param {Partial<Pick<FakeSurroundings, 'hidden'|'still'>>} change */
  set(change) {
    Object.assign(this, change);
    for (const listener of this.listeners) listener();
  }
  /** @param {number} ms */
  pass(ms) {
    const end = this.time + ms;
    while (this.timer && this.timer.at <= end) {
      const { task, at } = this.timer;
      this.timer = null;
      this.time = at;
      task();
    }
    this.time = end;
  }
}

function setUp() {
  const surroundings = new FakeSurroundings();
  /** @type {import('../../www/recording/recording.js').Frame[]} */
  const frames = [];
  const player = new Player(RECORDING, (frame) => frames.push(frame), surroundings);
  return { surroundings, frames, player, last: () => frames.at(-1) ?? assert.fail('no frame') };
}

test('a frame between two steps has the logs up to there and values on a straight line', () => {
  const frame = frameAt(RECORDING, 2.5);
  assert.equal(frame.step, 2);
  assert.equal(frame.progress, 0.625);
  assert.deepEqual(frame.log, { step: 2, epoch: 1, loss: 0.6, learning_rate: 2, grad_norm: 3 });
  assert.deepEqual(frame.points.slice(0, 2), [
    [1, 0.8],
    [2, 0.6],
  ]);
  const [x, y] = frame.points[2] ?? assert.fail();
  assert.equal(x, 2.5);
  assert.ok(Math.abs(y - 0.55) < 1e-12);
  assert.deepEqual(
    frame.evaluations.map(({ step }) => step),
    [2],
  );
  assert.ok(Math.abs((frame.probabilities[0] ?? NaN) - 0.35) < 1e-12);
  assert.ok(Math.abs((frame.probabilities[1] ?? NaN) - 0.65) < 1e-12);
});

test('the frame before the first step is empty and has the probabilities of before training', () => {
  const frame = frameAt(RECORDING, 0);
  assert.deepEqual([frame.step, frame.log, frame.points, frame.evaluations], [0, null, [], []]);
  assert.deepEqual(frame.probabilities, [0.5, 0.5]);
  assert.deepEqual(frameAt(RECORDING, 99), frameAt(RECORDING, 4));
});

test('values outside of the recorded steps are those of the nearest step', () => {
  assert.equal(between([2, 4], [10, 20], 0), 10);
  assert.equal(between([2, 4], [10, 20], 5), 20);
  assert.equal(between([2, 4], [10, 20], 4), 20);
  assert.equal(between([2, 4], [10, 20], 2.5), 12.5);
  assert.equal(highestLoss(RECORDING), 0.9);
});

test('it plays the run in 9 seconds with at most 15 frames a second, rests for 4 seconds, and begins again', () => {
  const { surroundings, frames, player, last } = setUp();
  player.start();
  assert.equal(last().progress, 0);
  surroundings.pass(500);
  assert.ok(last().progress > 0.04 && last().progress < 0.06);
  surroundings.pass(8600);
  assert.equal(last().progress, 1);
  assert.ok(frames.length > 100 && frames.length <= 9 * 15 + 2, `${frames.length} frames`);
  const played = frames.length;
  surroundings.pass(3800);
  assert.equal(frames.length, played);
  surroundings.pass(500);
  assert.equal(frames[played]?.progress, 0);
  assert.ok(last().progress > 0);
});

test('a stopped player leaves no timer and no listener, and starts from the beginning', () => {
  const { surroundings, frames, player, last } = setUp();
  player.start();
  surroundings.pass(3000);
  player.stop();
  const shown = frames.length;
  surroundings.pass(60_000);
  assert.deepEqual([frames.length, surroundings.timer, surroundings.listeners.size], [shown, null, 0]);
  assert.deepEqual([player.started, player.moving], [false, false]);
  player.start();
  assert.equal(last().progress, 0);
});

test('in a hidden tab it has no timer, and it continues at the same frame', () => {
  const { surroundings, frames, player, last } = setUp();
  player.start();
  surroundings.pass(3000);
  const { progress } = last();
  surroundings.set({ hidden: true });
  assert.equal(surroundings.timer, null);
  surroundings.pass(60_000);
  surroundings.set({ hidden: false });
  const shown = frames.length;
  surroundings.pass(100);
  assert.ok(frames.length > shown);
  assert.ok(last().progress > progress && last().progress < progress + 0.02);
});

test('a player that is started in a hidden tab shows its first frame and waits', () => {
  const { surroundings, frames, player } = setUp();
  surroundings.hidden = true;
  player.start();
  assert.deepEqual([frames.length, surroundings.timer], [1, null]);
});

test('with reduced motion it shows the finished run once and does not move', () => {
  const { surroundings, frames, player, last } = setUp();
  surroundings.still = true;
  player.start();
  surroundings.pass(60_000);
  assert.deepEqual([frames.length, surroundings.timer, player.moving], [1, null, false]);
  assert.deepEqual(last(), frameAt(RECORDING, 4));
});

test('a change to reduced motion shows the finished run, and a change back plays again', () => {
  const { surroundings, player, last } = setUp();
  player.start();
  surroundings.pass(2000);
  surroundings.set({ still: true });
  assert.equal(last().progress, 1);
  assert.equal(surroundings.timer, null);
  surroundings.set({ still: false });
  surroundings.pass(4200);
  assert.ok(last().progress < 0.1);
});

test('a held player stays at its frame until it is resumed', () => {
  const { surroundings, frames, player, last } = setUp();
  player.start();
  surroundings.pass(1000);
  player.hold();
  const [shown, { progress }] = [frames.length, last()];
  surroundings.pass(60_000);
  surroundings.set({ hidden: false });
  assert.deepEqual([frames.length, surroundings.timer, player.held], [shown, null, true]);
  player.resume();
  surroundings.pass(100);
  assert.ok(last().progress > progress && last().progress < progress + 0.02);
});

test('a listener may stop the player', () => {
  const surroundings = new FakeSurroundings();
  const player = new Player(RECORDING, (frame) => frame.step >= 2 && player.stop(), surroundings);
  player.start();
  surroundings.pass(60_000);
  assert.deepEqual([player.started, surroundings.timer], [false, null]);
});
