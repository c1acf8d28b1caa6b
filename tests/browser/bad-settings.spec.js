// Invalid settings and data: each error is shown in the section that it concerns, existing results stay, and the job
// runs once the value is corrected.

import { expect, test } from './fixtures.js';
import { QUICK } from './webtune.js';

const CPU = { ...QUICK, device: 'cpu', num_train_epochs: 1 };

/**
 * Refused by a stage, because of the rows.
 * @typedef {{title: string, setting: string, value: string, says: RegExp, right: string}} InvalidValue
 * @type {(InvalidValue & {section: 'dataset'|'split'})[]}
 */
const DATA = [
  {
    title: 'an empty dataset is refused',
    setting: 'num_rows',
    value: '0',
    section: 'dataset',
    says: /no rows/,
    right: '100',
  },
  {
    title: 'rows of a single class are refused',
    setting: 'num_rows',
    value: '1',
    section: 'dataset',
    says: /one class, "positive"/,
    right: '100',
  },
  {
    title: 'an empty test part is refused',
    setting: 'test_size',
    value: '0',
    section: 'split',
    says: /100 rows to train on and 0 to test on/,
    right: '0.2',
  },
  {
    title: 'an empty training part is refused',
    setting: 'test_size',
    value: '1',
    section: 'split',
    says: /0 rows to train on/,
    right: '0.2',
  },
];

for (const { title, setting, value, section, says, right } of DATA) {
  test(title, async ({ webtune }) => {
    await webtune.open(CPU);
    await expect(webtune.stage('split')).toHaveAttribute('data-state', 'done');
    await webtune.fill(setting, value);
    await webtune.press('run-all');
    const alert = webtune.alert(section);
    await expect(alert).toHaveCount(1);
    await expect(alert).toHaveAttribute('data-code', section);
    await expect(alert).toContainText(says);
    await expect(webtune.stage('training')).toHaveAttribute('data-state', 'idle');
    // The previous rows stay.
    await expect(webtune.page.locator('#dataset tbody tr')).toHaveCount(10);
    await webtune.fill(setting, right);
    await webtune.press('run-all');
    await webtune.succeeded();
    await expect(alert).toHaveCount(0);
  });
}

/**
 * Refused by the form, before a request to the worker.
 * @type {InvalidValue[]}
 */
const FIELDS = [
  {
    title: 'a batch size of 0 is refused',
    setting: 'per_device_train_batch_size',
    value: '0',
    says: /“0” is not a whole number from 1 to 256/,
    right: '8',
  },
  {
    title: 'a learning rate that is not a number is refused',
    setting: 'learning_rate',
    value: 'NaN',
    says: /“NaN” is not a number from 0 to 1/,
    right: '0.001',
  },
  {
    title: 'an empty field is refused',
    setting: 'max_length',
    value: '',
    says: /A number from 2 to 512 is needed/,
    right: '128',
  },
];

for (const { title, setting, value, says, right } of FIELDS) {
  test(title, async ({ webtune }) => {
    const { page } = webtune;
    await webtune.open(CPU);
    const field = webtune.field(setting);
    await webtune.fill(setting, value);
    await expect(page.locator(`#setting-${setting}-error`)).toContainText(says);
    await expect(field).toHaveAttribute('aria-invalid', 'true');
    // The press shows the view of the setting again.
    await webtune.show('overview');
    await webtune.press('run-all');
    const refusal = webtune.alert('dock');
    await expect(refusal).toHaveAttribute('data-code', 'settings');
    await expect(refusal).toContainText(says);
    await expect(field).toBeFocused();
    await expect(field).toHaveValue(value);
    await expect(webtune.stage('model')).toHaveAttribute('data-state', 'idle');
    await field.fill(right);
    await expect(page.locator(`#setting-${setting}-error`)).toBeHidden();
    await webtune.press('run-all');
    await expect(refusal).toHaveCount(0);
    await webtune.succeeded();
  });
}

test('values from the URL are validated like typed values', async ({ webtune }) => {
  await webtune.open({
    ...CPU,
    learning_rate: 'NaN',
    per_device_eval_batch_size: -1,
    padding: 'shortest',
    depth: 'explore',
  });
  await webtune.show('training');
  for (const setting of ['learning_rate', 'per_device_eval_batch_size']) {
    await expect(webtune.field(setting)).toHaveAttribute('aria-invalid', 'true');
    // Fields of the collapsed "more settings" show their error, too.
    await expect(webtune.page.locator(`#setting-${setting}-error`)).toBeVisible();
  }
  await expect(webtune.page.locator('#setting-padding-error')).toContainText('longest, max_length');
  await webtune.press('run-all');
  await expect(webtune.alert('dock')).toHaveAttribute('data-code', 'settings');
});

test('a max_length above the number of positions of the model is refused', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ ...CPU, max_length: 500 });
  await webtune.press('run-all');
  await expect(webtune.alert('tokens')).toContainText('128 tokens at most');
  await expect(page.locator('#setting-max_length-error')).toContainText('128 tokens at most');
  await expect(webtune.stage('model')).toHaveAttribute('data-state', 'done');
  await webtune.fill('max_length', '100');
  await webtune.press('run-all');
  await webtune.succeeded();
});

test('the worker validates settings itself', async ({ webtune }) => {
  await webtune.open(CPU);
  const ask = (/** @type {Record<string, unknown>} */ wrong) =>
    webtune.page.evaluate(async (values) => {
      const { session, settings } = /** @type {any} */ (window).__webtune;
      const asked = { ...settings.values(), ...values };
      if ('learning_rate' in values) asked.learning_rate = NaN;
      const none = { field: null, message: '' };
      return session.request({ type: 'plan', values: asked }).then(
        () => none,
        (/** @type {any} */ { field, message }) => ({ field, message }),
      );
    }, wrong);
  expect(await ask({ learning_rate: 'NaN' })).toEqual({
    field: 'learning_rate',
    message: 'learning_rate = NaN: it must be a number from 0 to 1.',
  });
  expect(await ask({ per_device_train_batch_size: 0 })).toMatchObject({ field: 'per_device_train_batch_size' });
  expect(await ask({ momentum: 0.9 })).toMatchObject({
    field: 'momentum',
    message: expect.stringContaining('no setting of this name'),
  });
  expect(await ask({})).toEqual({ field: null, message: '' });
});

test('blank input cannot be classified; one character and Korean with an emoji can', async ({ webtune }) => {
  await webtune.open(CPU);
  await webtune.show('try');
  await webtune.page.getByTestId('try-input').fill('   ');
  await expect(webtune.page.getByTestId('try-button')).toBeDisabled();
  await webtune.classify('?');
  await webtune.classify('한국어 문장도 읽을 수 있다 🙂');
});
