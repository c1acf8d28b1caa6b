// "Compare every gradient": WebGPU agrees with the CPU, every parameter and every form of the kernels is compared, and
// a wrong shader is detected.

import { AxeBuilder } from '@axe-core/playwright';
import { expect, test } from './fixtures.js';
import { QUICK } from './webtune.js';

const LAYERS = 2;
const GPU = { ...QUICK, device: 'webgpu' };

/** The parameters of a BERT of two layers, under their Hugging Face names. */
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

/** The trainable parameters with LoRA on every linear layer, under their PEFT names. */
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

/** Operations that every tile of a matrix product computes, and the number of their results. */
const OPERATIONS = { linear: 4, 'feed-forward': 5, attention: 2, LoRA: 4 };
const TILES = ['8 × 8', '4 × 4', '2 × 2', '16 × 16'];

/** Whether a check compares one form of the kernels; the others compare a network. @param {string} name */
const ofForm = (name) => /: .*, (f32|fp16)$/.test(name);

/** Presses the button and waits for the result. @param {import('./webtune.js').Webtune} webtune */
async function compare(webtune) {
  const { page } = webtune;
  await page.getByTestId('self-test').locator('summary').click();
  await page.getByTestId('compare').click();
  await webtune.idle();
  const comparison = await webtune.read('comparison');
  if (comparison.kind !== 'done') throw new Error(`no comparison: ${JSON.stringify(comparison)}`);
  return comparison.result;
}

test('gradients and updates of every parameter agree between WebGPU and the CPU', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open(GPU);
  const { passed, checks } = await compare(webtune);
  const worst = [...checks].sort((a, b) => b.deviation / b.tolerance - a.deviation / a.tolerance).slice(0, 5);
  console.log(
    [
      `WebGPU against the CPU, largest deviations of ${checks.length}`,
      ...worst.map(
        ({ name, deviation, tolerance }) =>
          `  ${deviation.toExponential(2)}  (allowed ${tolerance.toExponential(0)})  ${name}`,
      ),
    ].join('\n'),
  );
  expect(checks.filter((check) => !check.passed || check.deviation > 1e-3)).toEqual([]);
  expect(passed).toBe(true);
  const names = checks.map(({ name }) => name).filter((name) => !ofForm(name));
  const expected = [
    ...parameters.map((name) => `gradient of ${name}`),
    ...[...parameters, ...adapters].map((name) => `${name} after three steps`),
  ];
  const pooled = ['output.LayerNorm.bias', 'output.LayerNorm.weight'].map((name) => `bert.encoder.layer.1.${name}`);
  const others = [
    ...[...pooled, 'classifier.bias', 'classifier.weight'].map((name) => `gradient of ${name} with mean pooling`),
    'logits with mean pooling',
    'clips of a diverged run',
    'logits',
    'logits with the adapters merged in',
    'loss scale',
    'scaled updates',
    'updates of a diverged run',
  ];
  expect(names.sort()).toEqual([...expected, ...others].sort());
  // Two devices never round every value alike: all deviations 0 would mean a tensor compared with itself.
  expect(checks.some(({ deviation }) => deviation > 0)).toBe(true);

  await expect(page.getByTestId('comparison')).toHaveText(new RegExp(`^All ${checks.length} comparisons agree`));
  await expect(page.getByTestId('worst').locator('tbody tr').first()).toContainText('same');
  await test.step('the keyboard stays where it was, and Escape closes', async () => {
    await expect(page.getByTestId('compare')).toBeFocused();
    await page.keyboard.press('Escape');
    await expect(page.getByTestId('compare')).toBeHidden();
  });
  await test.step('the details fit a phone and are accessible', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    // A narrow screen has the device in its menu.
    await page.getByTestId('menu').click();
    await page.getByTestId('self-test').locator('summary').click();
    await expect(page.getByTestId('worst')).toBeInViewport();
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
});

// Beside the checks of single kernels, which every adapter runs in every form, the network is trained with the kernels
// that a GPU selects.
test('a network trained with the kernels for hardware GPUs agrees with the CPU', async ({ webtune }) => {
  await webtune.open(GPU, 'looks-like-a-gpu');
  const { passed, checks } = await compare(webtune);
  expect(checks.filter((check) => !check.passed)).toEqual([]);
  expect(passed).toBe(true);
  const logs = await webtune.page.evaluate(
    () => /** @type {{text: string}[]} */ (/** @type {any} */ (window).__webtune.logs),
  );
  expect(
    logs.some(({ text }) => text.includes('a shader with a barrier')),
    'the kernels for hardware GPUs were used',
  ).toBe(true);
});

