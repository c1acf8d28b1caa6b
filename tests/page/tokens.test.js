// The design tokens: the style sheets have no colour, font size or shadow of their own, and every token is used.

import assert from 'node:assert/strict';
import test from 'node:test';
import { declarations, filesOf, tokensSheet } from './style-sheets.js';

const sheets = filesOf('.css').filter(({ path }) => path !== 'style/tokens.css');
const scripts = filesOf('.js');

/** The names of colours that CSS defines, without the keywords `transparent` and `currentcolor`. */
const NAMED = new Set(
  `aliceblue antiquewhite aqua aquamarine azure beige bisque black blanchedalmond blue blueviolet brown burlywood
  cadetblue chartreuse chocolate coral cornflowerblue cornsilk crimson cyan darkblue darkcyan darkgoldenrod darkgray
  darkgreen darkgrey darkkhaki darkmagenta darkolivegreen darkorange darkorchid darkred darksalmon darkseagreen
  darkslateblue darkslategray darkslategrey darkturquoise darkviolet deeppink deepskyblue dimgray dimgrey dodgerblue
  firebrick floralwhite forestgreen fuchsia gainsboro ghostwhite gold goldenrod gray green greenyellow grey honeydew
  hotpink indianred indigo ivory khaki lavender lavenderblush lawngreen lemonchiffon lightblue lightcoral lightcyan
  lightgoldenrodyellow lightgray lightgreen lightgrey lightpink lightsalmon lightseagreen lightskyblue lightslategray
  lightslategrey lightsteelblue lightyellow lime limegreen linen magenta maroon mediumaquamarine mediumblue
  mediumorchid mediumpurple mediumseagreen mediumslateblue mediumspringgreen mediumturquoise mediumvioletred
  midnightblue mintcream mistyrose moccasin navajowhite navy oldlace olive olivedrab orange orangered orchid
  palegoldenrod palegreen paleturquoise palevioletred papayawhip peachpuff peru pink plum powderblue purple
  rebeccapurple red rosybrown royalblue saddlebrown salmon sandybrown seagreen seashell sienna silver skyblue slateblue
  slategray slategrey snow springgreen steelblue tan teal thistle tomato turquoise violet wheat white whitesmoke yellow
  yellowgreen`.split(/\s+/),
);
const COLOUR = /#[0-9a-f]{3,8}\b|\b(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch|color|light-dark)\(/i;
const LENGTH = /(?<![\w.-])\d*\.?\d+(?:px|rem|em|ex|ch|pt|vw|vh|vmin|vmax|%)/;
const FONT_SIZES = /\b(?:xx-small|x-small|small|medium|large|x-large|xx-large|xxx-large|smaller|larger)\b/;

/**
 * Why a declaration may not be outside of tokens.css, or null.
 * @param {{property: string, value: string}} declaration
 */
function problem({ property, value }) {
  // The names of tokens and of animations are no values.
  const plain = value.replace(/var\([^()]*\)/g, '').replace(/(["']).*?\1/g, '');
  if (COLOUR.test(plain)) return 'a colour';
  if (!/^(animation|transition|font|grid|content)/.test(property)) {
    const word = plain.match(/[a-z]+(?:-[a-z]+)*/gi)?.find((name) => NAMED.has(name.toLowerCase()));
    if (word) return `the colour ${word}`;
  }
  if (property === 'font-size' && (LENGTH.test(plain) || FONT_SIZES.test(plain))) return 'a font size';
  if (property === 'font' && (LENGTH.test(plain) || FONT_SIZES.test(plain))) return 'a font size';
  if (/shadow$/.test(property) && LENGTH.test(plain)) return 'a shadow';
  return null;
}

test('the check finds colours, font sizes and shadows', () => {
  const found = (/** @type {string} */ css) => declarations(`a {${css}}`).map(problem);
  assert.deepEqual(found('color: #fff; background: rgb(0 0 0); border: 1px solid red; fill: Tomato;'), [
    'a colour',
    'a colour',
    'the colour red',
    'the colour Tomato',
  ]);
  assert.deepEqual(found('background: linear-gradient(white, var(--ink)); color: light-dark(a, b);'), [
    'the colour white',
    'a colour',
  ]);
  assert.deepEqual(found('font-size: 0.8rem; font: 500 12px/1.3 var(--mono); font-size: 90%; font-size: small;'), [
    'a font size',
    'a font size',
    'a font size',
    'a font size',
  ]);
  assert.deepEqual(found('box-shadow: 0 1px 2px var(--line);'), ['a shadow']);
  const allowed = `color: var(--ink); background: color-mix(in oklab, var(--ink) 4%, transparent); border: 1px solid;
    font: 500 var(--text-s) / 1.3 var(--mono); white-space: nowrap; box-shadow: var(--shadow-1); font: inherit;`;
  assert.deepEqual([...new Set(found(allowed))], [null]);
});

test('no other style sheet has a colour, a font size or a shadow of its own', () => {
  const all = sheets.flatMap(({ path, text }) => declarations(text).map((declaration) => ({ path, ...declaration })));
  assert.ok(all.length > 300);
  const wrong = all.flatMap((declaration) => {
    const why = problem(declaration);
    return why ? [`${declaration.path}: ${why}: ${declaration.property}: ${declaration.value}`] : [];
  });
  assert.deepEqual(wrong, []);
});

/** The variables that a style sheet or a script sets on an element: `--share: …` or `'--share': …`. */
const set = new Set(
  [
    ...sheets.flatMap(({ text }) => declarations(text).map(({ property }) => property)),
    ...scripts.flatMap(({ text }) =>
      [...text.matchAll(/'(--[\w-]+)'(?=:)|setProperty\(\s*'(--[\w-]+)'/g)].map(([, key, name]) => key ?? name ?? ''),
    ),
  ].filter((name) => name.startsWith('--')),
);
const tokens = new Set(
  declarations(tokensSheet)
    .map(({ property }) => property)
    .filter((name) => name.startsWith('--')),
);
const usesIn = (/** @type {string} */ css) => [...css.matchAll(/var\(\s*(--[\w-]+)/g)].map(([, name = '']) => name);

test('every token that is used is defined', () => {
  const undefined_ = sheets.flatMap(({ path, text }) =>
    usesIn(text)
      .filter((name) => !tokens.has(name) && !set.has(name))
      .map((name) => `${path}: ${name}`),
  );
  assert.deepEqual(undefined_, []);
  // A script names a token in quotes, e.g. the colour of a line.
  const inScripts = scripts.flatMap(({ path, text }) =>
    [...text.matchAll(/'(--(?:text|space|radius|shadow|series|class|chart|warn|bad)[\w-]*)'/g)]
      .filter(([, name = '']) => !tokens.has(name))
      .map(([, name]) => `${path}: ${name}`),
  );
  assert.deepEqual(inScripts, []);
});

test('every token is used', () => {
  // The page of the components shows tokens. That is no use.
  const users = scripts.filter(({ path }) => !path.startsWith('components/gallery'));
  const used = new Set([
    ...usesIn(tokensSheet),
    ...sheets.flatMap(({ text }) => usesIn(text)),
    ...users.flatMap(({ text }) => [...text.matchAll(/'(--[\w-]+)'/g)].map(([, name = '']) => name)),
  ]);
  assert.deepEqual(
    [...tokens].filter((name) => !used.has(name)),
    [],
  );
});
