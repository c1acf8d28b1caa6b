// webtune: the wasm module and trainer of the page, without the page.

import { serve } from '../page/serve.js';

serve(async ({ work, device, threads, config, weights, module }) => {
  const files = Promise.all([config(), weights()]);
  const { default: init, Benchmark } = await import(module);
  // The memory, the kernels and the threads of the page's worker.
  const cpu = await import(new URL('../www/cpu-threads.js', module).href);
  cpu.acceptSharedMemory();
  await init(cpu.moduleAndMemory());
  const benchmark = await Benchmark.open(device, cpu.cpuKernels(threads));
  const [settings, bytes] = await files;
  await benchmark.load(JSON.stringify(settings), bytes);
  benchmark.start(JSON.stringify(work));
  return {
    async step() {
      const { loss, grad_norm } = await benchmark.step();
      return { loss, norm: grad_norm };
    },
    forward: () => benchmark.forward(),
    cpu: device === 'cpu' ? benchmark.device_name() : undefined,
  };
});
