// The parts of an export: the choice and what it implies, the sizes, and the library of the demo.

import assert from 'node:assert/strict';
import test from 'node:test';
import {
  isTight,
  rememberParts,
  rememberedParts,
  sizeOf,
  smallestNetwork,
  takenParts,
  toggled,
  withLibrary,
} from '../../www/export/parts.js';

/** @typedef {import('../../www/protocol.js').ExportPart} ExportPart */
/** @typedef {import('../../www/protocol.js').ExportPlan} ExportPlan */

/**
 * @param {string} part
 * @param {number[]} sizes
 * @param {any} unavailable
 * @returns {any}
 */
const planned = (part, sizes, unavailable = null) => ({
  part,
  files: sizes.map((bytes, at) => ({ name: `${part}/${at}`, bytes })),
  unavailable,
});

/** @type {ExportPlan} */
const PLAN = {
  file: 'mine.zip',
  parts: [
    planned('model', [100, 7]),
    planned('adapter', [], 'no_adapter'),
    planned('onnx', [100]),
    planned('onnx_fp16', [50]),
    planned('onnx_quantized', [25]),
    planned('demo', [3]),
    planned('scripts', [4]),
    planned('logs', [2]),
    planned('results', [], 'no_checkpoints'),
  ],
};

/** @param {ExportPart[]} ticked */
const names = (ticked) => takenParts(PLAN, ticked).map(({ part }) => part);

test('the model is always a part', () => {
  assert.deepEqual(toggled(['model', 'logs'], 'model', false), ['model', 'logs']);
});

test('the demo brings the smallest network, and goes with the last one', () => {
  assert.deepEqual(toggled(['model'], 'demo', true), ['model', 'onnx_quantized', 'demo']);
  assert.deepEqual(toggled(['model', 'onnx'], 'demo', true), ['model', 'onnx', 'demo']);
  assert.deepEqual(toggled(['model', 'onnx', 'onnx_quantized', 'demo'], 'onnx_quantized', false), [
    'model',
    'onnx',
    'demo',
  ]);
  assert.deepEqual(toggled(['model', 'onnx_quantized', 'demo'], 'onnx_quantized', false), ['model']);
});

test('an export takes what is ticked and available', () => {
  assert.deepEqual(names(['model', 'adapter', 'scripts', 'results']), ['model', 'scripts']);
  assert.equal(sizeOf(takenParts(PLAN, ['model', 'adapter', 'scripts', 'results'])), 111);
});

test('the demo is not taken where its network is not available', () => {
  const parts = PLAN.parts.map((part) => (part.part === 'onnx_quantized' ? planned(part.part, [], 'too_large') : part));
  assert.deepEqual(
    takenParts({ ...PLAN, parts }, ['model', 'onnx_quantized', 'demo']).map(({ part }) => part),
    ['model'],
  );
});

test('the demo and the code open the smallest network of the export', () => {
  assert.equal(smallestNetwork(takenParts(PLAN, ['model', 'onnx', 'onnx_fp16'])), 'onnx_fp16');
  assert.equal(smallestNetwork(takenParts(PLAN, ['model', 'logs'])), null);
});

test('the size of the demo includes its library, each file once', () => {
  const plan = { ...PLAN, parts: [planned('model', [1]), { ...planned('demo', [3]) }] };
  const library = [{ name: 'library.js', bytes: 40 }];
  const complete = withLibrary(plan, library);
  assert.deepEqual(complete.parts[1]?.files.at(-1), { name: 'demo/library.js', bytes: 40 });
  assert.equal(sizeOf(complete.parts), 44);
  assert.deepEqual(withLibrary(complete, library), complete);
});

test('without the library there is no demo', () => {
  const demo = withLibrary(PLAN, null).parts.find(({ part }) => part === 'demo');
  assert.deepEqual([demo?.files, demo?.unavailable], [[], 'no_library']);
});

/** What the browser stores for the site. @type {Map<string, string>} */
const stored = new Map();
Object.defineProperty(globalThis, 'localStorage', {
  value: {
    getItem: (/** @type {string} */ key) => stored.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => stored.set(key, value),
  },
});

test('a choice is remembered, and anything else in its place is ignored', () => {
  const first = rememberedParts();
  assert.ok(first.includes('model') && first.includes('demo'));
  assert.ok(!first.includes('scripts'), 'the texts of the dataset are not passed on by default');
  rememberParts(['model', 'scripts']);
  assert.deepEqual(rememberedParts(), ['model', 'scripts']);
  const [key = ''] = stored.keys();
  for (const { value, expected } of [
    { value: '["scripts", "of a later version"]', expected: ['model', 'scripts'] },
    { value: 'not JSON', expected: first },
    { value: '{"a": 1}', expected: first },
  ]) {
    stored.set(key, value);
    assert.deepEqual(rememberedParts(), expected, value);
  }
});

test('the space is tight where less than a tenth of it is left', () => {
  assert.deepEqual([isTight(91, 100), isTight(90, 100), isTight(1e12, null)], [true, false, false]);
});
