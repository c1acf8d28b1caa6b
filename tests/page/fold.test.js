// The depths at which a folded part of the page is open.

import assert from 'node:assert/strict';
import test from 'node:test';
import { DEPTHS, isOpenAt } from '../../www/depth.js';

/** @param {Parameters<typeof isOpenAt>[0]} wanted */
const openAt = (wanted) => DEPTHS.filter((depth) => isOpenAt(wanted, depth));

test('a fold is open from its depth on', () => {
  assert.deepEqual(openAt('teach'), ['teach', 'explore', 'expert']);
  assert.deepEqual(openAt('explore'), ['explore', 'expert']);
  assert.deepEqual(openAt('expert'), ['expert']);
});

test('an explanation is open in the first depth only', () => {
  assert.deepEqual(openAt('teach-only'), ['teach']);
});
