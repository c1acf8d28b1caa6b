// Prints the section of a version in CHANGELOG.md, for the notes of a release.
//
// By hand: `node xtask/release-notes.js 0.2.0 < CHANGELOG.md`

import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/**
 * @param {string} changelog
 * @param {string} version   without a `v`
 */
export function notesOf(changelog, version) {
  const sections = changelog.split(/^(?=## )/m);
  // `## 0.2.0` or `## [0.2.0] - 2026-12-01`
  const named = (/** @type {string} */ section) => /^## \[?([^\s\]]+)/.exec(section)?.[1] === version;
  const [heading = '', ...lines] = sections.find(named)?.split('\n') ?? [];
  const notes = lines.join('\n').trim();
  if (!heading) throw new Error(`CHANGELOG.md has no section "## ${version}"`);
  if (!notes) throw new Error(`the section "${heading}" of CHANGELOG.md is empty`);
  return notes;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log(notesOf(await text(process.stdin), process.argv[2] ?? ''));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
