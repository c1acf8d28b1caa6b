// One Chromium with one WebGPU adapter: the machine's GPU where Chromium grants one, else its software adapter.
//
// Which one it is, is asked of the browser and not of the machine: a driver can be there and be refused.

import { chromium } from '@playwright/test';
import config from '../tests/browser/playwright.config.js';

/** @typedef {import('@playwright/test').Browser} Browser */
/** @typedef {{vendor: string, architecture: string, description: string, software: boolean, name: string}} Adapter */

const { executablePath, args = [] } = config.use?.launchOptions ?? {};
const SOFTWARE = '--use-webgpu-adapter=swiftshader';
/** Vulkan is not what Chromium uses on Linux by itself; elsewhere the switch is of no effect. A long step is no hang. */
const HARDWARE = ['--enable-features=Vulkan', '--ignore-gpu-blocklist'];
const BOTH = ['--disable-gpu-watchdog'];

/**
 * @param {'auto'|'software'|'hardware'} wanted
 * @param {string} origin  a page of a secure context, from which the adapter is asked for
 * @returns {Promise<{browser: Browser, adapter: Adapter}>}
 */
export async function launch(wanted, origin) {
  const kinds = wanted === 'auto' ? /** @type {const} */ (['hardware', 'software']) : [wanted];
  for (const kind of kinds) {
    const flags = args.filter((flag) => flag !== SOFTWARE);
    const browser = await chromium.launch({
      executablePath,
      args: [...flags, ...BOTH, ...(kind === 'software' ? [SOFTWARE] : HARDWARE)],
    });
    const adapter = await adapterOf(browser, origin);
    if (adapter && (kind === 'software' || !adapter.software)) return { browser, adapter };
    await browser.close();
  }
  throw new Error(`this Chromium grants no ${wanted === 'auto' ? '' : `${wanted} `}WebGPU adapter (see chrome://gpu)`);
}

/**
 * @param {Browser} browser
 * @param {string} origin
 * @returns {Promise<Adapter|null>}
 */
async function adapterOf(browser, origin) {
  const page = await browser.newPage();
  await page.goto(origin);
  const info = await page.evaluate(async () => {
    const adapter = await /** @type {any} */ (navigator).gpu?.requestAdapter({ powerPreference: 'high-performance' });
    if (!adapter) return null;
    const { vendor, architecture, description } = adapter.info;
    return {
      vendor,
      architecture,
      description,
      fallback: adapter.info.isFallbackAdapter ?? adapter.isFallbackAdapter ?? false,
    };
  });
  await page.close();
  return info && named(info);
}

/**
 * A name for people and for files.
 * @param {{vendor: string, architecture: string, description: string, fallback: boolean}} info
 * @returns {Adapter}
 */
export function named({ vendor, architecture, description, fallback }) {
  const software = fallback || /swiftshader|llvmpipe|lavapipe/i.test(`${architecture} ${description}`);
  const name = [vendor, architecture].filter(Boolean).join(' ') || description || 'unnamed adapter';
  return { vendor, architecture, description, software, name: software ? `${name} (software)` : name };
}
