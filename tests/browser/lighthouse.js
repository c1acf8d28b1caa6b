// Runs Lighthouse on a page of the test server, in a browser of its own, and keeps the report of the median run.
//
// Lighthouse's default configuration is a mid-range phone on a slow 4G network: it simulates four times the CPU time
// and the network, so the scores depend on how busy the machine is. The median of several runs decides.

import { chromium } from '@playwright/test';
import lighthouse from 'lighthouse';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median } from './median.js';

/** @typedef {import('@playwright/test').LaunchOptions} LaunchOptions */
/** @typedef {NonNullable<Awaited<ReturnType<typeof lighthouse>>>} Run */
/** @typedef {Run['lhr']} Report */

export const CATEGORIES = /** @type {const} */ (['performance', 'accessibility', 'best-practices']);
const SHIFT = 'cumulative-layout-shift';
const FOLDER = fileURLToPath(new URL('../../test-results/lighthouse/', import.meta.url));

/**
 * Runs Lighthouse `count` times and returns the reports. The report of the run with the median performance is written
 * to test-results/lighthouse/ as HTML and JSON.
 * @param {string} url
 * @param {number} count
 * @param {LaunchOptions} options  of the browser
 */
export async function audit(url, count, options) {
  /** @type {Run[]} */
  const runs = [];
  await withBrowser(options, async (port) => {
    while (runs.length < count) {
      const run = await lighthouse(url, {
        port,
        output: ['html', 'json'],
        logLevel: 'error',
        onlyCategories: [...CATEGORIES],
      });
      if (!run) throw new Error('Lighthouse has no result');
      const { runtimeError } = run.lhr;
      if (runtimeError) throw new Error(`Lighthouse: ${runtimeError.code}: ${runtimeError.message}`);
      runs.push(run);
    }
  });
  await keep(runs);
  return runs.map(({ lhr }) => lhr);
}

/**
 * Starts a browser with a debugging port, which Lighthouse connects to. The browser writes the port to its profile.
 * @param {LaunchOptions} options
 * @param {(port: number) => Promise<void>} work
 */
async function withBrowser(options, work) {
  const profile = await mkdtemp(join(tmpdir(), 'webtune-lighthouse-'));
  const args = [...(options.args ?? []), '--remote-debugging-port=0'];
  // Without a viewport, because Lighthouse sets the phone's.
  const browser = await chromium.launchPersistentContext(profile, { ...options, args, viewport: null });
  try {
    const [port] = (await readFile(join(profile, 'DevToolsActivePort'), 'utf8')).split('\n');
    await work(Number(port));
  } finally {
    await browser.close();
    await rm(profile, { recursive: true, maxRetries: 5 });
  }
}

/** @param {Run[]} runs */
async function keep(runs) {
  const middle = median(runs.map(({ lhr }) => score(lhr, 'performance')));
  const kept = runs.find(({ lhr }) => score(lhr, 'performance') === middle);
  const [html = '', json = ''] = kept?.report ?? [];
  await mkdir(FOLDER, { recursive: true });
  await writeFile(join(FOLDER, 'report.html'), html);
  await writeFile(join(FOLDER, 'report.json'), json);
}

/**
 * The score of a category, 0 to 1.
 * @param {Report} report
 * @param {typeof CATEGORIES[number]} category
 */
export function score({ categories }, category) {
  return categories[category]?.score ?? NaN;
}

/** The cumulative layout shift while the page opens. @param {Report} report */
export function layoutShift({ audits }) {
  return audits[SHIFT]?.numericValue ?? NaN;
}

/**
 * The audits of a category that cost points in some run, one per line: the value of each run, the elements or files
 * that it names, and for the performance what takes time.
 * @param {Report[]} reports
 * @param {typeof CATEGORIES[number]} category
 */
export function lostPoints(reports, category) {
  const weighted = reports[0]?.categories[category]?.auditRefs.filter(({ weight }) => weight > 0) ?? [];
  const lost = weighted.filter(({ id }) => reports.some(({ audits }) => (audits[id]?.score ?? 1) < 0.9));
  const lines = lost.map(({ id }) => {
    const values = reports.map(({ audits }) => audits[id]?.displayValue || (audits[id]?.score ?? 'none'));
    return `${id}: ${values.join(', ')}${named(reports, id)}`;
  });
  if (lost.length === 0 || category !== 'performance') return lines;
  const causes = ['layout-shifts', 'long-tasks', 'render-blocking-resources', 'dom-size'];
  return [...lines, ...causes.map((id) => `${id} of the first run${named(reports, id)}`)];
}

/**
 * The first elements, files or values in the details of an audit.
 * @param {Report[]} reports
 * @param {string} id
 */
function named(reports, id) {
  const details = reports.map(({ audits }) => audits[id]?.details).find((found) => found && 'items' in found);
  const items = /** @type {Record<string, any>[]} */ (details && 'items' in details ? details.items : []);
  const names = items.slice(0, 5).map(({ node, url, score: part, duration, wastedMs }) => {
    const name = node?.selector ?? (url ? String(url).replace(/^https?:\/\/[^/]*/, '') : null);
    const value = part ?? duration ?? wastedMs;
    return name && (value === undefined ? name : `${name} (${Number(Number(value).toPrecision(3))})`);
  });
  const known = names.filter(Boolean);
  return known.length > 0 ? `; ${known.join(', ')}` : '';
}
