// What the page knows: a store that tells its listeners what changed, and the one table of settings.
//
// The table comes from the crate (`describe`). It drives the form, the URL and the validation: a field holds the text as it
// was typed, and is either a value the crate will accept or a message that says what it would accept.

/** @typedef {import('./protocol.js').Setting} Setting */
/** @typedef {import('./protocol.js').Preset} Preset */
/** @typedef {import('./protocol.js').Values} Values */
/** @typedef {{key: string, params: Record<string, string|number>}} Message  a sentence of the i18n files */
/** @typedef {{value: number|boolean|string, error: null} | {value: null, error: Message}} Checked */

/**
 * A value as text: small numbers as `5e-5`, not `0.00005`.
 * @param {number|boolean|string} value
 */
export function asText(value) {
  if (typeof value === 'number' && value !== 0 && Math.abs(value) < 1e-3) {
    return String(value.toExponential()).replace('e+', 'e');
  }
  return String(value);
}

/**
 * Reads one setting's text.
 * @param {Setting} setting
 * @param {string} text
 * @returns {Checked}
 */
export function check(setting, text) {
  const trimmed = text.trim();
  if (setting.type === 'boolean') {
    if (trimmed === 'true' || trimmed === 'false') return { value: trimmed === 'true', error: null };
    return { value: null, error: { key: 'validation.boolean', params: { text: trimmed } } };
  }
  if (setting.type === 'choice') {
    const choices = setting.choices ?? [];
    if (choices.includes(trimmed)) return { value: trimmed, error: null };
    return { value: null, error: { key: 'validation.choice', params: { text: trimmed, choices: choices.join(', ') } } };
  }
  const min = setting.min ?? -Infinity;
  const max = setting.max ?? Infinity;
  // Number('') is 0 and Number('0x10') is 16: neither is what was meant.
  const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed) ? Number(trimmed) : NaN;
  const whole = setting.type === 'number' || Number.isInteger(number);
  if (Number.isFinite(number) && whole && number >= min && number <= max) return { value: number, error: null };
  const key = trimmed === '' ? 'validation.empty' : `validation.${setting.type}`;
  return { value: null, error: { key, params: { text: trimmed, min: asText(min), max: asText(max) } } };
}

export class Settings {
  #presets;
  /** @type {Map<string, string>} */
  #texts = new Map();
  /** @type {Map<string, string>} */
  #refused = new Map();
  /** @type {Map<string, Message>} */
  #off = new Map();
  /** @type {Set<() => void>} */
  #listeners = new Set();

  /**
   * @param {Setting[]} table
   * @param {Preset[]} presets
   */
  constructor(table, presets) {
    this.table = table;
    this.#presets = presets;
    for (const setting of table) this.#texts.set(setting.name, asText(setting.default));
  }

  /** @param {string} name */
  find(name) {
    return this.table.find((setting) => setting.name === name) ?? null;
  }

  /** @param {string} name */
  text(name) {
    return this.#texts.get(name) ?? '';
  }

  /**
   * @param {string} name
   * @param {string} text
   */
  set(name, text) {
    if (!this.find(name) || this.#texts.get(name) === text) return;
    this.#texts.set(name, text);
    this.#refused.delete(name);
    this.#notify();
  }

  /**
   * Moves a number by so many of its steps and keeps it within its bounds.
   * @param {string} name
   * @param {number} steps
   */
  nudge(name, steps) {
    const setting = this.find(name);
    if (!setting?.step) return;
    const { value } = check(setting, this.text(name));
    if (typeof value !== 'number') return;
    const moved = value + steps * setting.step;
    const bounded = Math.min(setting.max ?? Infinity, Math.max(setting.min ?? -Infinity, moved));
    this.set(name, asText(Number(bounded.toPrecision(12))));
  }

  /** @param {string} id of a preset */
  apply(id) {
    const preset = this.#presets.find((candidate) => candidate.id === id);
    if (!preset) return;
    for (const [name, value] of Object.entries(preset.values)) this.#texts.set(name, asText(value));
    this.#refused.clear();
    this.#notify();
  }

  /** The preset whose values these are, or null. */
  get preset() {
    const matches = (/** @type {Preset} */ preset) =>
      this.table.every((setting) => check(setting, this.text(setting.name)).value === preset.values[setting.name]);
    return this.#presets.find(matches)?.id ?? null;
  }

  /**
   * Keeps a message of the crate beside the field it names, until that field changes.
   * @param {string} name
   * @param {string} message
   */
  refuse(name, message) {
    this.#refused.set(name, message);
    this.#notify();
  }

  /**
   * Turns a switch off for good: this device cannot do it. Where it is on all the same, from the URL, it is refused with the reason.
   * @param {string} name
   * @param {Message} reason
   */
  turnOff(name, reason) {
    this.#off.set(name, reason);
    this.#notify();
  }

  /**
   * Why a switch cannot be turned on here, or null.
   * @param {string} name
   */
  off(name) {
    return this.#off.get(name) ?? null;
  }

  /**
   * What is wrong with a field, or null.
   * @param {string} name
   * @returns {Message|null}
   */
  error(name) {
    const setting = this.find(name);
    if (!setting) return null;
    const refused = this.#refused.get(name);
    return this.#wrong(setting) ?? (refused ? { key: 'validation.refused', params: { message: refused } } : null);
  }

  /** The first field that no run can start with, or null. Messages of the crate do not count: trying again is allowed. */
  firstInvalid() {
    return this.table.find((setting) => this.#wrong(setting) !== null) ?? null;
  }

  /** @param {Setting} setting @returns {Message|null} */
  #wrong(setting) {
    const { value, error } = check(setting, this.text(setting.name));
    return error ?? (value === true ? this.off(setting.name) : null);
  }

  /**
   * Every setting by name; only settings whose fields are valid.
   * @returns {Values}
   */
  values() {
    /** @type {Values} */
    const values = {};
    for (const setting of this.table) {
      const { value } = check(setting, this.text(setting.name));
      if (value !== null) values[setting.name] = value;
    }
    return values;
  }

  /**
   * Takes values from the URL. An invalid one stays in its field, where its message says what is wrong.
   * @param {URLSearchParams} query
   */
  readQuery(query) {
    for (const setting of this.table) {
      const text = query.get(setting.name);
      if (text === null) continue;
      const { value } = check(setting, text);
      this.#texts.set(setting.name, value === null ? text : asText(value));
    }
    this.#notify();
  }

  /**
   * Puts values that differ from their defaults into the URL and leaves everything else there alone.
   * @param {URLSearchParams} query
   * @returns {URLSearchParams}
   */
  writeQuery(query) {
    const written = new URLSearchParams(query);
    for (const setting of this.table) {
      const { value } = check(setting, this.text(setting.name));
      if (value !== null && value !== setting.default) written.set(setting.name, asText(value));
      else written.delete(setting.name);
    }
    return written;
  }

  /** @param {() => void} listener */
  subscribe(listener) {
    this.#listeners.add(listener);
  }

  #notify() {
    for (const listener of this.#listeners) listener();
  }
}