test('a wrong GELU derivative in one shader fails the checks of the affected gradients only', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open(GPU, 'derivative-wrong');
  const { passed, checks } = await compare(webtune);
  expect(passed).toBe(false);
  const outcome = new Map(checks.map((check) => [check.name, check.passed]));
  // The forward pass and the gradients above the last GELU do not depend on that derivative.
  expect(outcome.get('logits')).toBe(true);
  expect(outcome.get('gradient of classifier.weight')).toBe(true);
  expect(outcome.get(`gradient of bert.encoder.layer.${LAYERS - 1}.output.dense.weight`)).toBe(true);
  expect(outcome.get(`gradient of bert.encoder.layer.${LAYERS - 1}.intermediate.dense.weight`)).toBe(false);
  expect(outcome.get('gradient of bert.embeddings.word_embeddings.weight')).toBe(false);
  await expect(page.getByTestId('comparison')).toHaveAttribute('data-passed', 'false');
  await expect(page.getByTestId('comparison')).toContainText('differ from the CPU');
  await expect(page.getByTestId('worst').locator('tr.failed').first()).toContainText('differs');
});

/** A wrong tile, its shape that a check selects, and the checks of other tiles that compute with it. */
const WRONG_TILES = {
  'tile-8-wrong': { tile: '8 × 8', selected: '256 × 512', others: /^$/ },
  // An addition has 4 × 4 values per thread whatever the tile of the other products is.
  'tile-4-wrong': { tile: '4 × 4', selected: '128 × 256', others: /^LoRA, (8 × 8|2 × 2) tile: output, f32$/ },
};

/**
 * Compares on a site whose products are wrong in some tiles: the checks of these tiles fail, and no others.
 * @param {import('./webtune.js').Webtune} webtune
 * @param {string} site
 * @param {typeof WRONG_TILES[keyof typeof WRONG_TILES][]} wrong
 */
async function failsForTiles(webtune, site, wrong) {
  await webtune.open(GPU, site);
  const { passed, checks } = await compare(webtune);
  expect(passed).toBe(false);
  const failed = checks.filter((check) => !check.passed).map(({ name }) => name);
  for (const { tile, selected } of wrong) {
    for (const name of [
      `linear, ${tile} tile: output, f32`,
      `linear, ${tile} tile: input gradient, f32`,
      `linear, ${tile} tile: weight gradient, f32`,
      `feed-forward, ${tile} tile: output, f32`,
      `feed-forward, ${tile} tile: input gradient, f32`,
      `attention, ${tile} tile: output, f32`,
      `attention, ${tile} tile: gradient, f32`,
      `linear, tile selected for ${selected} values: output, f32`,
    ]) {
      expect(failed).toContain(name);
    }
  }
  const ofTiles = (/** @type {string} */ name) =>
    wrong.some(
      ({ tile, selected, others }) =>
        name.includes(`${tile} tile`) || name.includes(`tile selected for ${selected} values`) || others.test(name),
    );
  expect(failed.filter((name) => !ofTiles(name))).toEqual([]);
}

test('a wrong column in the 8 × 8 and the 4 × 4 tile fails the checks of these tiles only', ({ webtune }) =>
  failsForTiles(webtune, 'tiles-wrong', Object.values(WRONG_TILES)));

for (const [site, wrong] of Object.entries(WRONG_TILES)) {
  test(`a wrong column in the ${wrong.tile} tile alone fails its checks`, { tag: '@full' }, ({ webtune }) =>
    failsForTiles(webtune, site, [wrong]),
  );
}

test('the comparison cannot start during a run', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ ...QUICK, device: 'cpu', num_train_epochs: 1000 });
  await webtune.button('run-all').click();
  await webtune.stepped(2);
  await page.getByTestId('self-test').locator('summary').click();
  await expect(page.getByTestId('compare')).toHaveAttribute('aria-disabled', 'true');
  await page.getByTestId('compare').click({ force: true });
  await webtune.button('stop').click();
  await webtune.idle();
  expect((await webtune.read('comparison')).kind).toBe('idle');
});
