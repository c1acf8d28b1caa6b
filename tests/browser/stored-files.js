// The origin private file system of the page, as the store of models leaves it.

/** The files in the browser's storage, by folder. @param {import('./webtune.js').Webtune} webtune */
export const onDisk = ({ page }) =>
  page.evaluate(async () => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('webtune-models');
    /** @type {Record<string, string[]>} */
    const found = {};
    for (const name of ['files', 'pins']) {
      found[name] = [];
      for await (const key of /** @type {any} */ (await folder.getDirectoryHandle(name)).keys()) found[name].push(key);
      found[name].sort();
    }
    return found;
  });
