// Runs that survive a crash: of the tab, the renderer, the GPU process, the device and the worker. The remaining losses
// are those of a run that was not interrupted.

import { expect, test } from './fixtures.js';
import { QUICK, Webtune } from './webtune.js';

/** @typedef {import('../../www/protocol.js').StepLog} StepLog */

/** Long enough for several saved states, at a state a second. */
const JOB = { ...QUICK, device: 'cpu', max_steps: 500, num_rows: 40, state_save_seconds: 1, validation_size: 0.2 };
const GPU_JOB = { ...QUICK, device: 'webgpu', max_steps: 16, num_rows: 20, state_save_seconds: 1 };

/** Trains without an interruption. @param {Webtune} webtune @param {Record<string, string|number>} job */
async function uninterrupted(webtune, job) {
  await webtune.open(job);
  await webtune.press('run-all');
  await webtune.succeeded();
  return { result: await webtune.result(), logs: await webtune.logs() };
}

/**
 * Starts a run and waits until a state of it is saved.
 * @param {Webtune} webtune
 * @param {number} [after]  the state is one of more updates
 */
async function begin(webtune, after = 0) {
  await webtune.click('run-all');
  await saved(webtune, after);
}

/** @param {Webtune} webtune @param {number} after */
async function saved(webtune, after) {
  const step = async () => (await webtune.read('saved'))?.step ?? 0;
  await expect.poll(step, { timeout: 60_000 }).toBeGreaterThan(after);
}

/**
 * The losses of the steps that both runs show.
 * @param {StepLog[]} logs
 * @param {StepLog[]} expected
 */
function common(logs, expected) {
  const byStep = new Map(expected.map((log) => [log.step, log]));
  const both = logs.filter(({ step }) => byStep.has(step));
  expect(both.length).toBeGreaterThan(Math.min(logs.length, expected.length) / 2);
  return both.map((log) => [log, /** @type {StepLog} */ (byStep.get(log.step))]);
}

/** Opens the page again after a crash. @param {Webtune} before @param {Record<string, string|number>} job */
async function reopen(before, job) {
  const webtune = new Webtune(await before.page.context().newPage(), before.server);
  await webtune.open(job);
  return webtune;
}

test('after a closed tab, a crash of the renderer and the end of the worker the losses are equal', async ({
  webtune,
}) => {
  const expected = await uninterrupted(webtune, JOB);
  await webtune.page.reload();
  await webtune.opened();
  await begin(webtune);
  await webtune.page.close();

  // Its settings come from the run, not from the address.
  const second = await reopen(webtune, { ...QUICK, device: 'cpu' });
  await second.page.getByTestId('interrupted-resume').click();
  await expect.poll(async () => (await second.read('saved'))?.step ?? 0).toBeGreaterThan(0);
  const first = (await second.read('saved'))?.step ?? 0;
  await saved(second, first);
  const crashed = second.page.waitForEvent('crash');
  const session = await second.page.context().newCDPSession(second.page);
  void session.send('Page.crash').catch(() => {});
  await crashed;

  const third = await reopen(webtune, { ...QUICK, device: 'cpu' });
  const offer = third.page.getByTestId('interrupted');
  await expect(offer).toBeVisible();
  const from = Number(await offer.getAttribute('data-step'));
  expect(from).toBeGreaterThan(first);
  await third.page.getByTestId('interrupted-resume').click();
  await saved(third, from);
  await expect(offer).toHaveCount(0);
  // The worker ends without a message, and the page continues by itself.
  const worker = third.page.workers().find((candidate) => candidate.url().endsWith('/worker.js'));
  await worker?.evaluate(() => self.close());
  await expect(third.page.getByTestId('recovered')).toBeVisible();
  await third.idle();
  const result = await third.result();
  expect(result?.stopped).toBe(false);
  expect(result?.train_loss).toBe(expected.result?.train_loss);
  expect(result?.evaluation?.eval_loss).toBe(expected.result?.evaluation?.eval_loss);
  for (const [log, other] of common(await third.logs(), expected.logs)) expect(log).toEqual(other);
  expect(await third.problems()).toEqual([]);
});

test('after a crash of the GPU process the run continues by itself on WebGPU', async ({ webtune, browser }) => {
  webtune.allow(/./);
  const expected = await uninterrupted(webtune, { ...GPU_JOB, device: 'cpu' });
  await webtune.open(GPU_JOB);
  await begin(webtune);
  const session = await browser.newBrowserCDPSession();
  void session.send('Browser.crashGpuProcess').catch(() => {});
  await expect(webtune.page.getByTestId('recovered')).toBeVisible({ timeout: 60_000 });
  await webtune.idle();
  await webtune.succeeded();
  expect(webtune.page.url()).toContain('device=webgpu');
  await expect(webtune.page.getByTestId('device-name')).not.toContainText('CPU');
  for (const [log, other] of common(await webtune.logs(), expected.logs))
    expect(Math.abs(log.loss - other.loss), `step ${log.step}`).toBeLessThan(1e-4);
});

test('a tab in which the run is trained keeps it from another tab', async ({ webtune }) => {
  await webtune.open(JOB);
  await begin(webtune);
  const other = await reopen(webtune, { ...QUICK, device: 'cpu' });
  await expect(other.page.getByTestId('interrupted')).toHaveCount(0);
  await other.page.close();
  await webtune.click('stop');
  await webtune.idle();
});

test('an interrupted run can be removed', async ({ webtune }) => {
  await webtune.open(JOB);
  await begin(webtune);
  await webtune.page.close();
  const next = await reopen(webtune, { ...QUICK, device: 'cpu' });
  await next.page.getByTestId('interrupted-remove').click();
  await expect(next.page.getByTestId('interrupted')).toHaveCount(0);
  await next.page.reload();
  await next.opened();
  await expect(next.page.getByTestId('interrupted')).toHaveCount(0);
});
