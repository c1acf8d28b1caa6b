// A reader of zip archives with stored (uncompressed) entries. It follows the format specification, so that a mistake
// of the library that writes the archives is detected.

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const END_LENGTH = 22;

/**
 * The files by name, in the order of the central directory.
 * @param {Buffer} zip
 * @returns {Map<string, Buffer>}
 */
export function unzip(zip) {
  const end = zip.length - END_LENGTH;
  if (zip.readUInt32LE(end) !== END) throw new Error('the archive has no end record without a comment');
  const count = zip.readUInt16LE(end + 10);
  let at = zip.readUInt32LE(end + 16);
  /** @type {Map<string, Buffer>} */
  const entries = new Map();
  for (let entry = 0; entry < count; entry += 1) {
    if (zip.readUInt32LE(at) !== CENTRAL) throw new Error(`entry ${entry} of the central directory is damaged`);
    const [method, size] = [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 24)];
    const lengths = [28, 30, 32].map((field) => zip.readUInt16LE(at + field));
    const name = zip.toString('utf8', at + 46, at + 46 + (lengths[0] ?? 0));
    if (method !== 0) throw new Error(`${name} is compressed (method ${method})`);
    entries.set(name, stored(zip, zip.readUInt32LE(at + 42), size, name));
    at += 46 + lengths.reduce((all, length) => all + length, 0);
  }
  if (at !== end) throw new Error('the central directory has another length than its end record says');
  return entries;
}

/**
 * @param {Buffer} zip
 * @param {number} at
 * @param {number} size
 * @param {string} name
 */
function stored(zip, at, size, name) {
  if (zip.readUInt32LE(at) !== LOCAL) throw new Error(`${name} does not begin at the offset in the central directory`);
  const from = at + 30 + zip.readUInt16LE(at + 26) + zip.readUInt16LE(at + 28);
  return zip.subarray(from, from + size);
}
