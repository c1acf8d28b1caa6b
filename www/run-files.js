// The files of a model of the visitor's disk, kept for a run in progress: after a crash the page reads them again. The
// worker keeps everything else of a run. IndexedDB copies the files into the browser's own storage.

/** @typedef {Extract<import('./state.js').Origin, {kind: 'disk'}>} DiskOrigin */

const DATABASE = 'webtune-runs';
const STORE = 'model-files';

/**
 * Keeps the files of a run. A browser without room or without this storage keeps none.
 * @param {number} run
 * @param {DiskOrigin} origin
 */
export async function keepFiles(run, origin) {
  await inStore('readwrite', (store) => store.put(origin, run)).catch(() => {});
}

/**
 * The files of a run; null where none are kept.
 * @param {number} run
 * @returns {Promise<DiskOrigin|null>}
 */
export async function keptFiles(run) {
  return await inStore('readonly', (store) => store.get(run)).then(
    (origin) => origin ?? null,
    () => null,
  );
}

/** Removes the files of all runs but these. @param {number[]} runs */
export async function removeFilesBut(runs) {
  await inStore('readwrite', (store) => {
    const keys = store.getAllKeys();
    keys.onsuccess = () => {
      for (const key of keys.result) if (!runs.includes(Number(key))) store.delete(key);
    };
    return keys;
  }).catch(() => {});
}

/**
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest} use
 * @returns {Promise<any>} the result of the request, after the transaction is complete
 */
async function inStore(mode, use) {
  const database = await opened();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const request = use(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = () => reject(transaction.error);
      transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

/** @returns {Promise<IDBDatabase>} */
function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error('another tab has an older version of the storage open'));
  });
}
