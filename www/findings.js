// The findings of the audit: their order, their texts, and what their remedies do.

import { number, percent, t, tOr } from './i18n.js';
import { asText } from './settings.js';

/** @typedef {import('./protocol.js').Edit} Edit */
/** @typedef {import('./protocol.js').Finding} Finding */
/** @typedef {import('./protocol.js').Severity} Severity */
/** @typedef {import('./protocol.js').Values} Values */
/** @typedef {{kind: 'edit', edit: Edit} | {kind: 'settings', values: Values}} Action */

/** The severities, the worst first. */
export const SEVERITIES = /** @type {const} */ (['error', 'warning', 'note']);
/** The findings whose `other` is a label id; of the others it is a row. */
const OTHER_IS_LABEL = ['conflicting_labels', 'similar_labels', 'label_errors'];
/** The findings whose `value` is a share. */
const VALUE_IS_SHARE = ['unknown_tokens', 'unknown_rows', 'label_errors'];
/** The parameters that are shares of 1. */
const SHARES = ['share', 'rate', 'threshold', 'peak'];
/** The parameters that name a script. */
const SCRIPTS = ['script', 'other'];

/**
 * The findings, the worst first, and of one severity in the order of the worker.
 * @param {Finding[]} findings
 */
export const sorted = (findings) =>
  findings.toSorted((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));

/** @param {Finding[]} findings @returns {Record<Severity, number>} */
export function counts(findings) {
  const of = (/** @type {Severity} */ severity) => findings.filter((finding) => finding.severity === severity).length;
  return { error: of('error'), warning: of('warning'), note: of('note') };
}

/**
 * What identifies a finding among others of its kind, e.g. one for each class.
 * @param {Finding} finding
 */
export const keyOf = ({ id, params }) => `${id} ${params.label ?? params.into ?? ''}`;

/**
 * A finding in plain words.
 * @param {Finding} finding
 * @returns {{title: string, text: string}}
 */
export function words(finding) {
  const { id, remedy, params: given } = finding;
  const params = { ...formatted(finding), count: finding.count, of: finding.of };
  const title = tOr(`audit.${id}.title`, id, params);
  const parts = [tOr(`audit.${id}.text`, '', params)];
  // Where rows of the same text are on both sides and can be kept apart, nothing more is to be said.
  const isStuck = remedy === null && given.splittable !== true;
  if (isStuck) parts.push(tOr(`audit.${id}.no_remedy`, '', params));
  return { title, text: parts.filter(Boolean).join(' ') };
}

/**
 * The parameters of a finding as text.
 * @param {Finding} finding
 */
function formatted({ params }) {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, formattedValue(name, value)]));
}

/**
 * @param {string} name
 * @param {unknown} value
 * @returns {string|number}
 */
function formattedValue(name, value) {
  if (Array.isArray(value)) return value.map((each) => t('audit.quoted', { name: String(each) })).join(', ');
  if (typeof value === 'number') return SHARES.includes(name) ? percent(value) : value;
  if (SCRIPTS.includes(name)) return tOr(`audit.script.${value}`, String(value));
  return String(value);
}

/**
 * What a finding says of one of its rows, beside its text and label; `label` where it names another label.
 * @param {Finding} finding
 * @param {import('./protocol.js').FindingRow} row
 * @returns {{row: number|null, label: number|null, value: string}}
 */
export function detailOf({ id }, { other, value }) {
  const isLabel = OTHER_IS_LABEL.includes(id);
  const shown = value === null || value === undefined ? '' : valueText(id, value);
  return { row: isLabel ? null : (other ?? null), label: isLabel ? (other ?? null) : null, value: shown };
}

/** @param {string} id @param {number} value */
const valueText = (id, value) =>
  id === 'truncated'
    ? t('audit.row_tokens', { count: value })
    : VALUE_IS_SHARE.includes(id)
      ? percent(value)
      : number(value, { maximumFractionDigits: 2 });

/**
 * What the button of a finding does; null where it has none, or where its settings are as proposed already.
 * @param {Finding} finding
 * @param {Values} values  of the form
 * @returns {Action|null}
 */
export function actionOf({ remedy }, values) {
  switch (remedy?.kind) {
    case 'delete_rows':
      return { kind: 'edit', edit: { op: 'delete', rows: remedy.rows } };
    case 'relabel':
      return { kind: 'edit', edit: { op: 'set_many', rows: remedy.rows } };
    case 'merge_labels':
      return { kind: 'edit', edit: { op: 'merge_labels', from: remedy.from, into: remedy.into } };
    case 'delete_label':
      return { kind: 'edit', edit: { op: 'delete_label', label: remedy.label } };
    case 'settings': {
      const isSet = Object.entries(remedy.values).every(([name, value]) => values[name] === value);
      return isSet ? null : { kind: 'settings', values: remedy.values };
    }
    default:
      return null;
  }
}

/**
 * The text of the button of a finding.
 * @param {Finding} finding
 * @param {string[]} labels  of the dataset
 */
export function buttonText({ remedy }, labels) {
  switch (remedy?.kind) {
    case 'delete_rows':
      return t('audit.delete_rows', { count: remedy.rows.length });
    case 'relabel':
      return t('audit.relabel', { count: remedy.rows.length });
    case 'merge_labels':
      return t('audit.merge_labels', { into: labels[remedy.into] ?? String(remedy.into) });
    case 'delete_label':
      return t('audit.delete_label', { label: labels[remedy.label] ?? String(remedy.label) });
    case 'settings':
      return t('audit.set', { values: valuesText(remedy.values) });
    default:
      return '';
  }
}

/** Settings as in Python: `max_length=128, padding=longest`. @param {Values} values */
export const valuesText = (values) =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${asText(value)}`)
    .join(', ');
