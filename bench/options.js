// The options of the benchmark.

import { parseArgs } from 'node:util';
import { CASES } from './cases.js';
import { BROWSER_SUBJECTS, PYTHON_SUBJECTS } from './contenders.js';

export const HELP = `Options
  --case NAME[,NAME]      ${CASES.map(({ name }) => name).join(', ')} (default: all)
  --subject NAME[,NAME]   ${[...BROWSER_SUBJECTS, ...PYTHON_SUBJECTS].join(', ')} (default: all that can run here)
  --mode train|forward    (default: both; on a software adapter the long cases are only trained)
  --adapter KIND          auto (the GPU where Chromium grants one), hardware or software (default: auto)
  --rounds N              turns of each subject (default: 5)
  --steps N               maximum steps of a turn (default: 20)
  --budget SECONDS        of timed steps for a subject in a case (default: 40)
  --patience SECONDS      for opening and the first step, and for a turn (default: 120)
  --quick                 a smoke test: 2 rounds of at most 2 steps, not published
  --no-publish            writes results below target/ and leaves README.md unchanged

A run of all cases, modes and subjects writes bench/results/ and the table in README.md; other runs change neither.
`;

/**
 * Parses the words of the command line. A value that begins with a dash is part of its option: `--out=-folder`.
 * @param {string[]} args
 */
export function parsed(args) {
  return parseArgs({
    args,
    options: {
      case: { type: 'string', default: CASES.map(({ name }) => name).join() },
      subject: { type: 'string', default: [...BROWSER_SUBJECTS, ...PYTHON_SUBJECTS].join() },
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
