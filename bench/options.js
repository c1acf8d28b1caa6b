// The options of the benchmark.

import { parseArgs } from 'node:util';
import { CASES } from './cases.js';
import { DEVICES, SUBJECTS, SUBJECT_NAMES } from './devices.js';

/** @param {import('./devices.js').DeviceName} device */
const casesOf = (device) =>
  CASES.filter(({ devices }) => devices.includes(device))
    .map(({ name }) => name)
    .join(', ');
/** @param {import('./devices.js').DeviceName} device */
const subjectsOf = (device) => SUBJECTS[device].map(({ name }) => name).join(', ');

export const HELP = `Options
  --device NAME[,NAME]    webgpu, cpu (default: both): a table for each
  --case NAME[,NAME]      default: on webgpu ${casesOf('webgpu')};
                          on cpu ${casesOf('cpu')}
  --subject NAME[,NAME]   default: all that can run here;
                          on webgpu ${subjectsOf('webgpu')};
                          on cpu ${subjectsOf('cpu')}
  --mode train|forward    (default: both; on a software adapter the long cases are only trained)
  --adapter KIND          of webgpu: auto (the GPU where Chromium grants one), hardware or software (default: auto)
  --rounds N              turns of each subject (default: 5)
  --steps N               maximum steps of a turn (default: 20)
  --budget SECONDS        of timed steps for a subject in a case (default: 40)
  --patience SECONDS      for opening and the first step, and for a turn (default: 120)
  --quick                 a smoke test: 2 rounds of at most 2 steps, not published
  --no-publish            writes results below target/ and leaves README.md unchanged

A run of all modes and subjects with the default cases of a device writes bench/results/ and the table of the device in
README.md; other runs change neither.
`;

/**
 * Parses the words of the command line. A value that begins with a dash is part of its option: `--out=-folder`.
 * @param {string[]} args
 */
export function parsed(args) {
  return parseArgs({
    args,
    options: {
      device: { type: 'string', default: DEVICES.join() },
      // Without it, each device has its own.
      case: { type: 'string' },
      subject: { type: 'string', default: SUBJECT_NAMES.join() },
      mode: { type: 'string' },
      adapter: { type: 'string', default: 'auto' },
      rounds: { type: 'string' },
      steps: { type: 'string' },
      budget: { type: 'string', default: '40' },
      patience: { type: 'string', default: '120' },
      quick: { type: 'boolean', default: false },
      'no-publish': { type: 'boolean', default: false },
      // Set by `cargo xtask bench`.
      dist: { type: 'string', default: 'dist' },
      out: { type: 'string', default: 'target/bench' },
      python: { type: 'string' },
      'python-missing': { type: 'string', default: 'no --python was given' },
      help: { type: 'boolean', default: false },
    },
  }).values;
}
