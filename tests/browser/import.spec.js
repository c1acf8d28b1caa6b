// Tables that a visitor brings: read, shown with what was detected, corrected, used, edited and downloaded.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cp949 } from './cp949.js';
import { DataPage } from './data-page.js';
import { expect, test } from './fixtures.js';
import { tabTo } from './keyboard.js';
import { QUICK } from './webtune.js';

const CPU = { ...QUICK, device: 'cpu' };

/** Rows of a shop in Korea: text, verdict, product. Line 8 has no text, and line 10 a cell too many. */
const KOREAN = [
  '문장,평가,상품',
  '똠얌 냄비로 쓰기에 정말 좋아요,긍정,냄비',
  '며칠 만에 고장 나서 실망했어요,부정,믹서',
  '칼날이 잘 들어서 요리가 즐거워요,긍정,칼',
  '환불해 달라고 했지만 답이 없어요,부정,냄비',
  '소리가 조용하고 힘이 세요,긍정,믹서',
  '손잡이가 금방 부러졌어요,부정,칼',
  ',부정,칼',
  '가벼워서 매일 쓰고 있어요,긍정,냄비',
  '바닥이 눌어붙어서 못 쓰겠어요,부정,냄비,환불',
  '"선물로 샀는데, 다들 좋아해요",긍정,믹서',
  '뚜껑이 맞지 않아요,부정,믹서',
  '무거워서 쓰기 힘들어요,부정,칼',
];

/** English rows as a spreadsheet copies them, with tabs. */
const COPIED = [
  'review\tverdict',
  'I love this blender\tgood',
  'It broke after two days\tbad',
  'best knife I have ever owned\tgood',
  'I would not recommend it\tbad',
  'an amazing addition to my kitchen\tgood',
  'very disappointed with the purchase\tbad',
  'this knife works very well\tgood',
  'nobody answered my emails\tbad',
  'the best blender\tgood',
  'it broke\tbad',
].join('\n');

test('a CP949 table on a Korean page is corrected, its bad rows are left out, and it is used', async ({ webtune }) => {
  const { page } = webtune;
  const data = new DataPage(webtune);
  await webtune.openBare({ ...CPU, lang: 'ko' });
  await data.pick({ name: '후기.csv', buffer: cp949(`${KOREAN.join('\r\n')}\r\n`) });
  await expect(page.getByTestId('import-name')).toHaveText('후기.csv');
  await expect(page.getByTestId('import-encoding')).toHaveValue('cp949');
  await expect(page.getByTestId('import-delimiter')).toHaveValue(',');
  await expect(page.getByTestId('import-header')).toHaveValue('true');
  await expect(page.getByTestId('import-label').locator('option')).toHaveText(['문장', '평가', '상품']);
  await expect(page.locator('.preview-table thead th')).toHaveText([/^문장/, /^평가/, /^상품/]);
  await expect(page.locator('.preview-table tbody tr').first()).toContainText('똠얌 냄비로 쓰기에 정말 좋아요');
  await expect(page.getByTestId('import-rows')).toHaveText('10');

  await test.step('another label column reads it again', async () => {
    const names = async () => (await data.found())?.labels.map(({ name }) => name);
    await data.change('label', '2');
    expect(await names()).toEqual(['냄비', '믹서', '칼']);
    await data.change('label', '1');
    expect(await names()).toEqual(['긍정', '부정']);
    await expect(page.getByTestId('text-column-0')).toBeChecked();
    await expect(page.getByTestId('text-column-2')).not.toBeChecked();
  });

  await test.step('bad rows are listed, and left out only after the visitor agrees', async () => {
    const bad = page.getByTestId('bad-rows').locator('tbody tr');
    await expect(bad).toHaveCount(2);
    await expect(bad.nth(0).locator('td')).toHaveText(['8', '텍스트가 비어 있습니다.', /부정/]);
    await expect(bad.nth(1).locator('td')).toHaveText(['10', /4.*3/, /^바닥이 눌어붙어서/]);
    await expect(page.getByTestId('use-import')).toHaveAttribute('aria-disabled', 'true');
    await expect(page.getByTestId('import-blocker')).toContainText('2');
    await data.use({ leaveOut: true });
  });

  await expect(page.getByTestId('dataset-name')).toHaveText('후기.csv');
  await expect(page.getByTestId('dataset-rows')).toHaveText('10');
  await expect(data.rows()).toHaveCount(10);
  await expect(data.rows().first()).toContainText('똠얌 냄비로 쓰기에 정말 좋아요');
  await expect(data.rows().first().locator('td').nth(1)).toHaveAttribute('lang', 'ko');
  expect((await webtune.read('dataset'))?.label_counts).toEqual([5, 5]);
});

