// The workflows of the repository's host, and the notes of a release.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import test from 'node:test';
import { notesOf } from '../../xtask/release-notes.js';

const folder = new URL('../../.github/workflows/', import.meta.url);
const workflows = readdirSync(folder).map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') }));

test('every action is pinned to a commit, and its version is named', () => {
  const used = workflows.flatMap(({ name, text }) =>
    [...text.matchAll(/uses: (.*)/g)].map(([, action = '']) => ({ name, action })),
  );
  assert.ok(used.length >= 8);
  for (const { name, action } of used)
    assert.match(action, /^(\.\/\.github\/workflows\/ci\.yml|[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/, name);
});

test('a workflow may only read, and a job has no more rights than it needs', () => {
  const granted = workflows.map(({ name, text }) => {
    assert.match(text, /^permissions:\n {2}contents: read$/m, name);
    return [name, [...text.matchAll(/^ {6}([\w-]+): write$/gm)].map(([, right]) => right)];
  });
  assert.deepEqual(Object.fromEntries(granted), {
    'ci.yml': [],
    'pages.yml': ['pages', 'id-token'],
    'release.yml': ['contents'],
  });
});

test('no text of an event is part of a command', () => {
  // A name of a branch or a title may have any character: it reaches a command through the environment.
  for (const { name, text } of workflows) assert.doesNotMatch(text, /run:.*\$\{\{/, name);
});

test('the notes of a release are the section of its version', () => {
  const changelog =
    '# Changelog\n\n## Unreleased\n\n## [0.2.0] - 2026-12-01\n\n### Added\n\n- A.\n\n## 0.1.0\n\n- B.\n';
  assert.equal(notesOf(changelog, '0.2.0'), '### Added\n\n- A.');
  assert.equal(notesOf(changelog, '0.1.0'), '- B.');
  assert.throws(() => notesOf(changelog, '0.2'), /no section "## 0\.2"/);
  assert.throws(() => notesOf(changelog, 'Unreleased'), /is empty/);
});
