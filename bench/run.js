// The driver of the benchmark. `cargo xtask bench` sets up what it needs and starts it; `--help` lists the options.
//
// Manually, with the packages of bench/package-lock.json installed and the site built:
//   node bench/run.js --dist dist --out target/bench --case small-8x32 --subject webtune,tfjs --quick

import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, platform, release, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { launch, launchForCpu } from './browser.js';
import { CASES } from './cases.js';
import { BrowserContender, PythonContender, QUIET } from './contenders.js';
import { DEVICES, SUBJECTS, SUBJECT_NAMES, isPage, isPython } from './devices.js';
import { measure } from './measure.js';
import { HELP, parsed } from './options.js';
import { run } from './processes.js';
import { details, figures, publish, table, writeResults } from './report.js';
import { BenchServer } from './server.js';
import { BENCH, REPOSITORY, prepare, scripts } from './site.js';

/** @typedef {ReturnType<typeof parsed>} Options */
/** @typedef {import('./cases.js').Case} Case */
/** @typedef {import('./devices.js').DeviceName} DeviceName */
/** @typedef {import('./devices.js').Subject} Subject */

/**
 * The work on one device.
 * @typedef {object} Task
 * @property {DeviceName} device
 * @property {Case[]} cases
 * @property {Subject[]} subjects    that can run here
 * @property {import('./devices.js').Mode[]} modes
 * @property {Record<string, string>} missing  subjects that cannot run, with the reason
 * @property {boolean} complete      whether nothing of the device's table is left out by an option
 */

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

/** @param {Options} options */
async function main(options) {
  const tasks = chosen('device', options.device, DEVICES, String).map((device) => taskOf(device, options));
  const pages = new Set(tasks.flatMap(({ subjects }) => subjects.filter(isPage).map(({ page }) => page)));
  const cases = CASES.filter((given) => tasks.some((task) => task.cases.includes(given)));
  const [out, dist] = [resolve(REPOSITORY, options.out), resolve(REPOSITORY, options.dist)];
  log('preparing the subjects, the models and the work');
  const { site, models } = await prepare({ out, cases, pages: [...pages] });
  if (options.python && pages.has('transformers')) {
    for (const model of new Set(cases.map((given) => given.model))) {
      const script = join(BENCH, 'peers/export_onnx.py');
      await run(options.python, [script, join(models, model)], { ...process.env, ...QUIET });
    }
  }
  const server = new BenchServer([
    { address: 'dist', source: dist },
    { address: '', source: site },
  ]);
  const origin = await server.start();
  const place = { origin, server, site, out, module: `dist/${scripts(dist)}pkg/webtune.js` };
  try {
    for (const task of tasks) if (task.subjects.length) await compare(task, options, place);
  } finally {
    await server.close();
  }
}

/**
 * What the options select on a device.
 * @param {DeviceName} device
 * @param {Options} options
 * @returns {Task}
 */
function taskOf(device, options) {
  const own = CASES.filter(({ devices }) => devices.includes(device));
  const cases = options.case === undefined ? own : chosen('case', options.case, CASES, ({ name }) => name);
  const names = chosen('subject', options.subject, SUBJECT_NAMES, String);
  const modes = chosen('mode', options.mode ?? 'train,forward', /** @type {const} */ (['train', 'forward']), String);
  const wanted = SUBJECTS[device].filter(({ name }) => names.includes(name));
  /** @type {Record<string, string>} */
  const missing = {};
  for (const subject of wanted) {
    const why = reasonWithout(subject, options);
    if (why !== null) missing[subject.name] = why;
  }
  return {
    device,
    cases,
    subjects: wanted.filter(({ name }) => !(name in missing)),
    modes,
    missing,
    // A partial table must not replace a complete one.
    complete:
      own.every((given) => cases.includes(given)) && modes.length === 2 && wanted.length === SUBJECTS[device].length,
  };
}

/**
 * Why a subject cannot run here, or null.
 * @param {Subject} subject
 * @param {Options} options
 */
function reasonWithout(subject, options) {
  // PyTorch exports the file of transformers.js.
  if (!isPython(subject) && subject.page !== 'transformers') return null;
  if (!options.python) return options['python-missing'];
  const needsCuda = isPython(subject) && subject.pytorch === 'cuda';
  return needsCuda && !cuda(options.python) ? 'PyTorch finds no CUDA GPU' : null;
}

/**
 * Measures a task and writes its results.
 * @param {Task} task
 * @param {Options} options
 * @param {{origin: string, server: BenchServer, site: string, out: string, module: string}} place
 */
async function compare(task, options, { origin, server, site, out, module }) {
  const { device, missing, subjects } = task;
  const plan = planOf(options);
  const { browser, adapter } = await openBrowser(task, options, origin);
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
    for (const [name, why] of Object.entries(missing)) log(`${name} is skipped: ${why}`);
    const host = { browser, origin, server, adapter: adapter.name, module, device };
    const contenders = subjects.map((subject) =>
      isPage(subject) ? new BrowserContender(subject, host) : new PythonContender(subject, options.python ?? '', site),
    );
    /** @type {import('./measure.js').Row[]} */
    const rows = [];
    /** @type {import('./report.js').Figures[]} */
    const all = [];
    for (const given of task.cases) {
      for (const mode of task.modes) {
        const isLong = adapter.software && given.batch * given.seq >= LONG_CASE;
        if (mode === 'forward' && options.mode === undefined && isLong) continue;
        log(`== ${given.title}, ${mode === 'train' ? 'training' : 'forward only'}`);
        const measured = await measure(given, mode, contenders, plan, log);
        rows.push(...measured);
        all.push(...figures(measured, given, device));
      }
    }
    const published = task.complete && !options.quick && !options['no-publish'];
    const text = table(all, adapter.name, device);
    console.log(`\n${details(all)}\n\n${text}\n`);
    const results = join(published ? BENCH : out, 'results');
    log(`all measurements are in ${writeResults(results, about, adapter.name, all, rows)}`);
    if (published) publish(join(REPOSITORY, 'README.md'), text, device);
  } finally {
    await browser.close();
  }
}

/**
 * Starts the browser of a task.
 * @param {Task} task
 * @param {Options} options
 * @param {string} origin
 */
async function openBrowser({ device, subjects }, options, origin) {
  if (device === 'cpu') {
    const { cpu, cores } = machine();
    const name = `CPU: ${cpu.replace(/\((R|TM)\)/g, '')}, ${cores === 1 ? 'one core' : `${cores} cores`}`;
    return { browser: await launchForCpu(), adapter: { name, software: false } };
  }
  const kinds = /** @type {const} */ (['auto', 'hardware', 'software']);
  const [kind = 'auto'] = chosen('adapter', options.adapter, kinds, String);
  // An existing file in a secure context.
  return launch(kind, `${origin}/${subjects.find(isPage)?.page ?? ''}/`);
}

/** How long the parts of a run may take. @param {Options} options */
function planOf(options) {
  return {
    rounds: count('rounds', options.rounds ?? (options.quick ? '2' : '5')),
    steps: count('steps', options.steps ?? (options.quick ? '2' : '20')),
    turn: 4000,
    budget: count('budget', options.budget) * 1000,
    patience: count('patience', options.patience) * 1000,
  };
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
