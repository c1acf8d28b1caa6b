// Chromium with a software WebGPU adapter. Two tests at a time, because a test with a run keeps one core busy and one
// without waits most of the time; then one at a time those that measure times.
//
// CHROME names the browser, WEBTUNE_DIST the built site (default dist/).
// WEBTUNE_FULL=1 adds the tests that take too long for every day.

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from '@playwright/test';

const MINUTE = 60_000;
/** Tests of times, which a test beside them would change. */
const TIMED = /(gate|large-table|lighthouse|main-thread|memory|opening|overview)\.spec\.js$/;
const results = fileURLToPath(new URL('../../test-results/', import.meta.url));

export default defineConfig({
  testDir: '.',
  testMatch: '*.spec.js',
  preserveOutput: 'failures-only',
  workers: 2,
  // Each has a folder of its own: Playwright empties it, and the screenshots stay. `cargo xtask test` runs one after
  // the other; without it the timed ones wait for the others.
  projects: [
    { name: 'shared', testIgnore: TIMED, outputDir: join(results, 'browser') },
    {
      name: 'timed',
      testMatch: TIMED,
      dependencies: ['shared'],
      workers: 1,
      outputDir: join(results, 'browser-timed'),
    },
  ],
  retries: 0,
  forbidOnly: true,
  grepInvert: process.env.WEBTUNE_FULL ? undefined : /@full/,
  timeout: 10 * MINUTE,
  expect: { timeout: 20_000 },
  reporter: 'list',
  use: {
    trace: 'off',
    screenshot: 'only-on-failure',
    actionTimeout: MINUTE,
    viewport: { width: 1280, height: 800 },
    launchOptions: {
      executablePath: browser(),
      args: [
        '--headless=new',
        '--no-sandbox',
        '--enable-unsafe-webgpu',
        '--use-webgpu-adapter=swiftshader',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});

/** The browser of `$CHROME`, else the first one on the PATH. */
function browser() {
  if (process.env.CHROME) return process.env.CHROME;
  const folders = (process.env.PATH ?? '').split(delimiter);
  const names = ['google-chrome-stable', 'google-chrome', 'chromium', 'chromium-browser'];
  const found = names.flatMap((name) => folders.map((folder) => join(folder, name))).find(executable);
  if (!found)
    throw new Error(
      'No Chrome or Chromium on the PATH: set CHROME to one, or run `cargo xtask test`, which finds or installs it.',
    );
  return found;
}

/** @param {string} path */
function executable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
