// Kills runs at random steps and counts those that are lost or continue wrongly, then trains for a long time and
// watches the memory. `cargo xtask soak` builds the site and starts it; the report is docs/soak.md.
//
// node tests/soak/soak.js --dist dist --kills 50 --minutes 120 --seed 1 [--report docs/soak.md]

import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { chromium } from '@playwright/test';
import config from '../browser/playwright.config.js';
import { TestServer } from '../browser/server.js';
import { KILLS, kill } from './kills.js';
import { watchMemory } from './memory.js';
import { SoakPage } from './page.js';
import { Random } from './random.js';
import { report } from './report.js';

/** @typedef {import('./kills.js').Kill} Kill */
/** @typedef {{kill: Kill, step: number, from: number, outcome: 'continued'|'lost'|'wrong', detail: string}} Episode */

/** Losses on WebGPU may differ by this, those on the CPU by nothing. */
const WEBGPU_TOLERANCE = 1e-4;

const { values: options } = parseArgs({
  options: {
    dist: { type: 'string' },
    kills: { type: 'string', default: '50' },
    minutes: { type: 'string', default: '120' },
    seed: { type: 'string', default: '1' },
    report: { type: 'string' },
  },
});

const random = new Random(Number(options.seed));
const server = await TestServer.start(options.dist);
const browser = await chromium.launch(config.use?.launchOptions);
try {
  const episodes = await killRuns(Number(options.kills));
  const memory = await watchMemory(browser, server, Number(options.minutes));
  const text = report({ browser: browser.version(), seed: Number(options.seed), episodes, memory });
  console.log(text);
  if (options.report) await writeFile(options.report, text);
  const failed = episodes.filter(({ outcome }) => outcome !== 'continued').length;
  process.exitCode = failed > 0 || memory.some(({ isFlat }) => !isFlat) ? 1 : 0;
} finally {
  await browser.close();
  await server.close();
}

/** @param {number} count @returns {Promise<Episode[]>} */
async function killRuns(count) {
  /** What a run ends with on each device, without an interruption. @type {Map<string, number[]>} */
  const expected = new Map();
  /** @type {Episode[]} */
  const episodes = [];
  while (episodes.length < count) {
    const chosen = KILLS[random.below(KILLS.length)] ?? 'close';
    const device = chosen === 'gpu-process' || chosen === 'device' ? 'webgpu' : 'cpu';
    const losses = expected.get(device) ?? (await uninterrupted(device));
    expected.set(device, losses);
    const episode = await killOnce(chosen, device, losses);
    // A run that has ended before it was killed is no episode.
    if (!episode) continue;
    episodes.push(episode);
    console.log(`${episodes.length}/${count} ${chosen} at step ${episode.step}: ${episode.outcome} ${episode.detail}`);
  }
  return episodes;
}

/** @param {'cpu'|'webgpu'} device */
async function uninterrupted(device) {
  const page = await SoakPage.open(await browser.newContext(), server, device);
  try {
    await page.start();
    return await page.finished();
  } finally {
    await page.close();
  }
}

/**
 * @param {Kill} chosen
 * @param {'cpu'|'webgpu'} device
 * @param {number[]} expected
 * @returns {Promise<Episode|null>}
 */
async function killOnce(chosen, device, expected) {
  const context = await browser.newContext();
  const first = await SoakPage.open(context, server, device);
  try {
    await first.start();
    const step = await first.reached(1 + random.below(first.steps - 1));
    if (step === null) return null;
    const page = await kill(chosen, first, browser, context, server);
    const found = await page.finished();
    const from = await page.continuedFrom();
    const furthest = Math.max(...found.map((loss, at) => Math.abs(loss - (expected[at] ?? NaN))));
    const isEqual = found.length === expected.length && furthest <= (device === 'cpu' ? 0 : WEBGPU_TOLERANCE);
    const detail = `from step ${from}, furthest ${furthest}`;
    return { kill: chosen, step, from, outcome: isEqual ? 'continued' : 'wrong', detail };
  } catch (error) {
    return { kill: chosen, step: NaN, from: NaN, outcome: 'lost', detail: String(error).split('\n')[0] ?? '' };
  } finally {
    await context.close();
  }
}
