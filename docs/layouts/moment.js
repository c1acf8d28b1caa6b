// What a prototype shows now: layout, state, step and view, and the parts that follow the step.

import { MAX_STEPS, RECOMMENDED } from './recorded.js';

export const LAYOUTS = /** @type {const} */ (['rail', 'columns', 'runs']);
export const STATES = /** @type {const} */ (['empty', 'running', 'done', 'error']);

const query = new URLSearchParams(location.search);

/** @template {string} T @param {readonly T[]} allowed @param {string|null} wanted */
const oneOf = (allowed, wanted) => allowed.find((candidate) => candidate === wanted) ?? allowed[0];

export const moment = {
  layout: oneOf(LAYOUTS, query.get('layout')),
  state: oneOf(STATES, query.get('state')),
  language: oneOf(/** @type {const} */ (['en', 'ko']), query.get('lang')),
  /** With `?step=17` the curve of a running job stands still, for pictures. */
  frozen: query.has('step'),
  /** With `?bare` the switch of the prototypes is hidden, for measurements. */
  bare: query.has('bare'),
  step: Number(query.get('step') ?? 1),
  /** The view of layout "rail", the tab of layout "runs". */
  view: query.get('view') ?? '',
  /** The open drawer of layout "columns". */
  drawer: query.get('drawer') ?? '',
};

/** The step that the job has reached. */
export const reached = () => (moment.state === 'done' ? MAX_STEPS : moment.state === 'running' ? moment.step : 0);
/** The evaluations so far. */
export const evaluated = () => RECOMMENDED.evaluations.filter(({ step }) => step <= reached());

/** @type {(() => void)[]} */
let followers = [];
/** Draws a part now and after each step. @param {() => void} draw */
export function follow(draw) {
  followers.push(draw);
  draw();
}
export const drawFollowers = () => followers.forEach((draw) => draw());
export const forgetFollowers = () => void (followers = []);

/** @type {{redraw: () => void}} */
export const page = { redraw: () => {} };

/** @param {Partial<typeof moment>} change */
export function show(change) {
  Object.assign(moment, change);
  page.redraw();
}

/** @param {string} stage @returns {'idle'|'running'|'done'|'error'} */
export function stageState(stage) {
  const { state } = moment;
  // The page makes dataset and split when it opens.
  if (stage === 'dataset' || stage === 'split') return 'done';
  if (state === 'empty' || stage === 'export') return 'idle';
  if (stage === 'model' || stage === 'tokens' || state === 'done') return 'done';
  if (stage === 'training') return state === 'error' ? 'error' : 'running';
  return 'idle';
}
