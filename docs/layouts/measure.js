// Measurements of the prototypes at the page's size: clicks to a goal, and what is visible without scrolling.

/** @typedef {import('playwright-core').Page} Page */

const PARTS = ['primary', 'message', 'rows', 'learning_rate', 'curve', 'accuracy', 'sentence', 'bars', 'problem'];

/** The clicks of each goal, as selectors, and the parts that must be visible at the end. */
const GOALS = [
  {
    goal: 'a running job and its curve, from opening',
    state: 'empty',
    clicks: { rail: ['primary'], columns: ['primary'], runs: ['primary'] },
    visible: ['message', 'curve'],
    ends: '[data-state=running]',
  },
  {
    goal: 'the cursor in the sentence, after a run',
    state: 'done',
    clicks: { rail: ['sentence'], columns: ['sentence'], runs: ['>try', 'sentence'] },
    visible: ['sentence', 'bars'],
    ends: '[data-part=sentence]:focus',
  },
  {
    goal: 'the cursor in the learning rate, with the curve',
    state: 'running',
    clicks: {
      rail: ['>training', 'learning_rate'],
      columns: ['>training', 'learning_rate'],
      runs: ['learning_rate'],
    },
    visible: ['learning_rate', 'curve'],
    ends: '[data-part=learning_rate]:focus',
  },
  {
    goal: 'the same, with the accuracy beside it',
    state: 'running',
    clicks: {
      rail: ['>training', 'learning_rate'],
      columns: ['>training', 'learning_rate'],
      runs: ['learning_rate'],
    },
    visible: ['learning_rate', 'curve', 'accuracy'],
    ends: '[data-part=learning_rate]:focus',
  },
];

/** @param {Page} page @param {string} site */
export async function clicksTable(page, site) {
  const lines = ['| goal | rail | columns | runs |', '| --- | --- | --- | --- |'];
  for (const { goal, state, clicks, visible, ends } of GOALS) {
    const cells = [];
    for (const [layout, path] of Object.entries(clicks)) {
      await page.goto(`${site}?bare&layout=${layout}&state=${state}${state === 'running' ? '&step=17' : ''}`);
      for (const step of path) {
        const selector = step[0] === '>' ? `[data-view=${step.slice(1)}]` : `[data-part=${step}]`;
        await page.locator(selector).first().click();
      }
      await page.locator(ends).first().waitFor({ timeout: 5000 });
      const shown = await visibleParts(page);
      const hidden = visible.filter((part) => shown[part] !== 'yes');
      cells.push(hidden.length === 0 ? `${path.length}` : `${path.length}, without ${hidden.join(', ')}`);
    }
    lines.push(`| ${goal} | ${cells.join(' | ')} |`);
  }
  return lines.join('\n');
}

/**
 * What is visible in the start views, and on a large window also in two views of layout "rail".
 * @param {Page} page
 * @param {string} site
 */
export async function visibleTable(page, site) {
  const { width, height } = page.viewportSize() ?? { width: 0, height: 0 };
  const names = `| ${width} × ${height} | ${PARTS.join(' | ')} | plot |`;
  const lines = [names, `| --- |${' --- |'.repeat(PARTS.length + 1)}`];
  const views = ['layout=rail', 'layout=columns', 'layout=runs'];
  if (width > 1000) views.splice(1, 0, 'layout=rail&view=training', 'layout=rail&view=try');
  for (const view of views)
    for (const state of ['empty', 'running', 'done', 'error']) {
      await page.goto(`${site}?bare&step=17&${view}&state=${state}`);
      await page.locator('[data-part=message]').waitFor();
      const shown = await visibleParts(page);
      const plot = await page.locator('.plot').evaluateAll(([first]) => {
        const box = first?.getBoundingClientRect();
        return box ? `${Math.round(box.width)} × ${Math.round(box.height)}` : '·';
      });
      const name = view.replace('layout=', '').replace('&view=', ': ');
      lines.push(`| ${name}, ${state} | ${PARTS.map((part) => shown[part] ?? '·').join(' | ')} | ${plot} |`);
    }
  return lines.join('\n');
}

/**
 * Of each part: `yes` if it is whole on the screen, `partly`, or `no`. Parts that the view lacks are left out.
 * @param {Page} page
 * @returns {Promise<Record<string, string>>}
 */
const visibleParts = (page) =>
  page.evaluate(() => {
    /** @type {Record<string, string>} */
    const found = {};
    for (const element of document.querySelectorAll('[data-part]')) {
      const box = element.getBoundingClientRect();
      // What the window and every ancestor that scrolls leave of the box.
      let [left, top, right, bottom] = [0, 0, innerWidth, innerHeight];
      for (let parent = element.parentElement; parent; parent = parent.parentElement) {
        if (getComputedStyle(parent).overflowY === 'visible') continue;
        const clip = parent.getBoundingClientRect();
        left = Math.max(left, clip.left);
        top = Math.max(top, clip.top);
        right = Math.min(right, clip.right);
        bottom = Math.min(bottom, clip.bottom);
      }
      /** @param {number} x @param {number} y */
      const covered = (x, y) => {
        const hit = document.elementFromPoint(x, y);
        return !hit || !(element.contains(hit) || hit.contains(element));
      };
      // A part that is not displayed has an empty box.
      if (box.width === 0) continue;
      const middle = (box.top + box.bottom) / 2;
      const whole =
        box.left >= left - 1 &&
        box.top >= top - 1 &&
        box.right <= right + 1 &&
        box.bottom <= bottom + 1 &&
        ![box.left + 2, box.right - 2].some((x) => covered(x, middle));
      const none = box.bottom <= top || box.top >= bottom || box.right <= left || box.left >= right;
      found[element.getAttribute('data-part') ?? ''] = whole ? 'yes' : none ? 'no' : 'partly';
    }
    return found;
  });
