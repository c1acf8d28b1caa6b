// Starts one Chromium: with one WebGPU adapter, which is the GPU of the machine if Chromium grants it and otherwise its
// software adapter, or for the CPU.
//
// The browser reports the adapter, because Chromium can refuse an installed driver.

import { chromium } from '@playwright/test';
import config from '../tests/browser/playwright.config.js';

/** @typedef {import('@playwright/test').Browser} Browser */
/** @typedef {{vendor: string, architecture: string, description: string, software: boolean, name: string}} Adapter */

const { executablePath, args = [] } = config.use?.launchOptions ?? {};
const SOFTWARE = '--use-webgpu-adapter=swiftshader';
/** Chromium on Linux does not enable Vulkan by default; on other systems the flag has no effect. */
const HARDWARE = ['--enable-features=Vulkan', '--ignore-gpu-blocklist'];
/** The watchdog takes a long step for a hang. */
const COMMON = [...args.filter((flag) => flag !== SOFTWARE), '--disable-gpu-watchdog'];

/**
 * @param {'auto'|'software'|'hardware'} wanted
 * @param {string} origin  a page in a secure context, which requests the adapter
 * @returns {Promise<{browser: Browser, adapter: Adapter}>}
 */
export async function launch(wanted, origin) {
  const kinds = wanted === 'auto' ? /** @type {const} */ (['hardware', 'software']) : [wanted];
  for (const kind of kinds) {
    const browser = await chromium.launch({
      executablePath,
      args: [...COMMON, ...(kind === 'software' ? [SOFTWARE] : HARDWARE)],
    });
    const adapter = await adapterOf(browser, origin);
    if (adapter && (kind === 'software' || !adapter.software)) return { browser, adapter };
    await browser.close();
  }
  throw new Error(`this Chromium grants no ${wanted === 'auto' ? '' : `${wanted} `}WebGPU adapter (see chrome://gpu)`);
}

/** Starts a browser for subjects that compute on the CPU. */
export function launchForCpu() {
  return chromium.launch({ executablePath, args: COMMON });
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
 * The adapter with a display name.
 * @param {{vendor: string, architecture: string, description: string, fallback: boolean}} info
 * @returns {Adapter}
 */
export function named({ vendor, architecture, description, fallback }) {
  const software = fallback || /swiftshader|llvmpipe|lavapipe/i.test(`${architecture} ${description}`);
  const name = [vendor, architecture].filter(Boolean).join(' ') || description || 'unnamed adapter';
  return { vendor, architecture, description, software, name: software ? `${name} (software)` : name };
}
