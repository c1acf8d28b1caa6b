// Geometry of the page: functions that run in the page and return problems as lines of text, each with a selector.
//
// `installGeometry` adds them to a page as `window.__geometry`. They measure what is displayed, so they know no view.
// A problem is at least `SLACK` pixels large, because the boxes of texts are rounded.

/** @typedef {{left: number, top: number, right: number, bottom: number}} Box */

const SLACK = 1;
const INTERACTIVE = 'button, a[href], input, select, textarea, summary, [tabindex="0"]';
const CHARTS = '.chart, .uplot, .uplot canvas, .spark, .network, .bars, .memory-bar, .segments-bar';
/** Elements that may be wider than their place, because they scroll by themselves and a keyboard reaches them. */
const SCROLLERS = '.scroll, .code';
/** Decorations that leave their box on purpose: signs at the corner of a mark, points of a chart, the progress line. */
const DECORATIONS = '.mark, .spark-plot, .spark-plot *, .line, .line *, .bar, .u-over, .u-over *, .u-wrap, svg, svg *';
/** What stays in view at the lower end of a pane. */
const FEET = '.side-foot, .pager';
/** Fields of free text, whose content scrolls. */
const FREE_TEXT = '.sentence';

/** A short selector of an element for a message. @param {Element} element */
function nameOf(element) {
  const one = (/** @type {Element} */ each) => {
    const { testid } = /** @type {HTMLElement} */ (each).dataset ?? {};
    if (testid) return `[data-testid=${testid}]`;
    if (each.id) return `#${each.id}`;
    const classes = [...each.classList].slice(0, 2).map((name) => `.${name}`);
    return each.localName + classes.join('');
  };
  const path = [one(element)];
  for (let up = element.parentElement; up && up !== document.body && path.length < 3; up = up.parentElement)
    path.unshift(one(up));
  const text = (element.textContent ?? '').trim().replace(/\s+/g, ' ').slice(0, 40);
  return `${path.join(' ')}${text && ` “${text}”`}`;
}

/** Whether an element is displayed to somebody who sees the page. @param {Element} element */
function isVisible(element) {
  if (!element.checkVisibility({ checkVisibilityCSS: true })) return false;
  if (element.closest('.skip, noscript')) return false;
  const clipped = element.closest('.visually-hidden, .rail-text');
  if (clipped && getComputedStyle(clipped).clipPath === 'inset(50%)') return false;
  const { width, height } = element.getBoundingClientRect();
  return width > 0 && height > 0;
}

/** @param {DOMRect|Box} rect @returns {Box} */
const boxOf = ({ left, top, right, bottom }) => ({ left, top, right, bottom });

/** @param {Box} a @param {Box} b @returns {Box} */
const common = (a, b) => ({
  left: Math.max(a.left, b.left),
  top: Math.max(a.top, b.top),
  right: Math.min(a.right, b.right),
  bottom: Math.min(a.bottom, b.bottom),
});

/** The ancestors that can clip an element: those of an absolutely positioned one begin at its containing block. */
function clippersOf(/** @type {Element} */ element) {
  /** @type {Element[]} */
  const found = [];
  let out = getComputedStyle(element).position === 'absolute';
  for (let up = element.parentElement; up && up !== document.documentElement; up = up.parentElement) {
    const { position } = getComputedStyle(up);
    if (!out || position !== 'static') {
      found.push(up);
      out = position === 'absolute';
    }
    if (position === 'fixed') break;
  }
  return found;
}

/**
 * The part of the window in which an element can be seen: inside of the ancestors that clip.
 * @param {Element} element
 */
