// The choice of the device.

import assert from 'node:assert/strict';
import test from 'node:test';
import { deviceOptions, withDevice } from '../../www/device-choice.js';

const GPU = 'nvidia ampere';
/**
 * @param {'cpu'|'webgpu'} kind
 * @param {import('../../www/protocol.js').DeviceReason} reason
 * @param {string|null} adapter
 */
const options = (kind, reason, adapter, hasWebGpu = true) =>
  deviceOptions(/** @type {any} */ ({ kind, reason, adapter }), hasWebGpu).map(
    ({ device, name, current }) => `${device} ${name}${current ? ' *' : ''}`,
  );

test('both devices are offered where both exist', () => {
  assert.deepEqual(options('webgpu', 'hardware_adapter', GPU), ['cpu null', `webgpu ${GPU} *`]);
  assert.deepEqual(options('webgpu', 'requested', GPU), ['cpu null', `webgpu ${GPU} *`]);
  assert.deepEqual(options('cpu', 'software_adapter', 'SwiftShader'), ['cpu null *', 'webgpu SwiftShader']);
  // With ?device=cpu the browser was not asked for an adapter.
  assert.deepEqual(options('cpu', 'requested', null), ['cpu null *', 'webgpu WebGPU']);
});

test('there is no choice without WebGPU', () => {
  assert.deepEqual(options('cpu', 'requested', null, false), []);
  for (const reason of /** @type {const} */ (['no_webgpu', 'no_adapter', 'device_refused']))
    assert.deepEqual(options('cpu', reason, reason === 'device_refused' ? GPU : null), []);
});

test('the address keeps its other parameters', () => {
  assert.equal(
    withDevice('https://site.test/app/?num_rows=30&device=cpu&model=a%2Fb#training', 'webgpu'),
    'https://site.test/app/?num_rows=30&device=webgpu&model=a%2Fb#training',
  );
});
