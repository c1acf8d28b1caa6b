// transformers.js: the same classifier exported to ONNX, forward pass only, on its WebGPU or its wasm device.

import { AutoModelForSequenceClassification, Tensor, env } from '@huggingface/transformers';
import { batchOf } from '../cases.js';
import { cpuName, serve } from '../page/serve.js';

serve(async ({ work, model, device, threads }) => {
  const folder = new URL(model);
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.useBrowserCache = false;
  env.localModelPath = new URL('../', folder).href;
  const { wasm } = /** @type {any} */ (env.backends.onnx);
  wasm.wasmPaths = new URL('ort/', self.location.href).href;
  // Its own default is half of the logical cores.
  if (device === 'cpu') wasm.numThreads = threads ?? navigator.hardwareConcurrency;
  const name = folder.pathname.split('/').at(-2) ?? '';
  const classifier = await AutoModelForSequenceClassification.from_pretrained(name, {
    device: device === 'cpu' ? 'wasm' : 'webgpu',
    dtype: 'fp32',
  });
  const shape = [work.batch, work.seq];
  const { ids } = batchOf(work, 0);
  const tensor = (/** @type {(id: number) => number} */ of) =>
    new Tensor(
      'int64',
      BigInt64Array.from(ids, (id) => BigInt(of(id))),
      shape,
    );
  return {
    forward: async () => {
      const inputs = {
        input_ids: tensor((id) => id),
        attention_mask: tensor(() => 1),
        token_type_ids: tensor(() => 0),
      };
      const { logits } = await classifier(inputs);
      return /** @type {Float32Array} */ ((await logits.getData?.()) ?? logits.data);
    },
    cpu: device === 'cpu' ? cpuName('SIMD', wasm.numThreads) : undefined,
  };
});