function frameOf(element) {
  let frame = /** @type {Box} */ ({ left: 0, top: 0, right: innerWidth, bottom: innerHeight });
  for (const up of clippersOf(element)) {
    const { overflowX, overflowY } = getComputedStyle(up);
    const box = up.getBoundingClientRect();
    if (overflowX !== 'visible') frame = common(frame, { ...frame, left: box.left, right: box.right });
    if (overflowY !== 'visible') frame = common(frame, { ...frame, top: box.top, bottom: box.bottom });
    // What is scrolled out of view lies below a foot that stays in view.
    for (const foot of overflowY === 'auto' ? up.querySelectorAll(FEET) : []) {
      const isAfter = Boolean(element.compareDocumentPosition(foot) & Node.DOCUMENT_POSITION_FOLLOWING);
      if (isAfter && !foot.contains(element) && getComputedStyle(foot).position === 'sticky' && isVisible(foot))
        frame = common(frame, { ...frame, bottom: foot.getBoundingClientRect().top });
    }
  }
  // In a low window the page scrolls below the dock.
  const dock = document.getElementById('dock');
  if (dock && getComputedStyle(dock).position === 'sticky' && !dock.contains(element))
    frame = common(frame, { ...frame, bottom: dock.getBoundingClientRect().top });
  return frame;
}

/** Elements that are wider than their place: the document, the frame, the panes, tables and codes. */
function sidewaysProblems() {
  const selector = `html, body, main, .topbar, .rail, .dock, .panel, .panel-side, .panel-main, ${SCROLLERS}`;
  return [...document.querySelectorAll(selector)]
    .filter((element) => isVisible(element) && element.scrollWidth > element.clientWidth + SLACK)
    .filter((element) => !(element.matches(SCROLLERS) && innerWidth < 390))
    .map((each) => `scrolls sideways by ${each.scrollWidth - each.clientWidth} px: ${nameOf(each)}`);
}

/** The visible texts of the page, each with the boxes of its lines. */
function visibleTexts() {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  /** @type {{element: Element, boxes: Box[]}[]} */
  const texts = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!element || !node.nodeValue?.trim() || element.matches('script, style, option') || !isVisible(element))
      continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    texts.push({ element, boxes: [...range.getClientRects()].filter(({ width }) => width > 0).map(boxOf) });
  }
  return texts;
}

/** How far a box leaves an ancestor that clips and does not scroll, or the window sideways. */
function cutBy(/** @type {Element} */ element, /** @type {Box} */ box) {
  for (const up of [element, ...clippersOf(element)]) {
    const { overflowX, overflowY, display } = getComputedStyle(up);
    if (display === 'inline' || up === document.body) continue;
    const outer = up.getBoundingClientRect();
    if (overflowX !== 'visible' && !up.matches(SCROLLERS)) {
      if (box.right > outer.right + SLACK) return { by: box.right - outer.right, of: up };
      if (box.left < outer.left - SLACK) return { by: outer.left - box.left, of: up };
    }
    if (overflowY === 'hidden' || overflowY === 'clip') {
      if (box.bottom > outer.bottom + SLACK) return { by: box.bottom - outer.bottom, of: up };
      if (box.top < outer.top - SLACK) return { by: outer.top - box.top, of: up };
    }
    // The rest of a table or a code is seen after scrolling.
    if (up.matches(SCROLLERS)) return null;
  }
  if (box.right > innerWidth + SLACK) return { by: box.right - innerWidth, of: document.documentElement };
  if (box.left < -SLACK) return { by: -box.left, of: document.documentElement };
  return null;
}

/** The width of the text that a field shows, in the font of the field. @param {HTMLElement} field */
function shownWidth(field) {
  const text = field instanceof HTMLSelectElement ? field.selectedOptions[0]?.text : '';
  const style = getComputedStyle(field);
  const context = document.createElement('canvas').getContext('2d');
  if (!context) return 0;
  context.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  return context.measureText(text ?? '').width + parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
}

