// Layout: a laptop shows the controls, the live result and the primary action of a view without scrolling; nothing is
// cut off, overlaps or scrolls sideways from 320 to 2,560 pixels; the projector view is readable from the last row.
//
// The functions that measure are in geometry.js and run in the page. Each test opens the page once and measures every
// view of it in several windows, because opening takes longer than measuring.

import { installGeometry } from './geometry.js';
import { expect, test } from './fixtures.js';
import { QUICK, madeModel } from './webtune.js';

/** @typedef {import('./webtune.js').Webtune} Webtune */
/** @typedef {import('../../www/views.js').View} View */
/** @typedef {'before'|'paused'|'done'} RunState */
/** @typedef {{width: number, height: number}} Size */

const CPU = { ...QUICK, device: 'cpu' };
/** A run that does not end by itself. */
const ENDLESS = { ...CPU, num_train_epochs: 1000 };
const VIEWS = /** @type {View[]} */ ('overview dataset split model tokens training evaluation try export'.split(' '));
const LANGUAGES = ['en', 'ko'];
const LAPTOP = { width: 1280, height: 720 };
const WALL = { width: 1920, height: 1080 };
/** The last one is a laptop at a zoom of 200 %. */
const WINDOWS = ['320x640', '360x740', '390x844', '600x900', '768x1024', '1024x768', '1280x720', '1920x1080']
  .concat('2560x1440', '640x360')
  .map(sizeOf);

/** @param {string} text @returns {Size} */
function sizeOf(text) {
  const [width = 0, height = 0] = text.split('x').map(Number);
  return { width, height };
}

/**
 * What is measured: every problem of the layout, parts that must be in view, and a smallest size of text.
 * @typedef {{layout?: boolean, parts?: Record<string, string[]>, pixels?: number}} Wanted
 */

/**
 * Measures each view.
 * @param {Webtune} webtune
 * @param {string} about  for a message
 * @param {Wanted} wanted
 * @returns {Promise<string[]>}
 */
async function problemsOf({ page }, about, wanted) {
  const found = await page.evaluate(
    async ({ views, wanted: { layout, parts, pixels } }) => {
      const { showView, layoutProblems, hiddenParts, smallTexts } =
        /** @type {{__geometry: import('./geometry.js').Geometry}} */ (/** @type {unknown} */ (window)).__geometry;
      /** @type {string[]} */
      const problems = [];
      for (const view of views) {
        await showView(view);
        const here = [
          ...(layout ? layoutProblems() : []),
          ...(parts ? hiddenParts(parts[view] ?? []) : []),
          ...(pixels ? smallTexts(pixels) : []),
        ];
        problems.push(...here.map((problem) => `${view}: ${problem}`));
      }
      return problems;
    },
    { views: VIEWS, wanted },
  );
  return found.map((problem) => `${about}, ${problem}`);
}

/**
 * Opens the page with the functions of geometry.js.
 * @param {Webtune} webtune
 * @param {Record<string, string|number>} query
 */
async function open(webtune, query) {
  await webtune.page.emulateMedia({ reducedMotion: 'reduce' });
  await installGeometry(webtune.page);
  await webtune.page.setViewportSize(LAPTOP);
  await webtune.open(query);
  // Every panel is made when the browser is idle.
  for (const view of VIEWS) await webtune.show(view);
}

/** Starts a run and pauses it after a few steps. @param {Webtune} webtune */
async function pausedRun(webtune) {
  await webtune.button('run-all').click();
  await webtune.stepped(12);
  await webtune.button('pause').click();
  await expect(webtune.button('resume')).toBeVisible();
  // The worker answers between steps, so an evaluation has ended.
  await webtune.classify('This knife is sharp.');
}

/** Ends the run. Its model classifies a sentence. @param {Webtune} webtune */
async function stoppedRun(webtune) {
  await webtune.button('stop').click();
  await webtune.idle();
  await webtune.classify('This knife is sharp.');
}

/**
 * Chooses a language, also where the menu with the choice is closed.
 * @param {Webtune} webtune
 * @param {string} language
 */
const chooseLanguage = ({ page }, language) =>
  page.getByTestId('language').evaluate((select, value) => {
    if (!(select instanceof HTMLSelectElement)) return;
    select.value = value;
    select.dispatchEvent(new Event('change', { bubbles: true }));
  }, language);

/**
 * Measures in both languages.
 * @param {Webtune} webtune
 * @param {(language: string) => Promise<string[]>} measure
 */
