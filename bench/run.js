// The driver of the benchmark. `cargo xtask bench` sets up what it needs and starts it; `--help` lists the options.
//
// Manually, with the packages of bench/package-lock.json installed and the site built:
//   node bench/run.js --dist dist --out target/bench --case small-8x32 --subject webtune,tfjs --quick

import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, platform, release, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { launch } from './browser.js';
import { CASES } from './cases.js';
import { BROWSER_SUBJECTS, BrowserContender, PYTHON_SUBJECTS, PythonContender, QUIET } from './contenders.js';
import { measure } from './measure.js';
import { HELP, parsed } from './options.js';
import { run } from './processes.js';
import { details, figures, publish, table, writeResults } from './report.js';
import { BenchServer } from './server.js';
import { BENCH, REPOSITORY, prepare, scripts } from './site.js';

/** Tokens per step from which a case is long: a forward pass of it takes minutes on a software adapter. */
const LONG_CASE = 512;

try {
  const options = parsed(process.argv.slice(2));
  if (options.help) process.stdout.write(HELP);
  else await main(options);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** @param {ReturnType<typeof parsed>} options */
async function main(options) {
  const cases = chosen('case', options.case, CASES, ({ name }) => name);
  const subjects = chosen('subject', options.subject, [...BROWSER_SUBJECTS, ...PYTHON_SUBJECTS], String);
  const modes = chosen('mode', options.mode ?? 'train,forward', /** @type {const} */ (['train', 'forward']), String);
  const [adapterKind] = chosen(
    'adapter',
    options.adapter,
    /** @type {const} */ (['auto', 'hardware', 'software']),
    String,
  );
  const plan = {
    rounds: count('rounds', options.rounds ?? (options.quick ? '2' : '5')),
    steps: count('steps', options.steps ?? (options.quick ? '2' : '20')),
    turn: 4000,
    budget: count('budget', options.budget) * 1000,
    patience: count('patience', options.patience) * 1000,
  };

  /** Subjects that cannot run, with the reason. @type {Record<string, string>} */
  const missing = {};
  const python = options.python;
  if (!python)
    for (const name of /** @type {const} */ (['transformers', ...PYTHON_SUBJECTS]))
      missing[name] = options['python-missing'];
  else if (!cuda(python)) missing['pytorch-cuda'] = 'PyTorch finds no CUDA GPU';
  const available = subjects.filter((name) => !missing[name]);

  const [out, dist] = [resolve(REPOSITORY, options.out), resolve(REPOSITORY, options.dist)];
  log('preparing the subjects, the models and the work');
  const inBrowser = BROWSER_SUBJECTS.filter((name) => available.includes(name));
  const { site, models } = await prepare({ out, cases, subjects: inBrowser });
  if (python && inBrowser.includes('transformers')) {
    for (const model of new Set(cases.map((given) => given.model))) {
      await run(python, [join(BENCH, 'peers/export_onnx.py'), join(models, model)], { ...process.env, ...QUIET });
    }
  }
  const server = new BenchServer([
    { address: 'dist', source: dist },
    { address: '', source: site },
  ]);
  const origin = await server.start();
  const { browser, adapter } = await launch(adapterKind ?? 'auto', `${origin}/${inBrowser[0] ?? ''}/`);
  try {
    const about = {
      date: new Date().toISOString(),
      adapter,
      browser: `Chromium ${browser.version()}`,
      machine: machine(),
      versions: versions(),
      plan,
      missing,
    };
    log(`${about.browser}, ${adapter.name}, ${about.machine.cpu} (${about.machine.cores} cores)`);
    for (const [name, why] of Object.entries(missing))
      if (subjects.includes(/** @type {typeof subjects[number]} */ (name))) log(`${name} is skipped: ${why}`);
    const host = { browser, origin, server, adapter: adapter.name, module: `dist/${scripts(dist)}pkg/webtune.js` };
    const contenders = [
      ...inBrowser.map((name) => new BrowserContender(name, host)),
      ...PYTHON_SUBJECTS.filter((name) => available.includes(name)).map(
        (name) => new PythonContender(name, python ?? '', site),
      ),
    ];
    const [rows, all] = [
      /** @type {import('./measure.js').Row[]} */ ([]),
      /** @type {import('./report.js').Figures[]} */ ([]),
    ];
    for (const given of cases) {
      for (const mode of modes) {
        if (
          mode === 'forward' &&
          options.mode === undefined &&
          adapter.software &&
          given.batch * given.seq >= LONG_CASE
        )
          continue;
        log(`== ${given.title}, ${mode === 'train' ? 'training' : 'forward only'}`);
        const measured = await measure(given, mode, contenders, plan, log);
        rows.push(...measured);
        all.push(...figures(measured, given));
      }
    }
    // A partial table must not replace a complete one.
    const complete =
      cases.length === CASES.length &&
      modes.length === 2 &&
      [...BROWSER_SUBJECTS, ...PYTHON_SUBJECTS].every((name) => subjects.includes(name));
    const published = complete && !options.quick && !options['no-publish'];
    const results = join(published ? BENCH : out, 'results');
    console.log(`\n${details(all)}\n\n${table(all, adapter.name)}\n`);
    log(`all measurements are in ${writeResults(results, about, adapter.name, all, rows)}`);
    if (published) publish(join(REPOSITORY, 'README.md'), table(all, adapter.name));
  } finally {
    await browser.close();
    await server.close();
  }
}

/**
 * The entries of a list that an option selects.
 * @template T
 * @param {string} option
 * @param {string} value
 * @param {readonly T[]} all
 * @param {(item: T) => string} name
 */
function chosen(option, value, all, name) {
  const wanted = value.split(',');
  const unknown = wanted.filter((word) => !all.some((item) => name(item) === word));
  if (unknown.length)
    throw new Error(`--${option}: there is no ${unknown.join(', ')}; there are ${all.map(name).join(', ')}`);
  return all.filter((item) => wanted.includes(name(item)));
}

/**
 * @param {string} option
 * @param {string} value
 */
function count(option, value) {
  if (!/^[1-9]\d*$/.test(value)) throw new Error(`--${option} takes a whole number of at least 1, not ${value}`);
  return Number(value);
}

/** @param {string} python */
function cuda(python) {
  return (
    execFileSync(python, ['-c', 'import torch; print(torch.cuda.is_available())'], { encoding: 'utf8' }).trim() ===
    'True'
  );
}

function machine() {
  const [first] = cpus();
  return {
    cpu: first?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory_bytes: totalmem(),
    system: `${platform()} ${release()}`,
    node: process.version,
  };
}

/** The compared versions. */
function versions() {
  /** @type {Record<string, string>} */
  const peers = JSON.parse(readFileSync(join(BENCH, 'package.json'), 'utf8')).devDependencies;
  const git = spawnSync('git', ['describe', '--always', '--dirty'], { cwd: REPOSITORY, encoding: 'utf8' });
  const webtune = git.status === 0 ? git.stdout.trim() : 'not under version control';
  const reference = readFileSync(join(REPOSITORY, 'tests/fixtures/reference/requirements.txt'), 'utf8')
    .split('\n')
    .filter((line) => /^(torch|transformers)=/.test(line));
  return { webtune, ...peers, pytorch: reference.join(', ') };
}

/** @param {string} text */
function log(text) {
  console.log(text);
}
