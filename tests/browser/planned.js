// Compares the measured memory of a run with the memory plan.

import { expect } from '@playwright/test';

/** Allowed relative deviation of the plan from the measurement. */
const TOLERANCE = 0.15;

/** @param {number} bytes */
export const mb = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

/**
 * @param {string} what     the run and its adapter
 * @param {number} planned  in bytes
 * @param {number} peak     peak of WebGPU's buffers, in bytes
 */
export function expectAsPlanned(what, planned, peak) {
  const figures = `${what}: planned ${mb(planned)}, measured ${mb(peak)}`;
  console.log(`  ${figures}`);
  expect(Math.abs(planned / peak - 1), figures).toBeLessThan(TOLERANCE);
}
