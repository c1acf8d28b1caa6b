// Where the bytes of an archive go: a file of the visitor's disk, or the parts of a Blob that becomes a download.
//
// Pieces arrive as fast as the worker makes them. A piece that waits for the disk is a Blob, which the browser may keep
// on disk itself, so that a slow disk does not fill the memory of the page, and no piece is lost.

/**
 * @typedef {object} Sink
 * @property {(bytes: Uint8Array<ArrayBuffer>) => void} take
 * @property {() => number} written               bytes that have arrived at their place
 * @property {() => number} taken                 bytes that were given
 * @property {Promise<never>} failed              rejects when a piece cannot be written
 * @property {() => Promise<Blob|null>} finish    the archive; null where it is a file of the disk
 * @property {() => Promise<void>} discard        removes what was written
 */

/** The browser's own file: closed, it replaces the file of the disk, and aborted, it leaves no trace. */
/** @typedef {Pick<FileSystemWritableFileStream, 'write'|'close'|'abort'>} Writable */
/** @typedef {{createWritable: () => Promise<Writable>, getFile: () => Promise<{size: number}>,
 *   remove?: () => Promise<void>}} FileHandle */

/** @returns {Sink} */
export function blobSink() {
  /** @type {Blob[]} */
  const parts = [];
  let bytes = 0;
  return {
    take(piece) {
      parts.push(new Blob([piece]));
      bytes += piece.byteLength;
    },
    written: () => bytes,
    taken: () => bytes,
    failed: new Promise(() => {}),
    finish: async () => new Blob(parts, { type: 'application/zip' }),
    async discard() {
      parts.length = 0;
    },
  };
}

/**
 * @param {FileHandle} handle
 * @param {() => void} [onWritten]
 * @returns {Promise<Sink>}
 */
export async function fileSink(handle, onWritten = () => {}) {
  const file = await handle.createWritable();
  let [taken, written] = [0, 0];
  /** The pieces in their order: each is written after the one before it. @type {Promise<void>} */
  let last = Promise.resolve();
  /** @type {(error: unknown) => void} */
  let refuse = () => {};
  /** @type {Promise<never>} */
  const failed = new Promise((_, reject) => (refuse = reject));
  failed.catch(() => {}); // also when nobody waits for it
  return {
    take(bytes) {
      taken += bytes.byteLength;
      const piece = new Blob([bytes]);
      last = last.then(async () => {
        await file.write(piece);
        written += piece.size;
        onWritten();
      });
      last.catch(refuse);
    },
    written: () => written,
    taken: () => taken,
    failed,
    async finish() {
      await last;
      await file.close();
      return null;
    },
    async discard() {
      // A stream that has failed cannot be aborted again.
      await file.abort().catch(() => {});
      await removeEmpty(handle);
    },
  };
}

/**
 * Removes the file that the browser's dialog has made. A file that was there before keeps its content.
 * @param {FileHandle} handle
 */
export async function removeEmpty(handle) {
  try {
    if ((await handle.getFile()).size === 0) await handle.remove?.();
  } catch {
    // An empty file remains where the browser cannot remove it.
  }
}

/** @typedef {{kind: 'file', handle: FileHandle} | {kind: 'download'}} Target */

/**
 * Asks the visitor for a place on the disk; without the browser's dialog the archive becomes a download. It must be
 * called in the task of the press, because the dialog needs one.
 * @param {string} suggestedName
 * @param {any} scope  the window, which has the dialog
 * @returns {Promise<Target|null>} null when the visitor closes the dialog
 */
export async function chooseTarget(suggestedName, scope = globalThis) {
  if (typeof scope.showSaveFilePicker !== 'function') return { kind: 'download' };
  const types = [{ description: 'zip', accept: { 'application/zip': ['.zip'] } }];
  try {
    return { kind: 'file', handle: await scope.showSaveFilePicker({ suggestedName, types }) };
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    if (name === 'AbortError') return null;
    // A frame of another site, or a policy, forbids the dialog but not a download.
    return { kind: 'download' };
  }
}
