// Teaching by examples: what a typed or pasted text adds, what is still missing, and which class a draft belongs to.

import assert from 'node:assert/strict';
import test from 'node:test';
import { isEnter, undoKey } from '../../www/data/keys.js';
import { canBeSplit, follow, missingExamples, newClassName, sentencesOf } from '../../www/data/teach.js';

test('each line of a text is a sentence, whatever ends it', () => {
  assert.deepEqual(sentencesOf('one\ntwo\r\nthree\rfour\u2028five'), ['one', 'two', 'three', 'four', 'five']);
  assert.deepEqual(sentencesOf('  a sentence with blanks\t\n\n   \n'), ['a sentence with blanks']);
  assert.deepEqual(sentencesOf(' \r\n '), []);
});

test('five sentences in each of two classes are enough', () => {
  const missing = (/** @type {string[]} */ labels, /** @type {number[]} */ label_counts) =>
    missingExamples({ labels, label_counts });
  assert.deepEqual(missing(['a', 'b'], [5, 3]), { classes: 0, sentences: [{ name: 'b', count: 2 }], total: 2 });
  assert.equal(missing(['a', 'b', 'c'], [5, 6, 7]).total, 0);
  assert.deepEqual(missing(['a'], [9]), { classes: 1, sentences: [], total: 5 });
  assert.equal(missing([], []).total, 10);
});

test('rows can be split from two rows in each of two classes on', () => {
  assert.equal(canBeSplit({ label_counts: [2, 2] }), true);
  for (const label_counts of [[], [5], [5, 1], [2, 2, 0]]) assert.equal(canBeSplit({ label_counts }), false);
});

test('a new class has a name that no class has', () => {
  const nameOf = (/** @type {number} */ number) => `Class ${number}`;
  assert.equal(newClassName(['Class 1', 'Class 2'], nameOf), 'Class 3');
  assert.equal(newClassName(['Class 2'], nameOf), 'Class 3');
  assert.equal(newClassName(['a', 'Class 3'], nameOf), 'Class 4');
});

test('what belongs to a class follows it when classes are renamed, deleted and added', () => {
  const items = new Map([
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ]);
  const names = ['a', 'b', 'c'];
  const after = (/** @type {string[]} */ labels) => Object.fromEntries(follow(names, labels, items));
  assert.deepEqual(after(['a', 'new', 'c']), { a: 1, new: 2, c: 3 });
  assert.deepEqual(after(['b', 'c']), { b: 2, c: 3 });
  assert.deepEqual(after(['x', 'a', 'b', 'c']), { a: 1, b: 2, c: 3 });
  // Two new names are another dataset.
  assert.deepEqual(after(['x', 'y', 'c']), { c: 3 });
});

/** @param {Partial<KeyboardEvent> & {on?: object}} event */
const press = ({ on, ...event }) =>
  /** @type {any} */ ({
    key: 'z',
    code: 'KeyZ',
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    shiftKey: false,
    isComposing: false,
    target: on ?? { tagName: 'BUTTON' },
    ...event,
  });

test('Ctrl+Z undoes and Ctrl+Shift+Z or Ctrl+Y does again, on a Mac with the command key', () => {
  assert.equal(undoKey(press({ ctrlKey: true })), 'undo');
  assert.equal(undoKey(press({ metaKey: true })), 'undo');
  assert.equal(undoKey(press({ ctrlKey: true, shiftKey: true, key: 'Z' })), 'redo');
  assert.equal(undoKey(press({ ctrlKey: true, key: 'y', code: 'KeyY' })), 'redo');
  // A Korean keyboard, and a German one, which has the letters Y and Z exchanged.
  assert.equal(undoKey(press({ ctrlKey: true, key: 'ㅋ' })), 'undo');
  assert.equal(undoKey(press({ ctrlKey: true, key: 'z', code: 'KeyY' })), 'undo');
  for (const other of [{}, { ctrlKey: true, altKey: true }, { ctrlKey: true, key: 'x', code: 'KeyX' }])
    assert.equal(undoKey(press(other)), null);
});

test('in a text field the browser undoes the typing', () => {
  for (const on of [{ tagName: 'TEXTAREA' }, { tagName: 'INPUT', type: 'search' }])
    assert.equal(undoKey(press({ ctrlKey: true, on })), null);
  for (const on of [{ tagName: 'INPUT', type: 'checkbox' }, { tagName: 'SELECT' }, null])
    assert.equal(undoKey(press({ ctrlKey: true, ...(on ? { on } : { target: null }) })), 'undo');
});

test('Enter ends a sentence, unless it ends a syllable of an input method', () => {
  assert.equal(isEnter(press({ key: 'Enter' })), true);
  assert.equal(isEnter(press({ key: 'Enter', shiftKey: true })), false);
  assert.equal(isEnter(press({ key: 'Enter', isComposing: true })), false);
  assert.equal(isEnter(press({ key: 'a' })), false);
});
