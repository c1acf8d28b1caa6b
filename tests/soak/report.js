// The report of a soak, as docs/soak.md.

import { KILLS } from './kills.js';

/** @typedef {import('./soak.js').Episode} Episode */
/** @typedef {import('./memory.js').Watched} Watched */

const MIB = 2 ** 20;

/**
 * @param {{browser: string, seed: number, episodes: Episode[], memory: Watched[]}} soak
 * @returns {string}
 */
export function report({ browser, seed, episodes, memory }) {
  const of = (/** @type {string} */ kill) => episodes.filter((episode) => episode.kill === kill);
  const count = (/** @type {Episode[]} */ some, /** @type {string} */ outcome) =>
    some.filter((episode) => episode.outcome === outcome).length;
  const row = (/** @type {string} */ name, /** @type {Episode[]} */ some) =>
    `| ${[name, some.length, ...['continued', 'lost', 'wrong'].map((outcome) => count(some, outcome))].join(' | ')} |`;
  const rows = [...KILLS.map((kill) => row(kill, of(kill))), row('all', episodes)];
  const problems = episodes.filter(({ outcome }) => outcome !== 'continued');
  return [
    '# Soak',
    '',
    `Written by \`cargo xtask soak\` with seed ${seed} in Chromium ${browser}. Runs of the tiny BERT are killed at`,
    'random steps and continued; each loss, the mean loss and the last evaluation are compared with a run that was not',
    'interrupted: equal on the CPU device, within 1e-4 on WebGPU (a software adapter).',
    '',
    '| kill | runs | continued | lost | wrong |',
    '| --- | ---: | ---: | ---: | ---: |',
    ...rows,
    '',
    ...problems.map(({ kill, step, outcome, detail }) => `- ${kill} at step ${step}: ${outcome}, ${detail}`),
    ...(problems.length > 0 ? [''] : []),
    ...memory.flatMap(memoryLines),
  ].join('\n');
}

/** @param {Watched} watched */
function memoryLines({ device, minutes, samples, isFlat }) {
  const mib = (/** @type {number} */ bytes) => (bytes / MIB).toFixed(1);
  const shown = samples.filter(({ minute }) => minute === 0 || minute === 5 || minute === samples.length - 1);
  return [
    `Memory of a run of ${minutes} minutes on ${device}: ${isFlat ? 'within' : '**not within**'} 2 % from minute 5 on.`,
    '',
    '| minute | wasm heap, MiB | GPU buffers, MiB |',
    '| ---: | ---: | ---: |',
    ...shown.map(({ minute, heap, gpu }) => `| ${minute} | ${mib(heap)} | ${mib(gpu)} |`),
    '',
  ];
}