/** Texts that are cut off: by an ancestor, or because they are wider than their own box. */
function cutProblems() {
  /** @type {string[]} */
  const found = [];
  for (const { element, boxes } of visibleTexts()) {
    if (element.closest(DECORATIONS)) continue;
    for (const box of boxes) {
      const cut = cutBy(element, box);
      if (cut) found.push(`text is cut by ${Math.round(cut.by)} px at ${nameOf(cut.of)}: ${nameOf(element)}`);
      if (cut) break;
    }
  }
  const holders = 'button, summary, label, th, td, dt, dd, p, li, h1, h2, h3, span, code, strong, select, input';
  for (const element of document.querySelectorAll(holders)) {
    if (!(element instanceof HTMLElement) || element.closest(DECORATIONS) || element.matches(FREE_TEXT)) continue;
    // The sign of a running stage turns around its mark.
    if (element.querySelector('.mark')) continue;
    if (!isVisible(element) || getComputedStyle(element).display.startsWith('inline ')) continue;
    const over =
      element instanceof HTMLSelectElement
        ? shownWidth(element) - element.clientWidth
        : element.scrollWidth - element.clientWidth;
    if (element.clientWidth > 0 && over > SLACK && getComputedStyle(element).display !== 'inline')
      found.push(`text is ${Math.round(over)} px wider than its box: ${nameOf(element)}`);
  }
  return found;
}

/** Controls, labels and charts that leave their pane or the window sideways. */
function outsideProblems() {
  const panes = '.panel-side, .panel-main, .panel-head, .topbar, .rail, .dock, #notices';
  return [...document.querySelectorAll(`${INTERACTIVE}, label, .figures > div, ${CHARTS}`)].flatMap((element) => {
    if (!isVisible(element) || element.closest(SCROLLERS) || element.closest('.popover')) return [];
    const pane = element.closest(panes)?.getBoundingClientRect();
    const box = element.getBoundingClientRect();
    const [left, right] = [Math.max(0, pane?.left ?? 0), Math.min(innerWidth, pane?.right ?? innerWidth)];
    const by = Math.max(left - box.left, box.right - right);
    return by > SLACK ? [`leaves its pane by ${Math.round(by)} px: ${nameOf(element)}`] : [];
  });
}

/** Charts that leave the element that they are drawn into. */
function chartProblems() {
  return [...document.querySelectorAll(CHARTS)].flatMap((chart) => {
    const parent = chart.parentElement;
    if (!parent || !isVisible(chart)) return [];
    const [box, outer] = [chart.getBoundingClientRect(), parent.getBoundingClientRect()];
    const by = Math.max(box.right - outer.right, outer.left - box.left, box.bottom - outer.bottom);
    return by > SLACK ? [`chart leaves its container by ${Math.round(by)} px: ${nameOf(chart)}`] : [];
  });
}

/** Pairs of controls of which one lies over the other. */
function overlapProblems() {
  const controls = [...document.querySelectorAll(INTERACTIVE)]
    .filter((element) => isVisible(element) && !element.matches('.panel, .scroll, .code, .dialog-body'))
    .map((element) => ({ element, box: common(boxOf(element.getBoundingClientRect()), frameOf(element)) }))
    .filter(({ box }) => box.right - box.left > SLACK && box.bottom - box.top > SLACK);
  /** @type {string[]} */
  const found = [];
  for (const [at, a] of controls.entries()) {
    for (const b of controls.slice(at + 1)) {
      if (a.element.contains(b.element) || b.element.contains(a.element)) continue;
      const { left, top, right, bottom } = common(a.box, b.box);
      if (right - left > 2 && bottom - top > 2) found.push(`overlap: ${nameOf(a.element)} and ${nameOf(b.element)}`);
    }
  }
  return found;
}

/** Pairs of lines of text of which one lies over the other. */
function textOverlapProblems() {
  const lines = visibleTexts()
    .filter(({ element }) => !element.closest(DECORATIONS))
    .flatMap(({ element, boxes }) => {
      const frame = frameOf(element);
      return boxes.map((box) => ({ element, box: common(box, frame) }));
    })
    .filter(({ box }) => box.right - box.left > SLACK && box.bottom - box.top > SLACK)
    .sort((a, b) => a.box.top - b.box.top);
  /** @type {string[]} */
  const found = [];
  for (const [at, a] of lines.entries()) {
    for (let next = at + 1; next < lines.length; next += 1) {
      const b = lines[next];
      if (!b || b.box.top >= a.box.bottom) break;
      if (a.element.contains(b.element) || b.element.contains(a.element)) continue;
      const { left, top, right, bottom } = common(a.box, b.box);
      // The box of a line is higher than its letters.
      const letters = Math.min(a.box.bottom - a.box.top, b.box.bottom - b.box.top) / 3;
      if (right - left > 2 && bottom - top > letters)
        found.push(`text over text: ${nameOf(a.element)} and ${nameOf(b.element)}`);
    }
  }
  return found;
}

