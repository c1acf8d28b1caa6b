// Saves the rows as a file.

import { save } from '../../files.js';

/**
 * @param {import('../../app.js').App} app
 * @param {import('../../protocol.js').DownloadFormat} format
 */
export async function downloadRows({ workflow }, format) {
  const written = await workflow.data.download(format);
  if (written) save(written.file, written.blob);
}
