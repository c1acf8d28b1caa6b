// Isolates the page from other origins on a host that does not send the headers for it, as static hosts do not: a
// service worker adds them (isolation-worker.js). The first visit loads the page a second time, at once. Where a
// browser has no service workers, as in some private windows, the CPU device computes on one thread.

import { scriptUrl } from './script-url.js';

/** Set when the page was loaded again, so that a host or browser in which that does not help is not tried for ever. */
const TRIED = 'webtune-isolation';

/**
 * Installs the service worker and loads the page again, unless the page has been used by then: it is isolated the next
 * time.
 * @param {() => boolean} isUsed
 */
export async function isolate(isUsed) {
  if (self.crossOriginIsolated || !self.isSecureContext || !navigator.serviceWorker) return;
  try {
    if (sessionStorage.getItem(TRIED)) return;
    await navigator.serviceWorker.register(scriptUrl(new URL('./isolation-worker.js', document.baseURI)));
    await navigator.serviceWorker.ready;
    if (isUsed()) return;
    sessionStorage.setItem(TRIED, '1');
  } catch (error) {
    // A visitor may forbid storage and workers. The page works without.
    console.info('The page cannot be isolated, so the CPU device has one thread.', error);
    return;
  }
  location.reload();
}
