// The devices that the visitor can choose between, and the address of the page with each.

/** @typedef {import('./protocol.js').DeviceInfo} DeviceInfo */

/**
 * `name` is null for the CPU, whose name depends on the language. `ms` is the time of one layer, null where nothing was
 * timed; `estimated` says that not the whole layer was timed.
 * @typedef {{
 *   device: 'cpu'|'webgpu', name: string|null, current: boolean, ms: number|null, estimated: boolean,
 * }} DeviceOption
 */

/**
 * The devices of this browser; empty when there is no choice.
 * @param {DeviceInfo} info
 * @param {boolean} hasWebGpu  whether the browser has WebGPU; with `?device=cpu` it was not asked for an adapter
 * @returns {DeviceOption[]}
 */
export function deviceOptions({ kind, reason, adapter, speed }, hasWebGpu) {
  const isCpu = kind === 'cpu';
  const offered = reason === 'requested' ? !isCpu || hasWebGpu : !isCpu || reason === 'cpu_faster';
  if (!offered) return [];
  return [
    { device: 'cpu', name: null, current: isCpu, ms: speed?.cpu_ms ?? null, estimated: false },
    {
      device: 'webgpu',
      name: adapter ?? 'WebGPU',
      current: !isCpu,
      ms: speed && speed.timed !== 'nothing' ? speed.adapter_ms : null,
      estimated: speed?.timed === 'products',
    },
  ];
}

/**
 * The address of the page with another device. It keeps the settings and the model.
 * @param {string} href
 * @param {DeviceOption['device']} device
 */
export function withDevice(href, device) {
  const url = new URL(href);
  url.searchParams.set('device', device);
  return url.href;
}

/**
 * The keys of the sentences that say why a device is used, in their order, and whether they are a warning.
 * @param {DeviceInfo} info
 * @returns {{keys: string[], warning: boolean}}
 */
export function deviceSentences({ kind, reason, software, software_adapter: softwareAdapter, speed }) {
  const code = reason === 'cpu_faster' && speed?.timed === 'nothing' ? 'no_answer' : reason;
  const why = reason === 'requested' ? [] : [`device.reason.${code}`];
  // Of the two that were timed the faster one is used. Only a GPU that is switched off is a reason to act.
  if (reason === 'webgpu_faster' || reason === 'cpu_faster')
    return { keys: softwareAdapter ? [...why, 'device.software_adapter'] : why, warning: softwareAdapter };
  if (kind === 'cpu') return { keys: [...why, 'device.cpu_notice'], warning: true };
  return { keys: software ? [...why, 'device.software_notice'] : [], warning: software };
}
