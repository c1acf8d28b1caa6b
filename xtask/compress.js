// Reads the JSON file named on its command line, a list of { source, br, gz, quality }, and writes both forms of each source.
// It is a script of Node's because Node has both codecs, compiled, and runs them on threads of its own.
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
