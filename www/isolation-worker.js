// The service worker of a site whose host does not send the headers that isolate a page (isolation.js): it adds them to
// the page and to its workers. A worker also gets the page's policy, which a browser applies to the page only where it
// is an element of it. Other requests pass by it. It keeps nothing, so that a new version of the site is never mixed
// with an old one.

// The type check knows the page's scope only.
const scope = /** @type {any} */ (self);

scope.addEventListener('install', () => scope.skipWaiting());
scope.addEventListener('activate', (/** @type {any} */ event) => event.waitUntil(scope.clients.claim()));
scope.addEventListener('fetch', (/** @type {any} */ event) => {
  /** @type {Request} */
  const request = event.request;
  if (request.mode === 'navigate' || request.destination === 'worker') event.respondWith(isolated(request));
});

/** @param {Request} request */
async function isolated(request) {
  const response = await fetch(request);
  // A redirect, or the answer of another origin, cannot be read.
  if (response.status === 0) return response;
  const headers = new Headers(response.headers);
  headers.set('cross-origin-opener-policy', 'same-origin');
  headers.set('cross-origin-embedder-policy', 'require-corp');
  if (request.destination === 'worker') headers.set('content-security-policy', await policy());
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

/** The policy of the page that this service worker answers for. */
async function policy() {
  const page = await (await fetch(scope.registration.scope)).text();
  return (/http-equiv="Content-Security-Policy"\s+content="([^"]*)"/.exec(page)?.[1] ?? '').replace(/\s+/g, ' ').trim();
}
