// Teaching by examples: the sentences of a typed or pasted text, the names of new classes, and what is still missing.

/** So many classes and sentences of each are enough to start. */
export const ENOUGH = { classes: 2, sentences: 5 };
/** A stratified split needs this many rows of each class. */
const LEAST_TO_SPLIT = 2;

/**
 * The sentences of a text, one a line.
 * @param {string} text
 */
export const sentencesOf = (text) =>
  text
    .split(/\r\n|[\n\r\u2028\u2029]/)
    .map((line) => line.trim())
    .filter((line) => line !== '');

/**
 * What is missing for a first run.
 * @param {{labels: string[], label_counts: number[]}} dataset
 */
export function missingExamples({ labels, label_counts }) {
  const classes = Math.max(0, ENOUGH.classes - labels.length);
  const sentences = labels.flatMap((name, label) => {
    const count = ENOUGH.sentences - (label_counts[label] ?? 0);
    return count > 0 ? [{ name, count }] : [];
  });
  const total = sentences.reduce((sum, { count }) => sum + count, classes * ENOUGH.sentences);
  return { classes, sentences, total };
}

/**
 * Whether rows can be split into a training and a test part.
 * @param {{label_counts: number[]}} dataset
 */
export function canBeSplit({ label_counts }) {
  return label_counts.length >= ENOUGH.classes && label_counts.every((count) => count >= LEAST_TO_SPLIT);
}

/**
 * A name for a new class that no class has.
 * @param {string[]} labels
 * @param {(number: number) => string} nameOf
 */
export function newClassName(labels, nameOf) {
  for (let number = labels.length + 1; ; number += 1) {
    const name = nameOf(number);
    if (!labels.includes(name)) return name;
  }
}

/**
 * Moves what belongs to each class, by its name, to the classes of now. Where exactly one name has changed at its
 * place, the class was renamed.
 * @template T
 * @param {string[]} before
 * @param {string[]} after
 * @param {Map<string, T>} items  by the names of before
 * @returns {Map<string, T>}
 */
export function follow(before, after, items) {
  const at = before.length === after.length ? after.flatMap((name, id) => (name === before[id] ? [] : [id])) : [];
  const [renamed] = at.length === 1 ? at : [];
  /** @type {Map<string, T>} */
  const kept = new Map();
  for (const [id, name] of after.entries()) {
    const item = items.get(id === renamed ? (before[id] ?? name) : name);
    if (item !== undefined) kept.set(name, item);
  }
  return kept;
}
