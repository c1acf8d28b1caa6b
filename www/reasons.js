// The reasons of a recommendation in plain words.

import { duration, t, tOr } from './i18n.js';
import { asText } from './settings.js';

/** @typedef {import('./protocol.js').Reason} Reason */

/** The parameters that are times. */
const SECONDS = ['seconds', 'budget'];

/**
 * A setting with its value, as in Python.
 * @param {Reason} reason
 * @param {import('./protocol.js').Values} values  of the recommendation
 */
export function settingText({ setting }, values) {
  const value = values[setting];
  return value === undefined ? setting : `${setting} = ${asText(value)}`;
}

/** @param {Reason} reason */
export function reasonText({ code, params }) {
  const shown = Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      typeof value !== 'number' ? String(value) : SECONDS.includes(name) ? duration(value) : value,
    ]),
  );
  return tOr(`recommend.reason.${code}`, t('recommend.reason_other'), shown);
}
