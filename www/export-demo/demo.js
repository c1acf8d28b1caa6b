// The demo page of an exported model: classifies a text with transformers.js and onnxruntime from the files beside it.
// It requests nothing from another server.

import { env, pipeline } from '@huggingface/transformers';

/** @typedef {'q8'|'fp16'|'fp32'} Precision */

/** The files of the precisions that an export may have, the smallest first. @type {[Precision, string][]} */
const MODELS = [
  ['q8', 'onnx/model_quantized.onnx'],
  ['fp16', 'onnx/model_fp16.onnx'],
  ['fp32', 'onnx/model.onnx'],
];
const FOLDER = new URL('../', import.meta.url);

const ENGLISH = {
  title: 'Text classifier',
  text: 'Text',
  classify: 'Classify',
  loading: 'Loading the model…',
  failed: 'The model cannot be loaded:',
  unclassified: 'The text cannot be classified:',
  missing: 'the folder onnx/ has no model.',
  about: 'The model ({file}) runs in this browser. Your text is not sent anywhere.',
};
/** @type {typeof ENGLISH} */
const KOREAN = {
  title: '텍스트 분류기',
  text: '텍스트',
  classify: '분류하기',
  loading: '모델을 불러오는 중…',
  failed: '모델을 불러오지 못했습니다:',
  unclassified: '텍스트를 분류하지 못했습니다:',
  missing: 'onnx/ 폴더에 모델이 없습니다.',
  about: '모델({file})은 이 브라우저 안에서 실행되며, 입력한 텍스트는 어디에도 전송되지 않습니다.',
};
const isKorean = navigator.language.startsWith('ko');
const TEXTS = isKorean ? KOREAN : ENGLISH;

/** @param {string} id */
function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

function translate() {
  document.documentElement.lang = isKorean ? 'ko' : 'en';
  document.title = TEXTS.title;
  for (const labelled of document.querySelectorAll('[data-text]')) {
    const name = /** @type {keyof typeof TEXTS} */ (labelled.getAttribute('data-text'));
    labelled.textContent = TEXTS[name];
  }
}

/** Finds the smallest model of the folder. */
async function smallest() {
  for (const [dtype, file] of MODELS) {
    const { ok } = await fetch(new URL(file, FOLDER), { method: 'HEAD' });
    if (ok) return { dtype, file };
  }
  throw new Error(TEXTS.missing);
}

/** @param {Precision} dtype */
function load(dtype) {
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  // Another export may be at the same address later.
  env.useBrowserCache = false;
  env.useWasmCache = false;
  const { wasm } = env.backends.onnx;
  if (!wasm) throw new Error('onnxruntime has no WebAssembly');
  wasm.wasmPaths = { wasm: new URL('ort-wasm-simd-threaded.wasm', import.meta.url).href };
  // Threads need headers that a simple server does not send.
  wasm.numThreads = 1;
  // A path instead of the name of a model.
  return pipeline('text-classification', '..', { dtype, device: 'wasm' });
}

/** @param {{label: string, score: number}[]} results  the most probable first */
function show(results) {
  const percent = new Intl.NumberFormat(undefined, { style: 'percent', minimumFractionDigits: 1 });
  const rows = results.map(({ label, score }) => {
    const row = document.createElement('li');
    const name = document.createElement('span');
    name.textContent = label;
    const value = document.createElement('output');
    value.textContent = percent.format(score);
    value.dataset['score'] = String(score);
    const bar = document.createElement('div');
    bar.className = 'bar';
    const filled = document.createElement('div');
    filled.style.width = `${100 * score}%`;
    bar.append(filled);
    row.append(name, value, bar);
    return row;
  });
  element('results').replaceChildren(...rows);
}

async function start() {
  translate();
  const status = element('status');
  status.textContent = TEXTS.loading;
  const { dtype, file } = await smallest();
  const classifier = await load(dtype);
  status.textContent = '';
  element('about').textContent = TEXTS.about.replace('{file}', file);
  const form = element('form');
  form.hidden = false;
  const field = /** @type {HTMLTextAreaElement} */ (element('text'));
  field.focus();
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    // One text gives a list with the probability of each label.
    const results = /** @type {Promise<{label: string, score: number}[]>} */ (classifier(field.value, { top_k: null }));
    results.then(show).catch((error) => fail(TEXTS.unclassified, error));
  });
}

/**
 * @param {string} what
 * @param {unknown} error
 */
function fail(what, error) {
  element('status').textContent = `${what} ${error instanceof Error ? error.message : String(error)}`;
}

start().catch((error) => fail(TEXTS.failed, error));
