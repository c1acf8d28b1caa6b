// Whether a run took what the memory plan had said.

import { expect } from '@playwright/test';

/** How far the plan may be from what is measured. */
const WITHIN = 0.15;

/** @param {number} bytes */
export const mb = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

/**
 * @param {string} what     what was run, and on which adapter
 * @param {number} planned  bytes
 * @param {number} peak     bytes of WebGPU's buffers
 */
export function isAsPlanned(what, planned, peak) {
  const said = `${what}: planned ${mb(planned)}, measured ${mb(peak)}`;
  console.log(`  ${said}`);
  expect(Math.abs(planned / peak - 1), said).toBeLessThan(WITHIN);
}
