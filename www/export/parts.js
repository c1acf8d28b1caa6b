// The parts of the export: which of them the visitor takes, what a choice implies, and how large it is.

import { recall, remember } from '../i18n.js';

/** @typedef {import('../protocol.js').ExportPart} ExportPart */
/** @typedef {import('../protocol.js').ExportedFile} ExportedFile */
/** @typedef {import('../protocol.js').UnavailableReason} UnavailableReason */
/**
 * A part of the archive; the page finds out itself that the library of the demo is missing.
 * @typedef {Omit<import('../protocol.js').PlannedPart, 'unavailable'>
 *   & {unavailable: UnavailableReason|'no_library'|null}} PlannedPart
 */
/** What an export can contain, with the library of the demo. @typedef {{file: string, parts: PlannedPart[]}} Plan */

/** The files of the demo's library, as the site lists them; null before the list is loaded, and where there is none. */
/** @typedef {ExportedFile[]|null} LibraryList */

/** The networks that the demo may open, the smallest first. */
export const NETWORKS = /** @type {const} */ (['onnx_quantized', 'onnx_fp16', 'onnx']);

/**
 * What is ticked before the visitor has chosen. The other two networks and the checkpoints repeat the weights, and the
 * scripts contain the texts of the dataset, which nobody should pass on without having decided to.
 * @type {ExportPart[]}
 */
const DEFAULT = ['model', 'adapter', 'onnx_quantized', 'demo', 'logs'];
const KNOWN = /** @type {ExportPart[]} */ ([
  'model',
  'adapter',
  'onnx',
  'onnx_fp16',
  'onnx_quantized',
  'demo',
  'scripts',
  'logs',
  'results',
]);
const STORED_AS = 'webtune.export_parts';

/**
 * The parts that were ticked last in this browser.
 * @returns {ExportPart[]}
 */
export function rememberedParts() {
  try {
    const stored = JSON.parse(recall(STORED_AS) ?? 'null');
    if (Array.isArray(stored)) return KNOWN.filter((part) => part === 'model' || stored.includes(part));
  } catch {
    // Anything else than a list that this page wrote is ignored.
  }
  return DEFAULT;
}

/** @param {ExportPart[]} parts */
export const rememberParts = (parts) => remember(STORED_AS, JSON.stringify(parts));

/**
 * The choice after a press of a tick box. The demo needs a network, so ticking it ticks the smallest one, and it goes
 * with the last network.
 * @param {ExportPart[]} ticked
 * @param {ExportPart} part
 * @param {boolean} on
 */
export function toggled(ticked, part, on) {
  const next = new Set(ticked);
  if (on) next.add(part);
  else next.delete(part);
  next.add('model');
  const hasNetwork = () => NETWORKS.some((network) => next.has(network));
  if (next.has('demo') && !hasNetwork()) {
    if (part === 'demo') next.add(NETWORKS[0]);
    else next.delete('demo');
  }
  return KNOWN.filter((known) => next.has(known));
}

/**
 * The plan with the files of the demo's library, which the page brings along. Without them there is no demo.
 * @param {Plan} plan
 * @param {LibraryList} library
 * @returns {Plan}
 */
export function withLibrary(plan, library) {
  /** @type {(planned: PlannedPart) => PlannedPart} */
  const complete = (planned) => {
    if (planned.part !== 'demo' || planned.unavailable !== null) return planned;
    if (library === null) return { ...planned, files: [], unavailable: 'no_library' };
    const listed = new Set(planned.files.map(({ name }) => name));
    const added = library.map(({ name, bytes }) => ({ name: `demo/${name}`, bytes }));
    return { ...planned, files: [...planned.files, ...added.filter(({ name }) => !listed.has(name))] };
  };
  return { ...plan, parts: plan.parts.map(complete) };
}

/**
 * The parts that an export takes now: those that are ticked and available. The demo needs a network among them.
 * @param {Plan} plan
 * @param {ExportPart[]} ticked
 * @returns {PlannedPart[]}
 */
export function takenParts(plan, ticked) {
  const available = plan.parts.filter(({ part, unavailable }) => unavailable === null && ticked.includes(part));
  const hasNetwork = available.some(({ part }) => isNetwork(part));
  return available.filter(({ part }) => part !== 'demo' || hasNetwork);
}

/** @param {ExportPart} part */
const isNetwork = (part) => NETWORKS.some((network) => network === part);

/**
 * The smallest network of an export, which its demo and its code open; null without one.
 * @param {Pick<PlannedPart, 'part'>[]} taken
 */
export const smallestNetwork = (taken) =>
  NETWORKS.find((network) => taken.some(({ part }) => part === network)) ?? null;

/** @param {Pick<PlannedPart, 'files'>[]} parts */
export const sizeOf = (parts) => parts.reduce((sum, { files }) => sum + filesSize(files), 0);

/** @param {ExportedFile[]} files */
export const filesSize = (files) => files.reduce((sum, { bytes }) => sum + bytes, 0);

/**
 * Whether the browser's storage may be too small: the archive has this size, and a part of the limit is for what the
 * browser writes beside it.
 * @param {number} bytes
 * @param {number|null} free  null where the browser does not tell
 */
export const isTight = (bytes, free) => free !== null && bytes > free * 0.9;
