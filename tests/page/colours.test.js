// The colours of tokens.css: colours of data can be told apart with a colour vision deficiency, and text can be read.

import assert from 'node:assert/strict';
import test from 'node:test';
import { DEFICIENCIES, contrast, distance, linear, mix, oklab, simulate } from './colour-vision.js';
import { filesOf, schemes } from './style-sheets.js';

/**
 * The smallest distance in OKLab of two colours of data. A difference of 0.02 is just noticeable side by side
 * (https://www.w3.org/TR/css-color-4/#color-difference-OK). Colours in a legend are apart from their bars and lines, so
 * they differ by five times as much.
 */
const LEAST_DISTANCE = 0.1;
const SERIES = ['--series-1', '--series-2', '--series-3', '--series-4'];
const CLASSES = ['--class-0', '--class-1', '--class-2', '--class-3', '--class-4', '--class-5'];
const GROUNDS = ['--ground', '--surface', '--sunken'];

/** Each text token with every ground that the style sheets put it on. @type {Record<string, string[]>} */
const TEXTS = {
  '--ink': [...GROUNDS, '--accent-soft', '--warn-ground', '--selection'],
  '--muted': [...GROUNDS, '--accent-soft', '--warn-ground'],
  '--accent': [...GROUNDS, '--accent-soft'],
  '--accent-strong': [...GROUNDS, '--accent-soft'],
  '--on-accent': ['--accent', '--accent-strong'],
  '--warn-ink': [...GROUNDS, '--warn-ground'],
  '--bad-ink': [...GROUNDS, '--bad-ground'],
};
/** The lines of fields and states, and dots, which WCAG 1.4.11 asks 3:1 of. */
const SHAPES = ['--strong-line', '--accent', '--good', '--bad-line'];

const results = filesOf('.css').find(({ path }) => path === 'style/evaluation.css')?.text ?? '';

/** @param {Record<string, string>} tokens @param {string} name */
function value(tokens, name) {
  const found = tokens[name];
  assert.ok(found, `tokens.css has no pair of colours ${name}`);
  return found;
}

/** @param {string} scheme */
const isHigh = (scheme) => scheme.includes('high');

/**
 * The pairs of names that are closer than the least distance, to a person with the deficiency or with none.
 * @param {Record<string, string>} tokens
 * @param {string[]} names
 * @param {string|null} deficiency
 */
function tooClose(tokens, names, deficiency) {
  const seen = names.map((name) => {
    const rgb = linear(value(tokens, name));
    return { name, rgb: deficiency ? simulate(rgb, deficiency) : rgb };
  });
  return seen.flatMap((one, at) =>
    seen
      .slice(at + 1)
      .filter((other) => distance(one.rgb, other.rgb) < LEAST_DISTANCE)
      .map((other) => `${one.name} and ${other.name}: ${distance(one.rgb, other.rgb).toFixed(3)}`),
  );
}

for (const [scheme, tokens] of Object.entries(schemes)) {
  for (const deficiency of [null, ...Object.keys(DEFICIENCIES)]) {
    test(`the colours of series and classes differ: ${scheme}, ${deficiency ?? 'full colour vision'}`, () => {
      assert.deepEqual(tooClose(tokens, SERIES, deficiency), [], 'series');
      assert.deepEqual(tooClose(tokens, CLASSES, deficiency), [], 'classes');
    });
  }

  test(`text can be read: ${scheme}`, () => {
    const least = isHigh(scheme) ? 7 : 4.5;
    const low = Object.entries(TEXTS).flatMap(([text, grounds]) =>
      grounds
        .map((ground) => ({ ground, ratio: contrast(value(tokens, text), value(tokens, ground)) }))
        .filter(({ ratio }) => ratio < least)
        .map(({ ground, ratio }) => `${text} on ${ground}: ${ratio.toFixed(2)}`),
    );
    assert.deepEqual(low, []);
  });

  test(`the number in a cell of the confusion matrix can be read: ${scheme}`, () => {
    const least = isHigh(scheme) ? 7 : 4.5;
    const [, strongest] = /calc\(var\(--share\) \* (\d+)%\)/.exec(results) ?? [];
    assert.ok(strongest, 'evaluation.css has no share of the shade');
    for (const shade of ['--series-1', '--series-2']) {
      const ground = mix(value(tokens, shade), value(tokens, '--sunken'), Number(strongest) / 100);
      assert.ok(contrast(value(tokens, '--ink'), ground) >= least, `${shade}: ${ground}`);
    }
  });

  test(`shapes and colours of data stand out from the surface: ${scheme}`, () => {
    const least = isHigh(scheme) ? 4.5 : 3;
    const low = [...SHAPES, ...SERIES, ...CLASSES]
      .map((name) => ({ name, ratio: contrast(value(tokens, name), value(tokens, '--surface')) }))
      .filter(({ ratio }) => ratio < least)
      .map(({ name, ratio }) => `${name}: ${ratio.toFixed(2)}`);
    assert.deepEqual(low, []);
  });
}

test('both schemes and both contrasts define the same colours', () => {
  const [first, ...others] = Object.values(schemes).map((tokens) => Object.keys(tokens).sort());
  for (const names of others) assert.deepEqual(names, first);
  assert.ok((first?.length ?? 0) > 25);
});

test('the arithmetic agrees with published values', () => {
  assert.equal(contrast('#000000', '#ffffff'), 21);
  assert.equal(contrast('#777777', '#ffffff').toFixed(2), '4.48');
  const red = oklab(linear('#ff0000')).map((part) => part.toFixed(3));
  assert.deepEqual(red, ['0.628', '0.225', '0.126']);
  // A grey is the same to everybody, because each row of a matrix sums to 1.
  for (const deficiency of Object.keys(DEFICIENCIES))
    assert.ok(distance(simulate(linear('#808080'), deficiency), linear('#808080')) < 1e-4, deficiency);
  // Two colours that are known to be confused.
  const [red2, green] = [linear('#a06040'), linear('#708040')];
  assert.ok(distance(red2, green) > LEAST_DISTANCE);
  assert.ok(distance(simulate(red2, 'deuteranopia'), simulate(green, 'deuteranopia')) < LEAST_DISTANCE);
});
