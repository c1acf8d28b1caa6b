// Reads a list of { source, br, gz, quality } from the JSON file on the command line.
// Writes both forms of each source.
// Node has both codecs as native code and runs them on its own threads.
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const brotli = promisify(brotliCompress);
const deflate = promisify(gzip);

/** @param {{ source: string, br: string, gz: string, quality: number }} job */
async function compress({ source, br, gz, quality }) {
  const bytes = await readFile(source);
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: quality,
    [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  await Promise.all([
    brotli(bytes, { params }).then((packed) => writeFile(br, packed)),
    deflate(bytes, { level: Math.min(quality, 9) }).then((packed) => writeFile(gz, packed)),
  ]);
}

await Promise.all(JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')).map(compress));
