// The findings of the audit: a text in both languages for every kind, what each remedy asks for, and when it is
// offered.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { actionOf, buttonText, counts, detailOf, keyOf, sorted, words } from '../../www/findings.js';
import { useLanguage } from '../../www/i18n.js';

const texts = (/** @type {string} */ language) =>
  JSON.parse(readFileSync(new URL(`../../www/i18n/${language}.json`, import.meta.url), 'utf8'));
Object.defineProperty(globalThis, 'fetch', {
  value: async (/** @type {URL} */ url) => Response.json(texts(/(en|ko)\.json$/.exec(String(url))?.[1] ?? '')),
});
/** What `useLanguage` needs of a document. */
Object.defineProperty(globalThis, 'document', {
  value: { documentElement: {}, querySelectorAll: () => [] },
});

/** The parameters of every kind of finding. @type {Record<string, Record<string, any>>} */
const PARAMS = {
  too_few_classes: { classes: 1, rows: 40 },
  empty_text: {},
  duplicates: { groups: 3, share: 0.1, distinct: 37 },
  near_duplicates: { groups: 3, share: 0.1 },
  conflicting_labels: { groups: 2 },
  conflicting_labels_tied: { groups: 2 },
  conflicting_labels_near: { groups: 2 },
  class_imbalance: { ratio: 12, largest: 'good', largest_rows: 120, smallest: 'bad', smallest_rows: 10 },
  small_class: { label: 'bad', rows: 1, minimum: 5 },
  empty_class: { label: 'bad' },
  similar_labels: { labels: ['spam', 'Spam '], into: 0 },
  wrong_language: { script: 'latin', share: 0.02, others: { hangul: 3 }, other: 'hangul' },
  duplicates_across_split: { exact: 15, near: 5, share: 1, groups: 2, splittable: false },
  class_missing_in_train: { label: 'bad' },
  class_missing_in_test: { label: 'bad' },
  truncated: { max_length: 128, share: 0.2, p95: 190, longest: 400, positions: 512, proposed: 192 },
  unknown_tokens: { rate: 0.3, rows: 12 },
  unknown_rows: { threshold: 0.2 },
  warmup_longer_than_run: { warmup_steps: 500, max_steps: 30, peak: 0.06, learning_rate: 5e-5 },
  batch_larger_than_data: { batch: 8, accumulation: 4, train_rows: 12, proposed: 4 },
  learning_rate_zero: { proposed: 5e-5 },
  learning_rate_absurd: { learning_rate: 1, bound: 0.01, proposed: 5e-5 },
  test_part_chooses: { proposed: 0.1 },
  few_steps: { steps: 9, steps_per_epoch: 3, enough: 100, proposed: 34 },
  label_errors: { share: 0.02, folds: 5 },
  outliers: { share: 0.01 },
  too_few_for_cross_validation: { minimum: 3 },
};

/** @param {any} [change] @returns {import('../../www/protocol.js').Finding} */
const finding = (change) => ({
  id: 'empty_text',
  severity: 'warning',
  count: 20,
  of: 40,
  rows: [],
  params: PARAMS[change?.id ?? 'empty_text'] ?? {},
  remedy: null,
  ...change,
});

