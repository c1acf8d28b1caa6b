// The options of the benchmark, as `cargo xtask bench` passes them.

import assert from 'node:assert/strict';
import test from 'node:test';
import { parsed } from '../../bench/options.js';

test('the reason why Python is missing may begin with a dash', () => {
  const options = parsed(['--python-missing=--no-python was given', '--quick']);
  assert.deepEqual([options['python-missing'], options.quick], ['--no-python was given', true]);
  assert.throws(() => parsed(['--python-missing', '--no-python was given']), /ambiguous/);
});

test('options that are not given have their defaults, and unknown ones are refused', () => {
  const options = parsed([]);
  assert.deepEqual([options.adapter, options.quick, options.python], ['auto', false, undefined]);
  assert.throws(() => parsed(['--faster']), /Unknown option/);
});
