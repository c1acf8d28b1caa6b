// The browsers that the page is tested in, behind one small interface.

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, firefox } from './chromium-firefox.js';
import { webkit } from './webkit.js';

/**
 * @typedef {object} Driver
 * @property {string} version
 * @property {(address: string) => Promise<void>} open
 * @property {<T, A extends unknown[]>(work: (...given: A) => T | Promise<T>, ...given: A) => Promise<T>} evaluate
 *   runs a function in the page; arguments and result are JSON
 * @property {(selector: string) => Promise<void>} click
 * @property {(selector: string, file: string) => Promise<void>} pick  chooses a file of the disk
 * @property {() => Promise<void>} close
 */

/**
 * Folders of one browser: of its profile, and where it saves files.
 * @typedef {{profile: string, downloads: string}} Places
 */
/** @typedef {(places: Places) => Promise<Driver>} Launch */

/** WebKitGTK has no build for other systems. */
export const HAS_WEBKIT = process.platform === 'linux';

/** @type {Record<string, Launch> & {Chromium: Launch}} */
export const ENGINES = {
  Chromium: (places) => chromium(named('CHROME'), places),
  Firefox: (places) => firefox(named('FIREFOX'), places),
  ...(HAS_WEBKIT && { WebKit: webkit }),
};

/** The program that a variable of the environment names. @param {string} variable */
function named(variable) {
  const program = process.env[variable];
  if (program) return program;
  throw new Error(`${variable} names no browser: run \`cargo xtask test\`, which finds or installs it, or set it.`);
}

/**
 * Starts a browser with an empty profile, and removes its files when it is closed.
 * @param {Launch} launch
 * @returns {Promise<{driver: Driver, downloads: string, close: () => Promise<void>}>}
 */
export async function start(launch) {
  const folder = await mkdtemp(join(tmpdir(), 'webtune-engine-'));
  const places = { profile: join(folder, 'profile'), downloads: join(folder, 'downloads') };
  await Promise.all(Object.values(places).map((place) => mkdir(place)));
  const driver = await launch(places);
  const close = async () => {
    await driver.close();
    // The browser's last processes may still write.
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  };
  return { driver, downloads: places.downloads, close };
}
