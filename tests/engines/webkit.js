// WebKitGTK's MiniBrowser through WebKitWebDriver, on a screen of its own (Xvfb).

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setInterval } from 'node:timers/promises';
import { Builder, By, Capabilities } from 'selenium-webdriver';

/** @typedef {import('./engines.js').Driver} Driver */
/** @typedef {import('./engines.js').Places} Places */

const STARTING_MS = 20_000;

/**
 * @param {Places} places
 * @param {Record<string, string>} [environment]  WebKit takes the language from LC_ALL
 * @returns {Promise<Driver>}
 */
export async function webkit({ profile, downloads }, environment = { LC_ALL: 'en_US.UTF-8' }) {
  // MiniBrowser saves files in the folder of the desktop's settings.
  await mkdir(profile, { recursive: true });
  await writeFile(join(profile, 'user-dirs.dirs'), `XDG_DOWNLOAD_DIR="${downloads}"\n`);
  const port = await freePort();
  const server = spawn('xvfb-run', ['--auto-servernum', 'WebKitWebDriver', `--port=${port}`], {
    env: { ...process.env, HOME: profile, XDG_CONFIG_HOME: profile, ...environment },
    stdio: 'ignore',
    // A group of its own, so that Xvfb ends too.
    detached: true,
  });
  const end = () => void (server.exitCode === null && server.pid && process.kill(-server.pid));
  process.once('exit', end);
  // The test runner ends a file that takes too long so.
  const exit = () => process.exit(1);
  process.once('SIGTERM', exit);
  const address = `http://127.0.0.1:${port}`;
  await listening(`${address}/status`);
  const capabilities = new Capabilities().setBrowserName('MiniBrowser');
  const driver = await new Builder().usingServer(address).withCapabilities(capabilities).build();
  await driver.manage().setTimeouts({ script: 60_000 });
  return {
    version: `WebKitGTK ${(await driver.getCapabilities()).getBrowserVersion()}`,
    open: (url) => driver.get(url),
    evaluate: (work, ...given) => evaluate(driver, String(work), given),
    click: (selector) => driver.findElement(By.css(selector)).click(),
    pick: (selector, file) => driver.findElement(By.css(selector)).sendKeys(file),
    async close() {
      await driver.quit();
      process.off('exit', end);
      process.off('SIGTERM', exit);
      end();
      if (server.exitCode === null) await once(server, 'exit');
    },
  };
}

/**
 * Runs a function in the page and waits for its promise.
 * @param {import('selenium-webdriver').WebDriver} driver
 * @param {string} work
 * @param {unknown[]} given
 * @returns {Promise<any>}
 */
async function evaluate(driver, work, given) {
  const script = `
    const [given, done] = arguments;
    Promise.resolve().then(() => (${work})(...given)).then(
      (value) => done({ value }),
      (error) => done({ error: String(error) }),
    );`;
  const { value, error } = await driver.executeAsyncScript(script, given);
  if (error !== undefined) throw new Error(error);
  return value;
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (probe.address());
  probe.close();
  await once(probe, 'close');
  return port;
}

/** Waits until the driver answers. @param {string} status  its address */
async function listening(status) {
  const end = performance.now() + STARTING_MS;
  for await (const _ of setInterval(50)) {
    if (
      await fetch(status).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      return;
    if (performance.now() > end) throw new Error('WebKitWebDriver does not answer');
  }
}
