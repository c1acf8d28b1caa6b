// The settings of the form.
//
// Their table comes from the crate (`describe`) and drives the form, the URL and the validation. A field keeps the text
// as it was typed. The text is either a value that the crate accepts, or has a message about what it accepts.

/** @typedef {import('./protocol.js').Setting} Setting */
/** @typedef {import('./protocol.js').Preset} Preset */
/** @typedef {import('./protocol.js').Values} Values */
/** @typedef {{key: string, params: Record<string, string|number>}} Message  a sentence of the i18n files */
/** @typedef {{value: number|boolean|string, error: null} | {value: null, error: Message}} Checked */

/**
 * Formats a value as text, small numbers as `5e-5`.
 * @param {number|boolean|string} value
 */
export function asText(value) {
  if (typeof value === 'number' && value !== 0 && Math.abs(value) < 1e-3) {
    return String(value.toExponential()).replace('e+', 'e');
  }
  return String(value);
}

/**
 * Parses and validates the text of a setting.
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
  // `Number` alone would accept '' as 0 and '0x10' as 16.
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
   * Sets several values at once. Names that the table does not have are left out.
   * @param {Record<string, number|boolean|string>} values
   */
  setAll(values) {
    const changed = Object.entries(values).filter(([name, value]) => {
      return this.find(name) && this.#texts.get(name) !== asText(value);
    });
    for (const [name, value] of changed) {
      this.#texts.set(name, asText(value));
      this.#refused.delete(name);
    }
    if (changed.length > 0) this.#notify();
  }

  /**
   * Adds a multiple of the setting's step to a number and clamps it to the bounds.
   * @param {string} name
   * @param {number} steps
   */
  nudge(name, steps) {
    const setting = this.find(name);
    if (!setting || !('step' in setting)) return;
    const { value } = check(setting, this.text(name));
    if (typeof value !== 'number') return;
    const moved = value + steps * setting.step;
    const bounded = Math.min(setting.max, Math.max(setting.min, moved));
    this.set(name, asText(Number(bounded.toPrecision(12))));
  }

  /**
   * @param {string} id of a preset
   * @param {Setting['group'][]} [groups]  the settings to change; by default all
   */
  apply(id, groups) {
    const preset = this.#presets.find((candidate) => candidate.id === id);
    if (!preset) return;
    for (const { name, group } of this.table) {
      const value = preset.values[name];
      if (value === undefined || (groups && !groups.includes(group))) continue;
      this.#texts.set(name, asText(value));
      this.#refused.delete(name);
    }
    this.#notify();
  }

  /** The preset that has the same values, or null. */
  get preset() {
    const matches = (/** @type {Preset} */ preset) =>
      this.table.every((setting) => check(setting, this.text(setting.name)).value === preset.values[setting.name]);
    return this.#presets.find(matches)?.id ?? null;
  }

  /**
   * Shows a message of the crate beside a field until that field changes.
   * @param {string} name
   * @param {string} message
   */
  refuse(name, message) {
    this.#refused.set(name, message);
    this.#notify();
  }

  /**
   * Disables a switch that the device does not support. If the URL has turned it on, `reason` is its error.
   * @param {string} name
   * @param {Message} reason
   */
  turnOff(name, reason) {
    this.#off.set(name, reason);
    this.#notify();
  }

  /**
   * The reason why a switch is disabled, or null.
   * @param {string} name
   */
  off(name) {
    return this.#off.get(name) ?? null;
  }

  /**
   * The error of a field, or null.
   * @param {string} name
   * @returns {Message|null}
   */
  error(name) {
    const setting = this.find(name);
    if (!setting) return null;
    const refused = this.#refused.get(name);
    return this.#invalid(setting) ?? (refused ? { key: 'validation.refused', params: { message: refused } } : null);
  }

  /** The first setting with an invalid value, or null. Messages of the crate do not block another attempt. */
  firstInvalid() {
    return this.table.find((setting) => this.#invalid(setting) !== null) ?? null;
  }

  /** @param {Setting} setting @returns {Message|null} */
  #invalid(setting) {
    const { value, error } = check(setting, this.text(setting.name));
    return error ?? (value === true ? this.off(setting.name) : null);
  }

  /**
   * The values of the valid fields by name.
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
   * Reads values from the URL. An invalid one stays in its field and has an error there.
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
   * Writes the values that differ from their defaults into the URL and keeps its other parameters.
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