for (const language of /** @type {const} */ (['en', 'ko']))
  test(`every kind of finding has a title and a text: ${language}`, async () => {
    await useLanguage(language);
    const keys = Object.keys(texts(language));
    const described = new Set(keys.flatMap((key) => /^audit\.(\w+)\.(?:title|text)$/.exec(key)?.[1] ?? []));
    assert.deepEqual([...described].sort(), Object.keys(PARAMS).sort());
    for (const id of Object.keys(PARAMS)) {
      const { title, text } = words(finding({ id }));
      for (const part of [title, text]) {
        assert.ok(part.length > 4, `${id}: ${part}`);
        assert.ok(!/[{}]|undefined|\[object|audit\./.test(part), `${id}: ${part}`);
      }
      assert.notEqual(title, id);
    }
  });

test('numbers, shares, scripts and names are written as text', async () => {
  await useLanguage('en');
  assert.match(words(finding({ id: 'duplicates_across_split' })).title, /^20 of 40 test rows/);
  assert.match(words(finding({ id: 'truncated' })).title, /20 of 40 \(20%\)/);
  assert.match(words(finding({ id: 'wrong_language' })).text, /Latin.*Korean/);
  assert.match(words(finding({ id: 'similar_labels' })).title, /“spam”, “Spam ”/);
  assert.match(words(finding({ id: 'warmup_longer_than_run' })).text, /6% of 5e-5/);
});

test('a finding without a remedy says what can be done, unless the rows can be kept apart', async () => {
  await useLanguage('en');
  const id = 'duplicates_across_split';
  const remedy = { kind: 'settings', values: { group_duplicates: true } };
  assert.match(words(finding({ id })).text, /too few different texts/);
  assert.doesNotMatch(words(finding({ id, remedy })).text, /too few different texts/);
  const params = { ...PARAMS[id], splittable: true };
  assert.doesNotMatch(words(finding({ id, params })).text, /too few different texts/);
});

test('the worst findings are first, and others keep the order of the worker', () => {
  const all = ['note', 'warning', 'error', 'warning'].map((severity, at) => finding({ severity, count: at }));
  assert.deepEqual(
    sorted(all).map(({ count }) => count),
    [2, 1, 3, 0],
  );
  assert.deepEqual(counts(all), { error: 1, warning: 2, note: 1 });
});

test('findings of one kind about different classes have different keys', () => {
  const keys = ['a', 'b'].map((label) => keyOf(finding({ id: 'small_class', params: { label } })));
  assert.notEqual(keys[0], keys[1]);
});

test('each remedy becomes an edit of the rows', () => {
  const edit = (/** @type {any} */ remedy) => {
    const action = actionOf(finding({ remedy }), {});
    return action?.kind === 'edit' ? action.edit : null;
  };
  assert.deepEqual(edit({ kind: 'delete_rows', rows: [3, 5] }), { op: 'delete', rows: [3, 5] });
  assert.deepEqual(edit({ kind: 'relabel', rows: [[3, 1]] }), { op: 'set_many', rows: [[3, 1]] });
  assert.deepEqual(edit({ kind: 'merge_labels', from: [2], into: 1 }), { op: 'merge_labels', from: [2], into: 1 });
  assert.deepEqual(edit({ kind: 'delete_label', label: 2 }), { op: 'delete_label', label: 2 });
  assert.equal(actionOf(finding(), {}), null);
});

test('settings are offered only where the form has other values', () => {
  const values = { num_train_epochs: 34, max_steps: 0 };
  const remedy = { kind: 'settings', values };
  assert.deepEqual(actionOf(finding({ remedy }), { num_train_epochs: 3, max_steps: 0 }), { kind: 'settings', values });
  assert.equal(actionOf(finding({ remedy }), { ...values, seed: 42 }), null);
});

test('a button says what it does', async () => {
  await useLanguage('en');
  const text = (/** @type {any} */ remedy) => buttonText(finding({ remedy }), ['negative', 'positive']);
  assert.equal(text({ kind: 'delete_rows', rows: [1, 2, 3] }), 'Delete rows (3)');
  assert.equal(text({ kind: 'merge_labels', from: [0], into: 1 }), 'Merge them into “positive”');
  assert.equal(text({ kind: 'settings', values: { learning_rate: 5e-5 } }), 'Set learning_rate=5e-5');
  assert.match(text({ kind: 'delete_label', label: 0 }), /“negative”/);
});

test('the other number of a row is a label or a row', () => {
  const row = { row: 4, text: 'x', label: 0, other: 1, value: null };
  assert.deepEqual(detailOf(finding({ id: 'conflicting_labels' }), row), { row: null, label: 1, value: '' });
  assert.deepEqual(detailOf(finding({ id: 'duplicates' }), row), { row: 1, label: null, value: '' });
  const long = detailOf(finding({ id: 'truncated' }), { ...row, other: null, value: 212 });
  assert.deepEqual(long, { row: null, label: null, value: '212 tokens' });
});
