// Every gradient, device against device: the comparison under the self-test passes on WebGPU, leaves no parameter out, and can fail.

import { AxeBuilder } from '@axe-core/playwright';
import { expect, test } from './fixtures.js';
import { QUICK } from './webtune.js';

const LAYERS = 2;
const GPU = { ...QUICK, device: 'webgpu' };

/** Every parameter of a BERT of two layers, as Hugging Face calls it. */
const parameters = (() => {
  const both = (/** @type {string} */ name) => [`${name}.weight`, `${name}.bias`];
  const embeddings = ['word', 'position', 'token_type'].map((name) => `bert.embeddings.${name}_embeddings.weight`);
  const parts = [
    'attention.self.query',
    'attention.self.key',
    'attention.self.value',
    'attention.output.dense',
    'attention.output.LayerNorm',
    'intermediate.dense',
    'output.dense',
    'output.LayerNorm',
  ];
  const layers = Array.from({ length: LAYERS }, (_, layer) =>
    parts.flatMap((part) => both(`bert.encoder.layer.${layer}.${part}`)),
  ).flat();
  return [
    ...embeddings,
    ...both('bert.embeddings.LayerNorm'),
    ...layers,
    ...both('bert.pooler.dense'),
    ...both('classifier'),
  ];
})();

/** What learns with LoRA beside every linear layer, as PEFT calls it. */
const adapters = (() => {
  const parts = [
    'attention.self.query',
    'attention.self.key',
    'attention.self.value',
    'attention.output.dense',
    'intermediate.dense',
    'output.dense',
  ];
  const layers = Array.from({ length: LAYERS }, (_, layer) =>
    parts.map((part) => `encoder.layer.${layer}.${part}`),
  ).flat();
  const matrices = [...layers, 'pooler.dense'].flatMap((name) => [
    `bert.${name}.lora_A.weight`,
    `bert.${name}.lora_B.weight`,
  ]);
  return [...matrices, 'classifier.weight', 'classifier.bias'].map((name) => `base_model.model.${name}`);
})();

/** Presses the button and waits for the outcome. @param {import('./webtune.js').Webtune} webtune */
async function compare(webtune) {
  const { page } = webtune;
  await page.getByTestId('self-test').locator('summary').click();
  await page.getByTestId('compare').click();
  await webtune.idle();
  const comparison = await webtune.read('comparison');
  if (!comparison) throw new Error(`no comparison: ${(await webtune.read('comparisonError'))?.message}`);
  return comparison;
}

test('WebGPU has the gradients and updates of the CPU, parameter by parameter', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open(GPU);
  const { passed, checks } = await compare(webtune);
  const worst = [...checks].sort((a, b) => b.deviation / b.tolerance - a.deviation / a.tolerance).slice(0, 5);
  console.log(
    [
      'WebGPU against the CPU, worst of ' + checks.length,
      ...worst.map(
        ({ name, deviation, tolerance }) =>
          `  ${deviation.toExponential(2)}  (allowed ${tolerance.toExponential(0)})  ${name}`,
      ),
    ].join('\n'),
  );
  expect(checks.filter((check) => !check.passed || check.deviation > 1e-3)).toEqual([]);
  expect(passed).toBe(true);
  const names = checks.map(({ name }) => name);
  const expected = [
    ...parameters.map((name) => `gradient of ${name}`),
    ...[...parameters, ...adapters].map((name) => `${name} after three steps`),
  ];
  expect(names.sort()).toEqual(
    ['logits', 'logits with the adapters merged in', 'loss scale', 'scaled updates', ...expected].sort(),
  );
  // Numbers were compared, not the same memory with itself: two devices never round all alike.
  expect(checks.some(({ deviation }) => deviation > 0)).toBe(true);

  await expect(page.getByTestId('comparison')).toHaveText(new RegExp(`^All ${checks.length} comparisons agree`));
  await expect(page.getByTestId('worst').locator('tbody tr').first()).toContainText('same');
  await test.step('the details fit a phone and are accessible', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    expect(
      await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
    ).toBeLessThanOrEqual(0);
    for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const { violations } = await new AxeBuilder({ page }).options({ preload: false }).include('header').analyze();
      expect(
        violations.map(({ id }) => id),
        colorScheme,
      ).toEqual([]);
    }
  });
  await test.step('the keyboard stays where it was, and Escape closes', async () => {
    await expect(page.getByTestId('compare')).toBeFocused();
    await page.keyboard.press('Escape');
    await expect(page.getByTestId('compare')).toBeHidden();
  });
});

test('so have the forms of the kernels that a GPU takes', async ({ webtune }) => {
  await webtune.open(GPU, 'looks-like-a-gpu');
  const { passed, checks } = await compare(webtune);
  expect(checks.filter((check) => !check.passed)).toEqual([]);
  expect(passed).toBe(true);
  const logs = await webtune.page.evaluate(
    () => /** @type {{text: string}[]} */ (/** @type {any} */ (window).__webtune.logs),
  );
  expect(
    logs.some(({ text }) => text.includes('a shader with a barrier')),
    'this software adapter took them',
  ).toBe(true);
});

test('a wrong slope in one shader is found where it matters, and only there', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open(GPU, 'derivative-wrong');
  const { passed, checks } = await compare(webtune);
  expect(passed).toBe(false);
  const outcome = new Map(checks.map((check) => [check.name, check.passed]));
  // The forward pass is untouched, and so is everything between the labels and the last GELU.
  expect(outcome.get('logits')).toBe(true);
  expect(outcome.get('gradient of classifier.weight')).toBe(true);
  expect(outcome.get(`gradient of bert.encoder.layer.${LAYERS - 1}.output.dense.weight`)).toBe(true);
  expect(outcome.get(`gradient of bert.encoder.layer.${LAYERS - 1}.intermediate.dense.weight`)).toBe(false);
  expect(outcome.get('gradient of bert.embeddings.word_embeddings.weight')).toBe(false);
  await expect(page.getByTestId('comparison')).toHaveAttribute('data-passed', 'false');
  await expect(page.getByTestId('comparison')).toContainText('differ from the CPU');
  await expect(page.getByTestId('worst').locator('tr.failed').first()).toContainText('differs');
});

test('nothing else runs beside the comparison', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ ...QUICK, device: 'cpu', num_train_epochs: 1000 });
  await webtune.button('run-all').click();
  await webtune.stepped(2);
  await page.getByTestId('self-test').locator('summary').click();
  await expect(page.getByTestId('compare')).toHaveAttribute('aria-disabled', 'true');
  await page.getByTestId('compare').click({ force: true });
  await webtune.button('stop').click();
  await webtune.idle();
  expect(await webtune.read('comparison')).toBe(null);
});