async function inEachLanguage(webtune, measure) {
  const found = [];
  for (const language of LANGUAGES) {
    await webtune.page.setViewportSize(LAPTOP);
    await chooseLanguage(webtune, language);
    await expect(webtune.page.locator('html')).toHaveAttribute('lang', language);
    found.push(...(await measure(language)));
  }
  await webtune.page.setViewportSize(LAPTOP);
  await chooseLanguage(webtune, 'en');
  return found;
}

/**
 * The problems of every view in every window, and what of the primary action is out of view.
 * @param {Webtune} webtune
 * @param {string} about
 * @param {Size[]} [windows]
 */
function everywhere(webtune, about, windows = WINDOWS) {
  return inEachLanguage(webtune, async (language) => {
    const found = [];
    const parts = Object.fromEntries(VIEWS.map((view) => [view, [ACTIONS]]));
    for (const size of windows) {
      await webtune.page.setViewportSize(size);
      const where = `${about}, ${language}, ${size.width} × ${size.height}`;
      found.push(...(await problemsOf(webtune, where, { layout: true, parts })));
    }
    return found;
  });
}

/** The primary action, or the controls of a run in its place. */
const ACTIONS = '#dock .dock-run button';
/** Every setting that is not folded. */
const FIELDS = '.field-row > :is(input, select, .field-label)';

/**
 * What a visitor must see of each view without scrolling: the action, the controls, and the live result.
 * @param {RunState} state
 * @returns {Record<View, string[]>}
 */
function essentials(state) {
  const ran = state !== 'before';
  const form = (/** @type {string} */ view) => [ACTIONS, `#${view} .panel-side ${FIELDS}`, `[data-testid=run-${view}]`];
  return {
    // The sentence of a first run is classified when the run has ended.
    overview: [ACTIONS, '#overview .card', '#overview .spark', `#overview .${state === 'paused' ? 'quote' : 'bars'}`],
    dataset: [...form('dataset'), '#dataset .figures', '#dataset .bars', '#dataset tbody tr', '#dataset .pager button'],
    split: [...form('split'), '#split .segments-bar', '#split .squares', '#split .legend'],
    model: [
      ACTIONS,
      '[data-testid=run-model]',
      '[data-testid=gallery] button',
      ...(ran ? ['#model .figures', '#model .network'] : ['#model .panel-main .placeholder']),
    ],
    tokens: [
      ...form('tokens'),
      ...(ran
        ? ['#tokens .figures', '#tokens .token-rows > li:nth-child(-n + 2)', '#tokens .pager button']
        : ['#tokens .panel-main .placeholder']),
    ],
    training: [
      ...form('training'),
      '[data-testid=train-paused]',
      '#training .presets button',
      '#training .live',
      '#training .charts figure',
      '#training .plan-sentence',
    ],
    evaluation: [
      ACTIONS,
      '[data-testid=run-evaluation]',
      ...(ran
        ? [
            '[data-testid=eval-accuracy]',
            '[data-testid=confusion]',
            '#evaluation .two table',
            '[data-testid=evaluations]',
          ]
        : ['#evaluation .panel-main .placeholder']),
    ],
    try: [
      ACTIONS,
      '[data-testid=try-input]',
      '[data-testid=try-button]',
      '#try .example',
      ...(ran ? ['#try .quote', '[data-testid=try-before]', '[data-testid=try-after]'] : ['#try .placeholder']),
    ],
    export: [
      ACTIONS,
      '[data-testid=export]',
      '[data-testid=export-size]',
      '[data-testid=export-parts] > li > :is(input, label, .part-about)',
    ],
  };
}

