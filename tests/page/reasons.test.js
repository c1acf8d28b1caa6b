// The reasons of a recommendation: a sentence in both languages for each code, with every number in it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { useLanguage } from '../../www/i18n.js';
import { reasonText, settingText } from '../../www/reasons.js';

const texts = (/** @type {string} */ language) =>
  JSON.parse(readFileSync(new URL(`../../www/i18n/${language}.json`, import.meta.url), 'utf8'));
Object.defineProperty(globalThis, 'fetch', {
  value: async (/** @type {URL} */ url) => Response.json(texts(/(en|ko)\.json$/.exec(String(url))?.[1] ?? '')),
});
Object.defineProperty(globalThis, 'document', { value: { documentElement: {}, querySelectorAll: () => [] } });

/** The parameters of each code. @type {Record<string, Record<string, number>>} */
const PARAMS = {
  batch_few_rows: { rows: 16, batch: 8 },
  batch_many_rows: { rows: 400, batch: 16 },
  epochs_enough_steps: { epochs: 18, steps: 100, rows: 45 },
  epochs_many_rows: { epochs: 3, steps: 300, rows: 1600 },
  epochs_within_budget: { epochs: 3, wanted: 5, seconds: 55, budget: 60 },
  epochs_over_budget: { epochs: 1, wanted: 5, seconds: 130, budget: 60 },
  learning_rate_small_model: { learning_rate: 1e-4, hidden_size: 384 },
  learning_rate_large_model: { learning_rate: 5e-5, hidden_size: 768 },
  head_learning_rate_same: { learning_rate: 1e-4 },
  warmup_share: { percent: 10, warmup_steps: 8, steps: 80 },
  warmup_steps_unused: {},
  class_weight_balanced: { smallest: 14, largest: 130, ratio: 9.3 },
  class_weight_none: { smallest: 90, largest: 100, ratio: 1.1 },
  max_length_p95: { max_length: 64, p95: 51 },
  max_length_limit: { max_length: 512, p95: 800 },
  best_epoch_held_out: { validation_rows: 40, percent: 10, rows: 400 },
  last_epoch_few_rows: { rows: 80, needed: 200 },
  last_epoch_small_class: { smallest: 4, needed: 10 },
  metric_loss: {},
  validation_share: { rows: 400, validation_rows: 40, percent: 10 },
  validation_none: { rows: 80 },
  early_stopping_off: { epochs: 4 },
  pooling_cls: {},
};

for (const language of /** @type {const} */ (['en', 'ko']))
  test(`every reason is a sentence: ${language}`, async () => {
    await useLanguage(language);
    const prefix = 'recommend.reason.';
    const codes = Object.keys(texts(language)).filter((key) => key.startsWith(prefix));
    assert.deepEqual(codes.map((key) => key.slice(prefix.length)).sort(), Object.keys(PARAMS).sort());
    for (const [code, params] of Object.entries(PARAMS)) {
      const sentence = reasonText({ setting: 'x', code, params });
      assert.match(sentence, /[.]$/, code);
      assert.doesNotMatch(sentence, /[{}]/, code);
    }
  });

test('times and small numbers are readable, and an unknown code has a sentence', async () => {
  await useLanguage('en');
  const reason = (/** @type {string} */ code) => reasonText({ setting: 'x', code, params: PARAMS[code] ?? {} });
  assert.match(reason('epochs_over_budget'), /2 min 10 sec.*60 sec/);
  assert.match(reason('learning_rate_small_model'), /1e-4/);
  assert.equal(reason('of_a_later_version'), 'Chosen for this data.');
});

test('a reason names its setting with the value', () => {
  const reason = { setting: 'learning_rate', code: 'x', params: {} };
  assert.equal(settingText(reason, { learning_rate: 5e-5 }), 'learning_rate = 5e-5');
  assert.equal(settingText(reason, {}), 'learning_rate');
});

test('every code of the crate has parameters here, and so a sentence', () => {
  const source = readFileSync(new URL('../../src/settings/recommend.rs', import.meta.url), 'utf8');
  const list = /REASON_CODES: &\[&str\] = &\[([^\]]+)\]/.exec(source)?.[1] ?? '';
  const codes = [...list.matchAll(/"(\w+)"/g)].map(([, code = '']) => code);
  assert.ok(codes.length > 20);
  assert.deepEqual(Object.keys(PARAMS).sort(), codes.sort());
});
