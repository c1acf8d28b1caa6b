// The model folders of the test server: a valid tiny BERT, and broken variants of it.

import { files, safetensors, tinyBert } from './tiny-bert.js';

/**
 * The response of the server for one file.
 * @typedef {object} Answer
 * @property {number} [status]   default 200
 * @property {string} [type]
 * @property {Buffer} body
 * @property {number} [cutAt]    number of bytes after which the connection breaks; Content-Length announces all
 * @property {boolean} [ranged]  `Range` requests are supported
 * @property {boolean} [held]    the second half of the body waits until the test releases it
 */

/**
 * Responses by file name. Of several responses each is sent once, the last one repeatedly.
 * @typedef {Record<string, Answer|Answer[]>} Folder
 */

const WEIGHTS = 'model.safetensors';
const QUERY = 'encoder.layer.0.attention.self.query.weight';

/** @returns {Map<string, Folder>} */
export function modelFolders() {
  const tiny = folder(tinyBert());
  const weights = /** @type {Answer} */ (tiny[WEIGHTS]).body;
  const other = /** @type {Answer} */ (folder(tinyBert({ seed: 9 }))[WEIGHTS]).body;
  const truncated = { body: weights, cutAt: weights.length >> 1 };
  const held = { body: weights, held: true };
  const withWeights = (/** @type {Answer|Answer[]} */ answer) => ({ ...tiny, [WEIGHTS]: answer });
  const notFound = { status: 404, type: 'text/html', body: Buffer.from('<h1>Not found</h1>') };
  /** @type {Record<string, Folder>} */
  const folders = {
    tiny,
    'another-tiny': withWeights({ body: other }),
    'tiny-without-dropout': folder(tinyBert({ dropout: 0 })),
    // Like bert-base-uncased: LayerNorm names of TensorFlow, a masked language model head; also a classifier of 5
    // labels.
    'other-heads': withWeights(
      changed((tensors) => {
        for (const [name, tensor] of [...tensors]) {
          tensors.delete(name);
          tensors.set(
            name.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta'),
            tensor,
          );
        }
        tensors.set('cls.predictions.transform.dense.weight', f32([64, 64]));
        tensors.set('classifier.weight', f32([5, 64]));
        tensors.set('classifier.bias', f32([5, 1]));
      }),
    ),
    // Like a masked language model that was trained further: its checkpoint has no pooler.
    'no-pooler': withWeights(
      changed((tensors) => {
        for (const name of [...tensors.keys()]) if (name.startsWith('pooler.')) tensors.delete(name);
      }),
    ),
    // A classifier of its own that always gives the logits 1.5 and -0.5.
    'own-head': {
      ...withWeights(
        changed((tensors) => {
          tensors.set('classifier.weight', f32([2, 64]));
          const bias = Buffer.from(new Float32Array([1.5, -0.5]).buffer);
          tensors.set('classifier.bias', { dtype: 'F32', shape: [2], data: bias });
        }),
      ),
      'config.json': { body: labelled(tiny, ['POSITIVE', 'NEGATIVE']) },
    },
    held: withWeights(held),
    'breaks-once': withWeights([held, { body: weights, ranged: true }]),
    'breaks-once-without-ranges': withWeights([held, { body: weights }]),
    'changes-midway': withWeights([held, { body: other }]),
    'mended-later': withWeights([{ body: weights.subarray(0, weights.length - 1000) }, { body: weights }]),
    'no-folder': { 'config.json': notFound, 'tokenizer.json': notFound, [WEIGHTS]: notFound },
    'no-weights': withWeights(notFound),
    'no-tokenizer': { ...tiny, 'tokenizer.json': notFound },
    'connection-breaks': withWeights(truncated),
    truncated: withWeights({ body: weights.subarray(0, weights.length - 1000) }),
    empty: withWeights({ body: Buffer.alloc(0) }),
    'a-web-page': withWeights({
      type: 'text/html',
      body: Buffer.from(`<!doctype html><title>webtune</title>${'<p>Not a model.</p>'.repeat(50)}`),
    }),
    'broken-header': withWeights({
      body: Buffer.concat([weights.subarray(0, 8), Buffer.from('!'), weights.subarray(9)]),
    }),
    'huge-header': withWeights({ body: Buffer.concat([Buffer.from([0, 0, 0, 0, 0, 1, 0, 0]), weights.subarray(8)]) }),
    'wrong-shape': withWeights(
      changed((tensors) => {
        const query = /** @type {import('./tiny-bert.js').Tensor} */ (tensors.get(QUERY));
        tensors.set(QUERY, { ...query, shape: [32, 128] });
      }),
    ),
    'missing-tensor': withWeights(changed((tensors) => tensors.delete(QUERY))),
    'lfs-pointer': withWeights({
      body: Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 90\n'),
    }),
    'wrong-dtype': withWeights(
      changed((tensors) => tensors.set(QUERY, { dtype: 'I32', shape: [64, 64], data: Buffer.alloc(4 * 64 * 64) })),
    ),
    'not-finite': withWeights(changed((tensors) => tensors.set(QUERY, f32([64, 64], NaN)))),
    'not-a-bert': { ...tiny, 'config.json': { body: Buffer.from('{"model_type": "gpt2"}') } },
    'config-is-no-json': { ...tiny, 'config.json': { body: Buffer.from('model_type: bert') } },
    'tokenizer-is-no-wordpiece': {
      ...tiny,
      'tokenizer.json': { body: Buffer.from('{"model": {"type": "Unigram", "vocab": []}}') },
    },
  };
  return new Map(Object.entries(folders));
}

/**
 * @param {import('./tiny-bert.js').Bert} bert
 * @returns {Folder}
 */
const folder = (bert) => Object.fromEntries(Object.entries(files(bert)).map(([name, body]) => [name, { body }]));

/**
 * The config.json of a folder with labels of its own.
 * @param {Folder} folder
 * @param {string[]} labels
 */
function labelled(folder, labels) {
  const { body } = /** @type {Answer} */ (folder['config.json']);
  return Buffer.from(JSON.stringify({ ...JSON.parse(body.toString()), id2label: { ...labels } }));
}

/**
 * The weights of the tiny BERT after `change`.
 * @param {(tensors: Map<string, import('./tiny-bert.js').Tensor>) => void} change
 * @returns {Answer}
 */
function changed(change) {
  const { tensors } = tinyBert();
  change(tensors);
  return { body: safetensors(tensors) };
}

/**
 * @param {[number, number]} shape
 * @param {number} [value]
 * @returns {import('./tiny-bert.js').Tensor}
 */
const f32 = (shape, value = 0) => ({
  dtype: 'F32',
  shape,
  data: Buffer.from(new Float32Array(shape[0] * shape[1]).fill(value).buffer),
});