test('the measurements find what is broken', async ({ webtune }) => {
  const { page } = webtune;
  await open(webtune, CPU);
  await webtune.show('split');
  const found = await page.evaluate(() => {
    const { layoutProblems, hiddenParts, smallTexts } = /** @type {any} */ (window).__geometry;
    const before = layoutProblems();
    const main = document.querySelector('#split > .panel-main');
    // The policy of the page lets no text become elements or styles.
    const make = (
      /** @type {string} */ tag,
      /** @type {object} */ properties,
      /** @type {(Node|string)[]} */ ...inside
    ) => {
      const made = Object.assign(document.createElement(tag), properties);
      made.append(...inside);
      return made;
    };
    const narrow = 'width: 60px; overflow: hidden; white-space: nowrap';
    const list = make('ul', { className: 'bars', id: 'bars', style: 'width: 90px' }, make('li', {}, 'bar'));
    const two = make('button', { id: 'two', style: 'margin-left: -20px' }, 'two');
    main?.append(
      make('p', { id: 'wide', style: 'width: 3000px' }, 'wide'),
      make('div', { style: narrow }, make('b', { id: 'cut' }, 'a text that is cut off')),
      make('div', { className: 'pair' }, make('button', { id: 'one' }, 'one'), two),
      make('p', { id: 'under' }, 'one text'),
      make('p', { style: 'margin-top: -2.5rem' }, make('b', { id: 'over' }, 'another text')),
      make('button', { id: 'nowrap', style: 'width: 20px; white-space: nowrap; border: 0' }, 'wider than its box'),
      make('div', { style: 'width: 50px' }, list),
      make('p', { id: 'low', style: 'margin-top: 2000px; font-size: 5px' }, 'low and small'),
    );
    return {
      before,
      after: layoutProblems(),
      hidden: hiddenParts(['#low', '#split-title', '#none']),
      small: smallTexts(6),
    };
  });
  expect(found.before).toEqual([]);
  const all = found.after.join('\n');
  for (const expected of [
    /scrolls sideways by \d+ px: .*div\.panel-main/,
    /text is cut by \d+ px at .*#cut/,
    /overlap: .*#one.* and .*#two/,
    /text over text: .*#over.* and .*#under/,
    /text is \d+ px wider than its box: .*#nowrap/,
    /chart leaves its container by 40 px: .*#bars/,
  ])
    expect(all).toMatch(expected);
  expect(found.hidden).toEqual([expect.stringMatching(/px out of view: .*#low/), 'not displayed: #none']);
  expect(found.small).toEqual([expect.stringMatching(/text of 5px: .*#low/)]);
});

test('a laptop shows the controls, the result and the action of every view without scrolling', async ({ webtune }) => {
  await open(webtune, { ...ENDLESS, depth: 'explore' });
  const measure = (/** @type {RunState} */ state) =>
    inEachLanguage(webtune, (language) => problemsOf(webtune, `${state}, ${language}`, { parts: essentials(state) }));
  expect.soft(await measure('before')).toEqual([]);
  await pausedRun(webtune);
  expect.soft(await measure('paused')).toEqual([]);
  await stoppedRun(webtune);
  expect.soft(await measure('done')).toEqual([]);
});

test('nothing is cut off, overlaps or scrolls sideways, before, during and after a run', async ({ webtune }) => {
  await open(webtune, ENDLESS);
  expect.soft(await everywhere(webtune, 'before')).toEqual([]);
  await pausedRun(webtune);
  expect.soft(await everywhere(webtune, 'paused')).toEqual([]);
  await stoppedRun(webtune);
  expect.soft(await everywhere(webtune, 'done')).toEqual([]);
});

test('a refused press and a failed stage fit into every window', async ({ webtune }) => {
  webtune.allow(/./);
  await open(webtune, { ...CPU, model: madeModel('not-a-bert') });
  await webtune.press('run-model');
  await expect(webtune.alert('model')).toBeVisible();
  await webtune.fill('learning_rate', 'NaN');
  await webtune.press('run-all');
  await expect(webtune.alert('dock')).toBeVisible();
  expect(await everywhere(webtune, 'errors')).toEqual([]);
});

test('the projector view is readable, and its chart fills the wall', async ({ webtune }) => {
  const { page } = webtune;
  await open(webtune, { ...ENDLESS, depth: 'explore', view: 'projector' });
  await expect(page.locator('html')).toHaveAttribute('data-contrast', 'more');
  await webtune.page.setViewportSize(WALL);
  expect.soft(await problemsOf(webtune, 'before', { pixels: 24 })).toEqual([]);
  await webtune.page.setViewportSize(LAPTOP);
  await pausedRun(webtune);
  await webtune.page.setViewportSize(WALL);
  expect.soft(await problemsOf(webtune, 'paused', { pixels: 24 })).toEqual([]);
  await webtune.show('training');
  const { chart, text } = await page.evaluate(() => {
    const area = (/** @type {string} */ selector) => {
      const { width, height } = document.querySelector(selector)?.getBoundingClientRect() ?? { width: 0, height: 0 };
      return width * height;
    };
    const probe = document.createElement('span');
    probe.style.fontSize = 'var(--chart-text)';
    document.body.append(probe);
    const { fontSize } = getComputedStyle(probe);
    probe.remove();
    // The figure of the loss as a share of the view, which is what the top bar, the rail and the dock leave.
    return { chart: area('#training figure.wide') / area('#main'), text: parseFloat(fontSize) };
  });
  expect.soft(text, 'size of the labels of charts').toBeGreaterThanOrEqual(24);
  expect.soft(chart, 'share of the view').toBeGreaterThanOrEqual(0.5);
  expect.soft(await everywhere(webtune, 'projector', [WALL, LAPTOP])).toEqual([]);
});
