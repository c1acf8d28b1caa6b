// Teaching by examples: three classes of five sentences, typed, are enough to train a classifier.

import { DataPage } from './data-page.js';
import { expect, test } from './fixtures.js';
import { expectFocus, tabTo } from './keyboard.js';
import { QUICK } from './webtune.js';

/** Each class has words of its own, which the vocabulary of the tiny BERT has. */
const CLASSES = {
  kitchen: [
    'this blender works well',
    'the best blender for my kitchen',
    'a knife for the kitchen',
    'blender and knife',
    'my kitchen blender',
  ],
  mail: [
    'nobody answered emails',
    'emails nobody answered in two days',
    'after two days nobody answered',
    'answered emails after days',
    'two emails nobody answered',
  ],
  praise: ['i love it', 'love it very well', 'an amazing love', 'amazing i love this', 'amazing'],
};

test('three classes of five sentences, by keyboard alone, become a classifier', async ({ webtune }) => {
  const { page } = webtune;
  const { keyboard } = page;
  const data = new DataPage(webtune);
  const counts = async () => (await webtune.read('dataset'))?.label_counts;
  // One test row for each class.
  const settings = { learning_rate: '0.003', num_train_epochs: 20, test_size: '0.2', classifier_dropout: 0 };
  await webtune.openBare({ ...QUICK, ...settings, device: 'cpu' }, undefined, 'dataset');
  await webtune.idle();
  await tabTo(page, '[data-testid="source-cards"]');
  await keyboard.press('Enter');
  await tabTo(page, '[data-testid="teach-start"]');
  await keyboard.press('Enter');
  await expectFocus(data.card(0).getByTestId('class-text'));
  await expect(page.getByTestId('class-card')).toHaveCount(2);

  for (const [label, [name, sentences]] of Object.entries(CLASSES).entries()) {
    if (label === 2) {
      await tabTo(page, '[data-testid="add-class"]');
      await keyboard.press('Enter');
    } else if (label === 1) {
      // Over the button of this card to the name of the next one.
      await tabTo(page, '[data-testid="class-card"]:nth-of-type(2) [data-testid="class-name"]');
    } else {
      await keyboard.press('Shift+Tab');
      await keyboard.press('Shift+Tab');
    }
    await expectFocus(data.card(label).getByTestId('class-name'));
    await keyboard.press('Control+A');
    await keyboard.type(name);
    await keyboard.press('Enter');
    await expectFocus(data.card(label).getByTestId('class-text'));
    for (const sentence of sentences) {
      await keyboard.type(sentence);
      await keyboard.press('Enter');
    }
    await expect(data.card(label).getByTestId('class-count')).toHaveText(String(sentences.length));
  }
  await expect.poll(counts).toEqual([5, 5, 5]);
  expect((await webtune.read('dataset'))?.labels).toEqual(Object.keys(CLASSES));
  await expect(page.getByTestId('teach-missing')).toContainText('Enough to start');
  await expect(page.getByTestId('dataset-rows')).toHaveText('15');
  await expect(webtune.stage('split')).toHaveAttribute('data-state', 'done');

  await tabTo(page, '[data-testid="run-all"]');
  await keyboard.press('Enter');
  await expect(webtune.stage('training')).toHaveAttribute('data-state', 'done', { timeout: 60_000 });
  await webtune.idle();
  await webtune.succeeded();
  // Neither sentence is among the examples.
  for (const [label, sentence] of ['the best knife for my kitchen', 'nobody answered after days'].entries()) {
    await webtune.classify(sentence);
    const probabilities = await webtune.probabilities('try-after');
    expect(probabilities).toHaveLength(3);
    expect(probabilities[label], sentence).toBeGreaterThan(0.6);
    await expect(page.getByTestId('try-after')).toContainText(Object.keys(CLASSES)[label] ?? '');
  }
});
