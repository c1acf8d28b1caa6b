// The choice of the device.

import assert from 'node:assert/strict';
import test from 'node:test';
import { deviceOptions, deviceSentences, withDevice } from '../../www/device-choice.js';

const GPU = 'nvidia ampere';
const SPEED = { batch: 8, seq: 16, cpu_ms: 100, adapter_ms: 2, timed: 'layer' };
/**
 * @param {'cpu'|'webgpu'} kind
 * @param {import('../../www/protocol.js').DeviceReason} reason
 * @param {string|null} adapter
 */
const options = (kind, reason, adapter, hasWebGpu = true) =>
  deviceOptions(/** @type {any} */ ({ kind, reason, adapter, speed: null }), hasWebGpu).map(
    ({ device, name, current }) => `${device} ${name}${current ? ' *' : ''}`,
  );

test('both devices are offered where both exist', () => {
  assert.deepEqual(options('webgpu', 'webgpu_faster', GPU), ['cpu null', `webgpu ${GPU} *`]);
  assert.deepEqual(options('webgpu', 'requested', GPU), ['cpu null', `webgpu ${GPU} *`]);
  assert.deepEqual(options('cpu', 'cpu_faster', 'SwiftShader'), ['cpu null *', 'webgpu SwiftShader']);
  // With ?device=cpu the browser was not asked for an adapter.
  assert.deepEqual(options('cpu', 'requested', null), ['cpu null *', 'webgpu WebGPU']);
});

test('there is no choice without an adapter that computes what the CPU computes', () => {
  assert.deepEqual(options('cpu', 'requested', null, false), []);
  for (const reason of /** @type {const} */ (['no_webgpu', 'no_adapter']))
    assert.deepEqual(options('cpu', reason, null), []);
  for (const reason of /** @type {const} */ (['device_refused', 'self_test_failed', 'adapter_failed']))
    assert.deepEqual(options('cpu', reason, GPU), []);
});

test('each device has its time where both were timed', () => {
  const times = (/** @type {object|null} */ speed) =>
    deviceOptions(/** @type {any} */ ({ kind: 'cpu', reason: 'cpu_faster', adapter: GPU, speed }), true).map(
      ({ ms, estimated }) => [ms, estimated],
    );
  assert.deepEqual(times(SPEED), [
    [100, false],
    [2, false],
  ]);
  assert.deepEqual(times({ ...SPEED, adapter_ms: 300, timed: 'products' }), [
    [100, false],
    [300, true],
  ]);
  assert.deepEqual(times({ ...SPEED, adapter_ms: 3000, timed: 'nothing' }), [
    [100, false],
    [null, false],
  ]);
  assert.deepEqual(times(null), [
    [null, false],
    [null, false],
  ]);
});

test('the sentences say why a device is used, and warn where a GPU is missing', () => {
  const sentences = (/** @type {object} */ info) =>
    deviceSentences(/** @type {any} */ ({ kind: 'cpu', software: true, software_adapter: false, ...info }));
  const gpu = { kind: 'webgpu', software: false };
  assert.deepEqual(sentences({ ...gpu, reason: 'requested' }), { keys: [], warning: false });
  assert.deepEqual(sentences({ ...gpu, reason: 'webgpu_faster' }), {
    keys: ['device.reason.webgpu_faster'],
    warning: false,
  });
  assert.deepEqual(sentences({ reason: 'cpu_faster' }), { keys: ['device.reason.cpu_faster'], warning: false });
  assert.deepEqual(sentences({ reason: 'cpu_faster', software_adapter: true }), {
    keys: ['device.reason.cpu_faster', 'device.software_adapter'],
    warning: true,
  });
  assert.deepEqual(sentences({ reason: 'cpu_faster', speed: { ...SPEED, timed: 'nothing' } }).keys, [
    'device.reason.no_answer',
  ]);
  assert.deepEqual(sentences({ kind: 'webgpu', reason: 'webgpu_faster', software_adapter: true }), {
    keys: ['device.reason.webgpu_faster', 'device.software_adapter'],
    warning: true,
  });
  assert.deepEqual(sentences({ kind: 'webgpu', reason: 'requested', software_adapter: true }), {
    keys: ['device.software_notice'],
    warning: true,
  });
  assert.deepEqual(sentences({ reason: 'requested' }), { keys: ['device.cpu_notice'], warning: true });
  assert.deepEqual(sentences({ reason: 'self_test_failed' }), {
    keys: ['device.reason.self_test_failed', 'device.cpu_notice'],
    warning: true,
  });
});

test('the address keeps its other parameters', () => {
  assert.equal(
    withDevice('https://site.test/app/?num_rows=30&device=cpu&model=a%2Fb#training', 'webgpu'),
    'https://site.test/app/?num_rows=30&device=webgpu&model=a%2Fb#training',
  );
});