/**
 * Elements that are not completely in view: outside of the window, of their pane, or below its foot.
 * @param {string[]} selectors  every visible match of each is measured; one without a match is a problem
 */
function hiddenParts(selectors) {
  return selectors.flatMap((selector) => {
    const shown = [...document.querySelectorAll(selector)].filter(isVisible);
    if (shown.length === 0) return [`not displayed: ${selector}`];
    return shown.flatMap((element) => {
      const [box, frame] = [element.getBoundingClientRect(), frameOf(element)];
      const by = Math.max(
        frame.left - box.left,
        frame.top - box.top,
        box.right - frame.right,
        box.bottom - frame.bottom,
      );
      return by > SLACK ? [`${Math.round(by)} px out of view: ${nameOf(element)}`] : [];
    });
  });
}

/** Texts that are smaller than a size. @param {number} pixels */
function smallTexts(pixels) {
  const elements = new Set(visibleTexts().map(({ element }) => element));
  for (const field of document.querySelectorAll('input, select, textarea')) if (isVisible(field)) elements.add(field);
  return [...elements]
    .filter((element) => parseFloat(getComputedStyle(element).fontSize) < pixels)
    .map((element) => `text of ${getComputedStyle(element).fontSize}: ${nameOf(element)}`);
}

/** Every problem of the page as it is now, without duplicates. */
function layoutProblems() {
  const checks = [sidewaysProblems, cutProblems, outsideProblems, chartProblems, overlapProblems, textOverlapProblems];
  return [...new Set(checks.flatMap((check) => check()))];
}

/** Shows a view and resolves when it is drawn; scrolled to its start. @param {string} view */
async function showView(view) {
  const drawn = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  if (location.hash !== `#${view}`) location.hash = view;
  while (document.getElementById(view)?.hidden) await drawn();
  for (const pane of document.querySelectorAll('.panel, .panel-side, .panel-main')) pane.scrollTop = 0;
  document.documentElement.scrollTop = 0;
  // A chart takes its size from an observer, which runs after the first layout.
  await drawn();
}

const FUNCTIONS = [
  nameOf,
  isVisible,
  boxOf,
  common,
  clippersOf,
  frameOf,
  sidewaysProblems,
  visibleTexts,
  cutBy,
  shownWidth,
  cutProblems,
  outsideProblems,
  chartProblems,
  overlapProblems,
  textOverlapProblems,
  hiddenParts,
  smallTexts,
  layoutProblems,
  showView,
];
const CONSTANTS = { SLACK, INTERACTIVE, CHARTS, SCROLLERS, DECORATIONS, FEET, FREE_TEXT };

/** @typedef {{layoutProblems: typeof layoutProblems, hiddenParts: typeof hiddenParts, smallTexts: typeof smallTexts,
 *   showView: typeof showView}} Geometry */

/** The source of a script that sets `window.__geometry`. */
export function geometrySource() {
  const constants = Object.entries(CONSTANTS).map(([name, value]) => `const ${name} = ${JSON.stringify(value)};`);
  const functions = FUNCTIONS.map((each) => `const ${each.name} = ${each.toString()};`);
  const exported = 'window.__geometry = { layoutProblems, hiddenParts, smallTexts, showView };';
  return `(() => { ${[...constants, ...functions, exported].join('\n')} })();`;
}

/**
 * Adds `window.__geometry` to each document that the page opens from now on.
 * @param {import('@playwright/test').Page} page
 */
export const installGeometry = (page) => page.addInitScript({ content: geometrySource() });
