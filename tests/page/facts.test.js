// What stands beside the button: the bytes to download, and the rounding of times.

import assert from 'node:assert/strict';
import test from 'node:test';
import { downloadSize } from '../../www/download-size.js';
import { roughly } from '../../www/facts.js';
import { MODELS, knownModel } from '../../www/models.js';

const TINY = 'google/bert_uncased_L-2_H-128_A-2';
/** @param {any} [state] */
const size = (state = {}, ownFolder = false) =>
  downloadSize({ model: null, origin: { kind: 'site' }, stored: null, ...state }, ownFolder);
const hub = (/** @type {string} */ repo) => ({ kind: 'hub', repo });
/** @param {any} [model] */
const stored = (model = {}) => ({ models: [{ repo: TINY, revision: 'main', complete: true, bytes: 18e6, ...model }] });

test('the built-in model is downloaded with its known size', () => {
  assert.equal(size(), MODELS[0]?.bytes);
});

test('a loaded model and files from the disk are not downloaded', () => {
  assert.equal(size({ model: {} }), 0);
  assert.equal(size({ model: {}, origin: hub('someone/model') }), 0);
  assert.equal(size({ origin: { kind: 'disk', id: 1, name: 'a', files: [] } }), 0);
});

test('another folder of the site and an unknown model of the Hub have no known size', () => {
  assert.equal(size({}, true), null);
  assert.equal(size({ origin: hub('someone/model') }), null);
});

test('a model of the Hub has the size of the list, with a revision too', () => {
  assert.equal(size({ origin: hub(TINY) }), 18e6);
  assert.equal(size({ origin: hub(`${TINY}@abc`) }), 18e6);
});

test('a stored model is not downloaded again, a stored part is subtracted', () => {
  assert.equal(size({ origin: hub(TINY), stored: stored() }), 0);
  assert.equal(size({ origin: hub('someone/model'), stored: stored({ repo: 'someone/model' }) }), 0);
  assert.equal(size({ origin: hub(TINY), stored: stored({ complete: false, bytes: 8e6 }) }), 10e6);
  assert.equal(
    size({ origin: hub('someone/model'), stored: stored({ repo: 'someone/model', complete: false }) }),
    null,
  );
});

test('a stored model of another revision does not count', () => {
  assert.equal(size({ origin: hub(`${TINY}@abc`), stored: stored() }), 18e6);
  assert.equal(size({ origin: hub(`${TINY}@abc`), stored: stored({ revision: 'abc' }) }), 0);
});

test('the sizes of the encoder agree with the names and the parameters of the models', () => {
  for (const { repo, layers, hidden_size, parameters } of MODELS) {
    const named = /_L-(\d+)_H-(\d+)_/.exec(repo ?? '');
    if (named) assert.deepEqual([layers, hidden_size], [Number(named[1]), Number(named[2])], repo ?? '');
    assert.ok(12 * layers * hidden_size ** 2 < parameters, repo ?? '');
  }
  assert.equal(knownModel({ kind: 'hub', repo: `${TINY}@main` })?.hidden_size, 128);
  assert.equal(knownModel({ kind: 'hub', repo: 'someone/model' }), null);
});

test('a time has no more digits than an estimate knows', () => {
  const times = [0.2, 7.6, 12, 28, 91, 130, 700, 6000].map(roughly);
  assert.deepEqual(times, [
    [1, 'second'],
    [8, 'second'],
    [10, 'second'],
    [30, 'second'],
    [1.5, 'minute'],
    [2, 'minute'],
    [10, 'minute'],
    [1.5, 'hour'],
  ]);
});