test('the keyboard alone pastes a table, uses it and trains', async ({ webtune, context }) => {
  const { page } = webtune;
  const { keyboard } = page;
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await webtune.openBare({ ...CPU, max_steps: 2 }, undefined, 'dataset');
  await webtune.idle();
  await tabTo(page, '[data-testid="source-table"]');
  await keyboard.press('Enter');
  await tabTo(page, '[data-testid="paste-table"]');
  await page.evaluate((text) => navigator.clipboard.writeText(text), COPIED);
  await keyboard.press('Control+V');
  await expect(page.getByTestId('paste-table')).toHaveValue(COPIED);
  await tabTo(page, '[data-testid="read-pasted"]');
  await keyboard.press('Enter');
  await expect(page.getByTestId('import-name')).toBeFocused();
  await tabTo(page, '[data-testid="use-import"]');
  await keyboard.press('Enter');
  await expect(page.getByTestId('dataset-rows')).toHaveText('10');
  await expect(page.locator('#dataset .current-rows')).toBeFocused();
  await expect(page.locator('#dataset .bar-value')).toHaveText(['5 · 50%', '5 · 50%']);
  await expect(webtune.stage('split')).toHaveAttribute('data-state', 'done');

  await tabTo(page, '[data-testid="run-all"]');
  await keyboard.press('Enter');
  await expect(webtune.stage('training')).toHaveAttribute('data-state', 'done');
  await webtune.idle();
  await webtune.succeeded();
  expect(await webtune.step()).toBe(2);
  expect((await webtune.read('split'))?.test_label_counts).toEqual([1, 1]);
});

test('what is no table keeps the dataset; a folder is one; rows are edited and downloaded', async ({
  webtune,
}, testInfo) => {
  const { page } = webtune;
  const data = new DataPage(webtune);
  await webtune.open(CPU);

  await test.step('a spreadsheet file is refused with a reason', async () => {
    await data.pick({ name: 'reviews.xlsx', buffer: Buffer.from('PK\x03\x04\x14\x00\x06\x00[Content_Types].xml') });
    await expect(webtune.alert('dataset')).toContainText(/spreadsheet|xlsx|Excel/i);
    await expect(page.getByTestId('use-import')).toBeHidden();
    await data.cancel();
    await expect(page.getByTestId('dataset-rows')).toHaveText('100');
    await expect(data.rows().first()).toBeVisible();
  });

  await test.step('a folder with a folder of texts for each class is a table', async () => {
    const folder = testInfo.outputPath('verdicts');
    const texts = {
      bad: ['It broke, at once.\nTwice.', '=1+1 is all it says'],
      good: ['I love it', 'Best knife', 'Works well'],
    };
    for (const [name, all] of Object.entries(texts)) {
      await mkdir(join(folder, name), { recursive: true });
      for (const [at, text] of all.entries()) await writeFile(join(folder, name, `${at}.txt`), text);
    }
    await data.pickFolder(folder);
    await expect(page.getByTestId('import-rows')).toHaveText('5');
    await data.use();
    await expect(page.getByTestId('dataset-name')).toHaveText('verdicts');
    expect(await webtune.read('dataset')).toMatchObject({ labels: ['bad', 'good'], label_counts: [2, 3] });
  });

  await test.step('rows are found, edited, deleted, and a deletion is undone', async () => {
    await data.search('BEST knife', 1);
    await expect(data.rows()).toHaveCount(1);
    await data.edit(3, { text: 'The worst knife, "ever"', label: 0 });
    await data.search('', 5);
    await data.filter(0);
    await expect(data.rows()).toHaveCount(3);
    await expect(data.rows().nth(2)).toContainText('The worst knife, "ever"');
    await data.filter(null);
    await data.select([2, 4]);
    await page.getByTestId('delete-rows').click();
    await expect(page.getByTestId('dataset-rows')).toHaveText('3');
    await data.undo();
    await expect(page.getByTestId('dataset-rows')).toHaveText('5');
    await data.select([2]);
    await page.getByTestId('delete-rows').click();
    await expect(page.getByTestId('dataset-rows')).toHaveText('4');
  });

  await test.step('a download has the rows as they are now, and no formula', async () => {
    const csv = await data.download('csv');
    expect(csv.file).toBe('dataset.csv');
    const lines = [
      'text,label',
      '"It broke, at once.\nTwice.",bad',
      "'=1+1 is all it says,bad",
      '"The worst knife, ""ever""",bad',
      'Works well,good',
    ];
    expect(csv.bytes.toString()).toBe(`\ufeff${lines.join('\r\n')}\r\n`);
    const jsonl = await data.download('jsonl');
    expect(jsonl.bytes.toString().trimEnd().split('\n')[1]).toBe('{"text":"=1+1 is all it says","label":"bad"}');
  });
});
