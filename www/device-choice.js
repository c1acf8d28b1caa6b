// The devices that the visitor can choose between, and the address of the page with each.

/** @typedef {import('./protocol.js').DeviceInfo} DeviceInfo */

/**
 * `name` is null for the CPU, whose name depends on the language.
 * @typedef {{device: 'cpu'|'webgpu', name: string|null, current: boolean}} DeviceOption
 */

/**
 * The devices of this browser; empty when there is no choice.
 * @param {DeviceInfo} info
 * @param {boolean} hasWebGpu  whether the browser has WebGPU; with `?device=cpu` it was not asked for an adapter
 * @returns {DeviceOption[]}
 */
export function deviceOptions({ kind, reason, adapter }, hasWebGpu) {
  const isCpu = kind === 'cpu';
  const offered = reason === 'requested' ? !isCpu || hasWebGpu : !isCpu || reason === 'software_adapter';
  if (!offered) return [];
  return [
    { device: 'cpu', name: null, current: isCpu },
    { device: 'webgpu', name: adapter ?? 'WebGPU', current: !isCpu },
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
